//! Requests that may come again: what is known of each key, in memory and from the journal's receipts.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::taking::{Outcome, Taken};

/// Keys remembered; with a later one the oldest that is not under way is forgotten. About 10 MiB.
const KEYS_MAX: usize = 65_536;

/// Hash of a link's name and a key.
pub type RequestKey = [u8; 16];

/// The key of a request as the journal knows it: two links' producers may use the same words.
pub fn request_key(link: &str, key: &str) -> RequestKey {
    let mut hasher = blake3::Hasher::new();
    // A name holds no zero byte, so that no two pairs are hashed alike.
    hasher.update(link.as_bytes()).update(&[0]).update(key.as_bytes());
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    short
}

#[derive(Clone)]
enum Known {
    /// From the journal's receipts: so many records were durable when the node started.
    Journalled(u32),
    /// Under way.
    Running(blake3::Hash, watch::Receiver<Option<Outcome>>),
    /// Durable.
    Durable(blake3::Hash, Taken),
}

/// What is known of all keys.
#[derive(Default)]
pub struct KnownRequests {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    known: HashMap<RequestKey, Known>,
    /// Oldest first.
    order: VecDeque<RequestKey>,
}

/// What a request with a key is.
pub enum Begun {
    /// Durable already.
    Durable(Taken),
    /// To be taken, without as many records as are durable already.
    New(Ticket, u32),
    /// Another body has the key.
    Other,
    /// Under way: its end can be waited for.
    Running(watch::Receiver<Option<Outcome>>),
}

/// The right to take a request. Whoever waits for the same one is told by it.
pub struct Ticket {
    requests: Arc<KnownRequests>,
    key: RequestKey,
    body: blake3::Hash,
    /// What was known before, to go back to when nothing was taken.
    before: Option<Known>,
    told: watch::Sender<Option<Outcome>>,
}

impl KnownRequests {
    /// Knows what the journal has receipts for.
    pub fn new(receipts: HashMap<RequestKey, u32>) -> Self {
        let order = receipts.keys().copied().collect();
        let known = receipts.into_iter().map(|(key, records)| (key, Known::Journalled(records))).collect();
        let requests = Self { inner: Mutex::new(Inner { known, order }) };
        requests.inner().forget_oldest();
        requests
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of so many records came.
    pub fn begin(self: &Arc<Self>, key: RequestKey, body: blake3::Hash, records: usize) -> Begun {
        let mut inner = self.inner();
        let before = inner.known.get(&key).cloned();
        let skipped = match &before {
            None => 0,
            Some(Known::Running(known, _) | Known::Durable(known, _)) if *known != body => {
                return Begun::Other;
            }
            Some(Known::Running(_, told)) => return Begun::Running(told.clone()),
            Some(Known::Durable(_, taken)) => return Begun::Durable(*taken),
            Some(Known::Journalled(durable)) if *durable as usize >= records => {
                return Begun::Durable(Taken { accepted: records as u64, quarantined: None });
            }
            Some(Known::Journalled(durable)) => *durable,
        };
        let (told, end) = watch::channel(None);
        inner.put(key, Known::Running(body, end));
        Begun::New(Ticket { requests: Arc::clone(self), key, body, before, told }, skipped)
    }
}

impl Inner {
    fn put(&mut self, key: RequestKey, known: Known) {
        if self.known.insert(key, known).is_none() {
            self.order.push_back(key);
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        // Each is looked at once: those under way stay, and are bounded by what a link may have under way.
        for _ in 0..self.order.len() {
            if self.known.len() <= KEYS_MAX {
                return;
            }
            let Some(oldest) = self.order.pop_front() else { return };
            match self.known.get(&oldest) {
                Some(Known::Running(..)) => self.order.push_back(oldest),
                _ => drop(self.known.remove(&oldest)),
            }
        }
    }
}

impl Ticket {
    /// How the request ended.
    pub fn end(self, outcome: Outcome) {
        if let Outcome::Durable(taken) = outcome {
            self.requests.inner().put(self.key, Known::Durable(self.body, taken));
        }
        self.told.send_replace(Some(outcome));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.requests.inner();
        if !matches!(inner.known.get(&self.key), Some(Known::Running(..))) {
            return;
        }
        match self.before.take() {
            Some(before) => inner.put(self.key, before),
            None => {
                inner.known.remove(&self.key);
                inner.order.retain(|key| *key != self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> RequestKey {
        request_key("web", &number.to_string())
    }

    #[test]
    fn of_keys_beyond_the_bound_the_oldest_that_are_not_under_way_are_forgotten() {
        let requests = Arc::new(KnownRequests::default());
        let body = blake3::hash(b"body");
        let taken = Taken { accepted: 1, quarantined: Some(0) };
        let Begun::New(running, 0) = requests.begin(key(0), body, 1) else { panic!("it is new") };
        for number in 1..KEYS_MAX + 10 {
            let Begun::New(ticket, 0) = requests.begin(key(number), body, 1) else { panic!("it is new") };
            ticket.end(Outcome::Durable(taken));
        }
        assert_eq!(requests.inner().known.len(), KEYS_MAX);
        assert!(matches!(requests.begin(key(0), body, 1), Begun::Running(_)));
        assert!(matches!(requests.begin(key(KEYS_MAX + 9), body, 1), Begun::Durable(_)));
        assert!(matches!(requests.begin(key(1), body, 1), Begun::New(..)));
        drop(running);
    }

    #[test]
    fn a_request_of_which_nothing_was_taken_leaves_no_key_behind() {
        let requests = Arc::new(KnownRequests::new(HashMap::from([(key(1), 4)])));
        for (number, skipped) in [(1, 4), (2, 0)] {
            for body in [b"one", b"two"] {
                let begun = requests.begin(key(number), blake3::hash(body), 9);
                let Begun::New(ticket, found) = begun else { panic!("it may be taken") };
                assert_eq!(found, skipped);
                ticket.end(Outcome::Refused(crate::intake::Refused::Full));
            }
        }
        assert_eq!(requests.inner().known.len(), 1);
    }

    #[test]
    fn two_links_may_have_producers_with_the_same_key() {
        assert_ne!(request_key("a", "bc"), request_key("ab", "c"));
        assert_ne!(request_key("a", "k"), request_key("b", "k"));
    }
}
