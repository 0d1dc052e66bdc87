//! Time codes that say themselves what they are: a P-field of one or two bytes in front (CCSDS 301.0-B-4, 3.2.2
//! for CUC, 3.3.2 for CDS).
//!
//! First byte, from the top: extension flag; code and epoch (001 CUC since 1958, 010 CUC since an agency's epoch,
//! 100 CDS); then for CUC two bits of seconds bytes minus one and two of fraction bytes, for CDS one bit of epoch
//! (0 for 1958), one of day width (1 for 24 bits), two of what follows the milliseconds. CUC's second byte: another
//! extension flag, two bits of further seconds bytes, three of further fraction bytes, two reserved.

use super::TaiTime;
use super::cds::{self, CdsError, DayField, EpochDay, Submilliseconds};
use super::cuc::{self, CucError};

const EXTENDED: u8 = 0x80;
/// Bytes of seconds that one byte of P-field can announce.
const BASIC_COARSE_BYTES: u8 = 4;
/// Bytes of fractions that one byte of P-field can announce.
const BASIC_FINE_BYTES: u8 = 3;

/// A P-field: what kind of time follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PField {
    /// Code and form.
    pub code: Code,
    /// Whether it counts from an agency's epoch (level 2), which the bytes do not tell.
    pub has_agency_epoch: bool,
}

/// Code and form of a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// Day segmented (3.3).
    Cds(cds::Layout),
    /// Unsegmented (3.2).
    Cuc(cuc::Layout),
}

/// Bytes that are no time with a P-field, or a time that has no such bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TimeCodeError {
    /// The time counts from an agency's epoch, and the caller named none.
    #[error("the P-field says an agency's epoch, and none is configured")]
    AgencyEpochUnknown,
    /// The P-field says CDS, and the bytes behind it are none.
    #[error("no CDS time behind the P-field")]
    Cds(#[from] CdsError),
    /// A code that is neither CUC nor CDS: calendar segmented, agency-defined or reserved.
    #[error("the P-field {p_field:#04x} says time code {code:#05b}, which is neither CUC nor CDS")]
    CodeUnknown {
        /// The first byte.
        p_field: u8,
        /// Its three bits of code.
        code: u8,
    },
    /// The P-field says CUC, and the bytes behind it are none.
    #[error("no CUC time behind the P-field")]
    Cuc(#[from] CucError),
    /// A further byte of P-field that 301.0-B-4 does not define.
    #[error("byte {p_field:#04x} of the P-field announces another one, which is not defined")]
    ExtensionUndefined {
        /// The byte with the flag.
        p_field: u8,
    },
    /// What follows the milliseconds is the reserved code.
    #[error("the P-field {p_field:#04x} uses the reserved code below the millisecond")]
    SubmillisecondsReserved {
        /// The first byte.
        p_field: u8,
    },
    /// The bytes end inside the P-field.
    #[error("{found_bytes} bytes are too few for a P-field")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
    },
}

impl PField {
    /// Reads the P-field at the beginning of `bytes` and says how many bytes it takes.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), TimeCodeError> {
        let truncated = TimeCodeError::Truncated { found_bytes: bytes.len() };
        let first = *bytes.first().ok_or(truncated)?;
        match first >> 4 & 7 {
            code @ (1 | 2) => {
                let second = match first & EXTENDED {
                    0 => None,
                    _ => Some(*bytes.get(1).ok_or(truncated)?),
                };
                let code_says =
                    Self { code: Code::Cuc(cuc_layout(first, second)?), has_agency_epoch: code == 2 };
                Ok((code_says, 1 + usize::from(second.is_some())))
            }
            4 => {
                let code = Code::Cds(cds_layout(first)?);
                Ok((Self { code, has_agency_epoch: first & 8 != 0 }, 1))
            }
            code => Err(TimeCodeError::CodeUnknown { p_field: first, code }),
        }
    }

    /// Writes the P-field, in one byte if that can say it.
    pub fn encode(self) -> Vec<u8> {
        match self.code {
            Code::Cds(layout) => {
                let day = u8::from(layout.day == DayField::Bits24) << 2;
                let below = match layout.submilliseconds {
                    Submilliseconds::None => 0,
                    Submilliseconds::Microseconds => 1,
                    Submilliseconds::Picoseconds => 2,
                };
                vec![0x40 | u8::from(self.has_agency_epoch) << 3 | day | below]
            }
            Code::Cuc(layout) => {
                let code = if self.has_agency_epoch { 0x20 } else { 0x10 };
                let coarse = layout.coarse_bytes().min(BASIC_COARSE_BYTES);
                let fine = layout.fine_bytes().min(BASIC_FINE_BYTES);
                let first = code | (coarse - 1) << 2 | fine;
                match (layout.coarse_bytes() - coarse, layout.fine_bytes() - fine) {
                    (0, 0) => vec![first],
                    (coarse, fine) => vec![EXTENDED | first, coarse << 5 | fine << 2],
                }
            }
        }
    }

    /// Reads the time at the beginning of `bytes`, which stand behind the P-field; see [`decode`].
    pub fn decode_time(self, agency_epoch: Option<TaiTime>, bytes: &[u8]) -> Result<TaiTime, TimeCodeError> {
        match self.code {
            Code::Cds(layout) => Ok(layout.decode_since(self.epoch_day(agency_epoch)?, bytes)?),
            Code::Cuc(layout) => Ok(layout.decode_since(self.epoch(agency_epoch)?, bytes)?),
        }
    }

    /// Writes P-field and time. `agency_epoch` is used where the P-field says so.
    pub fn encode_time(self, agency_epoch: Option<TaiTime>, time: TaiTime) -> Result<Vec<u8>, TimeCodeError> {
        let mut bytes = self.encode();
        bytes.extend(match self.code {
            Code::Cds(layout) => layout.encode_since(self.epoch_day(agency_epoch)?, time)?,
            Code::Cuc(layout) => layout.encode_since(self.epoch(agency_epoch)?, time)?,
        });
        Ok(bytes)
    }

    fn epoch(self, agency_epoch: Option<TaiTime>) -> Result<TaiTime, TimeCodeError> {
        match (self.has_agency_epoch, agency_epoch) {
            (false, _) => Ok(cuc::CCSDS_EPOCH),
            (true, Some(epoch)) => Ok(epoch),
            (true, None) => Err(TimeCodeError::AgencyEpochUnknown),
        }
    }

    fn epoch_day(self, agency_epoch: Option<TaiTime>) -> Result<EpochDay, TimeCodeError> {
        match (self.has_agency_epoch, agency_epoch) {
            (false, _) => Ok(EpochDay::CCSDS),
            (true, Some(epoch)) => Ok(epoch.try_into()?),
            (true, None) => Err(TimeCodeError::AgencyEpochUnknown),
        }
    }
}

/// Reads a time of either code, P-field first, at the beginning of `bytes`.
///
/// `agency_epoch` is used where the P-field says so; for CDS it must be the beginning of a day of UTC.
pub fn decode(agency_epoch: Option<TaiTime>, bytes: &[u8]) -> Result<TaiTime, TimeCodeError> {
    let (p_field, taken) = PField::parse(bytes)?;
    p_field.decode_time(agency_epoch, &bytes[taken..])
}

fn cuc_layout(first: u8, second: Option<u8>) -> Result<cuc::Layout, TimeCodeError> {
    let (mut coarse_bytes, mut fine_bytes) = ((first >> 2 & 3) + 1, first & 3);
    if let Some(second) = second {
        if second & EXTENDED != 0 {
            return Err(TimeCodeError::ExtensionUndefined { p_field: second });
        }
        coarse_bytes += second >> 5 & 3;
        fine_bytes += second >> 2 & 7;
    }
    Ok(cuc::Layout::new(coarse_bytes, fine_bytes)?)
}

fn cds_layout(first: u8) -> Result<cds::Layout, TimeCodeError> {
    if first & EXTENDED != 0 {
        return Err(TimeCodeError::ExtensionUndefined { p_field: first });
    }
    let submilliseconds = match first & 3 {
        0 => Submilliseconds::None,
        1 => Submilliseconds::Microseconds,
        2 => Submilliseconds::Picoseconds,
        _ => return Err(TimeCodeError::SubmillisecondsReserved { p_field: first }),
    };
    let day = if first & 4 == 0 { DayField::Bits16 } else { DayField::Bits24 };
    Ok(cds::Layout { day, submilliseconds })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::UtcTime;

    fn epoch() -> TaiTime {
        UtcTime::parse("2000-01-01T00:00:00Z").expect("a time").to_tai()
    }

    #[test]
    fn a_p_field_says_what_follows_and_from_where_it_counts() {
        let check = |bytes: &[u8], expected| {
            let time = decode(Some(epoch()), bytes).expect("a time");
            assert_eq!(time.to_string(), expected, "{bytes:02x?}");
        };
        check(&[0x1C, 0, 0, 0, 11], "1958-01-01T00:00:01Z");
        check(&[0x2D, 0, 0, 0, 1, 0x40], "2000-01-01T00:00:01.250Z");
        check(&[0xA0, 0x24, 1, 2, 0x80], "2000-01-01T00:04:18.500Z");
        check(&[0x40, 0, 1, 0, 0, 0, 5], "1958-01-02T00:00:00.005Z");
        check(&[0x4E, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0x07, 0xD0], "2000-01-02T00:00:00.005000002Z");
    }

    #[test]
    fn what_is_no_time_says_why() {
        let check = |bytes: &[u8], expected| assert_eq!(decode(None, bytes), Err(expected), "{bytes:02x?}");
        check(&[], TimeCodeError::Truncated { found_bytes: 0 });
        check(&[0x9C], TimeCodeError::Truncated { found_bytes: 1 });
        check(&[0x9C, 0x80], TimeCodeError::ExtensionUndefined { p_field: 0x80 });
        check(&[0xC0, 0], TimeCodeError::ExtensionUndefined { p_field: 0xC0 });
        check(&[0x43], TimeCodeError::SubmillisecondsReserved { p_field: 0x43 });
        check(&[0x50], TimeCodeError::CodeUnknown { p_field: 0x50, code: 5 });
        check(&[0x2C, 0, 0, 0, 0], TimeCodeError::AgencyEpochUnknown);
        check(&[0x1C], CucError::Truncated { found_bytes: 0, wanted_bytes: 4 }.into());
        let noon = epoch().plus_nanos(43_200_000_000_000);
        let refused = decode(Some(noon), &[0x48, 0, 0, 0, 0, 0, 0]);
        assert_eq!(refused, Err(CdsError::EpochNotMidnight { epoch: noon }.into()));
    }

    fn any_code() -> impl Strategy<Value = Code> {
        let cuc = (5..=cuc::COARSE_BYTES_MAX, 0..=cuc::FINE_BYTES_MAX)
            .prop_map(|(coarse, fine)| Code::Cuc(cuc::Layout::new(coarse, fine).expect("in range")));
        let below = vec![Submilliseconds::None, Submilliseconds::Microseconds, Submilliseconds::Picoseconds];
        let days = prop::sample::select(vec![DayField::Bits16, DayField::Bits24]);
        let cds = (days, prop::sample::select(below))
            .prop_map(|(day, submilliseconds)| Code::Cds(cds::Layout { day, submilliseconds }));
        prop_oneof![cuc, cds]
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back_cut_to_the_resolution_of_the_form(
            code in any_code(),
            has_agency_epoch in any::<bool>(),
            nanos in 0..4_000_000_000_000_000_000_i64,
        ) {
            let p_field = PField { code, has_agency_epoch };
            let time = epoch().plus_nanos(nanos);
            let bytes = p_field.encode_time(Some(epoch()), time).expect("fits");
            prop_assert_eq!(PField::parse(&bytes).map(|(parsed, _)| parsed), Ok(p_field));
            let back = decode(Some(epoch()), &bytes).expect("a time");
            let resolution = match code {
                Code::Cuc(layout) => 1_000_000_000 >> (8 * layout.fine_bytes().min(4)),
                Code::Cds(cds::Layout { submilliseconds: Submilliseconds::None, .. }) => 1_000_000,
                Code::Cds(cds::Layout { submilliseconds: Submilliseconds::Microseconds, .. }) => 1_000,
                Code::Cds(_) => 0,
            };
            prop_assert!((0..=resolution).contains(&(time.0 - back.0)), "{} ns lost", time.0 - back.0);
        }

        #[test]
        fn any_bytes_are_a_time_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..24),
            agency_epoch in proptest::option::of(any::<i64>()),
        ) {
            let _ = decode(agency_epoch.map(TaiTime), &bytes);
            let _ = decode(Some(epoch()), &bytes);
        }
    }
}
