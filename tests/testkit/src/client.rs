//! A session at the HTTP interface, which hub and nodes answer alike.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

/// Longer than servers take to say that a question takes too long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A logged-in client.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: SocketAddr,
    cookie: String,
}

impl Client {
    /// Logs in with a one-time code, as the dashboard does.
    pub async fn log_in(server: SocketAddr, code: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let address = format!("http://{server}/api/v1/session");
        let asked = http.post(&address).header("x-sto-request", "cli").json(&json!({ "code": code }));
        let answer = asked.send().await?;
        let status = answer.status();
        let cookie = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|value| value.split(';').next()).map(str::to_owned);
        match cookie {
            Some(cookie) if status.is_success() => Ok(Self { http, server, cookie }),
            _ => bail!("{address} answered {status}: {}", answer.text().await.unwrap_or_default()),
        }
    }

    /// Whom it talks to.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// The session's cookie, as a request header's value: for WebSockets.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Body of `GET path`, which is JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let body = self.text(path).await?;
        serde_json::from_str(&body).with_context(|| format!("{path} answered no JSON: {body}"))
    }

    /// Answer of `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let address = format!("http://{}{path}", self.server);
        let asked = self.http.post(&address).header("x-sto-request", "cli").header(COOKIE, &self.cookie);
        let answer = asked.json(body).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{address} answered {status}: {body}");
        }
        serde_json::from_str(&body).with_context(|| format!("{path} answered no JSON: {body}"))
    }

    /// Body of `GET path`.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let address = format!("http://{}{path}", self.server);
        let answer = self.http.get(&address).header(COOKIE, &self.cookie).send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("{address} answered {status}: {body}");
        }
        Ok(body)
    }
}
