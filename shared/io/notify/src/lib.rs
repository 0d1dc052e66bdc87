//! How people are told: e-mail, signed webhooks, Slack-compatible posts. One attempt at a time; when to try again is a
//! pure function ([`retry_after`]), and whom to tell, what was told and who tells it are the caller's.
//!
//! A message has an id, and every attempt carries the same one: what was delivered while its confirmation was lost comes
//! again, and the receiver can tell. Receivers are not trusted: what they say is bounded in bytes and in time, redirects
//! are not followed, and addresses outside the public internet are not posted to unless the configuration allows it.

mod attempt;
mod config;
mod dial;
mod email;
mod http;
mod network;
mod notification;
mod retry;
mod secrets;
mod slack;
mod tls;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use hyper::header::{HeaderMap, HeaderValue};
use service::config::Secret;
use space_packet::TaiTime;

pub use attempt::{Attempt, Failure, FailureKind, RETRY_AFTER_MAX, SAID_BYTES_MAX};
pub use config::{ConfigError, NotifyConfig, Security, SlackConfig, SmtpConfig, WebhookConfig};
pub use network::{Network, NetworkParseError, is_global};
pub use notification::{GroupTold, Notification, Rung};
pub use processing::alarm::ContactAddress as Address;
pub use retry::{ATTEMPTS_MAX, retry_after};
pub use webhook::{BODY_VERSION, ID_HEADER, SIGNATURE_HEADER, signature};

use config::{Place, is_name};
use email::MailServer;
use http::{Target, TargetOptions};

/// Bytes of a secret that signs: 128 bits in hexadecimal digits.
const SIGNING_SECRET_BYTES_MIN: usize = 32;

/// All the ways that the configuration knows. Holds no connections: alarms are rare, and one that was kept open is
/// often dead when it is needed.
pub struct Notifier {
    dashboard_url: Option<String>,
    mail: Option<MailServer>,
    webhooks: BTreeMap<String, Webhook>,
    slacks: BTreeMap<String, Target>,
}

struct Webhook {
    target: Target,
    secret: Secret<String>,
    key_id: String,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let webhooks: Vec<&String> = self.webhooks.keys().collect();
        let slacks: Vec<&String> = self.slacks.keys().collect();
        let mut shown = formatter.debug_struct("Notifier");
        shown.field("mail", &self.mail.is_some()).field("webhooks", &webhooks).field("slacks", &slacks);
        shown.finish_non_exhaustive()
    }
}

impl Notifier {
    /// Checks the configuration and reads its files with secrets and authorities. Asks nothing of the network.
    pub fn new(config: &NotifyConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let mut webhooks = BTreeMap::new();
        for (index, webhook) in config.webhooks.iter().enumerate() {
            let place = Place { table: "notify.webhook", index };
            webhooks.insert(webhook.name.clone(), Webhook::new(webhook, place)?);
        }
        let mut slacks = BTreeMap::new();
        for (index, slack) in config.slacks.iter().enumerate() {
            let place = Place { table: "notify.slack", index };
            slacks.insert(slack.name.clone(), slack_target(slack, place)?);
        }
        let mail = config.smtp.as_ref().map(MailServer::new).transpose()?;
        Ok(Self { dashboard_url: config.dashboard_url.clone(), mail, webhooks, slacks })
    }

    /// Whether there is a way to an address: what a rules file names and the configuration lacks can be told before
    /// an alarm needs it.
    pub fn has(&self, address: &Address) -> bool {
        match address {
            Address::Email(_) => self.mail.is_some(),
            Address::Slack(name) => self.slacks.contains_key(name),
            Address::Webhook(name) => self.webhooks.contains_key(name),
        }
    }

    /// Makes one attempt, which ends within the channel's `timeout` and a second. `now` is the time that is signed.
    ///
    /// Dropping the future ends the attempt; whether the receiver has the message then nobody knows.
    pub async fn send(&self, address: &Address, notification: &Notification, now: TaiTime) -> Attempt {
        let link = notification.link(self.dashboard_url.as_deref());
        let (link, unix_nanos) = (link.as_deref(), u64::try_from(now.to_unix_nanos()).unwrap_or(0));
        let clock = SystemTime::UNIX_EPOCH + Duration::from_nanos(unix_nanos);
        match address {
            Address::Email(to) => match &self.mail {
                Some(mail) => mail.send(to, notification, link, clock).await,
                None => no_channel("e-mail needs [notify.smtp]"),
            },
            Address::Slack(name) => match self.slacks.get(name) {
                Some(slack) => slack.post(HeaderMap::new(), slack::body(notification, link), clock).await,
                None => no_channel(&format!("there is no [[notify.slack]] named {name:?}")),
            },
            Address::Webhook(name) => match self.webhooks.get(name) {
                Some(webhook) => webhook.send(notification, link, clock).await,
                None => no_channel(&format!("there is no [[notify.webhook]] named {name:?}")),
            },
        }
    }
}

fn no_channel(message: &str) -> Attempt {
    Failure::new(FailureKind::Channel, message).into()
}

fn slack_target(config: &SlackConfig, place: Place) -> Result<Target, ConfigError> {
    let url = secrets::secret(&config.url_file).map_err(place.wrong("url_file"))?;
    let authorities = config.ca_file.as_deref().map(secrets::certificates).transpose();
    let authorities = authorities.map_err(place.wrong("ca_file"))?;
    let options = TargetOptions {
        allow_http: config.allow_http,
        allow: &config.allow,
        authorities: authorities.as_deref(),
        timeout: config.timeout.0,
    };
    Target::new(url.reveal(), &options).map_err(place.wrong("url_file"))
}

impl Webhook {
    fn new(config: &WebhookConfig, place: Place) -> Result<Self, ConfigError> {
        if !is_name(&config.key_id) {
            return Err(place.wrong("key_id")("expected 1 to 40 letters, digits, - and _".to_owned()));
        }
        let secret = secrets::secret(&config.secret_file).map_err(place.wrong("secret_file"))?;
        if secret.reveal().len() < SIGNING_SECRET_BYTES_MIN {
            let message = format!("a secret of fewer than {SIGNING_SECRET_BYTES_MIN} bytes can be guessed");
            return Err(place.wrong("secret_file")(message));
        }
        let authorities = config.ca_file.as_deref().map(secrets::certificates).transpose();
        let authorities = authorities.map_err(place.wrong("ca_file"))?;
        let options = TargetOptions {
            allow_http: config.allow_http,
            allow: &config.allow,
            authorities: authorities.as_deref(),
            timeout: config.timeout.0,
        };
        let target = Target::new(config.url.reveal(), &options).map_err(place.wrong("url"))?;
        Ok(Self { target, secret, key_id: config.key_id.clone() })
    }

    async fn send(&self, notification: &Notification, link: Option<&str>, now: SystemTime) -> Attempt {
        let body = webhook::body(notification, link);
        let unix_time_s = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
        let signature =
            webhook::signature(self.secret.reveal().as_bytes(), &self.key_id, unix_time_s, body.as_bytes());
        let id = notification::hexadecimal(notification.id.0);
        let headers = [(ID_HEADER, id), (SIGNATURE_HEADER, signature)].map(|(name, value)| {
            let value = HeaderValue::try_from(value).expect("names and hexadecimal digits are visible ASCII");
            (hyper::header::HeaderName::from_static(name), value)
        });
        self.target.post(HeaderMap::from_iter(headers), body, now).await
    }
}
