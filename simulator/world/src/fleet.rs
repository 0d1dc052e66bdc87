//! A hub comes back, and all its nodes with it: how long until each has its first acknowledgement. Only what costs time
//! is modelled: admission, processors, and the wait between two tries.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::random::Random;

/// A fleet, and what its hub can do.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// Nodes that come back.
    pub nodes: u64,
    /// How long the hub was away, having said goodbye.
    pub away: Duration,
    /// Handshakes at once; more are refused.
    pub admitted: u64,
    /// Processors of the hub.
    pub cores: usize,
    /// Of one processor, for a handshake.
    pub handshake: Duration,
    /// Of one processor, for a HELLO with its transaction.
    pub hello: Duration,
    /// There and back on a link.
    pub round_trip: Duration,
    /// From a first batch to its acknowledgement, beside the round trip.
    pub commit: Duration,
    /// Of all chance.
    pub seed: u64,
}

/// How a fleet came back.
#[derive(Clone, Debug)]
pub struct Storm {
    /// Handshakes that were refused.
    pub refused: u64,
    /// First acknowledgements, since the hub was there again, in order.
    pub first_acks: Vec<Duration>,
}

/// What a goodbye of a hub that stops asks for.
const GOODBYE: Duration = Duration::from_millis(500);
const WAIT_MIN_MS: u64 = 250;
const WAIT_MAX_MS: u64 = 15_000;
/// When a first packet that nobody answered is sent again, since the try began; then the try is over.
const SENT_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
const TRY: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive { wait_ms: u64 },
    Greet,
}

/// Lets a fleet come back.
pub fn storm(fleet: Fleet) -> Storm {
    let mut random = Random::new(fleet.seed);
    let mut queue = BTreeMap::new();
    let mut scheduled = 0u64;
    let mut add = |queue: &mut BTreeMap<(Duration, u64), Step>, at: Duration, step: Step| {
        scheduled += 1;
        queue.insert((at, scheduled), step);
    };
    for _ in 0..fleet.nodes {
        let wait_ms = random.between(WAIT_MIN_MS, WAIT_MIN_MS * 2);
        let begun = GOODBYE.max(Duration::from_millis(wait_ms));
        add(&mut queue, begun, Step::Arrive { wait_ms });
    }
    // When each processor is free.
    let mut free = vec![fleet.away; fleet.cores.max(1)];
    let mut take = |at: Duration, cost: Duration| {
        free.sort_unstable();
        free[0] = free[0].max(at) + cost;
        free[0]
    };
    let (mut under_way, mut refused) = (0, 0);
    let mut first_acks = Vec::new();
    while let Some(((now, _), step)) = queue.pop_first() {
        match step {
            Step::Arrive { wait_ms } if now < fleet.away => {
                let again = SENT_AGAIN.iter().map(|later| now + *later).find(|at| *at >= fleet.away);
                match again {
                    Some(at) => add(&mut queue, at, Step::Arrive { wait_ms }),
                    None => {
                        let wait_ms = next_wait(&mut random, wait_ms);
                        let at = now + TRY + Duration::from_millis(wait_ms);
                        add(&mut queue, at, Step::Arrive { wait_ms });
                    }
                }
            }
            Step::Arrive { wait_ms } if under_way >= fleet.admitted => {
                refused += 1;
                let wait_ms = next_wait(&mut random, wait_ms);
                let at = now + fleet.round_trip + Duration::from_millis(wait_ms);
                add(&mut queue, at, Step::Arrive { wait_ms });
            }
            Step::Arrive { .. } => {
                under_way += 1;
                let done = take(now, fleet.handshake) + fleet.round_trip;
                add(&mut queue, done, Step::Greet);
            }
            Step::Greet => {
                under_way -= 1;
                let ready = take(now, fleet.hello);
                first_acks.push(ready + fleet.round_trip * 2 + fleet.commit - fleet.away);
            }
        }
    }
    first_acks.sort_unstable();
    Storm { refused, first_acks }
}

/// As `edge-node/src/forwarding/backoff.rs`.
fn next_wait(random: &mut Random, last_ms: u64) -> u64 {
    random.between(WAIT_MIN_MS, (last_ms * 3).clamp(WAIT_MIN_MS * 2, WAIT_MAX_MS))
}

impl Storm {
    /// The time within which so many in a hundred have their acknowledgement.
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.first_acks.len() * percent).div_ceil(100).max(1) - 1;
        self.first_acks.get(place).copied().unwrap_or_default()
    }
}
