//! The web app, embedded: hashed files for ever, the page itself never cached, nothing from another host.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

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
    let found = file(path, &headers);
    let response = if is_asset { found } else { found.or_else(|| file("index.html", &headers)) };
    let mut response = response.unwrap_or_else(|| missing(is_asset));
    let caching = if is_asset && response.headers().contains_key(header::ETAG) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static(caching));
    response
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let packed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(encoding, _)| accepted.split(',').any(|offer| offer.trim().starts_with(encoding)))
        .find_map(|(encoding, suffix)| Some((encoding, Bundle::get(&format!("{path}{suffix}"))?)));
    let (encoding, content) = match packed {
        Some((encoding, content)) => (Some(encoding), content),
        None => (None, Bundle::get(path)?),
    };
    let content_type = content_type(path)?;
    let tag = etag::tag(&content.metadata.sha256_hash());
    let mut response = if etag::holds(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], content.data.into_owned()).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static(encoding));
    }
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept-encoding"));
    Some(response)
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

fn missing(is_asset: bool) -> Response {
    if is_asset {
        return ProblemResponse::unknown_path("this file is not part of the dashboard").into_response();
    }
    let text = "This binary was built without the dashboard. Build it with `just web`, then build the binary again.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
