//! The desk: what somebody at the machine asks of the journal and the quarantine, with the node running or not.
//!
//! A running node answers over its own HTTP address, to whoever can read the token in its data directory. When none
//! runs, the command opens the journal itself.

mod alarms;
pub mod carrying;
pub mod client;
mod journal;
mod quarantine;
pub mod routes;

use std::path::PathBuf;
use std::sync::Arc;

use dashboard::alarms::ActError;
use delivery::{Lane, SealedBatch};
use processing::MissionDecoder;

use crate::forwarding::Steering;
use crate::journal::{JournalHandle, ReadFailed};
use crate::recording::EventLog;
use crate::view::View;

pub use alarms::{AlarmRow, SeenRequest};
pub use journal::{BatchRow, GapRow, JournalListing, Verification};
pub use quarantine::{QuarantinedRecord, QuarantinedRow, RecordId, Retried};

/// Read from the journal at once.
const READ_BYTES: usize = 1 << 20;

/// Who reads a mission's records.
pub enum Readers {
    /// The running node's view, which knows what the hub has sent.
    Running(Arc<View>),
    /// What the configuration names.
    Stopped(Vec<(String, MissionDecoder)>),
}

/// What the desk works with.
pub struct Desk {
    /// The journal of telemetry.
    pub journal: JournalHandle,
    /// The journal of the node's events.
    pub alarms: JournalHandle,
    /// Who reads records.
    pub readers: Readers,
    /// Where it is told what left the quarantine; only while the node runs.
    pub events: Option<Arc<EventLog>>,
    /// Where decisions about the backlog are made; only while the node runs.
    pub steering: Option<Arc<Steering>>,
    /// The data directory.
    pub data: PathBuf,
}

/// Why the desk has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It was let go while it was to be carried.
    #[error("batch {batch} was forgotten meanwhile: the hub has it; run the command again")]
    Forgotten {
        /// Which.
        batch: u64,
    },
    /// The journal.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadFailed),
    /// There is no such alarm.
    #[error("no open alarm is called {0}; edge-node alarms ls lists them")]
    NoAlarm(String),
    /// Alarms take a running node.
    #[error("alarms are known to a running node only; start it with edge-node run")]
    NoAlarms,
    /// There is no such record.
    #[error("there is no record {0} in quarantine; edge-node quarantine ls lists those there are")]
    NoRecord(RecordId),
    /// It takes a running node.
    #[error("nothing leaves the quarantine while the node does not run; start it with edge-node run")]
    NotRunning,
    /// A decision about the backlog.
    #[error("the decision could not be written down, nothing was changed")]
    NotDecided(#[source] std::io::Error),
    /// An acknowledgement.
    #[error("the alarm is as it was")]
    NotSeen(#[source] ActError),
    /// The list of what left the quarantine.
    #[error("the list of what left the quarantine cannot be written")]
    Released(#[source] std::io::Error),
}

impl Desk {
    fn journal_of(&self, lane: Lane) -> &JournalHandle {
        match lane {
            Lane::Alarm => &self.alarms,
            Lane::Telemetry => &self.journal,
        }
    }

    fn decoder(&self, mission: &str) -> Option<MissionDecoder> {
        match &self.readers {
            Readers::Running(view) => view.decoder_of(mission),
            Readers::Stopped(missions) => {
                missions.iter().find(|(name, _)| name == mission).map(|(_, decoder)| decoder.clone())
            }
        }
    }

    /// One batch; nothing when it is not here any more.
    async fn batch(&self, sequence: u64) -> Result<Option<SealedBatch>, ReadFailed> {
        let found = self.journal.read(delivery::BatchSequence(sequence), 1).await?;
        Ok(match found {
            crate::journal::Batches::Here(batches) => batches.into_iter().next(),
            crate::journal::Batches::Absent | crate::journal::Batches::Missing { .. } => None,
        })
    }
}
