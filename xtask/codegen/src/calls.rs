//! What is changed in how the generator makes a call: which headers it sends, how it gets its URL, how it reads the
//! answer.
//!
//! - The generator's own `api-version` header goes out: the API does not know it.
//! - A path without parameters is made a URL once, not with every call.
//! - The answer is read and decoded by `famulor-gen`'s own function, which keeps status, headers and body of one that is
//!   not as documented, and takes any 2xx for the success that is documented as 200.

use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, Block, Expr, ImplItemFn, Local, Stmt, parse_quote};

/// Rewrites every call of the client; an error if one is not of the form that the generator is known to write, so that a
/// new version cannot lose a guarantee in silence.
pub(crate) fn rewrite(file: &mut syn::File) -> Result<(), String> {
    let calls = count(file, "OperationInfo {");
    let mut rewriting = Rewriting::default();
    rewriting.visit_file_mut(file);
    if let Some(problem) = rewriting.problem {
        return Err(problem);
    }
    if rewriting.calls == 0 || rewriting.calls != calls {
        return Err(gone(&format!(
            "one `send` for each of its {calls} operations"
        )));
    }
    for rest in [". exec (", "from_response", "api-version"] {
        if count(file, rest) > 0 {
            return Err(format!(
                "the generator writes `{rest}` where it did not: adapt xtask/codegen/src/calls.rs"
            ));
        }
    }
    Ok(())
}

fn count(file: &syn::File, what: &str) -> usize {
    text(file).matches(what).count()
}

#[derive(Default)]
struct Rewriting {
    calls: usize,
    problem: Option<String>,
}

impl VisitMut for Rewriting {
    fn visit_impl_item_fn_mut(&mut self, method: &mut ImplItemFn) {
        if method.sig.ident == "send" && method.sig.asyncness.is_some() {
            match rewrite_call(&mut method.block) {
                Ok(()) => self.calls += 1,
                Err(problem) => self.problem = Some(problem),
            }
        }
        visit_mut::visit_impl_item_fn_mut(self, method);
    }
}

fn rewrite_call(block: &mut Block) -> Result<(), String> {
    drop_version_header(block)?;
    keep_url(block)?;
    read_answer(block)
}

fn drop_version_header(block: &mut Block) -> Result<(), String> {
    let made = quote! {
        let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
    };
    let filled = quote! {
        header_map.append(
            ::reqwest::header::HeaderName::from_static("api-version"),
            ::reqwest::header::HeaderValue::from_static(super::Client::api_version()),
        );
    };
    for statement in [made, filled] {
        let at = position(block, &statement.to_string())?;
        block.stmts.remove(at);
    }
    let mut dropping = DropHeaders(0);
    dropping.visit_block_mut(block);
    match dropping.0 {
        1 => Ok(()),
        _ => Err(gone(".headers(header_map)")),
    }
}

/// Takes `.headers(header_map)` out of a chain of calls.
struct DropHeaders(usize);

impl VisitMut for DropHeaders {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if let Expr::MethodCall(call) = expression
            && call.method == "headers"
            && text(&call.args) == "header_map"
        {
            self.0 += 1;
            *expression = (*call.receiver).clone();
        }
        visit_mut::visit_expr_mut(self, expression);
    }
}

fn keep_url(block: &mut Block) -> Result<(), String> {
    let url = block
        .stmts
        .iter_mut()
        .find_map(|statement| match statement {
            Stmt::Local(local) if text(&local.pat) == "url" => Some(local),
            _ => None,
        });
    let Some(Local {
        init: Some(value), ..
    }) = url
    else {
        return Err(gone("let url = …"));
    };
    let Expr::Macro(formatted) = &*value.expr else {
        return Err(gone("let url = format!(…)"));
    };
    // A path with parameters is another one every time, and an id in it is a secret that nothing should hold on to.
    if text(&formatted.mac.tokens).ends_with("\" , client . baseurl ,") {
        *value.expr = parse_quote!(crate::route::url(client, #formatted)?);
    }
    Ok(())
}

fn read_answer(block: &mut Block) -> Result<(), String> {
    let asked = quote! { let result = client.exec(request, &info).await; };
    let at = position(block, &asked.to_string())?;
    let tail = block.stmts.split_off(at);
    let [
        _,
        noted,
        unwrapped,
        Stmt::Expr(Expr::Match(by_status), None),
    ] = tail.as_slice()
    else {
        return Err(gone("a match as the last of four statements"));
    };
    expect(noted, &quote! { client.post(&result, &info).await?; })?;
    expect(unwrapped, &quote! { let response = result?; })?;
    expect(&by_status.expr, &quote! { response.status().as_u16() })?;

    let [success, refusals @ .., other] = by_status.arms.as_slice() else {
        return Err(gone("arms of a match"));
    };
    expect(&success.pat, &quote!(200u16))?;
    expect_body(
        success,
        &quote! { ResponseValue::from_response(response).await },
    )?;
    expect(&other.pat, &quote!(_))?;
    expect_body(other, &quote! { Err(Error::UnexpectedResponse(response)) })?;
    for refusal in refusals {
        expect_body(
            refusal,
            &quote! { Err(Error::ErrorResponse(ResponseValue::from_response(response).await?)) },
        )?;
    }
    let documented = refusals.iter().map(|arm| &arm.pat);
    let reading: Expr = parse_quote! {
        crate::answer::ask(client, request, |status| matches!(status, #(#documented)|*)).await
    };
    block.stmts.push(Stmt::Expr(reading, None));
    Ok(())
}

fn position(block: &Block, statement: &str) -> Result<usize, String> {
    let found = block.stmts.iter().position(|own| text(own) == statement);
    found.ok_or_else(|| gone(statement))
}

/// An arm's value, with or without braces around it.
fn expect_body(arm: &Arm, what: &proc_macro2::TokenStream) -> Result<(), String> {
    match &*arm.body {
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [only] => expect(only, what),
            _ => Err(gone(&what.to_string())),
        },
        body => expect(body, what),
    }
}

fn expect(found: &impl ToTokens, what: &proc_macro2::TokenStream) -> Result<(), String> {
    if text(found) == what.to_string() {
        Ok(())
    } else {
        Err(gone(&what.to_string()))
    }
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

fn gone(what: &str) -> String {
    format!("the generator no longer writes `{what}`: adapt xtask/codegen/src/calls.rs")
}

#[cfg(test)]
mod tests {
    use super::{rewrite, text};

    /// A call as the generator writes it.
    const CALL: &str = r#"
        impl<'a> GetMe<'a> {
            pub async fn send(self) -> Result<ResponseValue<types::Me>, Error<types::ApiError>> {
                let Self { client } = self;
                let url = format!("{}/user/me", client.baseurl,);
                let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
                header_map.append(
                    ::reqwest::header::HeaderName::from_static("api-version"),
                    ::reqwest::header::HeaderValue::from_static(super::Client::api_version()),
                );
                #[allow(unused_mut)]
                let mut request = client.client.get(url).headers(header_map).build()?;
                let info = OperationInfo { operation_id: "get_me" };
                client.pre(&mut request, &info).await?;
                let result = client.exec(request, &info).await;
                client.post(&result, &info).await?;
                let response = result?;
                match response.status().as_u16() {
                    200u16 => ResponseValue::from_response(response).await,
                    401u16 => Err(Error::ErrorResponse(ResponseValue::from_response(response).await?)),
                    429u16 => {
                        Err(Error::ErrorResponse(ResponseValue::from_response(response).await?))
                    }
                    _ => Err(Error::UnexpectedResponse(response)),
                }
            }
        }"#;

    fn rewritten(code: &str) -> Result<String, String> {
        let mut file = syn::parse_file(code).map_err(|error| error.to_string())?;
        rewrite(&mut file)?;
        Ok(text(&file))
    }

    #[test]
    fn a_call_sends_no_version_keeps_its_url_and_reads_its_answer_once() -> Result<(), String> {
        let code = rewritten(CALL)?;
        for part in [
            r#"let url = crate :: route :: url (client , format ! ("{}/user/me" , client . baseurl ,)) ? ;"#,
            "client . client . get (url) . build () ?",
            "crate :: answer :: ask (client , request , | status | matches ! (status , 401u16 | 429u16)) . await }",
        ] {
            assert!(code.contains(part), "no {part} in\n{code}");
        }
        for gone in ["header_map", "exec", "match response"] {
            assert!(!code.contains(gone), "{gone} in\n{code}");
        }
        Ok(())
    }

    #[test]
    fn an_id_in_a_path_is_not_held_on_to() -> Result<(), String> {
        let with_id = CALL.replace(
            "user/me\", client.baseurl,",
            "user/{}\", client.baseurl, id,",
        );
        assert_ne!(with_id, CALL);
        assert!(!rewritten(&with_id)?.contains("route"));
        Ok(())
    }

    #[test]
    fn whatever_the_generator_writes_otherwise_is_refused_by_name() {
        for (from, to) in [
            ("with_capacity(1usize)", "with_capacity(2usize)"),
            ("\"api-version\"", "\"x-version\""),
            (".headers(header_map)", ""),
            ("let url = format!", "let address = format!"),
            (
                "client.exec(request, &info).await",
                "client.client.execute(request).await",
            ),
            ("client.post(&result, &info).await?;", ""),
            ("200u16 =>", "201u16 =>"),
            ("401u16 => Err", "401u16 => Ok"),
            (
                "200u16 => ResponseValue::from_response(response).await",
                "200u16 => Ok(ResponseValue::empty(response))",
            ),
            (
                "_ => Err(Error::UnexpectedResponse(response))",
                "_ => Err(Error::Custom(String::new()))",
            ),
            ("async fn send", "async fn stream"),
        ] {
            let code = CALL.replace(from, to);
            assert_ne!(code, CALL, "{from}");
            let refusal = rewritten(&code).expect_err(from);
            assert!(refusal.contains("calls.rs"), "{from}: {refusal}");
        }
    }
}
