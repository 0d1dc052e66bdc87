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
    /// No such version of the limits.
    unknown_limits => NOT_FOUND, "STO-LIMITS-UNKNOWN", "There is no such version of the limits";
    /// Limits that do not go together, or with the dictionary.
    limits_refused => BAD_REQUEST, "STO-LIMITS", "The limits are not taken";
    /// Limits that were changed meanwhile.
    limits_conflict => CONFLICT, "STO-LIMITS-CONFLICT", "Somebody else changed the limits meanwhile";
    /// An event with the id of another one.
    event_id => CONFLICT, "STO-EVENT-ID", "The id is taken";
    /// A node that is none of the mission's.
    backfill_node => NOT_FOUND, "STO-BACKFILL-NODE", "There is no such node";
    /// As many requests as a node may have are open.
    backfill_full => CONFLICT, "STO-BACKFILL-FULL", "The node has as many requests as it may";
    /// As many exports as are made at once are being made.
    exports_busy => TOO_MANY_REQUESTS, "STO-API-EXPORTS-BUSY", "All places for exports are taken";
    /// No such path.
    unknown_path => NOT_FOUND, "STO-API-UNKNOWN-PATH", "There is nothing at this path";
    /// A kind of subscription that this server does not have.
    not_streamed => NOT_FOUND, "STO-API-NOT-STREAMED", "This server does not stream that";
    /// Administration that is done at the hub.
    administered_elsewhere => CONFLICT, "STO-ADMIN-ELSEWHERE", "This is administered at the hub";
    /// A name or text that is not taken.
    admin_text => BAD_REQUEST, "STO-ADMIN-TEXT", "A name or text is not taken";
    /// A token's name that is no name.
    api_token_name => BAD_REQUEST, "STO-API-TOKEN-NAME", "The token's name is not taken";
    /// The name of a token that is in force.
    api_token_exists => CONFLICT, "STO-API-TOKEN-EXISTS", "A token of this name is in force";
    /// No token in force has the name.
    api_token_unknown => NOT_FOUND, "STO-API-TOKEN-UNKNOWN", "There is no such token";
    /// No enrolment token has the id.
    enrolment_token_unknown => NOT_FOUND, "STO-ADMIN-TOKEN-UNKNOWN", "There is no such token";
    /// An enrolment token that cannot be used any more.
    enrolment_token_over => CONFLICT, "STO-ADMIN-TOKEN-OVER", "The token is over already";
    /// What would change the hub's own station.
    node_built_in => CONFLICT, "STO-NODE-BUILT-IN", "The hub's own station is not administered so";
    /// No such node, or none the principal may know of.
    unknown_node => NOT_FOUND, "STO-API-UNKNOWN-NODE", "There is no such node";
    /// Nobody of the name is logged in or has a code.
    unknown_person => NOT_FOUND, "STO-API-UNKNOWN-PERSON", "Nobody of this name is logged in";
    /// A dictionary that cannot be used.
    dictionary => BAD_REQUEST, "STO-DICTIONARY", "The dictionary cannot be used";
    /// No such version of a dictionary.
    unknown_dictionary => NOT_FOUND, "STO-API-UNKNOWN-DICTIONARY", "There is no such version of the dictionary";
    /// A dictionary is being imported.
    imports_busy => TOO_MANY_REQUESTS, "STO-API-IMPORTS-BUSY", "Another dictionary is being imported";
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
    unknown_alarm_rules => NOT_FOUND, "STO-ALARM-RULES-UNKNOWN", "There is no such version of the rules";
    /// No such version of the detection rules.
    unknown_detection_rules => NOT_FOUND, "STO-DETECT-RULES-UNKNOWN", "There is no such version of the rules";
    /// Rules that were changed meanwhile.
    rules_conflict => CONFLICT, "STO-RULES-CONFLICT", "Somebody else changed the rules meanwhile";
    /// Elements that cannot be read or not be propagated.
    bad_elements => BAD_REQUEST, "STO-ORBIT-ELEMENTS", "The elements are not taken";
    /// A server without places of sites and elements of spacecraft.
    no_orbits => NOT_FOUND, "STO-ORBIT-NONE", "This server knows no places and no elements";
    /// No such pass.
    unknown_pass => NOT_FOUND, "STO-ORBIT-PASS-UNKNOWN", "There is no such pass";
    /// A stored dashboard that cannot be read.
    dashboard_damaged => INTERNAL_SERVER_ERROR, "STO-DASHBOARD-DAMAGED", "The dashboard cannot be read";
    /// A dashboard, or a change of one, that is not taken as it stands.
    dashboard_file => BAD_REQUEST, "STO-DASHBOARD-FILE", "The dashboard cannot be taken as it stands";
    /// More of dashboards than is kept.
    dashboard_full => CONFLICT, "STO-DASHBOARD-FULL", "There is no room for this";
    /// A dashboard or a change with the id of another one.
    dashboard_id => CONFLICT, "STO-DASHBOARD-ID", "The id is taken";
    /// No such dashboard, or none the principal may see.
    unknown_dashboard => NOT_FOUND, "STO-DASHBOARD-UNKNOWN", "There is no such dashboard";
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

    /// As a document.
    pub(crate) fn document(&self) -> Problem {
        Problem {
            kind: format!("error-codes.html#{}", self.code.to_ascii_lowercase()),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail.clone(),
        }
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.document())).into_response();
        let content_type = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
        }
        response
    }
}
