//! Where a mission's packets carry the time at which they were made.

use serde::Deserialize;
use space_packet::time::{cds, cuc, p_field};
use space_packet::{GenerationTime, PrimaryHeader, TaiTime, UtcTime};

pub use clock::ClockTime;

/// Where a mission's packets carry the time at which they were made.
///
/// Places are counted from the packet's first byte: 6 is right behind the primary header. They are read only in
/// packets whose header announces a secondary header.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(tag = "code", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PacketTime {
    /// CDS (CCSDS 301.0-B-4, 3.3) in the secondary header.
    Cds {
        /// Where it begins.
        offset_bytes: usize,
        /// 16 or 24. A P-field says so itself.
        #[serde(default = "sixteen")]
        day_bits: u8,
        /// What follows the milliseconds. A P-field says so itself.
        #[serde(default)]
        submilliseconds: cds::Submilliseconds,
        /// Whether it begins with a P-field.
        #[serde(default)]
        p_field: bool,
        /// Day that has number 0; 1958-01-01 when absent. A P-field says which of the two holds.
        #[serde(default)]
        epoch: Option<EpochDay>,
    },
    /// An instrument's or spacecraft's own clock.
    Clock(ClockTime),
    /// CUC (CCSDS 301.0-B-4, 3.2).
    Cuc(CucTime),
    /// Packets carry none: the reception time stands in.
    #[default]
    None,
}

fn sixteen() -> u8 {
    16
}

impl PacketTime {
    /// Generation time of a packet, if it carries one that can be read and is plausible.
    pub(crate) fn read(&self, header: &PrimaryHeader, packet: &[u8]) -> Option<GenerationTime> {
        if !header.secondary_header {
            return None;
        }
        let time = match self {
            Self::Cds { offset_bytes, p_field: true, epoch, .. } => {
                announced(packet.get(*offset_bytes..)?, epoch.map(|epoch| epoch.start), |code| {
                    matches!(code, p_field::Code::Cds(_))
                })
            }
            Self::Cds { offset_bytes, day_bits, submilliseconds, epoch, .. } => {
                let day = if *day_bits == 24 { cds::DayField::Bits24 } else { cds::DayField::Bits16 };
                let layout = cds::Layout { day, submilliseconds: *submilliseconds };
                let epoch = epoch.map_or(cds::EpochDay::CCSDS, |epoch| epoch.day);
                layout.decode_since(epoch, packet.get(*offset_bytes..)?).ok()
            }
            Self::Clock(clock) => clock.generation_time(packet),
            Self::Cuc(cuc) => cuc.read(packet),
            Self::None => None,
        };
        time.map(GenerationTime)
    }
}

/// A time with a P-field that says the configured code.
fn announced(
    bytes: &[u8],
    agency_epoch: Option<TaiTime>,
    is_wanted: fn(&p_field::Code) -> bool,
) -> Option<TaiTime> {
    let (p_field, taken) =
        p_field::PField::parse(bytes).ok().filter(|(p_field, _)| is_wanted(&p_field.code))?;
    p_field.decode_time(agency_epoch, &bytes[taken..]).ok()
}

/// A moment as configuration says it: RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Moment(TaiTime);

impl TryFrom<String> for Moment {
    type Error = space_packet::time::TimeParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        UtcTime::parse(&text).map(|utc| Self(utc.to_tai()))
    }
}

/// Beginning of a day of UTC, as an agency's epoch of CDS.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Moment")]
pub struct EpochDay {
    start: TaiTime,
    day: cds::EpochDay,
}

impl TryFrom<Moment> for EpochDay {
    type Error = cds::CdsError;

    fn try_from(Moment(start): Moment) -> Result<Self, Self::Error> {
        Ok(Self { start, day: start.try_into()? })
    }
}

/// Where packets carry a CUC time.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "CucConfig")]
pub struct CucTime {
    offset_bytes: usize,
    /// What the packets carry; `None`: a P-field says it.
    layout: Option<cuc::Layout>,
    agency_epoch: Option<TaiTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CucConfig {
    /// Where it begins, its P-field if it has one.
    offset_bytes: usize,
    /// Bytes of seconds, 1 to 7; only and always without a P-field.
    coarse_bytes: Option<u8>,
    /// Bytes of fractions, 0 to 10; only without a P-field, 0 when absent.
    fine_bytes: Option<u8>,
    #[serde(default)]
    p_field: bool,
    /// `1958-TAI` when absent.
    epoch: Option<String>,
}

/// Why a configured CUC time cannot be read.
#[derive(Debug, thiserror::Error)]
enum CucConfigError {
    #[error("epoch: {0}, or 1958-TAI")]
    Epoch(#[from] space_packet::time::TimeParseError),
    #[error("{0}")]
    Layout(#[from] cuc::CucError),
    #[error("coarse_bytes is missing: without p_field = true nothing else says how long the time is")]
    LayoutMissing,
    #[error("coarse_bytes and fine_bytes do not go with p_field = true, which says both in each packet")]
    LayoutTwice,
}

impl TryFrom<CucConfig> for CucTime {
    type Error = CucConfigError;

    fn try_from(config: CucConfig) -> Result<Self, CucConfigError> {
        let layout = match (config.p_field, config.coarse_bytes, config.fine_bytes) {
            (true, None, None) => None,
            (true, _, _) => return Err(CucConfigError::LayoutTwice),
            (false, None, _) => return Err(CucConfigError::LayoutMissing),
            (false, Some(coarse), fine) => Some(cuc::Layout::new(coarse, fine.unwrap_or(0))?),
        };
        let agency_epoch = match config.epoch.as_deref() {
            None | Some("1958-TAI") => None,
            Some(text) => Some(UtcTime::parse(text)?.to_tai()),
        };
        Ok(Self { offset_bytes: config.offset_bytes, layout, agency_epoch })
    }
}

impl CucTime {
    fn read(&self, packet: &[u8]) -> Option<TaiTime> {
        let bytes = packet.get(self.offset_bytes..)?;
        match self.layout {
            Some(layout) => layout.decode_since(self.agency_epoch.unwrap_or(cuc::CCSDS_EPOCH), bytes).ok(),
            None => announced(bytes, self.agency_epoch, |code| matches!(code, p_field::Code::Cuc(_))),
        }
    }
}

mod clock;
#[cfg(test)]
mod tests;
