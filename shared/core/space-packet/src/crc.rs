//! The packet error control that some missions put at the end of a packet: CRC-16-CCITT as CCSDS 132.0-B
//! (4.1.6.2) and 232.0-B define it for frames, here over the packet from its first byte.
//!
//! Generator x^16 + x^12 + x^5 + 1 (0x1021), preset to all ones, most significant bit first, sent big-endian and
//! not inverted. It finds every error burst of up to 16 bits.

/// Bytes that the code takes at the end of a packet.
pub const CRC_BYTES: usize = 2;

const GENERATOR: u16 = 0x1021;
const PRESET: u16 = 0xFFFF;

/// What each byte in front of the register adds to it.
const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut register = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = register & 0x8000 != 0;
            register <<= 1;
            if carry {
                register ^= GENERATOR;
            }
            bit += 1;
        }
        table[byte] = register;
        byte += 1;
    }
    table
}

/// A packet whose error control does not fit its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CrcError {
    /// At least one bit is not as it was sent.
    #[error("packet error control is {found:#06x}, the bytes before it make {computed:#06x}")]
    Mismatch {
        /// What the packet's last two bytes say.
        found: u16,
        /// What the bytes before them make.
        computed: u16,
    },
    /// Too short to carry the code.
    #[error("{found_bytes} bytes are too few for a packet error control of 2")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
    },
}

/// The code over `bytes`.
pub fn compute(bytes: &[u8]) -> u16 {
    bytes.iter().fold(PRESET, |register, &byte| {
        let front = (register >> 8) as u8 ^ byte;
        register << 8 ^ TABLE[usize::from(front)]
    })
}

/// The packet without its last two bytes, if these are the code over the others.
pub fn check(packet: &[u8]) -> Result<&[u8], CrcError> {
    let Some((covered, &code)) = packet.split_last_chunk::<CRC_BYTES>() else {
        return Err(CrcError::Truncated { found_bytes: packet.len() });
    };
    let (found, computed) = (u16::from_be_bytes(code), compute(covered));
    if found == computed { Ok(covered) } else { Err(CrcError::Mismatch { found, computed }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_code_of_known_bytes_is_as_published() {
        for (bytes, code) in [(&b""[..], 0xFFFF), (b"A", 0xB915), (b"123456789", 0x29B1), (&[0; 4], 0x84C0)] {
            assert_eq!(compute(bytes), code, "{bytes:?}");
        }
    }

    #[test]
    fn a_packet_too_short_for_a_code_is_no_match() {
        assert_eq!(check(&[0xFF]), Err(CrcError::Truncated { found_bytes: 1 }));
        assert_eq!(check(&[0xFF, 0xFF]), Ok(&[][..]));
    }

    proptest! {
        #[test]
        fn what_carries_its_code_is_taken_and_a_burst_of_errors_is_found(
            bytes in proptest::collection::vec(any::<u8>(), 1..300),
            at in any::<prop::sample::Index>(),
            burst in 1..=u16::MAX,
        ) {
            let mut sent = [bytes.as_slice(), &compute(&bytes).to_be_bytes()].concat();
            prop_assert_eq!(check(&sent), Ok(bytes.as_slice()));
            let at = at.index(sent.len() - 1);
            let [high, low] = burst.to_be_bytes();
            sent[at] ^= high;
            sent[at + 1] ^= low;
            let is_mismatch = matches!(check(&sent), Err(CrcError::Mismatch { .. }));
            prop_assert!(is_mismatch);
        }
    }
}
