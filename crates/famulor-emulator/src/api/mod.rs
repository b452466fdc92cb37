//! The API under `/api`: a route an operation, and one way that every call goes.

mod account;
mod assistants;
mod call;
mod conversations;
mod cursor;
mod exchange;
mod gate;
mod listing;
mod pipeline;
mod refusal;
mod replies;
mod takeover;
mod throttle;
mod validation;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use self::refusal::Refusal;
use crate::operation::Operation;
use crate::world::World;

/// Where the API lives on the server.
pub(crate) const BASE_PATH: &str = "/api";

/// All operations, and Laravel's answers to everything else.
pub(crate) fn router(world: &Arc<World>) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL {
        for path in operation.paths() {
            router = router.route(&format!("{BASE_PATH}{path}"), route(world, operation));
        }
    }
    let world = Arc::clone(world);
    router.fallback(move |request: Request| async move {
        let refusal = Refusal::no_route(request.uri().path());
        pipeline::turn_away(&world, &request, refusal)
    })
}

fn route(world: &Arc<World>, operation: Operation) -> MethodRouter {
    let (filter, supported) = if operation.method() == Method::GET {
        (MethodFilter::GET, "GET, HEAD")
    } else {
        (MethodFilter::POST, "POST")
    };
    let inside = Arc::clone(world);
    let outside = Arc::clone(world);
    on(filter, move |request: Request| {
        pipeline::serve(inside, operation, request)
    })
    .fallback(move |request: Request| async move {
        let refusal =
            Refusal::wrong_method(request.method().as_str(), request.uri().path(), supported);
        pipeline::turn_away(&outside, &request, refusal)
    })
}
