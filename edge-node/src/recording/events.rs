//! What the node has to say itself, recorded in the alarm lane: whatever telemetry waits for the disk or for the link,
//! mission control hears it first.

use std::time::Duration;

use delivery::{BatchBuilder, Content, Event, Packer};
use intake::config::NODE_LINK;
use space_packet::ReceptionTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::journal::{JournalHandle, JournalStopped};

/// Events that wait to be recorded: more come only from something that fails all the time. Then they stand in the log
/// only.
const WAITING_MAX: usize = 256;
/// What a stopping node gives a full journal to take what was told already.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// An event, and the mission it concerns when it is not all of them.
type Told = (Option<String>, Event);

/// Where events are told.
pub struct EventLog {
    waiting: mpsc::Sender<Told>,
}

/// Records what is told: a batch for each mission that is received here.
pub struct EventRecorder {
    told: mpsc::Receiver<Told>,
    missions: Vec<String>,
    journal: JournalHandle,
    packer: Packer,
}

impl EventLog {
    /// A log of these missions, and who records it in a journal.
    pub fn new(missions: Vec<String>, journal: JournalHandle) -> (Self, EventRecorder) {
        let (waiting, told) = mpsc::channel(WAITING_MAX);
        (Self { waiting }, EventRecorder { told, missions, journal, packer: Packer::default() })
    }

    /// Tells an event to one mission, or to all.
    pub fn tell(&self, mission: Option<&str>, event: &Event) {
        // It stands in the log in any case; waiting here would hold up what it speaks of.
        if let Err(refused) = self.waiting.try_send((mission.map(str::to_owned), event.clone())) {
            warn!(code = event.code, %refused, "event could not be recorded");
        }
    }
}

impl EventRecorder {
    /// Records until shutdown, and then what was told before it.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut told = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = self.told.recv_many(&mut told, WAITING_MAX) => if count == 0 {
                    return Ok(());
                },
                () = shutdown.cancelled() => return Ok(()),
            }
            // Outside, so that nothing is dropped half-way.
            let is_recorded = tokio::select! {
                recorded = record(&mut self.packer, &self.missions, &self.journal, &told) => recorded.is_ok(),
                () = async { shutdown.cancelled().await; tokio::time::sleep(STOP_WAIT).await } => false,
            };
            if !is_recorded {
                warn!(events = told.len(), "events could not be recorded");
                return Ok(());
            }
            told.clear();
        }
    }
}

/// At once, whatever is there: it must not wait for company.
async fn record(
    packer: &mut Packer,
    missions: &[String],
    journal: &JournalHandle,
    told: &[Told],
) -> Result<(), JournalStopped> {
    for mission in missions {
        let mut builder = BatchBuilder::of(Content::Events, mission, NODE_LINK);
        let concerning = told.iter().filter(|(of, _)| of.as_ref().is_none_or(|of| of == mission));
        for (_, event) in concerning {
            let bytes = event.encode();
            if !builder.has_room_for(bytes.len())
                && let Some(body) = builder.pack_with(packer)
            {
                journal.append(body, Vec::new(), Vec::new()).await?;
            }
            builder.push(ReceptionTime(event.at), &bytes);
        }
        if let Some(body) = builder.pack_with(packer) {
            journal.append(body, Vec::new(), Vec::new()).await?;
        }
    }
    Ok(())
}
