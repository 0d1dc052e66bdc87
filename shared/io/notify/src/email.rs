//! E-mail: a message of plain text, and handing it to the mail server that the configuration names.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use crate::attempt::{Attempt, Failure, FailureKind, is_caused_by};
use crate::config::{ConfigError, Place, Security, SmtpConfig};
use crate::dial::{self, Bounded, TooMuchSaid};
use crate::notification::{Notification, hexadecimal};
use crate::secrets;
use crate::tls::{Tls, is_tls_error};

/// After the message was taken, a server that does not say goodbye is not waited for.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that a server may say in one attempt, its certificates among them.
const SAID_MAX: usize = 64 * 1_024;

/// The mail server.
pub(crate) struct MailServer {
    host: String,
    port: u16,
    protection: Protection,
    from: Mailbox,
    hello: ClientId,
    credentials: Option<Credentials>,
    timeout: Duration,
}

/// How connections are protected.
enum Protection {
    /// From the first byte.
    FromTheStart(Tls),
    /// Not at all; beyond this machine only when that was said.
    None { beyond_this_machine: bool },
    /// After a plain beginning.
    Starttls(TlsParameters),
}

impl MailServer {
    pub(crate) fn new(config: &SmtpConfig) -> Result<Self, ConfigError> {
        let place = Place { table: "notify.smtp", index: 0 };
        let from: Mailbox = config
            .from
            .parse()
            .map_err(|failed| place.wrong("from")(format!("it is no sender: {failed}")))?;
        let hello = config.hello.clone().unwrap_or_else(|| from.email.domain().to_owned());
        if !hello.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
            || hello.is_empty()
        {
            return Err(place.wrong("hello")("expected the name of this machine in ASCII".to_owned()));
        }
        let default_port = match config.security {
            Security::None => 25,
            Security::Starttls => 587,
            Security::Tls => 465,
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port.unwrap_or(default_port),
            protection: protection(config, place)?,
            from,
            hello: ClientId::Domain(hello),
            credentials: credentials(config, place)?,
            timeout: config.timeout.0,
        })
    }

    /// Hands a message to the server. What it says after the message counts.
    pub(crate) async fn send(
        &self,
        to: &str,
        notification: &Notification,
        link: Option<&str>,
        now: SystemTime,
    ) -> Attempt {
        let message = match self.message(to, notification, link, now) {
            Ok(message) => message,
            Err(failure) => return failure.into(),
        };
        match tokio::time::timeout(self.timeout, self.hand_over(&message)).await {
            Ok(Ok((mut connection, answer))) => {
                let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
                let lines: Vec<&str> = answer.message().collect();
                Attempt::delivered(&format!("{} {}", answer.code(), lines.join(" ")))
            }
            Ok(Err(failure)) => failure.into(),
            Err(_) => {
                let seconds = self.timeout.as_secs();
                self.failure(FailureKind::Timeout, format!("did not take the message within {seconds} s"))
                    .into()
            }
        }
    }

    /// The message. Its id follows from the notification's, so that a repeat is known as one.
    fn message(
        &self,
        to: &str,
        notification: &Notification,
        link: Option<&str>,
        now: SystemTime,
    ) -> Result<Message, Failure> {
        let unusable =
            |why: String| Failure::new(FailureKind::Recipient, format!("{to:?} cannot be written to: {why}"));
        let to = to.parse().map_err(|failed| unusable(format!("{failed}")))?;
        let domain = self.from.email.domain();
        let message_id = format!("<{}@{domain}>", hexadecimal(notification.id.0));
        // Mail programs show what refers to the same id as one conversation: an alarm's.
        let alarm = format!("<alarm.{}@{domain}>", hexadecimal(notification.alarm.0));
        let auto_submitted = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .date(now)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(notification.subject())
            .message_id(Some(message_id))
            .references(alarm)
            // So that nobody's absence note answers (RFC 3834).
            .raw_header(HeaderValue::new(auto_submitted, "auto-generated".to_owned()))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(notification.text(link).replace('\n', "\r\n"))
            .map_err(|failed| unusable(failed.to_string()))
    }

    async fn hand_over(&self, message: &Message) -> Result<(AsyncSmtpConnection, Response), Failure> {
        let failed = |error: Error| self.told(&error);
        let mut connection = self.connect().await?;
        if let Protection::Starttls(tls) = &self.protection {
            if !connection.can_starttls() {
                return Err(self.failure(FailureKind::Tls, "does not offer STARTTLS"));
            }
            connection.starttls(tls.clone(), &self.hello).await.map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(failed)?;
        }
        let answer = connection.send(message.envelope(), &message.formatted()).await.map_err(failed)?;
        Ok((connection, answer))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let found = dial::lookup(&self.host, self.port).await;
        let found = found
            .map_err(|failed| self.failure(FailureKind::Connect, format!("has no address: {failed}")))?;
        let elsewhere = found.iter().find(|address| !is_this_machine(address.ip()));
        if let (Some(address), Protection::None { beyond_this_machine: false }) =
            (elsewhere, &self.protection)
        {
            let message = format!(
                "has the address {}, which is not this machine's: without TLS that needs unprotected = true",
                address.ip()
            );
            return Err(self.failure(FailureKind::Address, message));
        }
        let unreachable =
            |failed| self.failure(FailureKind::Connect, format!("cannot be connected to: {failed}"));
        let wire = dial::connect(&found).await.map_err(unreachable)?;
        let peer = wire.peer_addr().map_err(unreachable)?;
        let wire: Box<dyn AsyncTokioStream> = match &self.protection {
            Protection::FromTheStart(tls) => {
                let protected = tls.connect(wire).await.map_err(|failed| {
                    self.failure(FailureKind::Tls, format!("has no TLS that can be trusted: {failed}"))
                })?;
                Box::new(Bounded::new(protected, peer, SAID_MAX))
            }
            Protection::None { .. } | Protection::Starttls(_) => Box::new(Bounded::new(wire, peer, SAID_MAX)),
        };
        AsyncSmtpConnection::connect_with_transport(wire, &self.hello)
            .await
            .map_err(|error| self.told(&error))
    }

    /// What an error of the server or of the way to it means.
    fn told(&self, error: &Error) -> Failure {
        let kind = if error.is_permanent() || error.is_client() {
            FailureKind::Refused
        } else if error.is_transient() {
            FailureKind::Busy
        } else if is_tls_error(error) {
            FailureKind::Tls
        } else if error.is_response() || is_caused_by::<TooMuchSaid>(error) {
            FailureKind::Answer
        } else {
            FailureKind::Connect
        };
        self.failure(kind, error.to_string())
    }

    fn failure(&self, kind: FailureKind, message: impl AsRef<str>) -> Failure {
        Failure::new(kind, format!("{}:{} {}", self.host, self.port, message.as_ref()))
    }
}

fn credentials(config: &SmtpConfig, place: Place) -> Result<Option<Credentials>, ConfigError> {
    match (&config.user, &config.password_file) {
        (None, None) => Ok(None),
        (Some(_), _) if config.security == Security::None => {
            let message = "a password is never sent without TLS: use security = \"starttls\" or \"tls\"";
            Err(place.wrong("user")(message.to_owned()))
        }
        (Some(user), Some(file)) => {
            let password = secrets::secret(file).map_err(place.wrong("password_file"))?;
            Ok(Some(Credentials::new(user.clone(), password.reveal().clone())))
        }
        (Some(_), None) => Err(place.wrong("user")("a user needs a password_file".to_owned())),
        (None, Some(_)) => Err(place.wrong("password_file")("a password needs a user".to_owned())),
    }
}

fn protection(config: &SmtpConfig, place: Place) -> Result<Protection, ConfigError> {
    if config.security == Security::None {
        return Ok(Protection::None { beyond_this_machine: config.unprotected });
    }
    let wrong = place.wrong("ca_file");
    let authorities = config.ca_file.as_deref().map(secrets::certificates).transpose().map_err(&wrong)?;
    // For STARTTLS as well, whose TLS is lettre's: a file without certificates, with which lettre trusts nobody, is told
    // now and not when an alarm comes.
    let tls = Tls::new(&config.host, authorities.as_deref()).map_err(&wrong)?;
    if config.security == Security::Tls {
        return Ok(Protection::FromTheStart(tls));
    }
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &authorities {
        let certificate =
            Certificate::from_pem(pem.as_bytes()).map_err(|failed| wrong(failed.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map(Protection::Starttls).map_err(|failed| wrong(failed.to_string()))
}

fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
