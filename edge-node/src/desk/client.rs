//! How a command reaches the desk: through the running node, or by opening the journal itself.

use std::path::Path;

use anyhow::{Context, bail};
use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use delivery::{Lane, SealedBatch};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::carrying::{CarriedLog, Custody, TakenReceipt, batches_in};
use super::routes::{PREFIX, ReceiptRequest, RetryRequest, token_file};
use super::{
    AlarmRow, Desk, JournalListing, QuarantinedRecord, QuarantinedRow, Readers, RecordId, Retried,
    SeenRequest, Verification,
};
use crate::config::EdgeConfig;
use crate::forwarding::Decision;
use crate::journal::{self, JournalHandle, JournalLimits, JournalOptions, Opening};
use crate::trust::Trust;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The desk, wherever it is.
pub enum Reach {
    /// In the running node.
    Running(RunningNode),
    /// In this process.
    Stopped(Box<Desk>),
}

/// A node that answers.
pub struct RunningNode {
    address: String,
    token: String,
}

impl Reach {
    /// Finds the running node of a configuration, or opens its journals.
    pub async fn of(config_file: &Path, config: &EdgeConfig) -> anyhow::Result<Self> {
        let data = &config.data_directory;
        if let Some(node) = RunningNode::find(data).await {
            return Ok(Self::Running(node));
        }
        let options = config.journal.options()?;
        let alarms = open(data, JournalOptions::of_alarms(options.key.clone()))?;
        let journal = open(data, options)?;
        let trust = Trust::of_directory(data)?;
        let missions = config
            .missions
            .iter()
            .map(|mission| {
                let loaded = service::mission::load(config_file, mission, data, &|message, signature| {
                    trust.verify(message, signature)
                })?;
                Ok((loaded.name, loaded.decoder))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let readers = Readers::Stopped(missions);
        Ok(Self::Stopped(Box::new(Desk {
            journal,
            alarms,
            readers,
            events: None,
            steering: None,
            data: data.clone(),
        })))
    }

    /// What the journal of a lane holds.
    pub async fn list(&self, lane: Lane, from: Option<u64>, count: usize) -> anyhow::Result<JournalListing> {
        match self {
            Self::Running(node) => {
                let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
                node.get(&format!("/journal?{}&count={count}{from}", asked(lane))).await
            }
            Self::Stopped(desk) => Ok(desk.list(lane, from, count).await?),
        }
    }

    /// Whether it is sound.
    pub async fn verify(&self, lane: Lane) -> anyhow::Result<Verification> {
        match self {
            Self::Running(node) => node.get(&format!("/journal/verify?{}", asked(lane))).await,
            Self::Stopped(desk) => Ok(desk.verify(lane).await?),
        }
    }

    /// Records in quarantine. Names and causes are letters, digits and dashes.
    pub async fn quarantine(
        &self,
        mission: Option<&str>,
        cause: Option<&str>,
        count: usize,
    ) -> anyhow::Result<Vec<QuarantinedRow>> {
        match self {
            Self::Running(node) => {
                let part = |name: &str, value: Option<&str>| {
                    value.map(|value| format!("&{name}={value}")).unwrap_or_default()
                };
                let (mission, cause) = (part("mission", mission), part("cause", cause));
                node.get(&format!("/quarantine?count={count}{mission}{cause}")).await
            }
            Self::Stopped(desk) => Ok(desk.quarantine(mission, cause, count).await?),
        }
    }

    /// One of them.
    pub async fn quarantined(&self, id: RecordId) -> anyhow::Result<QuarantinedRecord> {
        match self {
            Self::Running(node) => node.get(&format!("/quarantine/{id}")).await,
            Self::Stopped(desk) => Ok(desk.quarantined(id).await?),
        }
    }

    /// Tries them again.
    pub async fn retry(&self, ids: Vec<RecordId>, mission: Option<String>) -> anyhow::Result<Retried> {
        match self {
            Self::Running(node) => {
                let body = serde_json::to_vec(&RetryRequest { ids, mission })?;
                node.ask("POST", "/quarantine/retry", body).await
            }
            Self::Stopped(desk) => Ok(desk.retry(&ids, mission.as_deref()).await?),
        }
    }

    /// The journals, as an export sees them.
    pub async fn logs(&self) -> anyhow::Result<Vec<CarriedLog>> {
        match self {
            Self::Running(node) => node.get("/carried/logs").await,
            Self::Stopped(desk) => Ok(desk.logs()),
        }
    }

    /// Batches of a lane from a number on.
    pub async fn carry(&self, lane: Lane, from: u64) -> anyhow::Result<Vec<SealedBatch>> {
        match self {
            Self::Running(node) => {
                let path = format!("/carried/batches?{}&from={from}", asked(lane));
                let bytes = node.send("GET", &path, Vec::new()).await?;
                batches_in(&bytes).context("the node answered something else than was asked")
            }
            Self::Stopped(desk) => Ok(desk.carry(lane, from).await?),
        }
    }

    /// Writes down who carried what.
    pub async fn note_custody(&self, custody: &Custody) -> anyhow::Result<()> {
        match self {
            Self::Running(node) => node.ask("POST", "/carried", serde_json::to_vec(custody)?).await,
            Self::Stopped(desk) => {
                desk.note_custody(custody);
                Ok(())
            }
        }
    }

    /// Lets the journals know what the hub has.
    pub async fn take_receipt(&self, file: Vec<u8>, who: String) -> anyhow::Result<TakenReceipt> {
        match self {
            Self::Running(node) => {
                let body = serde_json::to_vec(&ReceiptRequest { file, who })?;
                node.ask("POST", "/carried/receipt", body).await
            }
            Self::Stopped(desk) => Ok(desk.take_receipt(&file, &who).await?),
        }
    }
}

fn asked(lane: Lane) -> String {
    format!("alarm={}", lane == Lane::Alarm)
}

/// Opens a journal of a node that does not run; nothing in it is pruned.
fn open(data: &Path, options: JournalOptions) -> anyhow::Result<JournalHandle> {
    let mut opener = journal::opener(data, options);
    let opened = opener(Opening::Again)?;
    let (events, _) = mpsc::channel(1);
    Ok(journal::start(opened, opener, JournalLimits::none(data), events)?.0)
}

impl RunningNode {
    /// The node that runs on a data directory, if one does.
    pub async fn find(data: &Path) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Ready {
            http: String,
        }
        let ready: Ready = serde_json::from_slice(&std::fs::read(data.join("ready.json")).ok()?).ok()?;
        let token = std::fs::read_to_string(token_file(data)).ok()?.trim().to_owned();
        // A node that was killed left its file behind.
        TcpStream::connect(&ready.http).await.ok()?;
        Some(Self { address: ready.http, token })
    }

    /// What is decided about the backlog.
    pub async fn decision(&self) -> anyhow::Result<Decision> {
        self.get("/forward").await
    }

    /// Decides about the backlog.
    pub async fn decide(&self, decision: &Decision) -> anyhow::Result<()> {
        let _: Decision = self.ask("POST", "/forward", serde_json::to_vec(decision)?).await?;
        Ok(())
    }

    /// Open alarms.
    pub async fn open_alarms(&self) -> anyhow::Result<Vec<AlarmRow>> {
        self.get("/alarms").await
    }

    /// Says that somebody has seen an alarm.
    pub async fn acknowledge(&self, seen: &SeenRequest) -> anyhow::Result<AlarmRow> {
        self.ask("POST", "/alarms/acknowledge", serde_json::to_vec(seen)?).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask("GET", path, Vec::new()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, path: &str, body: Vec<u8>) -> anyhow::Result<T> {
        let bytes = self.send(method, path, body).await?;
        serde_json::from_slice(&bytes).context("the node answered something else than was asked")
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> anyhow::Result<Bytes> {
        let stream = TcpStream::connect(&self.address).await.context("the node does not answer")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("{PREFIX}{path}"))
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(body))?;
        let response = sender.send_request(request).await.context("the node does not answer")?;
        let status = response.status();
        let bytes = axum::body::to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?;
        driving.abort();
        if !status.is_success() {
            bail!("{}", String::from_utf8_lossy(&bytes).trim().to_owned());
        }
        Ok(bytes)
    }
}

/// Writes the token that a running node's desk wants; it is made anew with each start.
pub fn write_token(data: &Path) -> std::io::Result<service::config::Secret<String>> {
    let token = format!("{:032x}{:032x}", uuid::Uuid::new_v4().as_u128(), uuid::Uuid::new_v4().as_u128());
    crate::sessions::write_private(&token_file(data), token.as_bytes())?;
    Ok(service::config::Secret::new(token))
}
