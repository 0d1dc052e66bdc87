//! Intake: whatever comes in becomes records, and records become batches that are made durable.
//!
//! Each link has a *door* that speaks its protocol ([`tcp`], [`udp`], [`http`]) and hands what it took to the one
//! [`pipeline`], through a queue of its own ([`queue`]). The pipeline judges every record, packs batches and hands
//! those to its [`Sink`]: a node's journal, or the hub's database. When that is slow the queues fill, and each door
//! does what its protocol knows to make its producers wait. What differs between node and hub stands behind the
//! traits of [`owner`].

pub mod config;
pub mod doors;
mod durable;
pub mod framing;
pub mod http;
pub mod link;
pub mod owner;
pub mod pipeline;
pub mod queue;
mod rate;
mod statistics;
pub mod tcp;
pub mod udp;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use delivery::{SampleRecord, Scalar};
use space_packet::ReceptionTime;

pub use config::{Acknowledgement, Door, LinkConfig};
pub use durable::{DurableCount, Receipt};
pub use link::{Link, Refused};
pub use owner::{LinkMetrics, Owner, Packed, Readers, Sink, Wording};
pub use statistics::{Continuity, LinkCounts, LinkStatistics, RejectedCount};

/// Records of one link that were received together.
#[derive(Debug)]
pub struct Submission {
    /// When they were received.
    pub reception: ReceptionTime,
    /// The records.
    pub records: Records,
    /// Whom to tell when they are durable.
    pub producer: Option<Arc<Producer>>,
    /// The request they belong to, if it may be sent again.
    pub request: Option<RequestPart>,
}

/// What was received.
#[derive(Clone, Debug)]
pub enum Records {
    /// Space packets whose headers read and whose lengths fit, one after the other.
    Packets {
        /// Their bytes.
        bytes: Vec<u8>,
        /// Where each ends.
        ends: Vec<u32>,
    },
    /// Samples.
    Samples(Vec<SampleRecord>),
    /// Bytes in which no packet was found.
    Unframed {
        /// Stable code of the cause.
        cause: &'static str,
        /// The bytes, or the first of them.
        bytes: Vec<u8>,
    },
}

impl Records {
    /// Number of records.
    pub fn count(&self) -> usize {
        match self {
            Self::Packets { ends, .. } => ends.len(),
            Self::Samples(samples) => samples.len(),
            Self::Unframed { .. } => 1,
        }
    }

    /// Whether no packet was found in it: the door counts it as rejected, and what is kept is for people to look at.
    pub fn is_unframed(&self) -> bool {
        matches!(self, Self::Unframed { .. })
    }

    /// Bytes as received, about: of samples what is kept of them.
    pub fn received_bytes(&self) -> usize {
        match self {
            Self::Packets { bytes, .. } | Self::Unframed { bytes, .. } => bytes.len(),
            Self::Samples(_) => self.bytes(),
        }
    }

    /// What they take in memory, about.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Packets { bytes, ends } => bytes.len() + 4 * ends.len(),
            Self::Samples(samples) => samples.iter().map(sample_bytes).sum(),
            Self::Unframed { bytes, .. } => bytes.len(),
        }
    }
}

/// Adds a packet behind records of which the newest may be packets already.
fn push_packet(records: &mut Vec<Records>, packet: &[u8]) {
    if let Some(Records::Packets { bytes, ends }) = records.last_mut() {
        bytes.extend_from_slice(packet);
        ends.push(bytes.len() as u32);
    } else {
        records.push(Records::Packets { bytes: packet.to_vec(), ends: vec![packet.len() as u32] });
    }
}

/// What a sample takes in memory, about.
fn sample_bytes(sample: &SampleRecord) -> usize {
    let value = match &sample.value {
        Scalar::Binary(bytes) => bytes.len(),
        Scalar::Text(text) => text.len(),
        Scalar::Boolean(_) | Scalar::Float(_) | Scalar::Signed(_) | Scalar::Unsigned(_) => 0,
    };
    96 + sample.parameter.len() + value
}

/// Each of packets that stand one after the other.
pub fn packets<'a>(bytes: &'a [u8], ends: &'a [u32]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, &end)| &bytes[start as usize..end as usize])
}

/// Part of a request that has a key, so that sending it again changes nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestPart {
    /// Hash of link and key.
    pub key: [u8; 16],
    /// Records of the request before this part.
    pub records_before: u32,
}

/// Who waits for records to become durable.
#[derive(Debug, Default)]
pub struct Producer {
    /// Records that are durable, in the order they were handed over.
    pub durable: Arc<DurableCount>,
    /// Of the records judged so far, how many are in quarantine. Never behind `durable`.
    quarantined: AtomicU64,
}

impl Producer {
    /// Of the durable records, and perhaps of a few more, how many are in quarantine.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.load(Ordering::Acquire)
    }

    fn add_quarantined(&self, records: u64) {
        self.quarantined.fetch_add(records, Ordering::AcqRel);
    }
}
