//! Which part of a range is answered from what: samples, or roll-ups of a resolution. The parts never overlap, and
//! each sample counts in the part that its roll-up's first sample, or itself, lies in.

use processing::Resolution;

/// What a part is answered from, the finest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Source {
    /// Samples, from memory and the journal.
    Samples,
    /// Roll-ups.
    RollUps(Resolution),
}

/// A part of a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Part {
    /// What it is answered from.
    pub(crate) source: Source,
    /// Beginning, included.
    pub(crate) from: i64,
    /// End, excluded.
    pub(crate) to: i64,
}

/// Since when each source has everything; roll-ups of an hour always have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Availability {
    /// Samples.
    pub(crate) samples: i64,
    /// Roll-ups of a second.
    pub(crate) seconds: i64,
    /// Roll-ups of a minute.
    pub(crate) minutes: i64,
}

/// Parts of a range, and what their pixels must begin at multiples of (0 for samples alone).
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Plan {
    /// The parts.
    pub(crate) parts: Vec<Part>,
    /// Nanoseconds.
    pub(crate) unit: i64,
}

const FINEST_FIRST: [Source; 4] = [
    Source::Samples,
    Source::RollUps(Resolution::Second),
    Source::RollUps(Resolution::Minute),
    Source::RollUps(Resolution::Hour),
];

impl Source {
    fn width(self) -> i64 {
        match self {
            Self::Samples => 1,
            Self::RollUps(resolution) => resolution.width_nanos(),
        }
    }
}

fn round_up(time: i64, width: i64) -> i64 {
    let over = time.rem_euclid(width);
    if over == 0 { time } else { time.saturating_add(width - over) }
}

fn round_down(time: i64, width: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(width))
}

impl Availability {
    /// The same, each from where the next coarser one that is there has a bucket's beginning: no bucket lies on both
    /// sides of it.
    #[must_use]
    pub(crate) fn aligned(self) -> Self {
        let [minute, hour] = [Resolution::Minute, Resolution::Hour].map(Resolution::width_nanos);
        let minutes = round_up(self.minutes, hour);
        let seconds = round_up(self.seconds, if self.seconds >= minutes { minute } else { hour });
        let second = Resolution::Second.width_nanos();
        let coarser = match self.samples {
            samples if samples >= seconds => second,
            samples if samples >= minutes => minute,
            _ => hour,
        };
        Self { samples: round_up(self.samples, coarser), seconds, minutes }
    }

    fn of(self, source: Source) -> i64 {
        match source {
            Source::Samples => self.samples,
            Source::RollUps(Resolution::Second) => self.seconds,
            Source::RollUps(Resolution::Minute) => self.minutes,
            Source::RollUps(Resolution::Hour) => i64::MIN,
        }
    }

    /// The finest source that is there at a time, of these; and when a finer one begins.
    fn finest_at(self, time: i64, sources: &[Source]) -> (Option<Source>, i64) {
        let found = sources.iter().position(|&source| self.of(source) <= time);
        let finer = &sources[..found.unwrap_or(sources.len())];
        let next = finer.iter().map(|&source| self.of(source)).min().unwrap_or(i64::MAX);
        (found.map(|place| sources[place]), next)
    }
}

/// Parts of `from ≤ time < to`: of the finest source that is there and not finer than `wanted`. Where a bucket lies
/// across an end of the range, what is finer stands in for it; samples only if `is_cheap` says so of the part.
pub(crate) fn plan(
    (from, to): (i64, i64),
    wanted: Source,
    available: Availability,
    is_cheap: impl Fn(i64, i64) -> bool,
) -> Plan {
    let available = available.aligned();
    let mut plan = Plan::default();
    let coarse_enough: Vec<Source> = FINEST_FIRST.into_iter().filter(|&source| source >= wanted).collect();
    let mut time = from;
    while time < to {
        let (source, next) = available.finest_at(time, &coarse_enough);
        let end = next.min(to);
        let source = source.unwrap_or(Source::RollUps(Resolution::Hour));
        if source > Source::Samples {
            plan.unit = plan.unit.max(source.width());
        }
        plan.cover(source, (time, end), available, &is_cheap);
        time = end;
    }
    plan
}

impl Plan {
    fn cover(
        &mut self,
        source: Source,
        (from, to): (i64, i64),
        available: Availability,
        is_cheap: &impl Fn(i64, i64) -> bool,
    ) {
        let first = round_up(from, source.width()).min(to);
        let last = round_down(to, source.width()).max(first);
        self.edge(source, (from, first), available, is_cheap);
        self.push(source, first, last);
        self.edge(source, (last, to), available, is_cheap);
    }

    /// A part shorter than a bucket of `source`.
    fn edge(
        &mut self,
        source: Source,
        (from, to): (i64, i64),
        available: Availability,
        is_cheap: &impl Fn(i64, i64) -> bool,
    ) {
        if from >= to {
            return;
        }
        let finer = FINEST_FIRST.into_iter().rev().filter(|&finer| finer < source);
        let usable = finer.filter(|&finer| available.of(finer) <= from);
        for finer in usable {
            if finer > Source::Samples {
                return self.cover(finer, (from, to), available, is_cheap);
            }
            if is_cheap(from, to) {
                return self.push(finer, from, to);
            }
        }
        self.push(source, from, to);
    }

    fn push(&mut self, source: Source, from: i64, to: i64) {
        if from < to {
            self.parts.push(Part { source, from, to });
        }
    }

    /// The parts of one source.
    pub(crate) fn parts_of(&self, source: Source) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.source == source)
    }

    /// Whether a time lies in a part of a source.
    pub(crate) fn has(&self, source: Source, time: i64) -> bool {
        self.parts_of(source).any(|part| (part.from..part.to).contains(&time))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn ends_of_a_range_are_answered_from_what_is_finer() {
        let available = Availability { samples: 7_000 * S + 1, seconds: i64::MIN, minutes: i64::MIN };
        let found =
            plan((3_590 * S, 10_000 * S + 5), Source::RollUps(Resolution::Hour), available, |_, _| true);
        let part = |source, from: i64, to: i64| Part { source, from, to };
        let [second, minute, hour] = Resolution::ALL.map(Source::RollUps);
        let expected = [
            part(second, 3_590 * S, 3_600 * S),
            part(hour, 3_600 * S, 7_200 * S),
            part(minute, 7_200 * S, 9_960 * S),
            part(second, 9_960 * S, 10_000 * S),
            part(Source::Samples, 10_000 * S, 10_000 * S + 5),
        ];
        assert_eq!(found, Plan { parts: expected.to_vec(), unit: 3_600 * S });
    }

    #[test]
    fn what_is_gone_is_answered_from_what_is_coarser() {
        let available = Availability { samples: 20_000 * S, seconds: 10_000 * S, minutes: 4_000 * S };
        let found = plan((0, 30_000 * S), Source::Samples, available, |_, _| true);
        let sources: Vec<Source> = found.parts.iter().map(|part| part.source).collect();
        let [second, minute, hour] = Resolution::ALL.map(Source::RollUps);
        assert_eq!(sources, [hour, minute, second, Source::Samples]);
        assert_eq!(found.parts[1].from, 7_200 * S);
    }

    proptest! {
        #[test]
        fn parts_follow_each_other_without_hole_or_overlap(
            times in proptest::array::uniform5(-20_000 * S..20_000 * S),
            wanted in 0usize..4,
            is_cheap: bool,
        ) {
            let [one, other, samples, seconds, minutes] = times;
            let available = Availability { samples, seconds, minutes };
            let range = (one.min(other), one.max(other));
            let found = plan(range, FINEST_FIRST[wanted], available, |_, _| is_cheap);
            let mut at = range.0;
            for part in &found.parts {
                prop_assert!(part.from == at && part.to > at);
                prop_assert!(part.from >= available.of(part.source));
                at = part.to;
            }
            prop_assert_eq!(at, range.1);
        }
    }
}
