//! How far a node's clock is from the hub's, and how sure that is.

use std::time::Duration;

use space_packet::TaiTime;

use crate::TimeAnswer;

/// Answers remembered: the quickest of them is the best.
const ANSWERS: usize = 8;

/// A clock's difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClockOffset {
    /// What to add to the node's clock to have the hub's, in nanoseconds.
    pub offset_ns: i64,
    /// It is right within so much, in nanoseconds: half of what question and answer took on the way.
    pub error_ns: i64,
}

/// Learns the difference from questions and answers.
#[derive(Debug, Default)]
pub struct ClockComparison {
    answers: Vec<ClockOffset>,
    next: usize,
    round_trip: Option<Duration>,
}

impl ClockComparison {
    /// An answer came in, `now` by the node's clock. One that contradicts itself says nothing.
    pub fn on_answer(&mut self, answer: &TimeAnswer, now: TaiTime) {
        let (asked, received) = (i128::from(answer.asked.0), i128::from(answer.received.0));
        let (answered, now) = (i128::from(answer.answered.0), i128::from(now.0));
        let on_the_way = (now - asked) - (answered - received);
        if now < asked || answered < received || on_the_way < 0 {
            return;
        }
        let (Ok(offset_ns), Ok(error_ns)) =
            (i64::try_from(((received - asked) + (answered - now)) / 2), i64::try_from(on_the_way / 2 + 1))
        else {
            return;
        };
        self.round_trip = Some(Duration::from_nanos(on_the_way.try_into().unwrap_or(u64::MAX)));
        let found = ClockOffset { offset_ns, error_ns };
        match self.answers.get_mut(self.next) {
            Some(oldest) => *oldest = found,
            None => self.answers.push(found),
        }
        self.next = (self.next + 1) % ANSWERS;
    }

    /// The best of the newest answers.
    pub fn offset(&self) -> Option<ClockOffset> {
        self.answers.iter().min_by_key(|found| found.error_ns).copied()
    }

    /// What the last question and answer took on the way.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_true_difference_lies_within_the_error(
            difference in -1_000_000_000_000i64..1_000_000_000_000,
            ways in proptest::collection::vec((0i64..1_000_000_000, 0i64..1_000_000_000, 0i64..1_000_000), 1..20),
        ) {
            let mut comparison = ClockComparison::default();
            let mut now = 0;
            for (there, at_hub, back) in ways {
                let received = now + there + difference;
                let answer = TimeAnswer {
                    asked: TaiTime(now),
                    received: TaiTime(received),
                    answered: TaiTime(received + at_hub),
                };
                now += there + at_hub + back;
                comparison.on_answer(&answer, TaiTime(now));
                let found = comparison.offset().expect("there was an answer");
                prop_assert!((found.offset_ns - difference).abs() <= found.error_ns);
                prop_assert_eq!(comparison.round_trip(), Some(Duration::from_nanos((there + back) as u64)));
            }
        }

        #[test]
        fn any_answer_at_any_time_is_borne(asked: i64, received: i64, answered: i64, now: i64) {
            let mut comparison = ClockComparison::default();
            let answer = TimeAnswer {
                asked: TaiTime(asked), received: TaiTime(received), answered: TaiTime(answered),
            };
            comparison.on_answer(&answer, TaiTime(now));
            let _ = comparison.offset();
        }
    }
}
