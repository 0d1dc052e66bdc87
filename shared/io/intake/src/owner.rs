//! What intake needs of the program it runs in: how records are read, where they go, and who is told of its links.

use std::sync::Arc;
use std::time::Duration;

use delivery::SealedBody;
use processing::{MissionDecoder, Sample};
use service::metric::Metric;

use crate::config::LinkConfig;
use crate::http::cause::Cause;
use crate::queue::Stopped;
use crate::{DurableCount, LinkStatistics, Receipt};

/// How missions' records are read. Missions are named by their index.
pub trait Readers: Send + Sync {
    /// Counts up whenever a mission's records are read by something new.
    fn documents(&self, mission: usize) -> u64;

    /// What reads a mission's records now, and its number.
    fn decoder(&self, mission: usize) -> (u64, MissionDecoder);
}

/// Records that were judged and packed, on their way to become durable.
#[derive(Debug)]
pub struct Packed {
    /// The records, of one link.
    pub body: SealedBody,
    /// Whom to tell when they are durable, and of how many.
    pub producers: Vec<(Arc<DurableCount>, u64)>,
    /// What is then true of requests with keys.
    pub receipts: Vec<Receipt>,
}

/// Where judged records go. Whoever takes them calls [`DurableCount::add`] once they are durable, in their order.
pub trait Sink: Send {
    /// Takes records; waits while there is no room. Dropped half-way it has taken nothing.
    fn append(&mut self, packed: Packed) -> impl Future<Output = Result<(), Stopped>>;

    /// How long a record waits for company when its link is quiet.
    fn linger(&self) -> Duration;

    /// Whether somebody looks at decoded samples and keeps up.
    fn wants_samples(&self) -> bool {
        false
    }

    /// Shows samples of a mission. They may be left out; records may not.
    fn show(&mut self, _mission: usize, _samples: Vec<Sample>) {}

    /// So many samples were not made, or not shown, because nobody wanted them.
    fn on_unseen(&mut self, _samples: u64) {}
}

/// Who runs links: what it is told of them, and how their producers are spoken to.
pub trait Owner: Send + Sync {
    /// How producers are spoken to.
    fn wording(&self) -> &'static Wording;

    /// These links are open now.
    fn on_links(&self, links: Vec<Arc<LinkStatistics>>);

    /// The kernel dropped datagrams of a link, as they came faster than they were taken.
    fn on_overrun(&self, link: &LinkConfig, datagrams: u64);

    /// Whether nothing can become durable at the moment: then requests are refused instead of being taken into memory.
    fn is_away(&self) -> bool {
        false
    }
}

/// How an owner is called, and what it counts in.
#[derive(Debug)]
pub struct Wording {
    /// For example `the node`.
    pub owner: &'static str,
    /// The file that links are configured in.
    pub file: &'static str,
    /// Why a link's queue is full.
    pub full: &'static str,
    /// Why records do not become durable in time, and the same for people.
    pub slow: (Cause, &'static str),
    /// What records are counted as.
    pub metrics: LinkMetrics,
}

/// Metrics of links; each is labelled with the link or the cause.
#[derive(Debug)]
pub struct LinkMetrics {
    /// Bytes taken, by link.
    pub bytes: Metric,
    /// Records taken, by link.
    pub records: Metric,
    /// What was not taken, by cause.
    pub rejected: Metric,
    /// Bytes that were not taken, by cause.
    pub rejected_bytes: Metric,
}
