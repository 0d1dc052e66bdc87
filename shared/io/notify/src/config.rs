//! `[notify]` of the hub's configuration: which ways there are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use service::config::{Secret, Span, resolve};

use crate::network::Network;

/// Channels of one kind.
const CHANNELS_MAX: usize = 100;
/// What an attempt may take: less than a second is no patience, more than five minutes is no attempt.
const TIMEOUT_RANGE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(300);

/// `[notify]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyConfig {
    /// Where people reach the dashboard; links in messages begin with it. Without, there are none.
    pub dashboard_url: Option<String>,
    /// E-mail.
    pub smtp: Option<SmtpConfig>,
    /// Webhooks, by name.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookConfig>,
    /// Slack-compatible channels, by name.
    #[serde(rename = "slack")]
    pub slacks: Vec<SlackConfig>,
}

/// `[notify.smtp]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Name or address of the mail server.
    pub host: String,
    /// Its port; that of `security` when absent.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Allows `security = "none"` to a server that is not on this machine.
    #[serde(default)]
    pub unprotected: bool,
    /// Sender, `Operations <alarms@station.example>`.
    pub from: String,
    /// What this machine calls itself; the sender's domain when absent.
    pub hello: Option<String>,
    /// User to log in as; nobody when absent.
    pub user: Option<String>,
    /// File with the user's password.
    pub password_file: Option<PathBuf>,
    /// PEM file with the authorities that are trusted, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// What an attempt may take.
    #[serde(default = "smtp_timeout")]
    pub timeout: Span,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// Not at all: port 25.
    None,
    /// TLS from a plain beginning, required: port 587.
    #[default]
    Starttls,
    /// TLS from the first byte: port 465.
    Tls,
}

/// `[[notify.webhook]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Its name in alarm rules.
    pub name: String,
    /// Where to post. Never printed: it may hold a secret.
    pub url: Secret<String>,
    /// Allows `http://`.
    #[serde(default)]
    pub allow_http: bool,
    /// File with the secret that signs.
    pub secret_file: PathBuf,
    /// Names the secret to the receiver, so that it can be changed.
    #[serde(default = "key_id")]
    pub key_id: String,
    /// PEM file with the authorities that are trusted, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Networks that are not of the public internet and may be gone to all the same.
    #[serde(default)]
    pub allow: Vec<Network>,
    /// What an attempt may take.
    #[serde(default = "post_timeout")]
    pub timeout: Span,
}

/// `[[notify.slack]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// Its name in alarm rules.
    pub name: String,
    /// File with the address, which is the secret.
    pub url_file: PathBuf,
    /// Allows `http://`.
    #[serde(default)]
    pub allow_http: bool,
    /// PEM file with the authorities that are trusted, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Networks that are not of the public internet and may be gone to all the same.
    #[serde(default)]
    pub allow: Vec<Network>,
    /// What an attempt may take.
    #[serde(default = "post_timeout")]
    pub timeout: Span,
}

/// Mail servers delay what they do not know.
fn smtp_timeout() -> Span {
    Span(Duration::from_secs(30))
}

/// Receivers of webhooks should take first and think later.
fn post_timeout() -> Span {
    Span(Duration::from_secs(10))
}

fn key_id() -> String {
    "1".to_owned()
}

/// What is wrong with the configuration: where, and what to write instead. Never holds a secret or a URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{table}, number {}, {key}: {message}", .index + 1)]
pub struct ConfigError {
    /// The table, as in the file without brackets.
    pub table: &'static str,
    /// Which of the tables of this name, from 0.
    pub index: usize,
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Where in the file something is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) index: usize,
}

impl Place {
    pub(crate) fn wrong(self, key: &'static str) -> impl Fn(String) -> ConfigError {
        move |message| ConfigError { table: self.table, index: self.index, key, message }
    }
}

impl NotifyConfig {
    /// Makes relative paths relative to the configuration file, as all of its paths are.
    #[must_use]
    pub fn resolved(mut self, config_file: &Path) -> Self {
        let smtp = self.smtp.iter_mut().flat_map(|smtp| [&mut smtp.password_file, &mut smtp.ca_file]);
        let webhooks = self.webhooks.iter_mut();
        let slacks = self.slacks.iter_mut();
        for file in smtp.flatten() {
            *file = resolve(config_file, file);
        }
        for webhook in webhooks {
            webhook.secret_file = resolve(config_file, &webhook.secret_file);
            webhook.ca_file = webhook.ca_file.as_deref().map(|file| resolve(config_file, file));
        }
        for slack in slacks {
            slack.url_file = resolve(config_file, &slack.url_file);
            slack.ca_file = slack.ca_file.as_deref().map(|file| resolve(config_file, file));
        }
        self
    }

    /// Checks what needs neither files nor the network.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let url = self.dashboard_url.as_deref().unwrap_or("https://");
        let readable = url.chars().all(|letter| letter.is_ascii_graphic() && !"<>\"|".contains(letter));
        if !readable || !(url.starts_with("https://") || url.starts_with("http://")) {
            let message = "expected an address that begins with https:// or http://".to_owned();
            return Err(Place { table: "notify", index: 0 }.wrong("dashboard_url")(message));
        }
        if let Some(smtp) = &self.smtp {
            check_timeout(Place { table: "notify.smtp", index: 0 }, smtp.timeout)?;
        }
        let webhooks: Vec<_> = self.webhooks.iter().map(|one| (one.name.as_str(), one.timeout)).collect();
        let slacks: Vec<_> = self.slacks.iter().map(|one| (one.name.as_str(), one.timeout)).collect();
        check_channels("notify.webhook", &webhooks)?;
        check_channels("notify.slack", &slacks)
    }
}

fn check_channels(table: &'static str, channels: &[(&str, Span)]) -> Result<(), ConfigError> {
    for (index, (name, timeout)) in channels.iter().enumerate() {
        let place = Place { table, index };
        let wrong = place.wrong("name");
        if index >= CHANNELS_MAX {
            return Err(wrong(format!("there are more than {CHANNELS_MAX}")));
        }
        if !is_name(name) {
            return Err(wrong("expected 1 to 40 letters, digits, - and _".to_owned()));
        }
        if channels[..index].iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("two are named {name:?}")));
        }
        check_timeout(place, *timeout)?;
    }
    Ok(())
}

fn check_timeout(place: Place, timeout: Span) -> Result<(), ConfigError> {
    let message = || "expected 1 s to 5 min".to_owned();
    TIMEOUT_RANGE.contains(&timeout.0).then_some(()).ok_or_else(|| place.wrong("timeout")(message()))
}

/// Whether text can name a channel or a key: it stands in headers, logs and rules.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}
