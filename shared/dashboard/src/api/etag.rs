//! Answers that change seldom: whoever has one already is told that it still holds.

use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Asked for again each time, and answered with 304 while it holds.
const REVALIDATED: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A value as JSON, or 304 if the asker has it.
pub(super) fn json(asker: &HeaderMap, value: &impl Serialize) -> Response {
    let body = serde_json::to_string(value).expect("answers hold only numbers and text");
    text(asker, "application/json", &body)
}

/// A text, or 304 if the asker has it.
pub(super) fn text(asker: &HeaderMap, content_type: &'static str, body: &str) -> Response {
    let tag = tag(body.as_bytes());
    let mut response = if holds(asker, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], body.to_owned()).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, REVALIDATED);
    response
}

/// The tag of a body: weak, because the body may be packed on its way.
pub(crate) fn tag(body: &[u8]) -> HeaderValue {
    let hash = digest::digest(&digest::SHA256, body);
    let text = format!("W/\"{}\"", data_encoding::BASE64URL_NOPAD.encode(&hash.as_ref()[..12]));
    HeaderValue::from_str(&text).expect("base64 is text")
}

/// Whether the asker has what has this tag.
pub(crate) fn holds(asker: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(wanted) = tag.to_str().map(opaque) else { return false };
    let given = asker.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|line| line.split(',')).any(|one| one.trim() == "*" || opaque(one) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_is_known_by_any_spelling_of_its_tag() {
        let tag = tag(b"body");
        let text = tag.to_str().expect("text").to_owned();
        let check = |given: &str, expected| {
            let given = HeaderValue::from_str(given).expect("text");
            assert_eq!(holds(&HeaderMap::from_iter([(header::IF_NONE_MATCH, given)]), &tag), expected);
        };
        check(&text, true);
        check(&text[2..], true);
        check(&format!("\"other\", {text}"), true);
        check("*", true);
        check("\"other\"", false);
        check("", false);
        assert!(!holds(&HeaderMap::new(), &tag));
    }
}
