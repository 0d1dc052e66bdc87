//! The hub as its own links know it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use intake::http::cause::Cause;
use intake::{LinkConfig, LinkCounts, LinkMetrics, LinkStatistics, Owner, Wording};
use service::logging::chain;
use service::metric::Metric;
use tracing::debug;

use crate::archive::{Evidence, OWN_STATION};

static WORDING: Wording = Wording {
    owner: "the hub",
    file: "hub.toml",
    full: "the database does not keep up",
    slow: (Cause::DatabaseAway, "the database does not answer, or not in time"),
    metrics: LinkMetrics {
        bytes: Metric::HubIntakeBytes,
        records: Metric::HubIntakePackets,
        rejected: Metric::HubIntakeRejected,
        rejected_bytes: Metric::HubIntakeRejectedBytes,
    },
};

pub(super) struct HubOwner {
    evidence: Evidence,
    database_answers: Arc<AtomicBool>,
    links: Mutex<Vec<Arc<LinkStatistics>>>,
}

impl HubOwner {
    pub(super) fn new(evidence: Evidence, database_answers: Arc<AtomicBool>) -> Self {
        Self { evidence, database_answers, links: Mutex::default() }
    }

    fn links(&self) -> MutexGuard<'_, Vec<Arc<LinkStatistics>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What all links have counted.
    pub(super) fn counts(&self) -> Vec<LinkCounts> {
        self.links().iter().map(|link| link.counts()).collect()
    }
}

impl Owner for HubOwner {
    fn wording(&self) -> &'static Wording {
        &WORDING
    }

    fn on_links(&self, links: Vec<Arc<LinkStatistics>>) {
        *self.links() = links;
    }

    fn on_overrun(&self, link: &LinkConfig, datagrams: u64) {
        let text =
            format!("Link {} lost {datagrams} datagrams: they came faster than they were taken.", link.name);
        let evidence = self.evidence.clone();
        // Told once a second at most; without the database it stands in the log only.
        tokio::spawn(async move {
            if let Err(error) = evidence.note(OWN_STATION, "STO-INTAKE-OVERRUN", &text).await {
                debug!(error = chain(&error), "event could not be recorded");
            }
        });
    }

    fn is_away(&self) -> bool {
        !self.database_answers.load(Ordering::Relaxed)
    }
}
