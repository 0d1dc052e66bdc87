//! CCSDS unsegmented time code, CUC (301.0-B-4, 3.2): seconds since an epoch in 1 to 7 bytes, and binary fractions
//! of a second in 0 to 10 bytes. It counts SI seconds without leap seconds, from 1958-01-01 TAI (level 1) or from
//! an agency's epoch (level 2). Which form is used says the mission, or a P-field in front ([`super::p_field`]).

use super::{NANOS_PER_SECOND, TaiTime};

/// 1958-01-01T00:00:00 TAI, the epoch of level 1 (3.2.2).
pub const CCSDS_EPOCH: TaiTime = TaiTime(-378_691_200 * NANOS_PER_SECOND);
/// Bytes of seconds: 4, and 3 that only an extended P-field announces.
pub const COARSE_BYTES_MAX: u8 = 7;
/// Bytes of fractions: 3, and 7 that only an extended P-field announces.
pub const FINE_BYTES_MAX: u8 = 10;

/// Which of the forms a mission uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    coarse_bytes: u8,
    fine_bytes: u8,
}

/// Bytes that are no time, or a time that has no such bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CucError {
    /// No such form.
    #[error(
        "{coarse_bytes} bytes of seconds and {fine_bytes} of fractions are no CUC: 1 to 7 and 0 to 10 are"
    )]
    LayoutOutOfRange {
        /// Bytes of seconds.
        coarse_bytes: u8,
        /// Bytes of fractions.
        fine_bytes: u8,
    },
    /// A time before the epoch or past the end of the seconds field.
    #[error("{time} is out of range of {coarse_bytes} bytes of seconds since {epoch}")]
    NotEncodable {
        /// The time.
        time: TaiTime,
        /// The epoch.
        epoch: TaiTime,
        /// Bytes of seconds.
        coarse_bytes: u8,
    },
    /// A moment so late that [`TaiTime`] cannot hold it.
    #[error("{seconds} s since {epoch} are past the year 2262")]
    TooLate {
        /// The seconds field.
        seconds: u64,
        /// The epoch.
        epoch: TaiTime,
    },
    /// Too few bytes.
    #[error("{found_bytes} bytes are too few for a CUC time of {wanted_bytes}")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
        /// Bytes the layout needs.
        wanted_bytes: usize,
    },
}

impl Layout {
    /// A form with so many bytes of seconds and of fractions.
    pub fn new(coarse_bytes: u8, fine_bytes: u8) -> Result<Self, CucError> {
        if (1..=COARSE_BYTES_MAX).contains(&coarse_bytes) && fine_bytes <= FINE_BYTES_MAX {
            Ok(Self { coarse_bytes, fine_bytes })
        } else {
            Err(CucError::LayoutOutOfRange { coarse_bytes, fine_bytes })
        }
    }

    /// Bytes of seconds, 1 to 7.
    pub fn coarse_bytes(self) -> u8 {
        self.coarse_bytes
    }

    /// Bytes of fractions, 0 to 10.
    pub fn fine_bytes(self) -> u8 {
        self.fine_bytes
    }

    /// Bytes of the time code, without a P-field.
    pub fn bytes(self) -> usize {
        usize::from(self.coarse_bytes + self.fine_bytes)
    }

    /// Reads the time at the beginning of `bytes`, cut to whole nanoseconds.
    pub fn decode_since(self, epoch: TaiTime, bytes: &[u8]) -> Result<TaiTime, CucError> {
        let wanted_bytes = self.bytes();
        let Some(field) = bytes.get(..wanted_bytes) else {
            return Err(CucError::Truncated { found_bytes: bytes.len(), wanted_bytes });
        };
        let (coarse, fine) = field.split_at(usize::from(self.coarse_bytes));
        let seconds = big_endian(coarse) as u64;
        let nanos = self.nanos(big_endian(fine));
        let since_epoch = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + nanos as i128;
        let time = i64::try_from(i128::from(epoch.0) + since_epoch);
        time.map(TaiTime).map_err(|_| CucError::TooLate { seconds, epoch })
    }

    /// Writes a time, cut to what the form can say. With 4 bytes of fractions or more it reads back exactly.
    pub fn encode_since(self, epoch: TaiTime, time: TaiTime) -> Result<Vec<u8>, CucError> {
        let since_epoch = i128::from(time.0) - i128::from(epoch.0);
        let per_second = i128::from(NANOS_PER_SECOND);
        let seconds = u64::try_from(since_epoch.div_euclid(per_second)).ok();
        let seconds = seconds.filter(|seconds| seconds >> (8 * self.coarse_bytes) == 0);
        let refused = CucError::NotEncodable { time, epoch, coarse_bytes: self.coarse_bytes };
        let seconds = seconds.ok_or(refused)?.to_be_bytes();
        let fraction = self.fraction(since_epoch.rem_euclid(per_second) as u128).to_be_bytes();
        let mut bytes = seconds[seconds.len() - usize::from(self.coarse_bytes)..].to_vec();
        bytes.extend_from_slice(&fraction[fraction.len() - usize::from(self.fine_bytes)..]);
        Ok(bytes)
    }

    /// Whole nanoseconds in a fraction of this form. 80 bits of fraction and 30 of nanoseconds fit into 128.
    fn nanos(self, fraction: u128) -> u128 {
        (fraction * NANOS_PER_SECOND as u128) >> (8 * self.fine_bytes)
    }

    /// The fraction that reads as so many nanoseconds, or else the last one before them.
    fn fraction(self, nanos: u128) -> u128 {
        let shifted = nanos << (8 * self.fine_bytes);
        let next = shifted.div_ceil(NANOS_PER_SECOND as u128);
        if self.nanos(next) == nanos { next } else { shifted / NANOS_PER_SECOND as u128 }
    }
}

fn big_endian(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::UtcTime;

    fn utc(text: &str) -> TaiTime {
        UtcTime::parse(text).expect("a time").to_tai()
    }

    fn layout(coarse_bytes: u8, fine_bytes: u8) -> Layout {
        Layout::new(coarse_bytes, fine_bytes).expect("in range")
    }

    #[test]
    fn seconds_and_fractions_since_an_epoch_read_as_their_moment() {
        let check = |form: Layout, epoch, bytes: &[u8], expected| {
            let time = form.decode_since(epoch, bytes).expect("a time");
            assert_eq!(time.to_string(), expected, "{bytes:02x?}");
        };
        let gps = utc("1980-01-06T00:00:00Z");
        check(layout(4, 0), CCSDS_EPOCH, &[0, 0, 0, 10], "1958-01-01T00:00:00Z");
        // 1,800,000,000 s of GPS: 18 leap seconds since its epoch.
        check(layout(4, 0), gps, &1_800_000_000_u32.to_be_bytes(), "2037-01-19T07:59:42Z");
        check(layout(4, 2), gps, &[0, 0, 0, 1, 0x80, 0], "1980-01-06T00:00:01.500Z");
        check(layout(1, 3), gps, &[2, 0, 0, 1], "1980-01-06T00:00:02.000000059Z");
        check(
            layout(2, 10),
            gps,
            &[0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
            "1980-01-06T00:00:02.999999999Z",
        );
    }

    #[test]
    fn the_leap_second_of_2016_is_a_second_like_others() {
        let before = layout(4, 1).encode_since(CCSDS_EPOCH, utc("2016-12-31T23:59:59.5Z")).expect("fits");
        let seconds = u32::from_be_bytes([before[0], before[1], before[2], before[3]]);
        let texts = ["2016-12-31T23:59:59.500Z", "2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00.500Z"];
        for (seconds, text) in (seconds..).zip(texts) {
            let bytes = [&seconds.to_be_bytes()[..], &[0x80]].concat();
            assert_eq!(layout(4, 1).decode_since(CCSDS_EPOCH, &bytes).expect("a time").to_string(), text);
        }
    }

    #[test]
    fn what_no_form_or_no_time_can_hold_is_refused() {
        for (coarse_bytes, fine_bytes) in [(0, 0), (8, 0), (4, 11), (255, 255)] {
            let refused = CucError::LayoutOutOfRange { coarse_bytes, fine_bytes };
            assert_eq!(Layout::new(coarse_bytes, fine_bytes), Err(refused));
        }
        let truncated = CucError::Truncated { found_bytes: 5, wanted_bytes: 6 };
        assert_eq!(layout(4, 2).decode_since(CCSDS_EPOCH, &[0; 5]), Err(truncated));
        let late = layout(7, 0).decode_since(CCSDS_EPOCH, &[0xFF; 7]);
        assert_eq!(late, Err(CucError::TooLate { seconds: (1 << 56) - 1, epoch: CCSDS_EPOCH }));
        let (early, epoch) = (utc("1999-12-31T00:00:00Z"), utc("2000-01-01T00:00:00Z"));
        assert!(layout(7, 0).encode_since(epoch, early).is_err());
        assert!(layout(2, 0).encode_since(epoch, utc("2000-01-03T00:00:00Z")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back_cut_to_the_resolution_of_the_form(
            nanos in 0..4_000_000_000_000_000_000_i64,
            epoch in -1_000_000_000_000_000_000..1_000_000_000_000_000_000_i64,
            coarse_bytes in 5..=COARSE_BYTES_MAX,
            fine_bytes in 0..=FINE_BYTES_MAX,
        ) {
            let (form, epoch) = (layout(coarse_bytes, fine_bytes), TaiTime(epoch));
            let time = epoch.plus_nanos(nanos);
            let bytes = form.encode_since(epoch, time).expect("fits");
            prop_assert_eq!(bytes.len(), form.bytes());
            let back = form.decode_since(epoch, &bytes).expect("a time");
            let resolution = NANOS_PER_SECOND >> (8 * fine_bytes.min(4));
            prop_assert!((0..=resolution).contains(&(time.0 - back.0)), "{} ns lost", time.0 - back.0);
            prop_assert_eq!(form.encode_since(epoch, back), Ok(bytes), "what was cut once stays as it is");
        }

        #[test]
        fn any_bytes_are_a_time_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..20),
            epoch in any::<i64>(),
            coarse_bytes in any::<u8>(),
            fine_bytes in 0..=12_u8,
        ) {
            if let Ok(form) = Layout::new(coarse_bytes % 9, fine_bytes)
                && let Ok(time) = form.decode_since(TaiTime(epoch), &bytes)
            {
                let again = form.encode_since(TaiTime(epoch), time).expect("it was read from such bytes");
                prop_assert_eq!(form.decode_since(TaiTime(epoch), &again), Ok(time));
            }
        }
    }
}
