//! The journals that take part in forwarding: the two that take what comes in now, and those from before.

use delivery::{BatchSequence, ChainHash, LogNumber, LogRole, Outbox, Proof, StoreId};
use tracing::{error, info};

use super::older::OlderJournals;
use crate::journal::{Batches, JournalHandle, JournalState, ReadFailed};

/// A journal of the outbox.
struct Log {
    handle: JournalHandle,
    store: StoreId,
    role: LogRole,
}

/// All of them, in the order the outbox has them.
pub(super) struct Logs {
    current: Vec<JournalHandle>,
    older: OlderJournals,
    logs: Vec<Log>,
}

impl Logs {
    /// The journals of this run; those from before come with the first [`Logs::renew`].
    pub(super) fn new(current: Vec<JournalHandle>, older: OlderJournals) -> Self {
        Self { current, older, logs: Vec::new() }
    }

    /// Before a session: journals that were replaced or are done go, new ones come.
    pub(super) async fn renew(&mut self, outbox: &mut Outbox) {
        self.older.remove_drained(outbox);
        let older = self.older.open_waiting().await;
        let wanted: Vec<(JournalHandle, LogRole)> =
            self.current.iter().map(|handle| (handle.clone(), LogRole::Current)).chain(older).collect();
        let is_wanted = |log: &Log| {
            wanted
                .iter()
                .any(|(handle, role)| handle.state().borrow().store == log.store && *role == log.role)
        };
        for gone in self.logs.extract_if(.., |log| !is_wanted(log)) {
            outbox.remove_log(gone.store);
        }
        for (handle, role) in wanted {
            let state = *handle.state().borrow();
            if self.logs.iter().any(|log| log.store == state.store) {
                continue;
            }
            let (head, known) = (state.head.sequence, state.acknowledged_at_open);
            if outbox.add_log(state.store, handle.lane(), role, head, known) {
                self.logs.push(Log { handle, store: state.store, role });
            }
        }
        // What came in since the last session is backlog in the next one, not live data.
        self.on_heads(outbox);
    }

    /// The journals grew. False when one was replaced: then the session's numbers mean nothing any more.
    pub(super) fn on_heads(&self, outbox: &mut Outbox) -> bool {
        self.logs.iter().all(|log| {
            let state: JournalState = *log.handle.state().borrow();
            if state.store != log.store {
                return false;
            }
            outbox.on_appended(log.store, state.head.sequence);
            true
        })
    }

    /// The journal that has a number in the session.
    pub(super) fn of(&self, outbox: &Outbox, number: LogNumber) -> Option<(&JournalHandle, LogRole)> {
        let store = outbox.store_of(number)?;
        self.logs.iter().find(|log| log.store == store).map(|log| (&log.handle, log.role))
    }

    /// Whether a journal may be another one than the hub's: what the hub names is not what it has; or it is not here,
    /// and neither forgotten nor ever known to be at the hub. As a fork everything is compared one by one.
    pub(super) async fn may_be_fork(
        &self,
        outbox: &Outbox,
        proof: &Proof,
        known: u64,
    ) -> Result<bool, ReadFailed> {
        let Some((journal, _)) = self.of(outbox, proof.log) else { return Ok(false) };
        let number = proof.sequence.map_or(0, |sequence| sequence.0);
        if let Some(ours) = really_at(journal, number).await? {
            return Ok(ours != proof.hash);
        }
        let tail = journal.state().borrow().tail;
        let is_forgotten = tail.is_none_or(|tail| number < tail.0);
        Ok(!is_forgotten && number > known)
    }

    /// What each journal is known to have at the hub.
    pub(super) fn known(&self, outbox: &Outbox) -> Vec<u64> {
        let numbers = (0..=u8::MAX).map_while(|number| outbox.store_of(LogNumber(number)));
        numbers.map(|store| outbox.watermark(store)).collect()
    }

    /// The hub has more of a journal: it may forget what is safe.
    pub(super) async fn acknowledge(&self, outbox: &Outbox, number: LogNumber) -> Result<(), ReadFailed> {
        let (Some(store), Some((handle, _))) = (outbox.store_of(number), self.of(outbox, number)) else {
            return Ok(());
        };
        let (watermark, safe) = (BatchSequence(outbox.watermark(store)), BatchSequence(outbox.safe(store)));
        Ok(handle.acknowledged(store, watermark, safe).await?)
    }

    /// Begins another journal in place of each that is not the one the hub knows; what it holds is sent as one that is
    /// kept apart there.
    pub(super) async fn leave_forks(&mut self, outbox: &Outbox) -> Result<bool, ReadFailed> {
        let forks: Vec<StoreId> = outbox.forks().collect();
        for store in &forks {
            let Some(log) = self.logs.iter().find(|log| log.store == *store) else { continue };
            error!(
                store = ?store, lane = ?log.handle.lane(),
                "STO-SESSION-FORK: a journal is not the one the hub knows (a disk image was restored, or the node cloned); another one begins, and what it holds is sent to be kept apart"
            );
            match log.role {
                LogRole::Current => log.handle.begin_anew(*store).await?,
                LogRole::Older | LogRole::Forked => self.older.is_forked(*store),
            }
        }
        Ok(!forks.is_empty())
    }

    /// Whether the hub has everything of the journals that take what comes in now.
    pub(super) fn is_all_at_hub(&self, outbox: &Outbox) -> bool {
        let mut current = self.logs.iter().filter(|log| log.role == LogRole::Current);
        current.all(|log| outbox.missing(log.store).is_empty())
    }

    /// Whether another session would have other journals.
    pub(super) fn has_changed(&self) -> bool {
        self.older.has_changed()
    }

    /// Says once that a journal from before is wholly at the hub.
    pub(super) fn tell_drained(&mut self, outbox: &Outbox) {
        for log in self.logs.iter().filter(|log| log.role != LogRole::Current) {
            if outbox.is_drained(log.store) && self.older.on_drained(log.store) {
                info!(store = ?log.store, "a journal from before is wholly at the hub");
            }
        }
    }
}

/// The chain at a number as a batch that is here has it; nothing that was only given up for.
async fn really_at(journal: &JournalHandle, number: u64) -> Result<Option<ChainHash>, ReadFailed> {
    if number == 0 {
        return journal.chain_at(0).await;
    }
    let sequence = BatchSequence(number);
    let is_end = match journal.read(sequence, 1).await? {
        Batches::Here(batches) => return Ok(batches.first().map(|batch| batch.hash)),
        Batches::Absent => true,
        Batches::Missing { until, .. } => until == sequence,
    };
    if !is_end {
        return Ok(None);
    }
    Ok(match journal.read(sequence.next(), 1).await? {
        Batches::Here(batches) => batches.first().map(|batch| batch.previous),
        Batches::Absent | Batches::Missing { .. } => None,
    })
}
