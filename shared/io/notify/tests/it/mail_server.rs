//! A mail server that answers as a test wants, well or badly.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What it says to each command, without the end of the line; `greeting` and `.` are the beginning and the end of a
/// message. [`DROP`] ends the connection, [`ENDLESS`] never comes to an end, [`SILENCE`] says nothing any more.
pub(crate) type Script = BTreeMap<&'static str, &'static str>;
pub(crate) const DROP: &str = "drop";
pub(crate) const ENDLESS: &str = "endless";
pub(crate) const SILENCE: &str = "silence";

/// How it protects connections.
#[derive(Clone)]
pub(crate) enum Protection {
    FromTheStart(TlsAcceptor),
    None,
    Starttls(TlsAcceptor),
}

/// What it was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript {
    /// Each command, and whether it came through TLS.
    pub(crate) commands: Vec<(String, bool)>,
    pub(crate) messages: Vec<String>,
}

/// A server on this machine; it ends with the test's runtime.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    transcript: Arc<Mutex<Transcript>>,
}

struct Session {
    script: Script,
    is_starttls_offered: bool,
    is_protected: bool,
    transcript: Arc<Mutex<Transcript>>,
}

#[derive(Eq, PartialEq)]
enum End {
    Over,
    Starttls,
}

impl TestServer {
    pub(crate) async fn start(script: Script, protection: Protection) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let transcript = Arc::new(Mutex::new(Transcript::default()));
        let kept = Arc::clone(&transcript);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let transcript = Arc::clone(&kept);
                let session = Session {
                    script: script.clone(),
                    is_starttls_offered: false,
                    is_protected: false,
                    transcript,
                };
                tokio::spawn(converse(connection, protection.clone(), session));
            }
        });
        Self { address, transcript }
    }

    pub(crate) fn transcript(&self) -> Transcript {
        self.transcript.lock().expect("nobody panicked").clone()
    }
}

async fn converse(connection: TcpStream, protection: Protection, mut session: Session) {
    match protection {
        Protection::None => {
            session.run(&mut BufReader::new(connection), true).await;
        }
        Protection::FromTheStart(tls) => {
            session.is_protected = true;
            let Ok(connection) = tls.accept(connection).await else { return };
            session.run(&mut BufReader::new(connection), true).await;
        }
        Protection::Starttls(tls) => {
            session.is_starttls_offered = true;
            let mut connection = BufReader::new(connection);
            if session.run(&mut connection, true).await == End::Starttls {
                let Ok(connection) = tls.accept(connection.into_inner()).await else { return };
                (session.is_protected, session.is_starttls_offered) = (true, false);
                session.run(&mut BufReader::new(connection), false).await;
            }
        }
    }
}

impl Session {
    async fn run(
        &self,
        connection: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
        greets: bool,
    ) -> End {
        if greets && !self.say(connection, "greeting", "220 mail.example ESMTP").await {
            return End::Over;
        }
        let mut line = String::new();
        loop {
            line.clear();
            if !matches!(connection.read_line(&mut line).await, Ok(1..)) {
                return End::Over;
            }
            self.transcript.lock().expect("nobody panicked").commands.push((line.clone(), self.is_protected));
            let verb = line.split([' ', '\r']).next().unwrap_or_default();
            let starttls = if self.is_starttls_offered { "250-STARTTLS\r\n" } else { "" };
            let greeting = format!("250-mail.example\r\n{starttls}250 AUTH PLAIN LOGIN");
            let usual = match verb {
                "AUTH" => "235 welcome",
                "DATA" => "354 go on",
                "EHLO" => &greeting,
                "QUIT" => "221 bye",
                "STARTTLS" => "220 go on",
                _ => "250 fine",
            };
            if !self.say(connection, verb, usual).await || verb == "QUIT" {
                return End::Over;
            }
            if verb == "STARTTLS" {
                return End::Starttls;
            }
            if verb == "DATA" && !self.script.contains_key("DATA") && !self.take(connection).await {
                return End::Over;
            }
        }
    }

    /// Reads a message up to its dot.
    async fn take(&self, connection: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> bool {
        let mut message = String::new();
        while !message.ends_with("\r\n.\r\n") {
            if !matches!(connection.read_line(&mut message).await, Ok(1..)) {
                return false;
            }
        }
        self.transcript.lock().expect("nobody panicked").messages.push(message);
        self.say(connection, ".", "250 2.0.0 queued as 7").await
    }

    /// Whether the conversation goes on.
    async fn say(
        &self,
        connection: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
        to: &str,
        usual: &str,
    ) -> bool {
        match self.script.get(to).copied().unwrap_or(usual) {
            DROP => false,
            ENDLESS => {
                while connection.write_all(b"250 and more and more ").await.is_ok() {}
                false
            }
            SILENCE => std::future::pending().await,
            text => {
                let said = connection.write_all(format!("{text}\r\n").as_bytes()).await;
                said.is_ok() && connection.flush().await.is_ok()
            }
        }
    }
}
