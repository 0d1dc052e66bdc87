//! Which refusals routes document, by what they take.

use std::collections::BTreeMap;

use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::contract::Problem;

type Responses = BTreeMap<String, RefOr<Response>>;

/// What a route refuses that reads the server's state.
pub(super) struct OfState;
/// What a login is refused for.
pub(super) struct OfLogin;
/// What a route refuses that changes something.
pub(super) struct OfChange;
/// What a route refuses that opens a stream.
pub(super) struct OfStream;
/// What a route refuses that has a question about a mission.
pub(super) struct OfQuestion;
/// What a route refuses that takes a question about a mission in a body.
pub(super) struct OfBody;
/// What a route refuses that has a question about the server's own records.
pub(super) struct OfEvidence;
/// What an export is refused for.
pub(super) struct OfExport;
/// What a route refuses that does something about alarms.
pub(super) struct OfAct;
/// What a route of administrators refuses.
pub(super) struct OfAdministration;
/// What a question about a node is refused for.
pub(super) struct OfNode;
/// What an import is refused for.
pub(super) struct OfImport;
/// What a route refuses that has a question about a mission which only the hub answers.
pub(super) struct OfHub;

/// What a route refuses that lists places.
pub(super) struct OfPlaces;

impl IntoResponses for OfState {
    fn responses() -> Responses {
        refused(&[401, 503])
    }
}

impl IntoResponses for OfLogin {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 413, 415, 429, 503])
    }
}

impl IntoResponses for OfChange {
    fn responses() -> Responses {
        refused(&[401, 403, 503])
    }
}

impl IntoResponses for OfStream {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 503])
    }
}

impl IntoResponses for OfQuestion {
    fn responses() -> Responses {
        refused(&[400, 401, 404, 503, 504])
    }
}

impl IntoResponses for OfBody {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 413, 415, 503, 504])
    }
}

impl IntoResponses for OfEvidence {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 503, 504])
    }
}

impl IntoResponses for OfExport {
    fn responses() -> Responses {
        refused(&[400, 401, 404, 429, 503, 504])
    }
}

impl IntoResponses for OfAct {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 409, 413, 415, 503, 504])
    }
}

impl IntoResponses for OfAdministration {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 409, 413, 415, 503, 504])
    }
}

impl IntoResponses for OfNode {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 503, 504])
    }
}

impl IntoResponses for OfImport {
    fn responses() -> Responses {
        refused(&[400, 401, 403, 404, 409, 413, 429, 503, 504])
    }
}

impl IntoResponses for OfHub {
    fn responses() -> Responses {
        refused(&[400, 401, 404, 409, 503, 504])
    }
}

impl IntoResponses for OfPlaces {
    fn responses() -> Responses {
        refused(&[401, 404, 503, 504])
    }
}

fn refused(statuses: &[u16]) -> Responses {
    let problem = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let response = |status: u16| {
        let response = ResponseBuilder::new().description(meaning(status));
        RefOr::T(response.content("application/problem+json", content.clone()).build())
    };
    statuses.iter().map(|&status| (status.to_string(), response(status))).collect()
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The question cannot be read, or is larger than is answered.",
        401 => "Nobody is logged in, or the code is not valid.",
        403 => "The request may come from another site, or the role does not include it.",
        404 => "There is no such mission for you here, or there is nothing of this name.",
        409 => "What it is about is not in a state for it, or it is done at the hub; nothing was changed.",
        413 => "The body is too large.",
        415 => "The body is not JSON.",
        429 => "Too many wrong codes came from this address, or too many exports or imports are under way.",
        504 => "The database took longer than the question may.",
        _ => "The database does not answer.",
    }
}
