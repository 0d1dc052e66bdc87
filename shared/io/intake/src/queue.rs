//! Between the doors and the pipeline: one bounded queue a link, emptied in turns of equal bytes.
//!
//! A link that sends more than the rest fills its own queue and waits; the others' turns come as before. So a greedy
//! link takes what nobody else wants, and no more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a link that wait to be judged and sealed. Then its sockets are not read.
const QUEUE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a link that are taken before the next one has its turn.
const TURN_BYTES: usize = 32 * 1_024;
/// What an item costs beside its bytes, so that many tiny ones are bounded too.
const ITEM_BYTES: usize = 256;

/// The pipeline is gone: nobody takes anything any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("intake is stopping")]
pub struct Stopped;

/// Why something was not taken at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// The link's queue is full.
    Full,
    /// The pipeline is gone.
    Stopped,
}

/// All links' queues.
pub struct FairQueues<L, T> {
    inner: Mutex<Inner<L, T>>,
    ready: Condvar,
}

struct Inner<L, T> {
    queues: BTreeMap<u64, Queue<L, T>>,
    next_id: u64,
    /// Whose turn it is, and what is left of it.
    turn: u64,
    turn_bytes: usize,
    is_closed: bool,
}

struct Queue<L, T> {
    link: Arc<L>,
    items: VecDeque<(T, usize, OwnedSemaphorePermit)>,
    /// The sender is gone; the queue goes with its last item.
    is_abandoned: bool,
}

/// What the pipeline is told.
pub enum Next<L, T> {
    /// A link's next item. The permit is its room in the queue: dropped when it is dealt with.
    Item {
        /// Number of the queue, never used twice.
        queue: u64,
        /// The link.
        link: Arc<L>,
        /// What was sent.
        item: T,
        /// Its room in the queue.
        room: OwnedSemaphorePermit,
    },
    /// A queue is empty and nobody sends into it any more.
    Ended(u64),
    /// Nothing came in time.
    Nothing,
    /// All queues are empty and no more opens.
    Closed,
}

impl<L, T> Default for FairQueues<L, T> {
    fn default() -> Self {
        let inner = Inner { queues: BTreeMap::new(), next_id: 0, turn: 0, turn_bytes: 0, is_closed: false };
        Self { inner: Mutex::new(inner), ready: Condvar::new() }
    }
}

impl<L, T> FairQueues<L, T> {
    fn inner(&self) -> MutexGuard<'_, Inner<L, T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A queue for a link.
    pub fn open(self: &Arc<Self>, link: Arc<L>) -> LinkQueue<L, T> {
        let mut inner = self.inner();
        let id = inner.next_id;
        inner.next_id += 1;
        inner.queues.insert(id, Queue { link, items: VecDeque::new(), is_abandoned: false });
        let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
        LinkQueue { queues: Arc::clone(self), id, room }
    }

    /// No more comes: what is queued is still given out.
    pub fn close(&self) {
        self.inner().is_closed = true;
        self.ready.notify_one();
    }

    /// Waits for the next item, at most until `until`. Only one thread may wait.
    pub fn next(&self, until: Option<Instant>) -> Next<L, T> {
        let mut inner = self.inner();
        loop {
            if let Some(next) = inner.take() {
                return next;
            }
            if inner.is_closed {
                return Next::Closed;
            }
            inner = match until {
                None => self.ready.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let wait = until.saturating_duration_since(Instant::now());
                    if wait.is_zero() {
                        return Next::Nothing;
                    }
                    self.ready.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl<L, T> Inner<L, T> {
    /// The next item of whose turn it is.
    fn take(&mut self) -> Option<Next<L, T>> {
        // A round ends where it began; each queue is looked at once, the one whose turn it is twice.
        for _ in 0..=self.queues.len() {
            let turn = self.turn;
            if let Some(queue) = self.queues.get_mut(&turn) {
                if self.turn_bytes > 0
                    && let Some((item, bytes, room)) = queue.items.pop_front()
                {
                    self.turn_bytes = self.turn_bytes.saturating_sub(bytes);
                    return Some(Next::Item { queue: turn, link: Arc::clone(&queue.link), item, room });
                }
                if queue.is_abandoned && queue.items.is_empty() {
                    self.queues.remove(&turn);
                    return Some(Next::Ended(turn));
                }
            }
            self.turn_bytes = TURN_BYTES;
            let behind = self.queues.range(turn + 1..).next().or_else(|| self.queues.iter().next());
            self.turn = behind.map_or(0, |(&id, _)| id);
        }
        None
    }
}

/// A link's end of its queue.
pub struct LinkQueue<L, T> {
    queues: Arc<FairQueues<L, T>>,
    id: u64,
    room: Arc<Semaphore>,
}

impl<L, T> LinkQueue<L, T> {
    /// Queues an item of so many bytes; waits while the queue is full.
    pub async fn send(&self, item: T, bytes: usize) -> Result<(), Stopped> {
        let room = Arc::clone(&self.room).acquire_many_owned(cost(bytes)).await.map_err(|_| Stopped)?;
        self.push(item, bytes, room)
    }

    /// Queues an item if there is room at once.
    pub fn try_send(&self, item: T, bytes: usize) -> Result<(), NotTaken> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(cost(bytes)).map_err(|_| NotTaken::Full)?;
        self.push(item, bytes, room).map_err(|Stopped| NotTaken::Stopped)
    }

    fn push(&self, item: T, bytes: usize, room: OwnedSemaphorePermit) -> Result<(), Stopped> {
        let mut inner = self.queues.inner();
        if inner.is_closed {
            return Err(Stopped);
        }
        let queue = inner.queues.get_mut(&self.id).ok_or(Stopped)?;
        queue.items.push_back((item, bytes + ITEM_BYTES, room));
        drop(inner);
        self.queues.ready.notify_one();
        Ok(())
    }
}

/// One item may be larger than the queue: it waits until that is empty.
fn cost(bytes: usize) -> u32 {
    (bytes + ITEM_BYTES).min(QUEUE_BYTES_MAX) as u32
}

impl<L, T> Drop for LinkQueue<L, T> {
    fn drop(&mut self) {
        if let Some(queue) = self.queues.inner().queues.get_mut(&self.id) {
            queue.is_abandoned = true;
        }
        self.queues.ready.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Queues = Arc<FairQueues<&'static str, u32>>;

    fn drain(queues: &Queues) -> Vec<(&'static str, u32)> {
        let mut taken = Vec::new();
        while let Next::Item { link, item, .. } = queues.next(Some(Instant::now())) {
            taken.push((*link, item));
        }
        taken
    }

    #[test]
    fn a_quiet_link_gets_its_turn_however_much_another_one_has_queued() {
        let queues = Queues::default();
        let greedy = queues.open(Arc::new("greedy"));
        let quiet = queues.open(Arc::new("quiet"));
        for number in 0..20 {
            greedy.try_send(number, 16 * 1_024).expect("there is room");
        }
        quiet.try_send(99, 100).expect("there is room");
        let taken = drain(&queues);
        let place = taken.iter().position(|(link, _)| *link == "quiet").expect("taken");
        assert!(place <= 3, "after {place} of the greedy one");
        assert_eq!(taken.len(), 21);
    }

    #[test]
    fn items_of_a_link_stay_in_order_and_a_full_queue_takes_no_more() {
        let queues = Queues::default();
        let link = queues.open(Arc::new("antenna"));
        let mut sent = 0;
        while link.try_send(sent, 64 * 1_024) == Ok(()) {
            sent += 1;
        }
        assert!((10..20).contains(&sent), "{sent} of 64 KiB fit");
        let numbers: Vec<_> = drain(&queues).into_iter().map(|(_, number)| number).collect();
        assert_eq!(numbers, (0..sent).collect::<Vec<_>>());
        assert_eq!(link.try_send(0, 4 << 20), Ok(()), "one item may be larger than the queue");
    }

    #[test]
    fn a_link_that_left_ends_behind_its_last_item_and_closing_loses_nothing() {
        let queues = Queues::default();
        let link = queues.open(Arc::new("antenna"));
        link.try_send(1, 10).expect("there is room");
        drop(link);
        assert!(matches!(queues.next(None), Next::Item { item: 1, .. }));
        assert!(matches!(queues.next(None), Next::Ended(0)));
        let other = queues.open(Arc::new("other"));
        other.try_send(2, 10).expect("there is room");
        queues.close();
        assert_eq!(other.try_send(3, 10), Err(NotTaken::Stopped));
        assert!(matches!(queues.next(None), Next::Item { item: 2, .. }));
        assert!(matches!(queues.next(None), Next::Closed));
    }
}
