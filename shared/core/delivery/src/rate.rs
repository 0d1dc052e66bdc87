//! How fast a link may be used: rates as people write them, and a bucket of tokens that holds a sender to one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Written in decimal steps, as carriers sell them.
const UNITS: [(&str, u32); 4] = [("Gbit", 9), ("Mbit", 6), ("kbit", 3), ("bit", 0)];

/// A rate on a link, written as `256kbit` or `1.5Mbit`. 0 lets nothing through.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BitRate {
    /// Bits in a second.
    pub bits_per_s: u64,
}

/// Text that is not a rate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not a rate; expected a number and bit, kbit, Mbit or Gbit, like 256kbit or 1.5Mbit")]
pub struct BitRateError {
    /// The text, cut to 64 characters.
    pub found: String,
}

impl FromStr for BitRate {
    type Err = BitRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bits_per_s =
            parse(text).ok_or_else(|| BitRateError { found: text.chars().take(64).collect() })?;
        Ok(Self { bits_per_s })
    }
}

/// Decimal fractions are taken exactly, and refused below one bit a second.
fn parse(text: &str) -> Option<u64> {
    let digits_end = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits_end);
    let unit = unit.trim_start();
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let (_, exponent) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let scale = |digits: usize| 10u64.checked_pow(exponent.checked_sub(u32::try_from(digits).ok()?)?);
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale(0)?)?;
    let fraction = fraction.trim_end_matches('0');
    let below = match fraction.len() {
        0 => 0,
        digits => fraction.parse::<u64>().ok()?.checked_mul(scale(digits)?)?,
    };
    whole.checked_add(below)
}

impl fmt::Display for BitRate {
    /// In the largest unit that leaves a whole number.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits =
            |exponent: u32| self.bits_per_s != 0 && self.bits_per_s.is_multiple_of(10u64.pow(exponent));
        let (unit, exponent) = UNITS.into_iter().find(|(_, exponent)| fits(*exponent)).unwrap_or(("bit", 0));
        write!(formatter, "{}{unit}", self.bits_per_s / 10u64.pow(exponent))
    }
}

impl TryFrom<String> for BitRate {
    type Error = BitRateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BitRate> for String {
    fn from(rate: BitRate) -> Self {
        rate.to_string()
    }
}

/// A billionth of a bit: a rate in bits a second times nanoseconds, without rounding.
const NANOBITS_PER_BYTE: i128 = 8 * 1_000_000_000;

/// A bucket of tokens: in any stretch of time no more goes out than the rate times that time, and one burst.
///
/// A send that is larger than the burst waits for a full bucket and leaves it in debt, so the stretch it ends then
/// holds that send in place of the burst. Times are since any origin that stays the same.
#[derive(Clone, Debug)]
pub struct RateLimit {
    rate: Option<BitRate>,
    burst_bytes: u64,
    /// Nanobits at `at`; below 0 after a send larger than the burst.
    tokens: i128,
    at: Duration,
}

impl RateLimit {
    /// A full bucket of `burst_bytes`; without a rate it never holds anything back.
    pub fn new(rate: Option<BitRate>, burst_bytes: u64) -> Self {
        Self { rate, burst_bytes, tokens: nanobits(burst_bytes), at: Duration::ZERO }
    }

    /// When `bytes` may be sent: `now`, or later; [`Duration::MAX`] while the rate is 0.
    pub fn ready_at(&self, bytes: u64, now: Duration) -> Duration {
        let missing = nanobits(bytes.min(self.burst_bytes)) - self.tokens_at(now);
        match self.rate {
            Some(rate) if missing > 0 => {
                let rate = i128::from(rate.bits_per_s);
                let wait = missing.checked_add(rate - 1).and_then(|rounded| rounded.checked_div(rate));
                let wait = wait.and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos);
                wait.and_then(|wait| now.checked_add(wait)).unwrap_or(Duration::MAX)
            }
            _ => now,
        }
    }

    /// Takes note of what was sent, ready or not.
    pub fn on_sent(&mut self, bytes: u64, now: Duration) {
        self.settle(now);
        if self.rate.is_some() {
            self.tokens = self.tokens.saturating_sub(nanobits(bytes));
        }
    }

    /// Another rate from now on; what was saved or owed stays.
    pub fn set_rate(&mut self, rate: Option<BitRate>, now: Duration) {
        self.settle(now);
        self.rate = rate;
    }

    /// The rate in force.
    pub fn rate(&self) -> Option<BitRate> {
        self.rate
    }

    fn settle(&mut self, now: Duration) {
        self.tokens = self.tokens_at(now);
        self.at = self.at.max(now);
    }

    fn tokens_at(&self, now: Duration) -> i128 {
        let full = nanobits(self.burst_bytes);
        let Some(rate) = self.rate else { return full };
        let elapsed = i128::try_from(now.saturating_sub(self.at).as_nanos()).unwrap_or(i128::MAX);
        let gained = i128::from(rate.bits_per_s).saturating_mul(elapsed);
        self.tokens.saturating_add(gained).min(full)
    }
}

fn nanobits(bytes: u64) -> i128 {
    i128::from(bytes) * NANOBITS_PER_BYTE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(bits_per_s: u64) -> Option<BitRate> {
        Some(BitRate { bits_per_s })
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, expected) in [
            ("0bit", 0),
            ("9600bit", 9_600),
            ("256kbit", 256_000),
            ("256 kbit/s", 256_000),
            ("2Mbit", 2_000_000),
            ("2mbit", 2_000_000),
            ("1.5Mbit", 1_500_000),
            ("1.000Gbit", 1_000_000_000),
            ("0.001kbit", 1),
        ] {
            assert_eq!(text.parse(), Ok(BitRate { bits_per_s: expected }), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_rate_is_refused() {
        let too_much = "18446744073709551615kbit";
        for text in [
            "",
            "256",
            "kbit",
            ".5Mbit",
            "5.Mbit",
            "1.2.3Mbit",
            "-1kbit",
            "2MB",
            "0.5bit",
            "1e3bit",
            too_much,
        ] {
            assert_eq!(text.parse::<BitRate>(), Err(BitRateError { found: text.to_owned() }), "{text}");
        }
    }

    #[test]
    fn a_rate_of_nothing_waits_until_it_is_changed() {
        let mut limit = RateLimit::new(rate(0), 100);
        limit.on_sent(100, Duration::ZERO);
        assert_eq!(limit.ready_at(1, Duration::from_secs(3_600)), Duration::MAX);
        limit.set_rate(rate(8), Duration::from_secs(3_600));
        assert_eq!(limit.ready_at(1, Duration::from_secs(3_600)), Duration::from_secs(3_601));
        limit.set_rate(None, Duration::from_secs(3_600));
        assert_eq!(limit.ready_at(1_000, Duration::from_secs(3_600)), Duration::from_secs(3_600));
    }

    #[test]
    fn a_send_larger_than_the_burst_waits_for_a_full_bucket_and_then_is_paid_for() {
        let mut limit = RateLimit::new(rate(8_000), 1_000);
        assert_eq!(limit.ready_at(5_000, Duration::ZERO), Duration::ZERO);
        limit.on_sent(5_000, Duration::ZERO);
        assert_eq!(limit.ready_at(1, Duration::ZERO), Duration::from_millis(4_001));
        assert_eq!(limit.ready_at(5_000, Duration::ZERO), Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn a_rate_survives_being_written_down(bits_per_s: u64) {
            let rate = BitRate { bits_per_s };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn no_stretch_of_time_holds_more_than_its_rate_and_one_burst(
            bits_per_s in 1u64..1_000_000_000,
            burst in 1u64..100_000,
            sends in prop::collection::vec((1u64..200_000, 0u64..2_000_000_000), 1..40),
        ) {
            let mut limit = RateLimit::new(rate(bits_per_s), burst);
            let (mut now, mut sent) = (Duration::ZERO, Vec::new());
            for (bytes, pause) in sends {
                now += Duration::from_nanos(pause);
                let ready = limit.ready_at(bytes, now);
                prop_assert!(ready >= now);
                prop_assert_eq!(limit.ready_at(bytes, ready), ready, "what was promised must hold");
                now = ready;
                limit.on_sent(bytes, now);
                sent.push((now, bytes));
            }
            for (first, (from, _)) in sent.iter().enumerate() {
                for (last, (to, ending)) in sent.iter().enumerate().skip(first) {
                    let bytes: u64 = sent[first..=last].iter().map(|(_, bytes)| bytes).sum();
                    let allowed = i128::from(bits_per_s) * (*to - *from).as_nanos() as i128
                        + nanobits(burst.max(*ending));
                    prop_assert!(nanobits(bytes) <= allowed, "{first}..={last}");
                }
            }
        }

        #[test]
        fn a_busy_sender_gets_all_of_its_rate(bits_per_s in 1_000u64..1_000_000_000, bytes in 1u64..50_000) {
            let mut limit = RateLimit::new(rate(bits_per_s), bytes);
            let mut now = Duration::ZERO;
            for _ in 0..100 {
                now = limit.ready_at(bytes, now);
                limit.on_sent(bytes, now);
            }
            // A hundred sends, of which the first was saved up, each rounded up to a nanosecond.
            let exact = nanobits(bytes) * 99 / i128::from(bits_per_s);
            prop_assert!((exact..=exact + 100).contains(&(now.as_nanos() as i128)));
        }
    }
}
