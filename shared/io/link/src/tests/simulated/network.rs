//! A network in memory, on virtual time, on which a seed decides what happens to every datagram.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep};

use crate::DatagramSocket;

/// How datagrams fare between two places, the same in both directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    /// What each takes at least.
    pub(super) delay: Duration,
    /// Up to so much more, drawn for each by itself, so that they overtake each other.
    pub(super) jitter: Duration,
    pub(super) lost_per_mille: u64,
    pub(super) doubled_per_mille: u64,
    /// Longer ones are dropped.
    pub(super) datagram_bytes_max: usize,
    /// What the narrowest part carries, and for how long it lets datagrams wait before it drops them.
    pub(super) bottleneck: Option<(u64, Duration)>,
}

impl Path {
    pub(super) fn of(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            lost_per_mille: 0,
            doubled_per_mille: 0,
            datagram_bytes_max: 1_400,
            bottleneck: None,
        }
    }
}

/// Small numbers from a seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn hits(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_nanos(self.below(longest.as_nanos() as u64 + 1))
    }
}

/// One network; cheap to clone.
#[derive(Clone)]
pub(super) struct Network(Arc<Mutex<State>>);

struct State {
    dice: Dice,
    path: Path,
    /// Places that are reached in another way than the rest.
    special: BTreeMap<SocketAddr, Path>,
    blackouts: Vec<Range<Instant>>,
    places: BTreeMap<SocketAddr, Arc<Place>>,
    /// Until when the bottleneck of each direction is busy.
    busy: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    began: Instant,
    trace: digest::Context,
    sent: Vec<Sent>,
}

/// One datagram, when it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) after: Duration,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: usize,
}

impl Network {
    /// Needs a running tokio, whose time it takes.
    pub(super) fn new(seed: u64, path: Path) -> Self {
        Self(Arc::new(Mutex::new(State {
            dice: Dice(seed),
            path,
            special: BTreeMap::new(),
            blackouts: Vec::new(),
            places: BTreeMap::new(),
            busy: BTreeMap::new(),
            began: Instant::now(),
            trace: digest::Context::new(&SHA256),
            sent: Vec::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn set_path(&self, place: SocketAddr, path: Path) {
        self.state().special.insert(place, path);
    }

    /// Nothing gets through for `lasting`, beginning `after` the network did.
    pub(super) fn black_out(&self, after: Duration, lasting: Duration) {
        let mut state = self.state();
        let from = state.began + after;
        state.blackouts.push(from..from + lasting);
    }

    pub(super) fn socket(&self, address: SocketAddr) -> Arc<dyn DatagramSocket> {
        let arrivals =
            Arrivals { due: BTreeMap::new(), taken: 0, reader: None, timer: Box::pin(sleep(Duration::ZERO)) };
        let place = Arc::new(Place { arrivals: Mutex::new(arrivals) });
        self.state().places.insert(address, Arc::clone(&place));
        Arc::new(Socket { address, place, network: self.clone() })
    }

    /// Stands for every datagram: when it was sent, between whom, how long it was, when it arrived if it did.
    pub(super) fn trace(&self) -> Vec<u8> {
        self.state().trace.clone().finish().as_ref().to_vec()
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }
}

impl State {
    fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let now = Instant::now();
        let after = now - self.began;
        self.sent.push(Sent { after, from, to, bytes: datagram.len() });
        let fates = self.fates(now, from, to, datagram.len());
        let note = format!(
            "{after:?} {from} {to} {} {:?}\n",
            datagram.len(),
            fates.map(|fate| fate.map(|due| due - now))
        );
        self.trace.update(note.as_bytes());
        let Some(place) = self.places.get(&to) else { return };
        for due in fates.into_iter().flatten() {
            place.arrivals.lock().unwrap().put(due, from, Bytes::copy_from_slice(datagram));
        }
    }

    /// When the datagram and its double arrive, if they do. The same number of dice for each, whatever they show, so
    /// that one changed datagram does not change the fate of all that follow.
    fn fates(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        bytes: usize,
    ) -> [Option<Instant>; 2] {
        let path = *self.special.get(&to).or(self.special.get(&from)).unwrap_or(&self.path);
        let is_lost = self.dice.hits(path.lost_per_mille);
        let is_doubled = self.dice.hits(path.doubled_per_mille);
        let delays = [(); 2].map(|()| path.delay + self.dice.up_to(path.jitter));
        let is_dark = self.blackouts.iter().any(|blackout| blackout.contains(&now));
        if is_lost || is_dark || bytes > path.datagram_bytes_max {
            return [None; 2];
        }
        let Some(leaves) = self.leaves_bottleneck(path, now, (from, to), bytes) else { return [None; 2] };
        let [first, second] = delays.map(|delay| leaves + delay);
        [Some(first), is_doubled.then_some(second)]
    }

    fn leaves_bottleneck(
        &mut self,
        path: Path,
        now: Instant,
        direction: (SocketAddr, SocketAddr),
        bytes: usize,
    ) -> Option<Instant> {
        let Some((bits_per_s, patience)) = path.bottleneck else { return Some(now) };
        let busy = self.busy.entry(direction).or_insert(now);
        let begins = now.max(*busy);
        if begins - now > patience {
            return None;
        }
        *busy = begins + Duration::from_nanos(bytes as u64 * 8 * 1_000_000_000 / bits_per_s);
        Some(*busy)
    }
}

struct Place {
    arrivals: Mutex<Arrivals>,
}

struct Arrivals {
    /// By time, and in the order in which they were sent when that is the same.
    due: BTreeMap<(Instant, u64), (SocketAddr, Bytes)>,
    taken: u64,
    reader: Option<Waker>,
    timer: Pin<Box<Sleep>>,
}

impl Arrivals {
    fn put(&mut self, due: Instant, from: SocketAddr, datagram: Bytes) {
        self.taken += 1;
        self.due.insert((due, self.taken), (from, datagram));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

struct Socket {
    address: SocketAddr,
    place: Arc<Place>,
    network: Network,
}

impl fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "place {} of a simulated network", self.address)
    }
}

impl DatagramSocket for Socket {
    fn local_addr(&self) -> SocketAddr {
        self.address
    }

    fn send(&self, destination: SocketAddr, datagram: &[u8]) {
        self.network.state().send(self.address, destination, datagram);
    }

    fn poll_receive(&self, context: &mut Context<'_>) -> Poll<(SocketAddr, Bytes)> {
        let mut arrivals = self.place.arrivals.lock().unwrap();
        let arrivals = &mut *arrivals;
        loop {
            arrivals.reader = Some(context.waker().clone());
            let Some(next) = arrivals.due.first_entry() else { return Poll::Pending };
            let (due, _) = *next.key();
            if due <= Instant::now() {
                return Poll::Ready(next.remove());
            }
            arrivals.timer.as_mut().reset(due);
            if arrivals.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
