//! Whether things come faster than a set rate, told by their reception times.

use space_packet::ReceptionTime;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A rate, and how much may come at once: what the rate brings in a second, and at least one.
///
/// Radio and links deliver in bursts, and what one read brings has one reception time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    /// Between two at exactly the rate.
    interval_nanos: i64,
}

/// A token bucket for each of many things, numbered densely. What is over the rate takes nothing out, so that of a
/// steady excess only the excess is flagged.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenBuckets {
    /// When each would be full again, in nanoseconds of TAI.
    full_at: Vec<i64>,
}

impl RateLimit {
    /// A rate that is no positive number lets one a second through.
    pub(crate) fn per_second(rate: f64) -> Self {
        let rate = if rate > 0.0 { rate } else { 1.0 };
        // Saturates, for rates of less than one in 292 years.
        Self { interval_nanos: (NANOS_PER_SECOND as f64 / rate) as i64 }
    }
}

impl TokenBuckets {
    /// Takes one from a bucket; `false`: there was none.
    #[inline]
    pub(crate) fn take(&mut self, index: usize, limit: RateLimit, reception: ReceptionTime) -> bool {
        if index >= self.full_at.len() {
            self.full_at.resize(index + 1, i64::MIN);
        }
        let full_at = &mut self.full_at[index];
        let now = reception.0.0;
        let ahead = full_at.saturating_sub(now);
        let burst = NANOS_PER_SECOND.saturating_sub(limit.interval_nanos).max(0);
        // No bucket is ever emptier than by a burst and one: the clock was set back.
        if ahead > burst.saturating_add(limit.interval_nanos) {
            *full_at = now;
        } else if ahead > burst {
            return false;
        }
        *full_at = (*full_at).max(now).saturating_add(limit.interval_nanos);
        true
    }

    /// Forgets all, so that each bucket is full.
    pub(crate) fn clear(&mut self) {
        self.full_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use space_packet::TaiTime;

    use super::*;

    /// How many of those that come at these milliseconds are within the rate.
    fn passed(rate: f64, milliseconds: impl IntoIterator<Item = i64>) -> usize {
        let (mut buckets, limit) = (TokenBuckets::default(), RateLimit::per_second(rate));
        let at = |milliseconds: i64| ReceptionTime(TaiTime(milliseconds * 1_000_000));
        milliseconds.into_iter().filter(|moment| buckets.take(3, limit, at(*moment))).count()
    }

    #[test]
    fn a_second_of_the_rate_may_come_at_once_and_no_more() {
        assert_eq!(passed(100.0, std::iter::repeat_n(0, 1_000)), 100);
        assert_eq!(passed(100.0, std::iter::repeat_n(0, 1_000).chain([10, 11, 20])), 102);
        assert_eq!(passed(0.1, [0, 5_000, 10_000]), 2);
    }

    #[test]
    fn exactly_the_rate_is_never_too_fast() {
        assert_eq!(passed(100.0, (0..5_000).map(|turn| turn * 10)), 5_000);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_anew() {
        assert_eq!(passed(1.0, [100_000, 0, 1_000, 2_000]), 4);
    }

    #[test]
    fn a_rate_that_is_none_lets_one_a_second_through() {
        for rate in [0.0, -1.0, f64::NAN] {
            assert_eq!(passed(rate, [0, 0, 500, 1_000]), 2, "{rate}");
        }
    }

    proptest! {
        #[test]
        fn in_any_span_no_more_passes_than_the_rate_and_a_burst(
            rate in 1_u32..50,
            mut moments in proptest::collection::vec(0_i64..20_000, 0..500),
        ) {
            moments.sort_unstable();
            let passed = passed(f64::from(rate), moments.iter().copied());
            let span_s = moments.last().unwrap_or(&0) - moments.first().unwrap_or(&0);
            let allowed = f64::from(rate) * (span_s as f64 / 1_000.0 + 1.0) + 1.0;
            prop_assert!(passed as f64 <= allowed, "{passed} of {allowed}");
        }

        #[test]
        fn no_rate_and_no_time_overflows(rate in any::<f64>(), times in any::<Vec<i64>>()) {
            let (mut buckets, limit) = (TokenBuckets::default(), RateLimit::per_second(rate));
            for time in times {
                buckets.take(0, limit, ReceptionTime(TaiTime(time)));
            }
        }
    }
}
