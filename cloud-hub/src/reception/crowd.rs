//! How many connections each node has: one that works has one, and an older one until that is found dead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Each may hold a window of data before anything was said on it.
pub(super) const CONNECTIONS_MAX: usize = 8;

/// The connections of all nodes.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    open: Mutex<HashMap<Uuid, usize>>,
}

/// A connection's place; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    node: Uuid,
}

impl Crowd {
    /// Takes a place for one more connection of a node, if there is one.
    pub(super) fn enter(self: &Arc<Self>, node: Uuid) -> Option<Place> {
        let mut open = self.open();
        let count = open.entry(node).or_default();
        if *count >= CONNECTIONS_MAX {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), node })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.crowd.open();
        if let Some(count) = open.get_mut(&self.node) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_few_places_and_each_is_free_again() {
        let crowd = Arc::new(Crowd::default());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut places: Vec<Place> = (0..CONNECTIONS_MAX).filter_map(|_| crowd.enter(one)).collect();
        assert_eq!(places.len(), CONNECTIONS_MAX);
        assert!(crowd.enter(one).is_none());
        assert!(crowd.enter(other).is_some());
        drop(places.pop());
        assert!(crowd.enter(one).is_some());
        drop(places);
        assert!(crowd.open().is_empty());
    }
}
