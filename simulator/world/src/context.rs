//! What everything in a world shares: its time, its chance, what is to happen, its links and its checks.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use delivery::{Frame, Lane};

use crate::checks::Checks;
use crate::database::{Answer, Operation};
use crate::network::{ConnectionId, Network, Side};
use crate::plan::{Fault, Plan};
use crate::random::Random;
use crate::trace::{Trace, Who};

/// Something that is to happen. `run` says to which run of a process: one that ended since is not told.
#[derive(Debug)]
pub(crate) enum Event {
    Alarm { machine: usize },
    Answer { hub: usize, run: u64, timeline: u64, answer: Box<Answer> },
    Apply { hub: usize, run: u64, timeline: u64, operation: Box<Operation>, is_answered: bool },
    Connect { machine: usize, run: u64 },
    Connected { machine: usize, run: u64 },
    Deliver { connection: ConnectionId, to: Side, stream: u8 },
    Fault,
    Group { hub: usize, run: u64 },
    HubStart { hub: usize },
    HubTick { hub: usize, run: u64 },
    Import { bundle: usize },
    Look,
    Lost { connection: ConnectionId, side: Side },
    Produce { machine: usize, lane: Lane },
    Retry { hub: usize, run: u64 },
    Start { machine: usize },
    Sync { machine: usize, run: u64 },
    TimeAsk { machine: usize, run: u64 },
    Wake { machine: usize, run: u64 },
}

/// The shared part of a world.
#[derive(Debug)]
pub(crate) struct Context {
    pub now: Duration,
    pub random: Random,
    pub plan: Plan,
    pub trace: Trace,
    pub checks: Checks,
    pub network: Network,
    /// The node of each machine: a clone has its original's.
    pub nodes: Vec<usize>,
    pub injected: BTreeMap<Fault, u64>,
    queue: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
}

impl Context {
    pub(crate) fn new(seed: u64, is_told: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random, seed);
        Self {
            now: Duration::ZERO,
            random,
            plan,
            trace: Trace::new(is_told),
            checks: Checks::default(),
            network: Network::default(),
            nodes: Vec::new(),
            injected: BTreeMap::new(),
            queue: BTreeMap::new(),
            scheduled: 0,
        }
    }

    /// Has something happen after a while.
    pub(crate) fn after(&mut self, delay: Duration, event: Event) {
        // The count keeps what happens at one time in the order it was said.
        self.scheduled += 1;
        self.queue.insert((self.now + delay, self.scheduled), event);
    }

    /// What happens next; time goes on to it.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let ((at, _), event) = self.queue.pop_first()?;
        self.now = at;
        Some(event)
    }

    /// Tells the story.
    pub(crate) fn say(&mut self, who: Who, what: fmt::Arguments<'_>) {
        self.trace.say(self.now, who, what);
    }

    /// A time on a link: what every packet takes, and what jitter adds.
    pub(crate) fn travel(&mut self) -> Duration {
        self.plan.latency + self.random.millis(0, self.plan.jitter_ms)
    }

    /// Sends a frame on a stream of a connection.
    pub(crate) fn send(&mut self, connection: ConnectionId, from: Side, stream: u8, frame: &Frame) {
        let (kind, body) = frame.encode();
        match Frame::decode(kind, &body) {
            Ok(Some(read)) if read == *frame => {
                if self.network.push(connection, from, stream, read) {
                    let delay = self.travel();
                    self.after(delay, Event::Deliver { connection, to: from.other(), stream });
                }
            }
            other => self
                .checks
                .fail("I3", format_args!("a frame is not read as it was sent: {frame:?}, {other:?}")),
        }
    }

    /// One side ends a connection on purpose; the other hears of it behind everything that was sent.
    pub(crate) fn close(&mut self, connection: ConnectionId, side: Side) {
        if self.network.close(connection, side) {
            let delay = self.plan.latency + Duration::from_millis(self.plan.jitter_ms + 1);
            self.after(delay, Event::Lost { connection, side: side.other() });
        }
    }

    /// One side is gone without a word; the other notices when it was silent for too long.
    pub(crate) fn vanish(&mut self, connection: ConnectionId, side: Side) {
        if self.network.close(connection, side) {
            let delay = self.plan.idle_timeout;
            self.after(delay, Event::Lost { connection, side: side.other() });
        }
    }

    /// Nothing comes through between two for a while, one way or both.
    pub(crate) fn block(&mut self, machine: usize, hub: usize, towards: &[Side], pause: Duration) {
        let until = self.now + pause;
        for side in towards {
            self.network.block(machine, hub, *side, until);
        }
        if pause < self.plan.idle_timeout {
            return;
        }
        let both = towards.len() == 2;
        for connection in self.network.open_between(machine, hub) {
            for side in [Side::Edge, Side::Hub] {
                let hears = both || !towards.contains(&side);
                // Who still hears the other is told by it.
                let told = if hears && !both { self.plan.latency } else { Duration::ZERO };
                let early = self.random.millis(0, 200);
                self.after(self.plan.idle_timeout + told + early, Event::Lost { connection, side });
            }
        }
    }
}
