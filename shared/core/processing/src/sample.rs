//! One value of one parameter at one moment.

use delivery::Way;
use mission_database::{
    DecodedValue, EngineeringValue, MissionDatabase, MonitoringResult, ParameterIndex, ParameterKind,
    RawValue, Reading, Validity, VersionNumber,
};
use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use crate::column::is_plotted;

/// A value as transmitted, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Bytes.
    Binary(Box<[u8]>),
    /// A floating-point number.
    Float(f64),
    /// A signed integer.
    Signed(i64),
    /// Text.
    Text(Box<str>),
    /// An unsigned integer.
    Unsigned(u64),
}

impl From<&RawValue<'_>> for Raw {
    fn from(value: &RawValue<'_>) -> Self {
        match value {
            RawValue::Binary(bytes) => Self::Binary(bytes.as_ref().into()),
            RawValue::Float(number) => Self::Float(*number),
            RawValue::Signed(number) => Self::Signed(*number),
            RawValue::Text(text) => Self::Text(text.as_ref().into()),
            RawValue::Unsigned(number) => Self::Unsigned(*number),
        }
    }
}

/// A value as people read it. Borrowed from the sample and the dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engineering<'a> {
    /// Bytes.
    Binary(&'a [u8]),
    /// A boolean.
    Boolean(bool),
    /// A floating-point number.
    Float(f64),
    /// The label of an enumeration.
    Label(&'a str),
    /// No label fits, or the calibrator has no result.
    None,
    /// A signed integer.
    Signed(i64),
    /// Text.
    Text(&'a str),
    /// A moment.
    Time(TaiTime),
    /// An unsigned integer.
    Unsigned(u64),
}

/// The engineering value, where it does not follow from the raw value and the dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Converted {
    /// A calibrated number; NaN stands in where the calibrator had no result, which the validity says.
    Number(f64),
    /// A moment.
    Time(TaiTime),
}

/// How a sample came into the archive.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Provenance {
    /// While its station was in contact.
    #[default]
    Live = 0,
    /// Later, over a link, out of the station's journal.
    Backfilled = 1,
    /// Carried by hand.
    Imported = 2,
    /// Decoded again from the ledger, however it came.
    Reprocessed = 3,
}

impl Provenance {
    /// All of them, by number.
    pub const ALL: [Self; 4] = [Self::Live, Self::Backfilled, Self::Imported, Self::Reprocessed];

    /// Of what came by a way.
    pub fn of(way: Way) -> Self {
        match way {
            Way::Alarm | Way::Live => Self::Live,
            Way::Backfill | Way::Bulk => Self::Backfilled,
            Way::Import => Self::Imported,
        }
    }

    /// From the archive; `None` when it is none.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One value of one parameter at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which parameter, by the mission's number.
    pub parameter: ParameterIndex,
    /// When the spacecraft made it.
    pub generation: GenerationTime,
    /// When the station received it.
    pub reception: ReceptionTime,
    /// As transmitted.
    pub raw: Raw,
    /// The engineering value, only where conversion makes it differ from the raw one; labels, booleans and other
    /// values follow from the raw value and the dictionary.
    pub converted: Option<Converted>,
    /// Whether the engineering value may be trusted.
    pub validity: Validity,
    /// How it stood to its limits when it was decoded.
    pub monitoring: MonitoringResult,
    /// The version of the dictionary that read it.
    pub version: VersionNumber,
    /// How it came.
    pub provenance: Provenance,
}

impl Sample {
    /// A decoded value, with the times of its packet.
    pub(crate) fn new(
        reading: &Reading,
        value: &DecodedValue<'_>,
        generation: GenerationTime,
        reception: ReceptionTime,
    ) -> Self {
        let described = reading.dictionary.parameter(value.parameter);
        Self {
            parameter: reading.mission_index(value.parameter),
            generation,
            reception,
            raw: Raw::from(&value.raw),
            converted: described.calibrated.then(|| converted(&value.engineering, &described.kind)),
            validity: value.validity,
            monitoring: value.monitoring,
            version: reading.version,
            provenance: Provenance::default(),
        }
    }

    /// The engineering value, by the version of the dictionary that read the sample.
    pub fn engineering<'a>(&'a self, database: &'a MissionDatabase) -> Engineering<'a> {
        if self.validity == Validity::OutsideCalibration {
            return Engineering::None;
        }
        match self.converted {
            Some(Converted::Number(number)) => return Engineering::Float(number),
            Some(Converted::Time(time)) => return Engineering::Time(time),
            None => {}
        }
        let kind = &database.described(self.version, self.parameter).kind;
        let label = |raw: Option<i64>| {
            let label = raw.and_then(|raw| database.label(self.version, self.parameter, raw));
            label.map_or(Engineering::None, Engineering::Label)
        };
        match (&self.raw, kind) {
            (Raw::Signed(number), ParameterKind::Enumeration(_)) => label(Some(*number)),
            (Raw::Unsigned(number), ParameterKind::Enumeration(_)) => label(i64::try_from(*number).ok()),
            (Raw::Signed(number), ParameterKind::Boolean { .. }) => Engineering::Boolean(*number != 0),
            (Raw::Unsigned(number), ParameterKind::Boolean { .. }) => Engineering::Boolean(*number != 0),
            // Decimal digits that were none.
            (Raw::Binary(_), ParameterKind::Integer | ParameterKind::Float) => Engineering::None,
            (Raw::Binary(bytes), _) => Engineering::Binary(bytes),
            (Raw::Float(number), _) => Engineering::Float(*number),
            (Raw::Signed(number), _) => Engineering::Signed(*number),
            (Raw::Text(text), _) => Engineering::Text(text),
            (Raw::Unsigned(number), _) => Engineering::Unsigned(*number),
        }
    }

    /// What a plot shows: the calibrated value, else the raw number; nothing for text, bytes and times, nor where it
    /// would be no measurement.
    pub fn number(&self) -> Option<f64> {
        if !is_plotted(self.validity) {
            return None;
        }
        match (self.converted, &self.raw) {
            (Some(Converted::Number(number)), _) => Some(number),
            (Some(Converted::Time(_)), _) | (None, Raw::Binary(_) | Raw::Text(_)) => None,
            (None, Raw::Float(number)) => Some(*number),
            (None, Raw::Signed(number)) => Some(*number as f64),
            (None, Raw::Unsigned(number)) => Some(*number as f64),
        }
    }
}

/// Where samples go that nobody will see: they are counted and never made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unseen(pub u64);

impl Extend<Sample> for Unseen {
    fn extend<I: IntoIterator<Item = Sample>>(&mut self, samples: I) {
        // Decoders know how many there are; to count them one by one would make each.
        self.0 += samples.into_iter().size_hint().0 as u64;
    }
}

/// A parameter that is converted has a value in this column even where conversion had no result.
fn converted(value: &EngineeringValue<'_>, kind: &ParameterKind) -> Converted {
    match value {
        EngineeringValue::Float(number) => Converted::Number(*number),
        EngineeringValue::Signed(number) => Converted::Number(*number as f64),
        EngineeringValue::Time(time) => Converted::Time(*time),
        EngineeringValue::Unsigned(number) => Converted::Number(*number as f64),
        _ if *kind == ParameterKind::Time => Converted::Time(TaiTime::default()),
        _ => Converted::Number(f64::NAN),
    }
}
