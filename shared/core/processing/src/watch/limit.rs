//! A parameter's limits: whether their alarm stands, in live and in late data.

use mission_database::{AlarmRule, Reading, VersionNumber};
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use super::{LIMITS, Placed, Read, Said};
use crate::alarm::{AlarmSeverity, Cause};
use crate::{AlarmRaising, JudgedSample, Sample};

/// What is known of the limits of one parameter.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct LimitTrack {
    live: AlarmRaising,
    late: AlarmRaising,
    said: Option<AlarmSeverity>,
    said_late: Option<AlarmSeverity>,
    newest: Option<GenerationTime>,
    newest_late: Option<GenerationTime>,
    /// The number and the arrival of the newest sample: a copy that another link brings is not a sample more.
    #[serde(skip)]
    last: Option<(Option<f64>, u64)>,
    /// Forgotten by a restart: what is said once too often is nothing new to the board.
    #[serde(skip)]
    reached: Reached,
    #[serde(skip)]
    reached_late: Reached,
    /// The rule, and what it is of.
    #[serde(skip)]
    rule: Option<((VersionNumber, Option<u32>), AlarmRule)>,
}

/// Between which values violations have been since they were said.
#[derive(Clone, Copy, Debug, Default)]
struct Reached(Option<(f64, f64)>);

impl Reached {
    /// Whether a sample is outside of what there was, as far as that is known.
    fn extends(&mut self, number: Option<f64>) -> bool {
        let Some(number) = number.filter(|number| number.is_finite()) else { return false };
        let is_outside = self.0.is_none_or(|(low, high)| number < low || number > high);
        let (low, high) = self.0.unwrap_or((number, number));
        self.0 = Some((low.min(number), high.max(number)));
        is_outside
    }
}

impl LimitTrack {
    /// Says when they are something else than before, or further violated than ever.
    pub(super) fn on_sample(
        &mut self,
        read: &Read<'_>,
        placed: Placed,
        floor: Option<GenerationTime>,
    ) -> Option<Said> {
        let rule = self.rule(read.reading, read.sample)?;
        let is_late = placed.is_late || self.newest.or(floor).is_some_and(|newest| placed.time < newest);
        if !is_late && self.is_copy(placed) {
            return None;
        }
        if is_late && self.newest_late.is_some_and(|newest| placed.time < newest) {
            // Another stretch of late data: violations are counted within one.
            self.late = AlarmRaising::default();
        }
        let raising = if is_late { &mut self.late } else { &mut self.live };
        // Without anything that stands there is nothing to hold.
        let is_held = rule.hysteresis > 0.0 && raising.standing().violations() > 0;
        let judged = JudgedSample {
            generation: placed.time,
            monitoring: read.sample.monitoring,
            within: if is_held { read.within(rule.hysteresis) } else { read.sample.monitoring },
            number: placed.number,
        };
        let standing = raising.on_sample(&judged, &rule);
        let severity =
            standing.is_raised().then(|| AlarmSeverity::try_from(standing.severity()).ok()).flatten();
        let (before, reached) = if is_late {
            self.newest_late = Some(placed.time);
            (std::mem::replace(&mut self.said_late, severity), &mut self.reached_late)
        } else {
            self.newest = Some(placed.time);
            self.last = Some((placed.number, placed.arrival));
            (std::mem::replace(&mut self.said, severity), &mut self.reached)
        };
        if severity.is_none() {
            *reached = Reached::default();
        }
        // What only hysteresis holds is within its limits.
        let is_further =
            severity.is_some() && read.sample.monitoring.is_violation() && reached.extends(placed.number);
        (before != severity || is_further).then(|| Said {
            detector: LIMITS,
            severity,
            before,
            generation: placed.time,
            live: !is_late,
            cause: Cause { seen: placed.number, threshold: read.broken(), ..Cause::default() },
        })
    }

    /// Says where the limits stand.
    pub(super) fn again(&self, placed: Placed) -> Said {
        Said {
            detector: LIMITS,
            severity: self.said,
            before: self.said,
            generation: placed.time,
            live: true,
            cause: Cause { seen: placed.number, ..Cause::default() },
        }
    }

    pub(super) fn is_raised(&self) -> bool {
        self.live.standing().is_raised()
    }

    pub(super) fn newest(&self) -> Option<GenerationTime> {
        self.newest
    }

    /// Whether a restart must know of it: where nothing is wrong, the mission's newest time does.
    pub(super) fn is_worth_saving(&self) -> bool {
        self.live.standing().violations() > 0 || self.late.standing().violations() > 0
    }

    /// The rule that counts when a sample was made.
    fn rule(&mut self, reading: &Reading, sample: &Sample) -> Option<AlarmRule> {
        let of = (reading.version, reading.limits);
        if let Some((known, rule)) = self.rule
            && known == of
        {
            return Some(rule);
        }
        let rule = reading.dictionary.alarm_rule(reading.dictionary_index(sample.parameter)?)?;
        if self.rule.replace((of, rule)).is_some() {
            self.live.on_limits_changed();
            self.late.on_limits_changed();
        }
        Some(rule)
    }

    fn is_copy(&self, placed: Placed) -> bool {
        let is_of_another = |(number, arrival)| number == placed.number && arrival != placed.arrival;
        self.newest == Some(placed.time) && self.last.is_some_and(is_of_another)
    }
}
