//! The worst value of an alarm: the one that was furthest beyond what it broke.

use space_packet::{GenerationTime, TaiTime};

use super::board::Writer;
use super::entry::{Cause, Change, Entry};
use super::history::History;

/// How long a value that is further than those before waits to be written, in nanoseconds. Each time it is twice as
/// long, so that a value that creeps away for hours fills no history; with the end of the condition it is written at
/// once.
const WAIT: i64 = 10 * 1_000_000_000;
const WAIT_MAX: i64 = 900 * 1_000_000_000;
/// Entries that are written so before the end: after half a day of growing worse.
pub const REACHED_MAX: usize = 64;

/// The worst value of an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorstValue {
    /// The value, in the unit of the engineering value.
    pub value: f64,
    /// Generation time of its sample.
    pub generation: GenerationTime,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Above,
    Below,
}

/// A value beyond its limit, or the value of a score beyond its threshold.
#[derive(Clone, Copy, Debug)]
struct Beyond {
    side: Side,
    /// What was judged: the value, or the detector's score.
    judged: f64,
    /// By how much it is beyond.
    excess: f64,
    worst: WorstValue,
}

impl Beyond {
    /// `None` of what is no number, and of what broke nothing that is known.
    fn of(generation: GenerationTime, cause: &Cause) -> Option<Self> {
        let (value, threshold) = (cause.seen?, cause.threshold?);
        let judged = cause.score.unwrap_or(value);
        let side = if judged < threshold { Side::Below } else { Side::Above };
        let worst = WorstValue { value, generation };
        let is_finite = judged.is_finite() && threshold.is_finite() && value.is_finite();
        is_finite.then(|| Self { side, judged, excess: (judged - threshold).abs(), worst })
    }

    /// On one side a limit that is broken later lies further out, so the values are compared and not what they exceed.
    fn is_further_than(&self, other: &Self) -> bool {
        match self.side {
            Side::Above => self.judged > other.judged,
            Side::Below => self.judged < other.judged,
        }
    }
}

/// The furthest on each side; of the two, the one that exceeds its limit by more.
#[derive(Clone, Copy, Debug, Default)]
struct Furthest {
    above: Option<Beyond>,
    below: Option<Beyond>,
}

impl Furthest {
    fn of(history: &History) -> Self {
        let mut causes: Vec<_> = history.all().filter_map(cause_of).collect();
        // Of equals the first one counts, whatever the order in which they came.
        causes.sort_by_key(|(generation, _)| *generation);
        let beyond = causes.into_iter().filter_map(|(generation, cause)| Beyond::of(generation, cause));
        beyond.fold(Self::default(), Self::with)
    }

    fn with(mut self, beyond: Beyond) -> Self {
        let known = match beyond.side {
            Side::Above => &mut self.above,
            Side::Below => &mut self.below,
        };
        if known.is_none_or(|known| beyond.is_further_than(&known)) {
            *known = Some(beyond);
        }
        self
    }

    fn worst(self) -> Option<WorstValue> {
        let sides = self.above.into_iter().chain(self.below);
        let worst = sides.reduce(|above, below| if below.excess > above.excess { below } else { above });
        worst.map(|beyond| beyond.worst)
    }
}

fn cause_of(entry: &Entry) -> Option<(GenerationTime, &Cause)> {
    let condition = entry.condition()?;
    match &condition.change {
        Change::Raised { cause, .. } | Change::Reached { cause } | Change::Worsened { cause, .. } => {
            Some((condition.generation, cause))
        }
        Change::Cleared { .. } | Change::Moved { .. } => None,
    }
}

impl History {
    /// The value that was furthest beyond what it broke; `None` where no number broke anything.
    pub fn worst_value(&self) -> Option<WorstValue> {
        Furthest::of(self).worst()
    }
}

/// A value that is the worst so far and not in the history yet.
#[derive(Debug)]
pub(super) struct Further {
    generation: GenerationTime,
    cause: Cause,
    /// When it is to be written, should the condition go on; `None`: with its end.
    pub(super) due: Option<TaiTime>,
}

impl Further {
    /// Takes note of a value that stands, if it is the worst so far.
    pub(super) fn note(
        slot: &mut Option<Self>,
        history: &History,
        (generation, cause): (GenerationTime, &Cause),
        now: TaiTime,
    ) {
        let Some(seen) = Beyond::of(generation, cause) else { return };
        // What waits is further than all that is written: most often nothing else has to be looked at.
        let waiting = slot.as_ref().and_then(|waiting| Beyond::of(waiting.generation, &waiting.cause));
        if waiting.is_some_and(|waiting| waiting.side == seen.side && !seen.is_further_than(&waiting)) {
            return;
        }
        let known = waiting.into_iter().fold(Furthest::of(history), Furthest::with);
        if known.worst() == known.with(seen).worst() {
            return;
        }
        let due = match slot {
            Some(waiting) => waiting.due,
            None => wait(history).map(|wait| now.plus_nanos(wait)),
        };
        *slot = Some(Self { generation, cause: cause.clone().finite(), due });
    }

    pub(super) fn is_due(&self, now: TaiTime) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Writes it, unless what was written since is worse.
    pub(super) fn write(self, history: &mut History, live: bool, writer: &mut Writer) {
        let known = Furthest::of(history);
        let is_worst = Beyond::of(self.generation, &self.cause)
            .is_some_and(|beyond| known.with(beyond).worst() != known.worst());
        if is_worst {
            writer.write(history, self.generation, live, Change::Reached { cause: self.cause });
        }
    }
}

/// How long the next one waits; `None` when there are enough.
fn wait(history: &History) -> Option<i64> {
    let reached = |entry: &&Entry| {
        entry.condition().is_some_and(|condition| matches!(condition.change, Change::Reached { .. }))
    };
    let written = history.all().filter(reached).count();
    let wait = u32::try_from(written).ok().and_then(|doublings| WAIT.checked_shl(doublings.min(16)));
    (written < REACHED_MAX).then(|| wait.unwrap_or(WAIT_MAX).min(WAIT_MAX))
}
