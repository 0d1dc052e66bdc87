//! When a link goes dark by itself: decided by the seed, for as long as anyone asks.

use std::{fmt, ops::Range, time::Duration};

use crate::noise::Noise;

/// Tells outages apart from what datagrams draw.
const CHANNEL: u64 = u64::MAX;

/// How often and for how long a link goes dark.
#[derive(Clone, Debug, PartialEq)]
pub struct Outages {
    /// Time from the end of one to the begin of the next.
    pub between: Range<Duration>,
    /// How long a blackhole lasts.
    pub lasting: Range<Duration>,
    /// How many are cuts, which last no time; the others are blackholes.
    pub cut_percent: f64,
}

/// The next time that a link goes dark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outage {
    /// Time until it begins.
    pub after: Duration,
    /// What happens then.
    pub kind: OutageKind,
}

/// How a link goes dark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OutageKind {
    /// Nothing passes for so long.
    Blackhole(Duration),
    /// TCP connections are reset, UDP mappings forgotten.
    Cut,
}

impl Outages {
    /// The outage with this number, counted from 0; the same for the same seed.
    pub fn outage(&self, seed: u64, number: u64) -> Outage {
        let noise = Noise::new(seed);
        let uniform = |draw: u64| noise.uniform(CHANNEL - draw, number);
        let within = |range: &Range<Duration>, part: f64| {
            range.start + range.end.saturating_sub(range.start).mul_f64(part)
        };
        let kind = if uniform(0) * 100.0 < self.cut_percent {
            OutageKind::Cut
        } else {
            OutageKind::Blackhole(within(&self.lasting, uniform(1)))
        };
        Outage { after: within(&self.between, uniform(2)), kind }
    }
}

impl fmt::Display for Outages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds =
            |range: &Range<Duration>| format!("{} to {} s", range.start.as_secs(), range.end.as_secs());
        let (between, lasting) = (seconds(&self.between), seconds(&self.lasting));
        write!(
            formatter,
            "after {between} dark for {lasting} or ({} %) cut, again and again",
            self.cut_percent
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultProfile;

    fn outages(seed: u64) -> Vec<Outage> {
        let outages = FaultProfile::broken().outages.expect("it has some");
        (0..10_000).map(|number| outages.outage(seed, number)).collect()
    }

    #[test]
    fn outages_keep_to_their_ranges_and_their_share_of_cuts() {
        let all = outages(7);
        let mut cuts = 0;
        for outage in &all {
            assert!((5.0..40.0).contains(&outage.after.as_secs_f64()), "{outage:?}");
            match outage.kind {
                OutageKind::Blackhole(lasting) => assert!((1.0..20.0).contains(&lasting.as_secs_f64())),
                OutageKind::Cut => cuts += 1,
            }
        }
        assert!((2_800..3_200).contains(&cuts), "{cuts} of 10,000 where 3,000 were asked for");
    }

    #[test]
    fn a_seed_has_its_own_outages_and_always_the_same() {
        assert_eq!(outages(7), outages(7));
        assert_ne!(outages(7), outages(8));
    }
}
