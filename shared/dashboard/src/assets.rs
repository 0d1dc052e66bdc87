//! The web app, embedded: hashed files for ever, the page itself never cached, nothing from another host.

use std::io::Read;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use crate::ProblemResponse;
use crate::api::etag;

#[derive(rust_embed::RustEmbed)]
#[folder = "web/dist"]
struct Bundle;

/// Everything from this host only; inline scripts and styles not at all.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Serves a file of the bundle, or the page for any route of the app.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return ProblemResponse::unknown_path(format!("/{path} is not part of the API")).into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let problem =
            ProblemResponse::method_not_allowed(format!("{method} is nothing that /{path} answers"));
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    let is_asset = path.starts_with("assets/");
    // No route of the app lies below these.
    let is_file = is_asset || path.starts_with("manual/");
    let found = file(path, &headers);
    let response = if is_file { found } else { found.or_else(|| file("index.html", &headers)) };
    let mut response = response.unwrap_or_else(|| missing(is_file));
    let caching = if is_asset && response.headers().contains_key(header::ETAG) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static(caching));
    response
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let content_type = content_type(path)?;
    let packed = Bundle::get(&format!("{path}.gz"));
    let is_packed = packed.is_some();
    let content = packed.or_else(|| Bundle::get(path))?;
    let tag = etag::tag(&content.metadata.sha256_hash());
    let is_sent_packed = is_packed && takes_gzip(headers);
    let mut response = if etag::holds(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body =
            if is_packed && !is_sent_packed { unpacked(&content.data)? } else { content.data.into_owned() };
        ([(header::CONTENT_TYPE, content_type)], body).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    if is_sent_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    }
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept-encoding"));
    Some(response)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|offer| offer.trim().starts_with("gzip"))
}

/// Text lies in the bundle packed only; few ask for it otherwise. It is our own: its size needs no bound.
fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Files of kinds the bundle does not have are not served.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

fn missing(is_file: bool) -> Response {
    if is_file {
        return ProblemResponse::unknown_path("this file is not part of the dashboard").into_response();
    }
    let text = "This binary was built without the dashboard. Build it with `just web`, then build the binary again.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
