//! Which addresses a message may go to: those of the public internet, and networks that the configuration names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error as _};

/// Addresses with the same first bits, written `10.1.0.0/16`; without `/`, one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

/// Text that is no network.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{found:?} is not a network; expected an address and a number of bits, like 10.1.0.0/16, and no bits behind them"
)]
pub struct NetworkParseError {
    /// The text, cut to 64 characters.
    pub found: String,
}

/// What IANA does not call globally reachable, and multicast: the special-purpose registry of IPv4. All of
/// 192.0.0.0/24 counts, whose two reachable addresses nobody posts to.
const NOT_GLOBAL_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Global unicast of IPv6 is 2000::/3. Of that, what is for protocols (Teredo among them), for documentation, and 6to4,
/// which is any IPv4 address in disguise. NAT64 lies outside and is refused with the rest.
const NOT_GLOBAL_V6: [([u16; 2], u32); 4] =
    [([0x2001, 0x0000], 23), ([0x2001, 0x0db8], 32), ([0x2002, 0x0000], 16), ([0x3fff, 0x0000], 20)];

impl Network {
    const fn v4([a, b, c, d]: [u8; 4], bits: u32) -> Self {
        Self { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    const fn v6([a, b]: [u16; 2], bits: u32) -> Self {
        Self { first: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), bits }
    }

    /// Whether an address is in it. An IPv4 address that is mapped into IPv6 is that IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (address, bits) =
                text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
            let first = address.parse::<IpAddr>().ok().filter(|first| *first == first.to_canonical())?;
            let (width, number) = match first {
                IpAddr::V4(address) => (32, u128::from(address.to_bits()) << 96),
                IpAddr::V6(address) => (128, address.to_bits()),
            };
            let bits = bits.map_or(Some(width), |bits| bits.parse().ok()).filter(|bits| *bits <= width)?;
            // 10.1.2.3/16 may mean one address or 65,536: whoever wrote it should say which.
            (number.checked_shl(bits).unwrap_or(0) == 0).then_some(Self { first, bits })
        };
        parse().ok_or_else(|| NetworkParseError { found: text.chars().take(64).collect() })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether an address is one of the public internet: not of this machine, a private network, a link (cloud providers'
/// 169.254.169.254 is one), multicast, documentation, or a translation of other addresses.
pub fn is_global(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(_) => {
            !NOT_GLOBAL_V4.iter().any(|(first, bits)| Network::v4(*first, *bits).contains(address))
        }
        IpAddr::V6(_) => {
            let refused =
                NOT_GLOBAL_V6.iter().any(|(first, bits)| Network::v6(*first, *bits).contains(address));
            Network::v6([0x2000, 0], 3).contains(address) && !refused
        }
    }
}

/// Whether a message may go to an address.
pub(crate) fn may_go_to(address: IpAddr, allowed: &[Network]) -> bool {
    is_global(address) || allowed.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests;
