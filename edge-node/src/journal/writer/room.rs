//! Room for new batches: pruning, quota, the disk's free space and the ballast.

use std::path::{Path, PathBuf};

use delivery::{BatchSequence, Severity};
use service::metric::Metric;
use tracing::{error, info, warn};

use super::Writer;
use crate::events::event;
use crate::journal::{Journal, JournalError, WhenFull};

/// Of what may be held, the share that is given up at once when the oldest have to go.
const EVICTED_SHARE: u64 = 16;

/// Asks how many bytes are free.
pub(super) struct Disk {
    free_bytes: Box<dyn Fn() -> u64 + Send>,
}

impl Disk {
    /// The disk a directory lies on. One that cannot be asked is not known to be full; its own error will come with the
    /// next write.
    pub(super) fn of(directory: &Path) -> Self {
        let directory: PathBuf = directory.to_owned();
        Self::with(move || free_bytes(&directory))
    }

    pub(super) fn with(free_bytes: impl Fn() -> u64 + Send + 'static) -> Self {
        Self { free_bytes: Box::new(free_bytes) }
    }
}

/// Free bytes of the disk a directory lies on.
pub(crate) fn free_bytes(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

impl Writer {
    /// Prunes what the hub has beyond what local history may keep, and says whether there is room for more.
    pub(super) fn make_room(&mut self) {
        self.mind_ballast();
        if let Err(error) = self.insist(Self::prune_and_evict) {
            self.on_failure(&error);
        }
        self.tell_of_journal();
        let Some(journal) = &self.journal else { return };
        let (tail, room_bytes) = (journal.tail(), self.room_bytes(&**journal));
        self.publish.send_if_modified(|state| {
            (state.tail, state.room_bytes) = (tail, Some(room_bytes));
            // Nobody waits for them: who reads batches, or tells people, looks at them then.
            false
        });
        let retained_bytes = journal.retained_bytes();
        // What was not committed for want of space waits still.
        let is_full = retained_bytes >= self.limits.retained_bytes_max
            || !self.disk_has_room()
            || !self.pending.is_empty();
        if is_full == self.publish.borrow().is_full {
            return;
        }
        if is_full {
            self.stop_intake("it holds all it may, or the disk is full");
            return;
        }
        info!(retained_bytes, "journal has room again, intake goes on");
        self.publish.send_modify(|state| state.is_full = false);
        let text = "The journal has room again.";
        self.tell(vec![event("STO-JOURNAL-ROOM", Severity::Info, text, &[])]);
    }

    pub(super) fn stop_intake(&mut self, cause: &str) {
        if self.publish.borrow().is_full {
            return;
        }
        let retained_bytes = self.journal.as_ref().map_or(0, |journal| journal.retained_bytes());
        let free_bytes = (self.disk.free_bytes)();
        let limit_bytes = self.limits.retained_bytes_max;
        Metric::EdgeJournalRefused.add(1);
        error!(
            cause,
            retained_bytes,
            limit_bytes,
            free_bytes,
            "journal takes nothing new, intake waits; nothing acknowledged is lost"
        );
        self.publish.send_modify(|state| (state.is_full, state.room_bytes) = (true, Some(0)));
        self.tell(vec![event(
            "STO-JOURNAL-FULL",
            Severity::Error,
            "The journal takes nothing new, intake waits; nothing acknowledged is lost.",
            &[
                ("cause", cause.to_owned()),
                ("retained_bytes", retained_bytes.to_string()),
                ("free_bytes", free_bytes.to_string()),
            ],
        )]);
    }

    /// Free space and what the engine holds for reuse, beyond what the journal leaves on the disk; absent when that is
    /// not there. A reserve that was given back is not for intake.
    fn spare_disk_bytes(&self) -> Option<u64> {
        let reusable = self.journal.as_ref().map_or(0, |journal| journal.reusable_bytes());
        let owed = if self.ballast.is_missing() { self.ballast.bytes() } else { 0 };
        let spoken_for = self.limits.free_bytes_min.saturating_add(owed);
        (self.disk.free_bytes)().saturating_add(reusable).checked_sub(spoken_for)
    }

    fn disk_has_room(&self) -> bool {
        self.spare_disk_bytes().is_some()
    }

    /// What the hub has makes way, so it takes no room. Its share is that of its batches, as in `batch_at`.
    fn room_bytes(&self, journal: &dyn Journal) -> u64 {
        let (retained, tail, head) =
            (journal.retained_bytes(), journal.tail().map_or(1, |tail| tail.0), journal.head().number());
        let (batches, safe) = ((head + 1).saturating_sub(tail), (self.safe.0 + 1).saturating_sub(tail));
        let safe_bytes =
            (u128::from(retained) * u128::from(safe.min(batches)) / u128::from(batches.max(1))) as u64;
        let in_quota = self.limits.retained_bytes_max.saturating_sub(retained - safe_bytes);
        let on_disk = self.spare_disk_bytes().unwrap_or(0) / self.limits.disk_bytes_per_byte;
        in_quota.min(on_disk.saturating_add(safe_bytes))
    }

    fn mind_ballast(&mut self) {
        let free_bytes = (self.disk.free_bytes)();
        if self.ballast.is_held() && free_bytes < self.limits.free_bytes_min {
            self.give_ballast_back();
        } else if self.ballast.is_missing()
            && free_bytes >= self.limits.free_bytes_min.saturating_add(2 * self.ballast.bytes())
            && let Err(error) = self.ballast.make()
        {
            warn!(%error, "disk space could not be taken in reserve");
        }
    }

    pub(super) fn give_ballast_back(&mut self) {
        if !self.ballast.is_held() {
            return;
        }
        if let Err(error) = self.ballast.release() {
            warn!(%error, "disk space held in reserve could not be given back");
            return;
        }
        warn!(bytes = self.ballast.bytes(), "disk is almost full, what was held in reserve was given back");
        self.tell(vec![event(
            "STO-JOURNAL-BALLAST-RELEASED",
            Severity::Warning,
            "The disk is almost full; what the journal held in reserve was given back.",
            &[("bytes", self.ballast.bytes().to_string())],
        )]);
    }

    fn prune_and_evict(&mut self) -> Result<(), JournalError> {
        // Local history must not keep telemetry out: on a disk that is full it goes, down to the newest batch.
        let keep_bytes = if self.disk_has_room() { self.limits.acknowledged_bytes_max } else { 0 };
        let excess = self.excess(keep_bytes);
        let safe = self.safe;
        let has_safe =
            self.journal.as_ref().and_then(|journal| journal.tail()).is_some_and(|tail| tail <= safe);
        if let (true, Some(last)) = (excess > 0 && has_safe, self.batch_at(excess)) {
            self.open()?.prune(safe.min(BatchSequence(last)))?;
        }
        let excess = self.excess(self.limits.retained_bytes_max.saturating_sub(1));
        if excess > 0 && self.limits.when_full == WhenFull::EvictOldest {
            // More than is over, so that not every commit evicts.
            let share = self.limits.retained_bytes_max / EVICTED_SHARE;
            if let Some(last) = self.batch_at(excess + share) {
                self.evict(BatchSequence(last))?;
            }
        }
        Ok(())
    }

    fn evict(&mut self, last: BatchSequence) -> Result<(), JournalError> {
        let journal = self.open()?;
        journal.evict(last)?;
        let tail = journal.tail();
        while let Some(oldest) = self.recent.front().filter(|batch| Some(batch.header.sequence) < tail) {
            self.recent_bytes -= oldest.bytes().len();
            self.recent.pop_front();
        }
        Ok(())
    }

    fn excess(&self, bytes_max: u64) -> u64 {
        self.journal.as_ref().map_or(0, |journal| journal.retained_bytes().saturating_sub(bytes_max))
    }

    /// The batch up to which about so many bytes lie. Batches are about as long as each other, so the share of bytes is
    /// the share of batches.
    fn batch_at(&self, bytes: u64) -> Option<u64> {
        let journal = self.journal.as_ref()?;
        let (tail, head) = (journal.tail()?.0, journal.head().number());
        let batches = head.saturating_sub(tail) + 1;
        let retained = journal.retained_bytes().max(1);
        let count = u128::from(batches) * u128::from(bytes) / u128::from(retained);
        Some(tail.saturating_add(count as u64))
    }
}
