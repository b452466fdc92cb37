//! Calls of endpoints that the spec does not have.

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::Method;
use serde_json::Value;

use crate::{
    Client, Error,
    answer::{Answer, unexpected},
    generated::types::ApiError,
};

impl Client {
    /// Calls any endpoint below the base URL with this client's token and hooks, and gives the answer as it came.
    ///
    /// `path` begins with a slash and may carry a query; it is taken as it is, so percent-encode what goes into it.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_gen::Client) -> Result<(), famulor_gen::Failure> {
    /// let folders = client.any(reqwest::Method::GET, "/user/folders", None).await?;
    /// println!("{} bytes", folders.body().len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As a generated call, but every answer that is no success is an [`Error::UnexpectedResponse`].
    pub async fn any(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Error<ApiError>> {
        let info = OperationInfo {
            operation_id: "any",
        };
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.baseurl))
            .header(reqwest::header::ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut request = request
            .build()
            .map_err(|_| Error::InvalidRequest("the path does not make a URL".to_owned()))?;
        self.pre(&mut request, &info).await?;
        let (answer, response) = self.answer(request).await?;
        if answer.is_whole_success() {
            Ok(answer)
        } else {
            Err(unexpected(answer, response))
        }
    }
}
