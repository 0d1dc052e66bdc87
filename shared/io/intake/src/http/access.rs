//! Who may hand telemetry to which link. Strangers are told nothing of what is here.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Context;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::cause::{Cause, Refusal};

/// Longest token.
const TOKEN_BYTES_MAX: usize = 4_096;

/// What the producers of a link must show. Only its hash is kept, and hashes are compared in constant time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(blake3::Hash);

impl Token {
    /// The token of a file: its first line.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the token in {}", file.display()))?;
        let token = text.lines().next().unwrap_or_default().trim();
        anyhow::ensure!(
            !token.is_empty() && token.len() <= TOKEN_BYTES_MAX,
            "the first line of {} is no token: 1 to {TOKEN_BYTES_MAX} bytes",
            file.display()
        );
        Ok(Self(blake3::hash(token.as_bytes())))
    }
}

/// What a request shows of who made it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    token: Option<blake3::Hash>,
    /// Why it may come from a web page: such a request is not taken by a link without a token, which may be one that only
    /// listens for this computer, whose browser opens pages of strangers.
    page: Option<(Cause, String)>,
}

impl Shown {
    /// What the head of a request shows: `Authorization: Bearer ...`, `Origin`, and the host it was meant for.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = token.filter(|token| token.len() <= TOKEN_BYTES_MAX);
        Self { token: token.map(|token| blake3::hash(token.as_bytes())), page: page(uri, headers) }
    }

    /// Whether it opens a link.
    pub(super) fn opens(&self, token: Option<&Token>) -> bool {
        match token {
            None => self.page.is_none(),
            Some(Token(wanted)) => self.token.is_some_and(|shown| shown == *wanted),
        }
    }

    /// Why it opens none of some links.
    pub(super) fn refusal<'a>(&self, tokens: impl IntoIterator<Item = Option<&'a Token>>) -> Refusal {
        let is_open = tokens.into_iter().any(|token| token.is_none());
        match (&self.page, self.token) {
            (Some((cause, message)), _) if is_open => Refusal::new(*cause, message.as_str()),
            (_, None) => {
                let message = "show the link's token as `Authorization: Bearer ...`";
                Refusal::new(Cause::TokenMissing, message)
            }
            (_, Some(_)) => Refusal::new(Cause::TokenWrong, "the token opens nothing here"),
        }
    }
}

/// Why a request may come from a web page. Browsers send `Origin` with whatever can change something, and with each
/// WebSocket. The host is looked at because of DNS rebinding: a page is of the same origin as a name of its own that
/// leads here.
fn page(uri: &Uri, headers: &HeaderMap) -> Option<(Cause, String)> {
    if headers.contains_key(header::ORIGIN) {
        let message = "the request has an `Origin`: requests of web pages need a link with a token";
        return Some((Cause::OriginRefused, message.to_owned()));
    }
    // HTTP/2 names the host in the address.
    let address = uri.authority().map(|authority| authority.as_str().as_bytes());
    let named = headers.get_all(header::HOST).into_iter().map(HeaderValue::as_bytes);
    let foreign = address.into_iter().chain(named).find(|host| !is_here(host))?;
    let shown: String = String::from_utf8_lossy(foreign).chars().take(80).collect();
    let message = format!(
        "the host {shown:?} is neither an IP address nor localhost: a web page may have made the name up; \
         requests by name need a link with a token"
    );
    Some((Cause::HostRefused, message))
}

/// Whether a host, perhaps with a port, is one that no web page can give itself.
fn is_here(host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else { return false };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_hosts_that_no_page_can_give_itself() {
        let here = [
            "127.0.0.1",
            "127.0.0.1:8090",
            "[::1]",
            "[::1]:8090",
            "10.0.0.7:1",
            "localhost",
            "LocalHost:8090",
        ];
        for host in here {
            assert!(is_here(host.as_bytes()), "{host}");
        }
        let foreign = [
            "",
            "station",
            "station:8090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:80",
            "a b",
        ];
        for host in foreign {
            assert!(!is_here(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn each_name_of_the_host_counts() {
        let page = |uri: &str, hosts: &[&'static str]| {
            let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host)));
            page(&Uri::try_from(uri).expect("an address"), &hosts.collect()).map(|(cause, _)| cause)
        };
        assert_eq!(page("/x", &[]), None);
        assert_eq!(page("http://127.0.0.1:1/x", &["localhost"]), None);
        assert_eq!(page("http://evil.example/x", &["localhost"]), Some(Cause::HostRefused));
        assert_eq!(page("/x", &["evil.example"]), Some(Cause::HostRefused));
    }
}
