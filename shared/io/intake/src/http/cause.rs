//! Why something was refused: stable codes, the same in every door's answers and in the counters.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use processing::SampleCause;
use serde::{Serialize, Serializer};

/// Why a request, a message or a record was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Cause {
    /// There is nothing in the body.
    BodyEmpty,
    /// The body does not come, or too slowly.
    BodySlow,
    /// The body is longer than is taken, perhaps only once unpacked.
    BodyTooLarge,
    /// The body broke off.
    BodyTruncated,
    /// The link has as many clients as it may.
    ConnectionLimit,
    /// A packing that is not known.
    ContentEncoding,
    /// A kind of body that is not known.
    ContentType,
    /// The records cannot be committed, or not in time: the database does not answer.
    DatabaseAway,
    /// The mission has no link of this kind here.
    DoorClosed,
    /// The body cannot be unpacked.
    EncodingBroken,
    /// A connection brought no request in time.
    HeadersSlow,
    /// A host that a web page may have made up, on a link without a token.
    HostRefused,
    /// The key is empty, too long, or no printable text.
    IdempotencyKeyMalformed,
    /// The key was used with another body, or another `partial`.
    IdempotencyKeyReused,
    /// The records are handed over, and not yet durable.
    JournalSlow,
    /// Too many bodies are under way.
    Memory,
    /// No link here is of the mission.
    MissionUnknown,
    /// Bytes that begin no packet.
    NotAPacket,
    /// A request of a web page, on a link without a token.
    OriginRefused,
    /// A packet longer than the link takes.
    Oversized,
    /// Not a message of the contract.
    ProtobufMalformed,
    /// A query that is not known.
    QueryMalformed,
    /// What makes records durable does not keep up.
    QueueFull,
    /// The link brings more than it may.
    RateCap,
    /// What is wrong with a sample, or a body of samples.
    Sample(SampleCause),
    /// The program stops.
    Stopping,
    /// No token was shown.
    TokenMissing,
    /// The token is not the link's.
    TokenWrong,
    /// The last packet is cut off.
    Truncated,
}

impl Cause {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyEmpty => "body-empty",
            Self::BodySlow => "body-slow",
            Self::BodyTooLarge => "body-too-large",
            Self::BodyTruncated => "body-truncated",
            Self::ConnectionLimit => "connection-limit",
            Self::ContentEncoding => "content-encoding",
            Self::ContentType => "content-type",
            Self::DatabaseAway => "database-away",
            Self::DoorClosed => "door-closed",
            Self::EncodingBroken => "encoding-broken",
            Self::HeadersSlow => "headers-slow",
            Self::HostRefused => "host-refused",
            Self::IdempotencyKeyMalformed => "idempotency-key-malformed",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::JournalSlow => "journal-slow",
            Self::Memory => "memory",
            Self::MissionUnknown => "mission-unknown",
            Self::NotAPacket => "not-a-packet",
            Self::OriginRefused => "origin-refused",
            Self::Oversized => "oversized",
            Self::ProtobufMalformed => "protobuf-malformed",
            Self::QueryMalformed => "query-malformed",
            Self::QueueFull => "queue-full",
            Self::RateCap => "rate-cap",
            Self::Sample(cause) => cause.code(),
            Self::Stopping => "stopping",
            Self::TokenMissing => "token-missing",
            Self::TokenWrong => "token-wrong",
            Self::Truncated => "truncated",
        }
    }

    /// Status of an HTTP answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BodyEmpty
            | Self::BodyTruncated
            | Self::EncodingBroken
            | Self::IdempotencyKeyMalformed
            | Self::NotAPacket
            | Self::Oversized
            | Self::ProtobufMalformed
            | Self::QueryMalformed
            | Self::Sample(SampleCause::JsonShape | SampleCause::JsonSyntax)
            | Self::Truncated => StatusCode::BAD_REQUEST,
            Self::BodySlow | Self::HeadersSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge | Self::Sample(SampleCause::TooManySamples) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentEncoding | Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::DoorClosed | Self::MissionUnknown => StatusCode::NOT_FOUND,
            Self::HostRefused | Self::OriginRefused => StatusCode::FORBIDDEN,
            Self::IdempotencyKeyReused | Self::Sample(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::ConnectionLimit
            | Self::DatabaseAway
            | Self::JournalSlow
            | Self::Memory
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::QueueFull | Self::RateCap => StatusCode::TOO_MANY_REQUESTS,
            Self::TokenMissing | Self::TokenWrong => StatusCode::UNAUTHORIZED,
        }
    }

    /// Status of a gRPC call.
    pub const fn grpc(self) -> tonic::Code {
        match self {
            Self::ConnectionLimit | Self::DatabaseAway | Self::JournalSlow | Self::Stopping => {
                tonic::Code::Unavailable
            }
            Self::BodySlow | Self::HeadersSlow => tonic::Code::DeadlineExceeded,
            Self::DoorClosed | Self::MissionUnknown => tonic::Code::NotFound,
            Self::HostRefused | Self::OriginRefused => tonic::Code::PermissionDenied,
            Self::Memory | Self::QueueFull | Self::RateCap => tonic::Code::ResourceExhausted,
            Self::TokenMissing | Self::TokenWrong => tonic::Code::Unauthenticated,
            _ => tonic::Code::InvalidArgument,
        }
    }

    /// What happened, the same each time.
    const fn title(self) -> &'static str {
        match self.status() {
            StatusCode::FORBIDDEN => "The link is not for web pages",
            StatusCode::NOT_FOUND => "There is no such link",
            StatusCode::PAYLOAD_TOO_LARGE => "The body is too large",
            StatusCode::REQUEST_TIMEOUT => "The body did not come in time",
            StatusCode::SERVICE_UNAVAILABLE => "Not possible at the moment",
            StatusCode::TOO_MANY_REQUESTS => "Come again later",
            StatusCode::UNAUTHORIZED => "The link's token is needed",
            StatusCode::UNPROCESSABLE_ENTITY => "The content does not fit",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "This kind of body is not taken",
            _ => "The request cannot be read",
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A record that was not taken.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RefusedRecord {
    /// Its place among the records of the request, from 0.
    pub index: u64,
    /// Where a packet should begin and none does, in bytes from the body's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The first bytes there, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bytes: Option<String>,
    /// JSON pointer of the field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line it stands on, from 1, in bodies of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Why.
    pub cause: Cause,
    /// A sentence for whoever sent it.
    pub message: String,
}

/// Why a whole request or message was refused: nothing of it was taken, unless the cause says otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// A sentence for whoever sent it.
    pub message: String,
    /// When to come again.
    pub retry_after: Option<Duration>,
    /// The records at fault, or the first of them.
    pub refused: Vec<RefusedRecord>,
    /// How many records are at fault.
    pub refused_count: usize,
}

impl Refusal {
    /// A refusal that is not about single records.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into(), retry_after: None, refused: Vec::new(), refused_count: 0 }
    }

    /// One that passes with time.
    pub fn later(cause: Cause, retry_after: Duration, message: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(cause, message) }
    }

    /// Whole seconds until it is worth coming again.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_millis().div_ceil(1_000).max(1) as u64)
    }
}

#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    cause: Cause,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedRecord>,
    #[serde(skip_serializing_if = "is_zero")]
    refused_count: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.cause.status(), self.retry_after_s());
        let problem = Problem {
            kind: format!("intake.html#{}", self.cause.code()),
            title: self.cause.title(),
            status: status.as_u16(),
            code: "STO-INTAKE-REFUSED",
            cause: self.cause,
            detail: self.message,
            refused: self.refused,
            refused_count: self.refused_count,
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for tonic::Status {
    fn from(refusal: Refusal) -> Self {
        let mut text = format!("{}: {}", refusal.cause.code(), refusal.message);
        // A status travels in a header, and proxies cut long ones.
        for record in refusal.refused.iter().take(5) {
            text.push_str(&format!("; record {}", record.index));
            if let Some(path) = &record.path {
                text.push_str(&format!(" at {path}"));
            }
            if let Some(offset) = record.offset {
                text.push_str(&format!(" at byte {offset}"));
            }
            text.push_str(&format!(": {}: {}", record.cause.code(), record.message));
        }
        let mut status = Self::new(refusal.cause.grpc(), text.chars().take(2_000).collect::<String>());
        if let Some(seconds) = refusal.retry_after_s() {
            status.metadata_mut().insert("retry-after", seconds.into());
        }
        status
    }
}
