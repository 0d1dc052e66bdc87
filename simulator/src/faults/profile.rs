//! What a link does to what passes, and five links by name.

use std::{fmt, num::NonZeroU64, ops::Range, str::FromStr, time::Duration};

use super::{Direction, outages::Outages};

/// A rate's queue unless told otherwise: what a small modem or router holds.
const QUEUE_BYTES: u64 = 256 << 10;

/// What a link does in each direction, and how it goes dark by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultProfile {
    /// From the upstream to the client.
    pub to_client: DirectionFaults,
    /// From the client to the upstream.
    pub to_upstream: DirectionFaults,
    /// Cuts and blackholes at random; `None` means that only commands make any.
    pub outages: Option<Outages>,
}

/// What one direction of a link does. The default does nothing.
///
/// Percents below 0 mean never, those above 100 always. A TCP stream stays whole and in order: there, a loss shows as
/// the wait for a retransmission, and corruption, duplicates and reordering show as nothing, which is what TCP is for.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectionFaults {
    /// Every datagram takes at least so long.
    pub delay: Duration,
    /// Each takes longer by a random part of this; UDP datagrams overtake each other so.
    pub jitter: Duration,
    /// How many are lost, each for itself.
    pub loss_percent: f64,
    /// How many are lost in a row.
    pub bursts: Option<Bursts>,
    /// How many arrive twice; the copy has a jitter of its own.
    pub duplicate_percent: f64,
    /// How many are held back by `reorder_by`, so that later ones overtake them.
    pub reorder_percent: f64,
    /// How long those are held back.
    pub reorder_by: Duration,
    /// How many arrive with one bit flipped.
    pub corrupt_percent: f64,
    /// Bits of payload a second; headers below UDP and TCP are not counted.
    pub rate_bits_per_s: Option<NonZeroU64>,
    /// What may wait for the rate: more is dropped (UDP) or not read from the sender (TCP).
    pub queue_bytes: u64,
}

/// Losses that come in a row (Gilbert and Elliott's two states), judged for every datagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// How likely a burst begins at a datagram outside of one.
    pub enter_percent: f64,
    /// How likely it is over before the next datagram: 25 makes bursts of four datagrams on average.
    pub leave_percent: f64,
    /// How many are lost in a burst, in place of the direction's own loss.
    pub loss_percent: f64,
}

/// Profiles by name, from the kindest to the worst.
pub const PROFILES: [&str; 5] = ["clean", "satcom", "lossy", "dial-up", "broken"];

/// Text that names no profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no link profile is called {found:?}; there are {}", PROFILES.join(", "))]
pub struct UnknownProfile {
    /// The text.
    pub found: String,
}

impl Default for DirectionFaults {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss_percent: 0.0,
            bursts: None,
            duplicate_percent: 0.0,
            reorder_percent: 0.0,
            reorder_by: Duration::ZERO,
            corrupt_percent: 0.0,
            rate_bits_per_s: None,
            queue_bytes: QUEUE_BYTES,
        }
    }
}

impl FaultProfile {
    /// Passes everything at once.
    pub fn clean() -> Self {
        Self::default()
    }

    /// A geostationary satellite: 300 ms each way, 2 % loss, 10 Mbit/s.
    pub fn satcom() -> Self {
        Self::symmetric(DirectionFaults {
            delay: Duration::from_millis(300),
            loss_percent: 2.0,
            rate_bits_per_s: NonZeroU64::new(10_000_000),
            // Some 400 ms of the rate: a sender that fills it sees a round trip of a second.
            queue_bytes: 512 << 10,
            ..DirectionFaults::default()
        })
    }

    /// A bad radio or mobile link: 20 ms with up to 20 ms of jitter, 5 % loss, 2 % held back by 30 ms.
    pub fn lossy() -> Self {
        Self::symmetric(DirectionFaults {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(20),
            loss_percent: 5.0,
            reorder_percent: 2.0,
            reorder_by: Duration::from_millis(30),
            ..DirectionFaults::default()
        })
    }

    /// A modem: 150 ms each way, 256 kbit/s, and two seconds of that in its queue.
    pub fn dial_up() -> Self {
        Self::symmetric(DirectionFaults {
            delay: Duration::from_millis(150),
            rate_bits_per_s: NonZeroU64::new(256_000),
            queue_bytes: 64 << 10,
            ..DirectionFaults::default()
        })
    }

    /// Cut or dark for 1 to 20 s after every 5 to 40 s, by the seed; 50 ms and bursts of loss in between.
    pub fn broken() -> Self {
        let between = Range { start: Duration::from_secs(5), end: Duration::from_secs(40) };
        let lasting = Range { start: Duration::from_secs(1), end: Duration::from_secs(20) };
        let faults = DirectionFaults {
            delay: Duration::from_millis(50),
            jitter: Duration::from_millis(10),
            loss_percent: 1.0,
            bursts: Some(Bursts { enter_percent: 0.5, leave_percent: 10.0, loss_percent: 80.0 }),
            ..DirectionFaults::default()
        };
        Self { outages: Some(Outages { between, lasting, cut_percent: 30.0 }), ..Self::symmetric(faults) }
    }

    /// The same in both directions.
    pub fn symmetric(faults: DirectionFaults) -> Self {
        Self { to_client: faults.clone(), to_upstream: faults, outages: None }
    }

    /// What one direction does.
    pub fn direction(&self, direction: Direction) -> &DirectionFaults {
        match direction {
            Direction::ToClient => &self.to_client,
            Direction::ToUpstream => &self.to_upstream,
        }
    }
}

impl FromStr for FaultProfile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        match name {
            "clean" => Ok(Self::clean()),
            "satcom" => Ok(Self::satcom()),
            "lossy" => Ok(Self::lossy()),
            "dial-up" => Ok(Self::dial_up()),
            "broken" => Ok(Self::broken()),
            _ => Err(UnknownProfile { found: name.to_owned() }),
        }
    }
}

impl fmt::Display for FaultProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.to_client == self.to_upstream {
            write!(formatter, "{}, each way", self.to_upstream)?;
        } else {
            write!(formatter, "to upstream {}; to client {}", self.to_upstream, self.to_client)?;
        }
        match &self.outages {
            Some(outages) => write!(formatter, "; {outages}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DirectionFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.delay.as_millis())?;
        if !self.jitter.is_zero() {
            write!(formatter, " and up to {} ms of jitter", self.jitter.as_millis())?;
        }
        for (percent, what) in [
            (self.loss_percent, "lost"),
            (self.duplicate_percent, "duplicated"),
            (self.reorder_percent, "held back"),
            (self.corrupt_percent, "corrupted"),
        ] {
            if percent > 0.0 {
                write!(formatter, ", {percent} % {what}")?;
            }
        }
        if self.bursts.is_some() {
            formatter.write_str(", bursts of loss")?;
        }
        match self.rate_bits_per_s {
            Some(rate) => write!(formatter, ", {} kbit/s", rate.get() / 1_000),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_profile_is_known_and_they_differ() {
        let profiles = PROFILES.map(|name| name.parse::<FaultProfile>().expect("it is in the list"));
        for (place, profile) in profiles.iter().enumerate() {
            assert!(profiles[place + 1..].iter().all(|other| other != profile), "{}", PROFILES[place]);
        }
        assert_eq!(profiles[0], FaultProfile::default());
    }

    #[test]
    fn an_unknown_profile_is_refused_with_those_there_are() {
        let refused = "sat-com".parse::<FaultProfile>().expect_err("there is none").to_string();
        assert_eq!(
            refused,
            "no link profile is called \"sat-com\"; there are clean, satcom, lossy, dial-up, broken"
        );
    }

    #[test]
    fn a_profile_is_told_in_a_line() {
        let check = |profile: FaultProfile, expected: &str| assert_eq!(profile.to_string(), expected);
        check(FaultProfile::clean(), "0 ms, each way");
        check(FaultProfile::satcom(), "300 ms, 2 % lost, 10000 kbit/s, each way");
        check(FaultProfile::lossy(), "20 ms and up to 20 ms of jitter, 5 % lost, 2 % held back, each way");
        check(
            FaultProfile::broken(),
            "50 ms and up to 10 ms of jitter, 1 % lost, bursts of loss, each way; \
             after 5 to 40 s dark for 1 to 20 s or (30 %) cut, again and again",
        );
        let one_way = FaultProfile { to_client: DirectionFaults::default(), ..FaultProfile::dial_up() };
        check(one_way, "to upstream 150 ms, 256 kbit/s; to client 0 ms");
    }
}
