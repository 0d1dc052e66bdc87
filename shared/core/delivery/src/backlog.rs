//! What waits for the hub, and for how long: counts as they are, rates as they were measured, and of what follows from
//! them only what really follows.

use std::collections::VecDeque;
use std::time::Duration;

use space_packet::ReceptionTime;

/// Rates are measured over the newest of it: long enough for a link whose acknowledgements come in bursts, short enough
/// to follow a link that changes.
const WINDOW: Duration = Duration::from_secs(30);
/// Whatever was seen for less than this is no measurement.
const SPAN_MIN: Duration = Duration::from_secs(3);
/// Between two points that are kept, so that a meter holds 61 of them at most.
const STEP: Duration = Duration::from_millis(500);
/// What came in within it is on its way rather than behind: longer than a satellite's round trip and a commit.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// What was counted since a journal began; only grows while the journal is the same and the hub loses nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Sealed bytes.
    pub bytes: u64,
}

/// Whether the backlog may go out at all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Flow {
    /// There is no session with the hub.
    #[default]
    Disconnected,
    /// Somebody holds the backlog back; live data may still go out.
    Paused,
    /// It may.
    Running,
}

/// What waits at this moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Batches that the hub has not committed.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Their sealed bytes.
    pub bytes: u64,
    /// When the oldest of them was received; absent when nothing waits or it is not known.
    pub oldest: Option<ReceptionTime>,
    /// Sealed bytes that the journal still takes; absent when it is not known.
    pub room_bytes: Option<u64>,
}

/// How fast something goes. Finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Records a second.
    pub records_per_s: f64,
    /// Sealed bytes a second.
    pub bytes_per_s: f64,
}

/// What was measured, over at most 30 seconds and at least 3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Into the journal.
    pub incoming: Rate,
    /// Committed at the hub.
    pub outgoing: Rate,
}

/// When nothing waits any more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Drain {
    /// After so many seconds, if the rates stay: the bytes that wait, by how much more goes out than comes in. Finite.
    After {
        /// Seconds from now.
        seconds: f64,
    },
    /// Nothing goes out: there is no session.
    Disconnected,
    /// Nothing waits.
    Empty,
    /// No more waits than what came in within the last 5 seconds.
    KeepsUp,
    /// As much comes in as goes out, or more.
    Never,
    /// Nothing goes out: somebody holds the backlog back.
    Paused,
    /// Nothing was measured yet.
    #[default]
    Unknown,
}

/// The backlog, as everybody is told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// What waits.
    pub waiting: Waiting,
    /// What was measured; absent before there is a measurement.
    pub rates: Option<Rates>,
    /// When nothing waits any more.
    pub drain: Drain,
    /// Seconds until the journal has no room left, if the rates stay; absent when that is not known and when the
    /// backlog does not grow. Finite.
    pub full_in_s: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Duration,
    appended: Totals,
    delivered: Totals,
}

/// Measures how a backlog comes and goes.
///
/// Times are of a monotonic clock, since an origin that stays the same. A measurement begins anew when a total or
/// the time steps back (the journal is another one, the hub lost what it had), when somebody pauses the backlog
/// or lets it go on, and when a session comes back that was away for 3 seconds or more. A shorter outage belongs to
/// the link, and to what it carries on average.
#[derive(Clone, Debug, Default)]
pub struct BacklogMeter {
    /// Oldest first; times and totals never step back.
    points: VecDeque<Point>,
    flow: Flow,
    /// Since when the flow is what it is.
    flow_since: Duration,
}

/// What happened between two points.
struct Measured {
    span_s: f64,
    appended: Totals,
    delivered: Totals,
}

impl BacklogMeter {
    /// So much was appended to the journal, and so much of it was delivered.
    pub fn on_progress(&mut self, at: Duration, appended: Totals, delivered: Totals) {
        let point = Point { at, appended, delivered };
        if self.points.back().is_some_and(|newest| !point.continues(newest)) {
            self.points.clear();
        }
        // The newest point moves along with time until it is a step away from the one before.
        let before = self.points.len().checked_sub(2).map(|index| self.points[index].at);
        if let (Some(before), Some(newest)) = (before, self.points.back())
            && newest.at - before < STEP
        {
            self.points.pop_back();
        }
        self.points.push_back(point);
        let edge = at.saturating_sub(WINDOW);
        while self.points.front().is_some_and(|oldest| oldest.at < edge) {
            self.points.pop_front();
        }
    }

    /// Whether the backlog may go out, from now on.
    pub fn on_flow(&mut self, at: Duration, flow: Flow) {
        if flow == self.flow {
            return;
        }
        let was_long = at.saturating_sub(self.flow_since) >= SPAN_MIN;
        let is_paused = flow == Flow::Paused || self.flow == Flow::Paused;
        if is_paused || (flow == Flow::Running && was_long) {
            self.points.clear();
        }
        (self.flow, self.flow_since) = (flow, at);
    }

    /// Whether it may now.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Forgets what was measured: the journal is another one.
    pub fn on_journal_replaced(&mut self) {
        self.points.clear();
    }

    /// What there is to say of a backlog of which so much waits now.
    pub fn backlog(&self, waiting: Waiting) -> Backlog {
        let measured = self.measured();
        let drain = self.drain(&waiting, measured.as_ref());
        let full_in_s = match drain {
            Drain::Disconnected | Drain::Never | Drain::Paused => {
                measured.as_ref().zip(waiting.room_bytes).and_then(|(measured, room)| measured.fills(room))
            }
            Drain::After { .. } | Drain::Empty | Drain::KeepsUp | Drain::Unknown => None,
        };
        Backlog { waiting, rates: measured.as_ref().map(Measured::rates), drain, full_in_s }
    }

    fn drain(&self, waiting: &Waiting, measured: Option<&Measured>) -> Drain {
        if (waiting.batches, waiting.records, waiting.bytes) == (0, 0, 0) {
            return Drain::Empty;
        }
        match self.flow {
            Flow::Disconnected => return Drain::Disconnected,
            Flow::Paused => return Drain::Paused,
            Flow::Running => {}
        }
        let Some(measured) = measured else { return Drain::Unknown };
        if waiting.bytes <= self.appended_just_now() {
            return Drain::KeepsUp;
        }
        match measured.delivered.bytes.checked_sub(measured.appended.bytes) {
            None | Some(0) => Drain::Never,
            Some(less) => Drain::After { seconds: waiting.bytes as f64 * measured.span_s / less as f64 },
        }
    }

    /// Bytes that came in within [`ON_ITS_WAY`].
    fn appended_just_now(&self) -> u64 {
        let Some(newest) = self.points.back() else { return 0 };
        let edge = newest.at.saturating_sub(ON_ITS_WAY);
        let before = self.points.iter().rev().find(|point| point.at <= edge).or(self.points.front());
        before.map_or(0, |before| newest.appended.bytes - before.appended.bytes)
    }

    fn measured(&self) -> Option<Measured> {
        let (first, last) = (self.points.front()?, self.points.back()?);
        let span = last.at - first.at;
        // What was delivered before the session was lost says nothing about now.
        let delivered = match self.flow {
            Flow::Disconnected => Totals::default(),
            Flow::Paused | Flow::Running => last.delivered.since(&first.delivered),
        };
        let appended = last.appended.since(&first.appended);
        (span >= SPAN_MIN).then_some(Measured { span_s: span.as_secs_f64(), appended, delivered })
    }
}

impl Point {
    fn continues(&self, before: &Self) -> bool {
        let grows = |now: &Totals, then: &Totals| now.records >= then.records && now.bytes >= then.bytes;
        self.at >= before.at
            && grows(&self.appended, &before.appended)
            && grows(&self.delivered, &before.delivered)
    }
}

impl Totals {
    fn since(&self, before: &Self) -> Self {
        Self { records: self.records - before.records, bytes: self.bytes - before.bytes }
    }
}

impl Measured {
    fn rates(&self) -> Rates {
        let rate = |totals: &Totals| Rate {
            records_per_s: totals.records as f64 / self.span_s,
            bytes_per_s: totals.bytes as f64 / self.span_s,
        };
        Rates { incoming: rate(&self.appended), outgoing: rate(&self.delivered) }
    }

    /// Seconds until so many bytes more have gathered.
    fn fills(&self, room_bytes: u64) -> Option<f64> {
        let more = self.appended.bytes.checked_sub(self.delivered.bytes).filter(|more| *more > 0)?;
        Some(room_bytes as f64 * self.span_s / more as f64)
    }
}

#[cfg(test)]
mod tests;
