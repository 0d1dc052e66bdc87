//! Errors as answers: RFC 9457 problem documents with stable codes.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::contract::Problem;

/// An error answer.
#[derive(Clone, Debug)]
pub struct ProblemResponse {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident => $status:ident, $code:literal, $title:literal;)*) => {
        impl ProblemResponse {
            $($(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                Self { status: StatusCode::$status, code: $code, title: $title, detail: detail.into() }
            })*
        }
    };
}

problems! {
    /// The session is missing or over.
    not_logged_in => UNAUTHORIZED, "STO-API-NOT-LOGGED-IN", "You are not logged in";
    /// A code that is wrong, used or expired.
    wrong_code => UNAUTHORIZED, "STO-API-WRONG-CODE", "The code is not valid";
    /// The role does not allow it.
    not_allowed => FORBIDDEN, "STO-API-NOT-ALLOWED", "You may not do this";
    /// An unsafe request without the header that a foreign page cannot send.
    cross_site => FORBIDDEN, "STO-API-CROSS-SITE", "The request may come from another site";
    /// Too many wrong codes.
    slow_down => TOO_MANY_REQUESTS, "STO-API-SLOW-DOWN", "Too many attempts";
    /// No such mission, or none the principal may know of.
    unknown_mission => NOT_FOUND, "STO-API-UNKNOWN-MISSION", "There is no such mission";
    /// No such parameter.
    unknown_parameter => NOT_FOUND, "STO-API-UNKNOWN-PARAMETER", "There is no such parameter";
    /// No such packet.
    unknown_packet => NOT_FOUND, "STO-API-UNKNOWN-PACKET", "There is no such packet";
    /// As many exports as are made at once are being made.
    exports_busy => TOO_MANY_REQUESTS, "STO-API-EXPORTS-BUSY", "All places for exports are taken";
    /// No such path.
    unknown_path => NOT_FOUND, "STO-API-UNKNOWN-PATH", "There is nothing at this path";
    /// A kind of subscription that this server does not have.
    not_streamed => NOT_FOUND, "STO-API-NOT-STREAMED", "This server does not stream that";
    /// An act that changes nothing.
    alarm_act => CONFLICT, "STO-ALARM-ACT", "The alarm does not take this act";
    /// A contact that the rules in force do not have.
    alarm_contact => NOT_FOUND, "STO-ALARM-CONTACT", "There is no such contact";
    /// Something about alarms that is done at the hub.
    alarms_elsewhere => CONFLICT, "STO-ALARM-ELSEWHERE", "This is done elsewhere";
    /// An alarm with as many acts as it may have.
    alarm_full => CONFLICT, "STO-ALARM-FULL", "The alarm takes no more acts";
    /// An act with the id of another entry.
    alarm_id => CONFLICT, "STO-ALARM-ID", "The id is taken";
    /// An act that needs a note.
    alarm_note => CONFLICT, "STO-ALARM-NOTE", "The act needs a note";
    /// A shelving until a time that is not taken.
    alarm_shelf => CONFLICT, "STO-ALARM-SHELF", "The alarm is not shelved until then";
    /// A suppression that would be over.
    alarm_suppression => CONFLICT, "STO-ALARM-SUPPRESSION", "The alarm is not suppressed until then";
    /// A text that is too long, or empty.
    alarm_text => CONFLICT, "STO-ALARM-TEXT", "A text is not taken";
    /// A mission whose alarms this server does not look after.
    no_alarms => NOT_FOUND, "STO-ALARM-NONE", "This server looks after no alarms of the mission";
    /// No such alarm.
    unknown_alarm => NOT_FOUND, "STO-ALARM-UNKNOWN", "There is no such alarm";
    /// No such version of the alarm rules.
    unknown_rules => NOT_FOUND, "STO-ALARM-RULES-UNKNOWN", "There is no such version of the rules";
    /// A method that the path does not have.
    method_not_allowed => METHOD_NOT_ALLOWED, "STO-API-METHOD", "This is not done at this path";
    /// A body above the route's limit.
    too_large => PAYLOAD_TOO_LARGE, "STO-API-TOO-LARGE", "The body is too large";
    /// A body that is not JSON.
    content_type => UNSUPPORTED_MEDIA_TYPE, "STO-API-CONTENT-TYPE", "The body is of a kind that is not read here";
    /// A query that cannot be read.
    bad_request => BAD_REQUEST, "STO-API-BAD-REQUEST", "The request cannot be read";
    /// The database does not answer.
    unavailable => SERVICE_UNAVAILABLE, "STO-API-UNAVAILABLE", "The archive does not answer at the moment";
    /// A question that was given up because its answer took too long.
    too_slow => GATEWAY_TIMEOUT, "STO-API-TOO-SLOW", "The answer took too long";
    /// A fault of ours.
    internal => INTERNAL_SERVER_ERROR, "STO-API-INTERNAL", "Something went wrong on this side";
}

impl ProblemResponse {
    /// HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether it is this side's fault: the same may work later.
    pub(crate) fn is_of_server(&self) -> bool {
        self.status.is_server_error()
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What happened this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let body = Problem {
            kind: format!("error-codes.html#{}", self.code.to_ascii_lowercase()),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let content_type = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
        }
        response
    }
}
