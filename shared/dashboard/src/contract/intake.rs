//! What links have counted, as people are told it.

use intake::{Continuity, LinkCounts, RejectedCount};

use super::{Found, LinkContinuity, LinkReport, Rejected};
use crate::rfc3339;

impl From<LinkCounts> for LinkReport {
    fn from(counts: LinkCounts) -> Self {
        let rejected =
            |RejectedCount { cause, count, bytes }| Rejected { cause: cause.to_owned(), count, bytes };
        let Continuity { missing, gaps, duplicates, late, resets, idle } = counts.continuity;
        Self {
            name: counts.config.name,
            mission: counts.config.mission,
            door: counts.config.door.word().to_owned(),
            station: counts.config.station,
            listen: counts.listen,
            clients: counts.clients,
            packets: counts.records,
            durable: counts.durable,
            bytes: counts.bytes,
            rejected: counts.rejected.into_iter().map(rejected).collect(),
            quarantined: counts.quarantined,
            found: counts
                .found
                .into_iter()
                .map(|(verdict, count)| Found { verdict: verdict.code().to_owned(), count })
                .collect(),
            last_packet: counts.last_reception.map(rfc3339),
            continuity: Some(LinkContinuity { missing, gaps, duplicates, late, resets, idle }),
        }
    }
}
