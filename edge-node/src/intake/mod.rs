//! Intake: bytes from a station's equipment become packets, and packets become batches in the journal.
//!
//! Each link has a listener ([`tcp`]) and a sealer ([`sealer`]) of its own with a bounded queue between them:
//! when the journal is slow the queue fills, the sockets of that link are not read, and TCP tells the sender.

pub mod sealer;
pub mod tcp;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashboard::contract::{LinkContinuity, LinkReport, Rejected};
use dashboard::rfc3339;
use service::metric::Metric;
use space_packet::{Apid, ContinuityTracker, PrimaryHeader, ReceptionTime, TaiTime};

use crate::config::LinkConfig;
use crate::journal::DurableCount;

/// Packets of one connection that were received together.
#[derive(Debug)]
pub struct Chunk {
    /// Index of the mission.
    pub mission: usize,
    /// When they were read from the socket.
    pub reception: ReceptionTime,
    /// The packets, one after the other.
    pub packets: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<u32>,
    /// Whom to tell when they are durable.
    pub producer: Option<Arc<DurableCount>>,
}

impl Chunk {
    /// Each packet.
    pub fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.packets[start as usize..end as usize])
    }
}

/// What a link has counted since the node started.
#[derive(Debug)]
pub struct LinkStatistics {
    /// Its configuration.
    pub config: LinkConfig,
    listen: Mutex<String>,
    clients: AtomicU64,
    packets: AtomicU64,
    bytes: AtomicU64,
    last_packet: AtomicI64,
    rejected: Mutex<BTreeMap<&'static str, (u64, u64)>>,
    /// Over all connections of the link: what a station receives through two sockets is one downlink.
    continuity: Mutex<ContinuityTracker>,
    idle: AtomicU64,
}

impl LinkStatistics {
    /// Nothing counted yet.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            listen: Mutex::new(config.listen.to_string()),
            config,
            clients: AtomicU64::default(),
            packets: AtomicU64::default(),
            bytes: AtomicU64::default(),
            last_packet: AtomicI64::new(i64::MIN),
            rejected: Mutex::default(),
            continuity: Mutex::default(),
            idle: AtomicU64::default(),
        }
    }

    fn accepted(&self, chunk: &Chunk) {
        let (packets, bytes) = (chunk.ends.len() as u64, chunk.packets.len() as u64);
        self.packets.fetch_add(packets, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.last_packet.fetch_max(chunk.reception.0.0, Ordering::Relaxed);
        self.look_at_sequences(chunk);
        Metric::EdgeIntakePackets.add_for("link", &self.config.name, packets);
        Metric::EdgeIntakeBytes.add_for("link", &self.config.name, bytes);
    }

    /// A few nanoseconds a packet, and one lock a chunk.
    fn look_at_sequences(&self, chunk: &Chunk) {
        let mut tracker = self.continuity.lock().unwrap_or_else(PoisonError::into_inner);
        // The framer let nothing through whose header does not read.
        for header in chunk.packets().filter_map(|packet| PrimaryHeader::parse(packet).ok()) {
            if header.apid == Apid::IDLE {
                self.idle.fetch_add(1, Ordering::Relaxed);
            } else {
                tracker.on_packet(&header);
            }
        }
    }

    fn continuity(&self) -> LinkContinuity {
        let tracker = self.continuity.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = LinkContinuity { idle: self.idle.load(Ordering::Relaxed), ..LinkContinuity::default() };
        for (_, _, counts) in tracker.all_counts() {
            sum.missing += counts.missing;
            sum.gaps += counts.gaps;
            sum.duplicates += counts.duplicates;
            sum.late += counts.late;
            sum.resets += counts.resets;
        }
        sum
    }

    fn rejected(&self, cause: &'static str, bytes: u64) {
        let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, total) = rejected.entry(cause).or_default();
        *count += 1;
        *total += bytes;
        Metric::EdgeIntakeRejected.add_for("cause", cause, 1);
        Metric::EdgeIntakeRejectedBytes.add_for("cause", cause, bytes);
    }

    /// Packets accepted.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// The counts as reported to people.
    pub fn report(&self) -> LinkReport {
        let last = self.last_packet.load(Ordering::Relaxed);
        let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        LinkReport {
            name: self.config.name.clone(),
            mission: self.config.mission.clone(),
            listen: self.listen.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            clients: self.clients.load(Ordering::Relaxed),
            packets: self.packets(),
            bytes: self.bytes.load(Ordering::Relaxed),
            rejected: rejected
                .iter()
                .map(|(cause, &(count, bytes))| Rejected { cause: (*cause).to_owned(), count, bytes })
                .collect(),
            last_packet: (last != i64::MIN).then(|| rfc3339(TaiTime(last))),
            continuity: Some(self.continuity()),
        }
    }
}

#[cfg(test)]
mod tests {
    use space_packet::{SequenceCount, build_packet};

    use super::*;

    #[test]
    fn a_link_tells_what_its_sequence_counts_say_whatever_connection_they_came_through() {
        let config = serde_json::from_str(r#"{"name": "a", "listen": "127.0.0.1:0", "mission": "demo"}"#);
        let link = LinkStatistics::new(config.expect("it reads"));
        for counts in [&[1_u16, 2, 5][..], &[5, 3, 6]] {
            let (mut packets, mut ends) = (Vec::new(), Vec::new());
            for count in counts {
                let count = SequenceCount::try_from(*count).expect("in range");
                let apid = Apid::try_from(20).expect("in range");
                packets.extend(build_packet(apid, count, false, &[0]).expect("it fits"));
                ends.push(packets.len() as u32);
            }
            let idle = build_packet(Apid::IDLE, SequenceCount::default(), false, &[0]).expect("it fits");
            packets.extend(idle);
            ends.push(packets.len() as u32);
            let reception = ReceptionTime::default();
            link.accepted(&Chunk { mission: 0, reception, packets, ends, producer: None });
        }
        let found = link.report().continuity.expect("it is told");
        assert_eq!((found.missing, found.gaps, found.duplicates, found.late, found.idle), (2, 1, 1, 1, 2));
    }
}
