//! A queue with room for so many bytes, which never makes anybody wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Items that wait at most, however small.
const ITEMS_MAX: usize = 4_096;

struct Held<T> {
    item: T,
    _room: OwnedSemaphorePermit,
}

/// Where items go in.
pub(super) struct Entrance<T> {
    queue: mpsc::Sender<Held<T>>,
    room: Arc<Semaphore>,
}

/// Where they come out.
pub(super) struct Exit<T> {
    queue: mpsc::Receiver<Held<T>>,
}

/// A queue that holds so many bytes.
pub(super) fn with_room<T>(bytes_max: usize) -> (Entrance<T>, Exit<T>) {
    let (sender, receiver) = mpsc::channel(ITEMS_MAX);
    (Entrance { queue: sender, room: Arc::new(Semaphore::new(bytes_max)) }, Exit { queue: receiver })
}

impl<T> Entrance<T> {
    /// Puts an item in that takes so many bytes; false, and nothing is made, when there is no room or nobody waits.
    pub(super) fn offer(&self, bytes: usize, make: impl FnOnce() -> T) -> bool {
        let Ok(place) = self.queue.try_reserve() else { return false };
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(permits) else { return false };
        place.send(Held { item: make(), _room: room });
        true
    }
}

impl<T> Exit<T> {
    /// Waits for items, takes at most so many; none when the entrance is gone. May be dropped half-way.
    pub(super) async fn take(&mut self, items_max: usize) -> Vec<T> {
        let mut held = Vec::new();
        self.queue.recv_many(&mut held, items_max).await;
        held.into_iter().map(|held| held.item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_is_left_out_and_there_is_room_again_when_something_was_taken() {
        let (entrance, mut exit) = with_room(100);
        assert!(entrance.offer(60, || 1));
        assert!(!entrance.offer(60, || unreachable!("there is no room")));
        assert!(entrance.offer(40, || 2));
        assert!(!entrance.offer(1, || unreachable!("there is no room")));
        assert_eq!(exit.take(1).await, [1]);
        assert!(entrance.offer(60, || 3));
        assert_eq!(exit.take(10).await, [2, 3]);
        drop(exit);
        assert!(!entrance.offer(1, || unreachable!("nobody waits")));
    }

    #[test]
    fn items_are_counted_however_small() {
        let (entrance, _exit) = with_room(1 << 20);
        let taken = (0..ITEMS_MAX + 1).filter(|_| entrance.offer(1, || ())).count();
        assert_eq!(taken, ITEMS_MAX);
    }
}
