//! The thread that reads what the journal has committed and takes it into the history.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use delivery::{BatchSequence, StoreId};
use processing::Sample;
use service::logging::chain;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::History;
use crate::alarms::Watching;
use crate::journal::{Batches, JournalHandle, JournalState, ReadFailed};

/// Read at once: a few batches, so that forwarding does not wait long behind it.
const READ_BYTES: usize = 256 << 10;
/// Batches before the newest that are read into memory at a start, for latest values and for the last minutes.
const WARM_BATCHES: u64 = 1_024;
/// How often quiet roll-ups are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// What is left to read at the end is read for this long; the next start goes on there.
const CATCH_UP_MAX: Duration = Duration::from_secs(4);
/// A journal that cannot be read for a reason of its own is asked again after this long.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Starts the thread; the receiver ends when everything is written. `restore` gets the samples that were in the journal
/// at the start, with their mission: what is newest of them is the latest value. `watching` judges each batch on the way.
pub fn start(
    history: Arc<History>,
    watching: Option<Watching>,
    restore: impl Fn(&str, &[Sample]) + Send + 'static,
    stop: CancellationToken,
) -> std::io::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    // A runtime of its own on a thread of its own: decoding would delay others, and it waits for the journal in between.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("history".to_owned()).spawn(move || {
        // It reads what is on disk already: it may come later, what is received may not. On Linux this is the thread's own.
        let _ = rustix::process::setpriority_process(None, crate::view::NICENESS);
        if let Some(journal) = history.journal() {
            let state = journal.state();
            let store = state.borrow().store;
            let history = Arc::clone(&history);
            let follower = Follower { history, watching, journal, state, store, stop, next: 0 };
            runtime.block_on(follower.run(restore));
        }
        *history.journal.write().unwrap_or_else(PoisonError::into_inner) = None;
        // Nobody waits for it when the process is ending anyway.
        let _ = ended.send(());
    })?;
    Ok(end)
}

struct Follower {
    history: Arc<History>,
    watching: Option<Watching>,
    journal: JournalHandle,
    state: watch::Receiver<JournalState>,
    /// The journal that is read.
    store: StoreId,
    stop: CancellationToken,
    /// The next batch to read.
    next: u64,
}

impl Follower {
    async fn run(mut self, restore: impl Fn(&str, &[Sample])) {
        let (tail, mut head_at_start) = self.ends();
        self.next = self.first(tail, head_at_start);
        let mut deadline = None;
        loop {
            if self.has_new_journal() {
                head_at_start = 0;
            }
            let (tail, head) = self.ends();
            self.history.flush(tail, false);
            if let Some(watching) = &mut self.watching {
                watching.save(false);
            }
            if self.stop.is_cancelled() {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + CATCH_UP_MAX);
                if self.next > head || Instant::now() >= deadline {
                    break;
                }
            }
            if self.next > head {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    changed = self.state.changed() => if changed.is_err() { break },
                    () = tokio::time::sleep(LOOK_INTERVAL) => {}
                }
                continue;
            }
            if self.next < tail {
                warn!(from = self.next, to = tail, "journal forgot batches before history had read them");
                self.pass_by(tail - 1);
                self.next = tail;
            }
            let is_read = self.read(|mission, samples, sequence| {
                if sequence <= head_at_start {
                    restore(mission, samples);
                }
            });
            if !is_read.await {
                break;
            }
        }
        let (tail, _) = self.ends();
        self.history.flush(tail, true);
        if let Some(watching) = &mut self.watching {
            watching.save(true);
        }
    }

    /// Batches up to this one will not come.
    fn pass_by(&mut self, sequence: u64) {
        if let Some(watching) = &mut self.watching {
            watching.pass_by(sequence);
        }
    }

    /// Whether another journal began, whose numbers count from one.
    fn has_new_journal(&mut self) -> bool {
        let store = self.state.borrow().store;
        if store == self.store {
            return false;
        }
        warn!(next = self.next, "another journal began, history goes on with it");
        self.history.begin_journal(store.0);
        if let Some(watching) = &mut self.watching {
            watching.begin_journal(store);
        }
        (self.store, self.next) = (store, 1);
        true
    }

    /// The oldest and the newest batch; a head below every batch when there are none.
    fn ends(&mut self) -> (u64, u64) {
        let state = self.state.borrow_and_update();
        (state.tail.map_or(1, |tail| tail.0), state.head.number())
    }

    /// Where to begin: behind what every mission has, and early enough to know the last minutes.
    fn first(&self, tail: u64, head: u64) -> u64 {
        let missions = &self.history.missions;
        let rolled_up = missions.iter().map(|mission| mission.state().sequence()).min().unwrap_or(head);
        let unwatched = self.watching.as_ref().map_or(head + 1, Watching::next);
        let first = (rolled_up + 1).min((head + 1).saturating_sub(WARM_BATCHES)).min(unwatched);
        let first = first.max(tail).max(1);
        missions.iter().for_each(|mission| mission.state().read_from_behind(first - 1));
        info!(rolled_up, head, first, "history follows the journal");
        first
    }

    /// Reads a few batches; false when the journal is gone.
    async fn read(&mut self, mut on_samples: impl FnMut(&str, &[Sample], u64)) -> bool {
        let found = self.journal.read(BatchSequence(self.next), READ_BYTES).await;
        if self.state.borrow().store != self.store {
            // They may be of either journal.
            return true;
        }
        match found {
            // It was forgotten this moment.
            Ok(Batches::Absent) => {
                self.pass_by(self.next);
                self.next += 1;
            }
            Ok(Batches::Missing { until, reason }) => {
                warn!(
                    first = self.next,
                    last = until.0,
                    reason = reason.word(),
                    "history goes on behind a gap"
                );
                self.history.pass_by(until.0);
                self.pass_by(until.0);
                self.next = until.0 + 1;
            }
            Ok(Batches::Here(batches)) => {
                let behind = batches.last().map_or(self.next, |last| last.header.sequence.0) + 1;
                for batch in batches {
                    let sequence = batch.header.sequence.0;
                    let on_samples =
                        |mission: &str, samples: &[Sample]| on_samples(mission, samples, sequence);
                    self.history.on_batch(&batch, &mut self.watching, on_samples);
                }
                self.next = behind;
            }
            Err(ReadFailed::Journal(failure)) => {
                warn!(error = chain(&failure), "journal cannot be read, history waits");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(ReadFailed::Stopped(_)) => return false,
        }
        true
    }
}
