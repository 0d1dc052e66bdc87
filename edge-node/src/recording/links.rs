//! The node's links, and how they change when `edge.toml` does.
//!
//! A file that cannot be used changes nothing: the links stay as they are, and the status says which key is wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use delivery::Severity;
use intake::doors::Doors;
use intake::http::cause::Cause;
use intake::{LinkConfig, LinkMetrics, LinkStatistics, Owner, Wording};
use service::logging::chain;
use service::metric::Metric;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::EventLog;
use crate::config::EdgeConfig;
use crate::events::event;
use crate::status::NodeStatus;

/// How often the file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// When a link that could not listen tries again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

static WORDING: Wording = Wording {
    owner: "the node",
    file: "edge.toml",
    full: "the journal does not keep up, or is full until the hub has taken something",
    slow: (Cause::JournalSlow, "the journal is slow"),
    metrics: LinkMetrics {
        bytes: Metric::EdgeIntakeBytes,
        records: Metric::EdgeIntakePackets,
        rejected: Metric::EdgeIntakeRejected,
        rejected_bytes: Metric::EdgeIntakeRejectedBytes,
    },
};

/// The node as its links know it.
pub struct NodeOwner {
    /// Where events are told.
    pub events: Arc<EventLog>,
    /// Where people look.
    pub status: Arc<NodeStatus>,
}

impl Owner for NodeOwner {
    fn wording(&self) -> &'static Wording {
        &WORDING
    }

    fn on_links(&self, links: Vec<Arc<LinkStatistics>>) {
        self.status.on_links(links);
    }

    fn on_overrun(&self, link: &LinkConfig, datagrams: u64) {
        let text =
            format!("Link {} lost {datagrams} datagrams: they came faster than they were taken.", link.name);
        let details = [("link", link.name.clone()), ("datagrams", datagrams.to_string())];
        let told = event("STO-INTAKE-OVERRUN", Severity::Error, text, &details);
        self.events.tell(Some(&link.mission), &told);
    }
}

/// Links that follow the node's file.
pub struct Links {
    /// What is open.
    pub doors: Doors,
    /// Where events are told.
    pub events: Arc<EventLog>,
    /// Where people look.
    pub status: Arc<NodeStatus>,
}

impl Links {
    /// Runs until shutdown, following the file; then every link hands on what it has read, and ends.
    pub async fn run(
        mut self,
        file: PathBuf,
        used: EdgeConfig,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        // What changed since the file was read is found at the first look.
        let (mut seen, mut used) = (None, used);
        let mut look = tokio::time::interval(WATCH_INTERVAL);
        let mut retry = tokio::time::interval(RETRY_INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = look.tick() => {
                    let now = modified(&file);
                    if now != seen {
                        seen = now;
                        self.on_changed(&file, &mut used).await;
                    }
                }
                _ = retry.tick() => {
                    let problem = self.doors.retry().await;
                    self.status.on_links_problem(problem);
                }
            }
        }
        self.doors.end().await;
        Ok(())
    }

    async fn on_changed(&mut self, file: &Path, used: &mut EdgeConfig) {
        match EdgeConfig::read(file) {
            Ok(config) => {
                self.status.on_configuration(None);
                let stays = EdgeConfig { links: config.links.clone(), ..used.clone() };
                if stays != config {
                    warn!("edge.toml changed beyond its links: that takes effect with the next start");
                }
                if config.links != used.links {
                    let problem = self.doors.apply(&config.links).await;
                    self.status.on_links_problem(problem);
                }
                used.links = config.links;
            }
            Err(problem) => {
                let text = chain(&problem);
                error!(error = text, "edge.toml cannot be used, everything stays as it is");
                let told = event("STO-CONFIG", Severity::Warning, text.clone(), &[]);
                self.events.tell(None, &told);
                self.status.on_configuration(Some(text));
            }
        }
    }
}

/// When a file was changed last, as far as that can be told; its length catches two changes in one instant.
fn modified(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
