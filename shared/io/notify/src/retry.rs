//! When a message that could not be delivered is tried again.

use std::time::Duration;

/// Seconds before the second to the sixth attempt. What is hurt for a moment is back within two minutes; what needs a
/// person is not helped by asking every minute.
const FIRST_S: [u64; 5] = [10, 30, 120, 600, 1_800];
/// Seconds between later attempts.
const LATER_S: u64 = 3_600;
/// Attempts in all: the last one at most 85,360 s after the first, so within a day.
pub const ATTEMPTS_MAX: u32 = 29;

/// How long to wait after so many attempts, the first being 1; `None` when it is time to give up.
///
/// The wait is up to a fifth shorter than the schedule's, by the seed: messages that failed together do not come back
/// together. The same arguments give the same wait, so it need not be stored.
pub fn retry_after(attempts: u32, seed: u64) -> Option<Duration> {
    if attempts >= ATTEMPTS_MAX {
        return None;
    }
    let index = attempts.saturating_sub(1) as usize;
    let millis = FIRST_S.get(index).unwrap_or(&LATER_S) * 1_000;
    let shorter = mixed(seed ^ u64::from(attempts)) % (millis / 5 + 1);
    Some(Duration::from_millis(millis - shorter))
}

/// The finaliser of SplitMix64: seeds that differ in one bit give numbers that differ everywhere.
fn mixed(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_follow_the_schedule_and_end_within_a_day() {
        for seed in 0..100 {
            let waits: Vec<u64> =
                (1..).map_while(|done| retry_after(done, seed)).map(|wait| wait.as_secs()).collect();
            assert_eq!(waits.len() as u32 + 1, ATTEMPTS_MAX);
            assert!(waits.iter().sum::<u64>() <= 86_400, "{waits:?}");
            let schedule = FIRST_S.into_iter().chain(std::iter::repeat(LATER_S));
            for (wait, at_most) in waits.into_iter().zip(schedule) {
                assert!((at_most * 4 / 5..=at_most).contains(&wait), "{wait} of {at_most}");
            }
        }
    }

    #[test]
    fn messages_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<_> = (0..100).map(|seed| retry_after(3, seed)).collect();
        assert!(waits.len() > 90, "{} different waits of 100", waits.len());
    }

    proptest! {
        #[test]
        fn any_number_of_attempts_has_an_answer(attempts: u32, seed: u64) {
            prop_assert_eq!(retry_after(attempts, seed).is_some(), attempts < ATTEMPTS_MAX);
            prop_assert_eq!(retry_after(attempts, seed), retry_after(attempts, seed));
        }
    }
}
