//! One POST over HTTP/1.1, to exactly the address that was checked: no second look at the DNS, no redirects, no proxy, and
//! every part of the answer bounded.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use service::config::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::attempt::{Attempt, Failure, FailureKind, RETRY_AFTER_MAX, SAID_BYTES_MAX};
use crate::dial;
use crate::network::{Network, may_go_to};
use crate::tls::Tls;

/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// Once the status has come it counts; what is said behind it is for people, and not waited for long.
const SAID_TIMEOUT: Duration = Duration::from_secs(1);

/// Where to post.
pub(crate) struct Target {
    uri: Secret<Uri>,
    host: String,
    port: u16,
    tls: Option<Tls>,
    allow: Vec<Network>,
    timeout: Duration,
}

/// What a target needs beside its URL.
pub(crate) struct TargetOptions<'a> {
    pub(crate) allow_http: bool,
    pub(crate) allow: &'a [Network],
    /// PEM.
    pub(crate) authorities: Option<&'a str>,
    pub(crate) timeout: Duration,
}

/// A path or query that is shorter holds no secret; `/ok` is not to be struck out of what a receiver says.
const SECRET_PART_BYTES_MIN: usize = 12;

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

impl Target {
    /// Reads a URL. What is wrong is told without it.
    pub(crate) fn new(url: &str, options: &TargetOptions<'_>) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| "it cannot be read as a URL".to_owned())?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if options.allow_http => false,
            Some("http") => {
                return Err("http:// needs allow_http = true: anybody on the way can read it".to_owned());
            }
            _ => return Err("expected a URL that begins with https://".to_owned()),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(
                "a user or password in a URL is not sent; the receiver checks the signature".to_owned()
            );
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = is_https.then(|| Tls::new(&host, options.authorities)).transpose()?;
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let (allow, timeout) = (options.allow.to_owned(), options.timeout);
        Ok(Self { uri: Secret::new(uri), host, port, tls, allow, timeout })
    }

    /// Posts JSON. `now` is for a `Retry-After` that names a date.
    pub(crate) async fn post(&self, headers: HeaderMap, body: String, now: SystemTime) -> Attempt {
        self.exchange(headers, body, now).await.unwrap_or_else(Attempt::from)
    }

    async fn exchange(&self, headers: HeaderMap, body: String, now: SystemTime) -> Result<Attempt, Failure> {
        let deadline = Instant::now() + self.timeout;
        let request = self.request(headers, body)?;
        let wire = TokioIo::new(self.in_time(deadline, self.connect()).await?);
        let unreadable = |failed: hyper::Error| {
            let ended =
                if failed.is_incomplete_message() { "ended the connection without an answer" } else { "" };
            let text = if ended.is_empty() {
                format!("gave no answer that can be read: {failed}")
            } else {
                ended.into()
            };
            self.failure(FailureKind::Answer, text)
        };
        let mut http = http1::Builder::new();
        let (mut sender, connection) =
            http.max_buf_size(HEAD_BYTES_MAX).handshake(wire).await.map_err(unreadable)?;
        let exchange = async {
            let asking = async { sender.send_request(request).await.map_err(unreadable) };
            let answer = self.in_time(deadline, asking).await?;
            Ok(self.judge(answer, now).await)
        };
        // What ends the connection comes out of the exchange too, which may have the answer already.
        let driver = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            attempt = exchange => attempt,
            never = driver => never,
        }
    }

    async fn in_time<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = || {
            self.failure(FailureKind::Timeout, format!("did not answer within {} s", self.timeout.as_secs()))
        };
        tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(late()))
    }

    fn request(&self, headers: HeaderMap, body: String) -> Result<Request<Full<Bytes>>, Failure> {
        let uri = self.uri.reveal();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::post(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, concat!("sto-notify/", env!("CARGO_PKG_VERSION")))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::from(body)));
        let mut request = request
            .map_err(|_| self.failure(FailureKind::Refused, "cannot be asked: its URL is no path of HTTP"))?;
        request.headers_mut().extend(headers);
        Ok(request)
    }

    async fn connect(&self) -> Result<Box<dyn Wire>, Failure> {
        let found = dial::lookup(&self.host, self.port)
            .await
            .map_err(|failed| self.failure(FailureKind::Connect, format!("has no address: {failed}")))?;
        let allowed = allowed(&found, &self.allow).map_err(|refused| {
            let message =
                format!("has the address {refused}, which is not of the public internet and not in `allow`");
            self.failure(FailureKind::Address, message)
        })?;
        let connection = dial::connect(&allowed).await;
        let connection = connection.map_err(|failed| {
            self.failure(FailureKind::Connect, format!("cannot be connected to: {failed}"))
        })?;
        self.protect(connection).await
    }

    async fn protect(&self, connection: TcpStream) -> Result<Box<dyn Wire>, Failure> {
        let Some(tls) = &self.tls else { return Ok(Box::new(connection)) };
        let protected = tls.connect(connection).await.map_err(|failed| {
            self.failure(FailureKind::Tls, format!("has no TLS that can be trusted: {failed}"))
        })?;
        Ok(Box::new(protected))
    }

    /// The status decides; what the receiver says is for people.
    async fn judge(&self, answer: Response<Incoming>, now: SystemTime) -> Attempt {
        let (status, wait) = (answer.status(), retry_after(answer.headers(), now));
        let said = self.said(answer.into_body()).await;
        let line = format!("{} {said}", status.as_u16());
        if status.is_success() {
            return Attempt::delivered(&line);
        }
        if status.is_redirection() {
            let message = format!("answered {}, a redirect, which is not followed", status.as_u16());
            return self.failure(FailureKind::Refused, message).into();
        }
        let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
            .contains(&status);
        if later || status.is_server_error() {
            let failure = self.failure(FailureKind::Busy, format!("answered {line}"));
            return Attempt::TryAgain { failure, not_before: wait };
        }
        self.failure(FailureKind::Refused, format!("answered {line}")).into()
    }

    /// The beginning of the body, without the secret that may be in it: some receivers repeat the path.
    async fn said(&self, mut body: Incoming) -> String {
        let mut said = Vec::new();
        let read = async {
            while said.len() < SAID_BYTES_MAX {
                let Some(Ok(frame)) = body.frame().await else { break };
                said.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
            }
        };
        let _ = tokio::time::timeout(SAID_TIMEOUT, read).await;
        let mut text = String::from_utf8_lossy(&said).into_owned();
        let uri = self.uri.reveal();
        for secret in [Some(uri.path()), uri.query()].into_iter().flatten() {
            if secret.len() >= SECRET_PART_BYTES_MIN {
                text = text.replace(secret, "***");
            }
        }
        text.chars().take(SAID_BYTES_MAX).collect()
    }

    fn failure(&self, kind: FailureKind, message: impl AsRef<str>) -> Failure {
        Failure::new(kind, format!("{}:{} {}", self.host, self.port, message.as_ref()))
    }
}

/// Those that a message may go to; or the first, when there are some and it may go to none.
fn allowed(found: &[SocketAddr], networks: &[Network]) -> Result<Vec<SocketAddr>, IpAddr> {
    let allowed: Vec<SocketAddr> =
        found.iter().filter(|address| may_go_to(address.ip(), networks)).copied().collect();
    match found.first() {
        Some(first) if allowed.is_empty() => Err(first.ip()),
        _ => Ok(allowed),
    }
}

/// What `Retry-After` asks for, in seconds or as a date, within bounds.
fn retry_after(headers: &HeaderMap<HeaderValue>, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    let date =
        || httpdate::parse_http_date(text).ok().map(|date| date.duration_since(now).unwrap_or_default());
    seconds.or_else(date).map(|wait| wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests;
