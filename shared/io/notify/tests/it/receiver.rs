//! A receiver of posts that answers as a test wants, well or badly.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it does once it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Writes this and closes.
    Bytes(String),
    /// Closes without a word.
    Close,
    /// Writes this, then the second text again and again until the other side has gone.
    Endless(&'static str, &'static str),
    /// Writes this, keeps the connection and says no more.
    ThenSilence(&'static str),
}

impl Answer {
    /// An answer with headers (each ending in `\r\n`) and a body.
    pub(crate) fn new(status: u16, headers: &str, body: &str) -> Self {
        Self::Bytes(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// What `docs/notifications.md` tells receivers to check, at a time.
    pub(crate) fn is_signed_by(&self, key_id: &str, secret: &str, unix_time_s: i64) -> bool {
        let value = self.header("sto-signature").unwrap_or_default();
        let part = |name: &str| value.split(',').find_map(|part| part.strip_prefix(name)).unwrap_or_default();
        let (time, key, mac) = (part("t="), part("key="), part("v1="));
        let age = time.parse::<i64>().map_or(i64::MAX, |time| (unix_time_s - time).abs());
        let signed = format!("{time}.{}", self.body);
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = HEXLOWER.decode(mac.as_bytes()).unwrap_or_default();
        key == key_id && age <= 300 && hmac::verify(&hmac_key, signed.as_bytes(), &tag).is_ok()
    }
}

/// A server on this machine; it ends with the test's runtime.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(crate) async fn answering(answer: Answer) -> Self {
        Self::start(answer, None).await
    }

    pub(crate) async fn start(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(connection, &answer, &seen).await,
                        Some(tls) => {
                            let Ok(connection) = tls.accept(connection).await else { return };
                            serve(connection, &answer, &seen).await;
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("nobody panicked").clone()
    }
}

async fn serve(connection: impl AsyncRead + AsyncWrite + Unpin, answer: &Answer, seen: &Mutex<Vec<Request>>) {
    let mut connection = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(connection.read_line(&mut head).await, Ok(1..)) {
            return;
        }
    }
    let mut request = Request { head, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if connection.read_exact(&mut body).await.is_err() {
        return;
    }
    request.body = String::from_utf8(body).expect("JSON is UTF-8");
    seen.lock().expect("nobody panicked").push(request);
    match answer {
        Answer::Bytes(text) => {
            let _ = connection.write_all(text.as_bytes()).await;
            let _ = connection.shutdown().await;
        }
        Answer::Close => {}
        Answer::Endless(first, again) => {
            let _ = connection.write_all(first.as_bytes()).await;
            while connection.write_all(again.as_bytes()).await.is_ok() {}
        }
        Answer::ThenSilence(first) => {
            let _ = connection.write_all(first.as_bytes()).await;
            let _ = connection.flush().await;
            let _ = connection.read_to_end(&mut Vec::new()).await;
        }
    }
}
