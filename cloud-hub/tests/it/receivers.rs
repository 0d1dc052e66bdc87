//! Receivers of messages on this machine: one of webhooks and a mail server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    /// Where it was posted to, without the slash.
    pub(crate) to: String,
    pub(crate) body: Value,
}

/// What a receiver does with a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// Takes it and says nothing.
    Silence,
}

/// A receiver of webhooks; it ends with the test's runtime.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (came, answer) = (Arc::default(), Arc::new(Mutex::new(Answer::Status(200))));
        let (seen, told) = (Arc::clone(&came), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(take(connection, Arc::clone(&seen), Arc::clone(&told)));
            }
        });
        Self { address, came, answer }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("sound") = answer;
    }

    /// What came since this was asked last.
    pub(crate) fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.came.lock().expect("sound"))
    }

    /// To whom what came since this was asked last.
    pub(crate) fn told(&self) -> Vec<String> {
        self.came().into_iter().map(|came| came.to).collect()
    }
}

async fn take(connection: TcpStream, came: Arc<Mutex<Vec<Came>>>, answer: Arc<Mutex<Answer>>) {
    let mut connection = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(connection.read_line(&mut head).await, Ok(1..)) {
            return;
        }
    }
    let to = head.split([' ', '/']).nth(2).unwrap_or_default().to_owned();
    let length = head
        .to_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.lines().next().and_then(|length| length.parse().ok()).unwrap_or(0));
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.expect("as long as it says");
    let body = serde_json::from_slice(&body).expect("JSON");
    came.lock().expect("sound").push(Came { to, body });
    let answer = *answer.lock().expect("sound");
    match answer {
        Answer::Status(status) => {
            let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 6\r\n\r\nnoted.");
            let _ = connection.write_all(text.as_bytes()).await;
        }
        Answer::Silence => drop(connection.read_to_end(&mut Vec::new()).await),
    }
}

/// A mail server that takes everything; it ends with the test's runtime.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    messages: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let messages = Arc::default();
        let seen = Arc::clone(&messages);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(converse(connection, Arc::clone(&seen)));
            }
        });
        Self { address, messages }
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        std::mem::take(&mut self.messages.lock().expect("sound"))
    }
}

async fn converse(connection: TcpStream, messages: Arc<Mutex<Vec<String>>>) {
    let mut connection = BufReader::new(connection);
    let (mut answer, mut said) = ("220 mail.example ESMTP\r\n", String::new());
    while connection.write_all(answer.as_bytes()).await.is_ok() {
        said.clear();
        if !matches!(connection.read_line(&mut said).await, Ok(1..)) {
            return;
        }
        answer = match said.split([' ', '\r']).next().unwrap_or_default() {
            "DATA" => {
                connection.write_all(b"354 go on\r\n").await.expect("is there");
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    connection.read_line(&mut message).await.expect("is there");
                }
                messages.lock().expect("sound").push(message);
                "250 2.0.0 queued as 7\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 fine\r\n",
        };
    }
}
