//! Decides what happens to each datagram and each chunk of a stream on one direction of one client's link.

use std::{num::NonZeroU64, time::Duration};

use super::{Direction, profile::DirectionFaults, statistics::Cause};
use crate::noise::Noise;

/// A sender's shortest wait before it sends a lost segment again, as Linux has it; a round trip is added.
const RETRANSMISSION: Duration = Duration::from_millis(200);
const NANOS_PER_S: u128 = 1_000_000_000;

/// What draws, each from numbers of its own: turning one fault on leaves the others as they were.
#[derive(Clone, Copy)]
enum Draw {
    Burst,
    CopyJitter,
    Corrupt,
    CorruptedBit,
    Duplicate,
    Jitter,
    Loss,
    Reorder,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It does not arrive.
    Dropped(Cause),
    /// It does.
    Passed(Passage),
}

/// How a datagram, or a chunk of a stream, arrives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passage {
    /// When, on the caller's clock.
    pub due: Duration,
    /// When a second time.
    pub copy_due: Option<Duration>,
    /// Which bit of it is flipped, counted from 0.
    pub flipped_bit: Option<usize>,
    /// Whether it was held back: to be overtaken, or, in a stream, until sent again.
    pub held_back: bool,
}

/// One direction of one client's link. Holds no socket and no clock: the caller passes `now`, a time since any moment
/// of its choice that never runs back.
#[derive(Clone, Debug)]
pub struct Path {
    noise: Noise,
    channel: u64,
    count: u64,
    in_burst: bool,
    /// When the rate has sent all that it took.
    free_at: Duration,
    /// When the latest chunk of a stream is due: none may overtake it.
    stream_due: Duration,
}

impl Path {
    /// A path that nothing has passed yet. `client` counts the clients of a proxy.
    pub fn new(seed: u64, client: u64, direction: Direction) -> Self {
        Self {
            noise: Noise::new(seed),
            channel: client << 8 | u64::from(direction == Direction::ToUpstream) << 4,
            count: 0,
            in_burst: false,
            free_at: Duration::ZERO,
            stream_due: Duration::ZERO,
        }
    }

    /// A datagram of `length_bytes` came in. What is lost by chance has used up rate, as it does on a radio link.
    pub fn on_datagram(&mut self, faults: &DirectionFaults, length_bytes: usize, now: Duration) -> Fate {
        self.count += 1;
        let Some(sent) = self.send(faults, length_bytes, now) else {
            return Fate::Dropped(Cause::QueueFull);
        };
        if let Some(cause) = self.loss(faults) {
            return Fate::Dropped(cause);
        }
        let held_back = self.happens(Draw::Reorder, faults.reorder_percent);
        let wait = if held_back { faults.reorder_by } else { Duration::ZERO };
        let copied = self.happens(Draw::Duplicate, faults.duplicate_percent);
        // A copy for which the queue has no room is not made.
        let copy_sent = copied.then(|| self.send(faults, length_bytes, now)).flatten();
        let corrupt = length_bytes > 0 && self.happens(Draw::Corrupt, faults.corrupt_percent);
        let bits = length_bytes * 8;
        Fate::Passed(Passage {
            due: sent + faults.delay + self.part_of(faults.jitter, Draw::Jitter) + wait,
            copy_due: copy_sent
                .map(|sent| sent + faults.delay + self.part_of(faults.jitter, Draw::CopyJitter)),
            flipped_bit: corrupt.then(|| (self.uniform(Draw::CorruptedBit) * bits as f64) as usize),
            held_back,
        })
    }

    /// A chunk of a stream came in, which is never lost and never overtakes the one before.
    pub fn on_chunk(&mut self, faults: &DirectionFaults, length_bytes: usize, now: Duration) -> Passage {
        self.count += 1;
        let sent = self.transmit(faults.rate_bits_per_s, length_bytes, now);
        let held_back = self.loss(faults).is_some();
        let wait = if held_back { RETRANSMISSION + faults.delay * 2 } else { Duration::ZERO };
        let due = sent + faults.delay + self.part_of(faults.jitter, Draw::Jitter) + wait;
        self.stream_due = self.stream_due.max(due);
        Passage { due: self.stream_due, copy_due: None, flipped_bit: None, held_back }
    }

    /// When the rate's queue has room for the next chunk of a stream: a time until which nothing should be read.
    pub fn next_room(&self, faults: &DirectionFaults) -> Duration {
        match faults.rate_bits_per_s {
            Some(rate) => self.free_at.saturating_sub(transmission(faults.queue_bytes, rate)),
            None => Duration::ZERO,
        }
    }

    /// When the rate has sent it; `None` when the queue is full. What finds the link idle never waits, so it passes.
    fn send(&mut self, faults: &DirectionFaults, length_bytes: usize, now: Duration) -> Option<Duration> {
        let waiting = self.free_at.saturating_sub(now);
        if let Some(rate) = faults.rate_bits_per_s
            && !waiting.is_zero()
            && waiting + transmission(length_bytes as u64, rate) > transmission(faults.queue_bytes, rate)
        {
            return None;
        }
        Some(self.transmit(faults.rate_bits_per_s, length_bytes, now))
    }

    fn transmit(&mut self, rate: Option<NonZeroU64>, length_bytes: usize, now: Duration) -> Duration {
        let Some(rate) = rate else { return now };
        self.free_at = self.free_at.max(now) + transmission(length_bytes as u64, rate);
        self.free_at
    }

    fn loss(&mut self, faults: &DirectionFaults) -> Option<Cause> {
        self.in_burst = faults.bursts.is_some_and(|bursts| match self.in_burst {
            true => !self.happens(Draw::Burst, bursts.leave_percent),
            false => self.happens(Draw::Burst, bursts.enter_percent),
        });
        let (percent, cause) = match faults.bursts {
            Some(bursts) if self.in_burst => (bursts.loss_percent, Cause::Burst),
            _ => (faults.loss_percent, Cause::Loss),
        };
        self.happens(Draw::Loss, percent).then_some(cause)
    }

    fn happens(&self, draw: Draw, percent: f64) -> bool {
        self.uniform(draw) * 100.0 < percent
    }

    fn part_of(&self, most: Duration, draw: Draw) -> Duration {
        most.mul_f64(self.uniform(draw))
    }

    fn uniform(&self, draw: Draw) -> f64 {
        self.noise.uniform(self.channel | draw as u64, self.count)
    }
}

/// How long a rate takes for so many bytes, rounded up so that it is never exceeded.
fn transmission(bytes: u64, rate_bits_per_s: NonZeroU64) -> Duration {
    let nanos = (u128::from(bytes) * 8 * NANOS_PER_S).div_ceil(u128::from(rate_bits_per_s.get()));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
