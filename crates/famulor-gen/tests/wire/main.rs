//! The generated client against a server that writes whatever bytes a test wants.

mod answers;
mod observer;
mod requests;
mod server;
mod shown;

use famulor_gen::{Client, Failure, Session, http_client};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A client of the test's server, with a token.
fn client(base_url: &str) -> Result<Client, Box<dyn std::error::Error>> {
    Ok(with_session(
        base_url,
        Session::new().with_token("1|secret")?,
    )?)
}

fn with_session(base_url: &str, session: Session) -> reqwest::Result<Client> {
    Ok(Client::new_with_client(base_url, http_client()?, session))
}

/// The failure of a call that must not succeed.
#[track_caller]
fn failure<T>(result: Result<T, famulor_gen::Error<famulor_gen::types::ApiError>>) -> Failure {
    match result {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => Failure::from(error),
    }
}
