//! Alarms on their way: what is written here goes into the alarm lane, what is written elsewhere comes in the session.

use std::sync::Arc;

use delivery::{AlarmEntries, BatchBuilder, Content, Packer};
use intake::config::NODE_LINK;
use processing::alarm::Piece;
use space_packet::ReceptionTime;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::store::Origin;
use super::{NodeAlarms, history};
use crate::journal::{DurableCount, JournalHandle};

/// Why entries of the hub could not be kept: it sends them again in the next session.
#[derive(Debug, thiserror::Error)]
#[error("STO-ALARM-STORE: entries of alarms from the hub cannot be written")]
pub struct NotKept(#[from] std::io::Error);

impl NodeAlarms {
    /// Puts what is written here into the alarm lane, until shutdown. What is not there when the node stops waits in
    /// the log of alarms, also while the lane takes nothing; what a crash repeats changes nothing at the hub.
    pub async fn forward(
        self: Arc<Self>,
        journal: JournalHandle,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut packer = Packer::default();
        loop {
            let waiting = match self.store.with(|shared| shared.lock().waiting()).await {
                Ok(waiting) => waiting,
                Err(failure) => {
                    warn!(%failure, "STO-ALARM-STORE: alarms that wait to be forwarded cannot be read");
                    None
                }
            };
            let Some((last, pieces)) = waiting else {
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    () = self.store.written.notified() => {}
                }
                continue;
            };
            let is_in_lane = tokio::select! {
                is_in_lane = self.append(&mut packer, &journal, &pieces) => is_in_lane,
                () = shutdown.cancelled() => return Ok(()),
            };
            if !is_in_lane {
                return Ok(());
            }
            if let Err(failure) = self.store.with(move |shared| shared.lock().on_forwarded(last)).await {
                warn!(%failure, "STO-ALARM-STORE: alarms are forwarded, and will be once more after a restart");
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    () = self.store.written.notified() => {}
                }
            }
        }
    }

    /// Puts pieces of one mission into the lane; false when the journal is gone. What was written before this machine
    /// was the node that it is stays here: the hub takes entries only from where they were made.
    async fn append(&self, packer: &mut Packer, journal: &JournalHandle, pieces: &[Piece]) -> bool {
        let Some(mission) = pieces.first().map(|piece| piece.subject.mission.as_str()) else { return true };
        let mut builder = BatchBuilder::of(Content::Alarms, mission, NODE_LINK);
        let is_ours = |piece: &&Piece| piece.entries.iter().all(|entry| entry.place == self.place);
        for piece in pieces.iter().filter(is_ours) {
            match piece.encode() {
                Ok(bytes) => builder.push(ReceptionTime(service::clock::now()), &bytes),
                Err(problem) => warn!(%problem, "an entry of an alarm cannot be forwarded"),
            }
        }
        let Some(body) = builder.pack_with(packer) else { return true };
        let (durable, records) = (Arc::new(DurableCount::default()), u64::from(body.records()));
        let producers = vec![(Arc::clone(&durable), records)];
        if journal.append(body, producers, Vec::new()).await.is_err() {
            return false;
        }
        while durable.packets() < records {
            durable.changed().await;
        }
        true
    }

    /// Up to which number of the hub's its entries are on this node's disk.
    pub fn kept(&self) -> u64 {
        self.store.lock().kept()
    }

    /// Takes entries that were written elsewhere. Returns their number once they are durable; what is none of this
    /// node's business is passed over and counts as kept, or it would come again and again.
    pub async fn on_entries(&self, entries: AlarmEntries) -> Result<u64, NotKept> {
        let AlarmEntries { mission, number, piece } = entries;
        let known = self.mission(&mission);
        let piece = match (known, Piece::decode(&piece)) {
            (Some(_), Ok(piece)) if piece.subject.mission == mission => Some(piece),
            (_, Err(problem)) => {
                warn!(mission, number, %problem, "entries of an alarm from the hub are passed over");
                None
            }
            _ => {
                warn!(
                    mission,
                    number, "STO-ALARM-PLACE: entries of an alarm from the hub are not for this node"
                );
                None
            }
        };
        let now = service::clock::now();
        let kept = piece.clone();
        self.store.with(move |shared| shared.keep(kept.as_slice(), Origin::Hub(number), now)).await?;
        if let (Some(piece), Some(mission)) = (piece, known) {
            if let Some(entries) = history(&piece) {
                mission.board().on_history(&entries);
            }
            match mission.book.merge(&piece, now).await {
                Ok(changed) => debug!(number, changed, "entries of an alarm came from the hub"),
                Err(problem) => {
                    let problem = problem.detail();
                    warn!(number, problem, "entries of an alarm are stored and shown after a restart");
                }
            }
        }
        Ok(number)
    }
}
