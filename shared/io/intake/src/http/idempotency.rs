//! Requests that may come again: what is known of each key, in memory and from receipts that an earlier run kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::taking::{Outcome, Taken};

/// Keys remembered; with a later one the oldest that is not under way is forgotten. About 10 MiB.
const KEYS_MAX: usize = 65_536;

/// Hash of a request as receipts have it: of its link, key and content. Another body under the same key is never
/// taken for this one, also when only receipts are left.
pub type RequestKey = [u8; 16];

/// Hash of a link's name and a key: two links' producers may use the same words.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Name([u8; 16]);

/// A request with a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyedRequest {
    name: Name,
    /// How receipts know it.
    pub key: RequestKey,
}

impl KeyedRequest {
    /// The request with this key, of a body with this hash; `is_partial` as far as the body does not say it.
    pub fn new(link: &str, key: &str, body: &blake3::Hash, is_partial: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        // A link's name holds no zero byte, so that no two pairs are hashed alike.
        hasher.update(link.as_bytes()).update(&[0]).update(key.as_bytes());
        let name = short(&hasher);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&name).update(body.as_bytes()).update(&[u8::from(is_partial)]);
        Self { name: Name(name), key: short(&hasher) }
    }
}

fn short(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// The key of a request as receipts have it.
pub fn request_key(link: &str, key: &str, body: &[u8], is_partial: bool) -> RequestKey {
    KeyedRequest::new(link, key, &blake3::hash(body), is_partial).key
}

#[derive(Clone)]
enum Known {
    /// Under way.
    Running(RequestKey, watch::Receiver<Option<Outcome>>),
    /// Durable.
    Durable(RequestKey, Taken),
}

/// What is known of all keys.
#[derive(Default)]
pub struct KnownRequests {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// From an earlier run: so many records of each request are durable.
    receipts: HashMap<RequestKey, u32>,
    known: HashMap<Name, Known>,
    /// Oldest first.
    order: VecDeque<Name>,
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
    request: KeyedRequest,
    told: watch::Sender<Option<Outcome>>,
}

impl KnownRequests {
    /// Knows what there are receipts for.
    pub fn new(receipts: HashMap<RequestKey, u32>) -> Self {
        let receipts = receipts.into_iter().take(KEYS_MAX).collect();
        Self { inner: Mutex::new(Inner { receipts, ..Inner::default() }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of so many records came.
    pub fn begin(self: &Arc<Self>, request: KeyedRequest, records: usize) -> Begun {
        let mut inner = self.inner();
        match inner.known.get(&request.name) {
            Some(Known::Running(key, _) | Known::Durable(key, _)) if *key != request.key => {
                return Begun::Other;
            }
            Some(Known::Running(_, told)) => return Begun::Running(told.clone()),
            Some(Known::Durable(_, taken)) => return Begun::Durable(*taken),
            None => {}
        }
        let durable = inner.receipts.get(&request.key).copied().unwrap_or_default();
        if durable > 0 && durable as usize >= records {
            let taken = Taken { accepted: records as u64, quarantined: None };
            inner.put(request.name, Known::Durable(request.key, taken));
            return Begun::Durable(taken);
        }
        let (told, end) = watch::channel(None);
        inner.put(request.name, Known::Running(request.key, end));
        Begun::New(Ticket { requests: Arc::clone(self), request, told }, durable)
    }
}

impl Inner {
    fn put(&mut self, name: Name, known: Known) {
        if self.known.insert(name, known).is_none() {
            self.order.push_back(name);
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
            let mut inner = self.requests.inner();
            inner.put(self.request.name, Known::Durable(self.request.key, taken));
            // Of what an earlier run began, the rest is durable now.
            if let Some(records) = inner.receipts.get_mut(&self.request.key) {
                *records = u32::try_from(taken.accepted).unwrap_or(u32::MAX);
            }
        }
        self.told.send_replace(Some(outcome));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.requests.inner();
        let name = self.request.name;
        if matches!(inner.known.get(&name), Some(Known::Running(..))) {
            inner.known.remove(&name);
            inner.order.retain(|known| *known != name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize, body: &[u8]) -> KeyedRequest {
        KeyedRequest::new("web", &number.to_string(), &blake3::hash(body), false)
    }

    #[test]
    fn of_keys_beyond_the_bound_the_oldest_that_are_not_under_way_are_forgotten() {
        let requests = Arc::new(KnownRequests::default());
        let request = |number| request(number, b"body");
        let taken = Taken { accepted: 1, quarantined: Some(0) };
        let Begun::New(running, 0) = requests.begin(request(0), 1) else { panic!("it is new") };
        for number in 1..KEYS_MAX + 10 {
            let Begun::New(ticket, 0) = requests.begin(request(number), 1) else { panic!("it is new") };
            ticket.end(Outcome::Durable(taken));
        }
        assert_eq!(requests.inner().known.len(), KEYS_MAX);
        assert!(matches!(requests.begin(request(0), 1), Begun::Running(_)));
        assert!(matches!(requests.begin(request(KEYS_MAX + 9), 1), Begun::Durable(_)));
        assert!(matches!(requests.begin(request(1), 1), Begun::New(..)));
        drop(running);
    }

    #[test]
    fn a_request_of_which_nothing_was_taken_leaves_no_key_behind() {
        let receipts = HashMap::from([(request(1, b"one").key, 4)]);
        let requests = Arc::new(KnownRequests::new(receipts));
        for (number, body, skipped) in [(1, b"one", 4), (1, b"two", 0), (1, b"one", 4), (2, b"one", 0)] {
            let begun = requests.begin(request(number, body), 9);
            let Begun::New(ticket, found) = begun else { panic!("it may be taken") };
            assert_eq!(found, skipped);
            ticket.end(Outcome::Refused(crate::Refused::Full));
        }
        assert!(requests.inner().known.is_empty());
    }

    #[test]
    fn what_an_earlier_run_took_holds_for_its_body_alone() {
        let whole = request(1, b"one");
        let requests = Arc::new(KnownRequests::new(HashMap::from([(whole.key, 9)])));
        let Begun::New(other, 0) = requests.begin(request(1, b"two"), 9) else { panic!("it is new") };
        assert!(matches!(requests.begin(whole, 9), Begun::Other));
        drop(other);
        assert!(matches!(requests.begin(whole, 9), Begun::Durable(_)));
        assert!(matches!(requests.begin(request(1, b"two"), 9), Begun::Other));
    }

    #[test]
    fn the_rest_of_a_request_is_not_taken_twice_once_its_key_is_forgotten() {
        let half = request(1, b"one");
        let requests = Arc::new(KnownRequests::new(HashMap::from([(half.key, 4)])));
        let Begun::New(ticket, 4) = requests.begin(half, 9) else { panic!("half is to come") };
        ticket.end(Outcome::Durable(Taken { accepted: 9, quarantined: Some(0) }));
        requests.inner().known.clear();
        assert!(matches!(requests.begin(half, 9), Begun::Durable(_)));
    }

    #[test]
    fn requests_differ_by_link_key_body_and_partial() {
        let key = |link, key, body: &[u8], is_partial| request_key(link, key, body, is_partial);
        let all = [
            key("a", "bc", b"1", false),
            key("ab", "c", b"1", false),
            key("b", "bc", b"1", false),
            key("a", "bc", b"2", false),
            key("a", "bc", b"1", true),
        ];
        assert_eq!(std::collections::HashSet::from(all).len(), all.len());
    }
}
