//! Telemetry made for measuring: a spacecraft's signals as they behave, and packets of them.
//!
//! Constants and noise would both be unfair: an archive that packs values packs the one to nothing and the other not at
//! all. What a spacecraft sends is mostly slow, and seldom new.

use space_packet::{
    Apid, PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES, PacketType, PrimaryHeader, ReceptionTime, SequenceCount,
    SequenceFlags, TaiTime, time::cds,
};

use crate::chance::Chance;

/// Types and the header; what a kind of packet adds takes the places of two comments.
const SPACECRAFT: &str = include_str!("spacecraft.xml");
/// Behind the APID come sequence count, length and time.
const BEHIND_TIME: &str = "<LocationInContainerInBits referenceLocation=\"previousEntry\">\
                           <FixedValue>96</FixedValue></LocationInContainerInBits>";

/// What a packet of the many holds.
const MANY: [Sort; 20] = {
    use Sort::{Analogue, Counter, Mode, Noise, NoisyFloat, SlowFloat};
    [
        Analogue, Analogue, Analogue, Analogue, Analogue, Analogue, Analogue, Analogue, Counter, Counter,
        Counter, Mode, Mode, Mode, Mode, NoisyFloat, NoisyFloat, SlowFloat, SlowFloat, Noise,
    ]
};
/// What the packet holds that comes each second for a year.
const YEARLY: [Sort; 4] = [Sort::Analogue, Sort::Counter, Sort::Mode, Sort::NoisyFloat];
const YEARLY_APID: u16 = 2_000;
/// More kinds would run into the APID of the year.
const KINDS_MAX: u16 = 1_999;

/// How a signal behaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    /// A temperature or voltage of 12 bits: stands still or moves by a step. Calibrated, with limits.
    Analogue,
    /// 32 bits that grow, mostly by the same.
    Counter,
    /// An enumeration of 8 bits that changes once in 2,000 times.
    Mode,
    /// 16 bits of which ten are noise: an accelerometer.
    Noise,
    /// A float whose lower half is noise.
    NoisyFloat,
    /// A float that moves by little.
    SlowFloat,
}

impl Sort {
    fn type_name(self) -> &'static str {
        match self {
            Self::Analogue => "Analogue",
            Self::Counter => "Counter",
            Self::Mode => "Mode",
            Self::Noise => "Noise",
            Self::NoisyFloat | Self::SlowFloat => "Float",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Signal {
    Analogue(u16),
    Counter { value: u32, step: u32 },
    Mode(u8),
    Noise(u16),
    NoisyFloat { around: f32, value: f32 },
    SlowFloat(f32),
}

const ANALOGUE_END: u16 = 4_096;
const MODES: u64 = 5;
const MODE_CHANGES_ONCE_IN: u64 = 2_000;
const NOISE_BITS: u32 = 10;

impl Signal {
    fn new(sort: Sort, chance: &mut Chance) -> Self {
        match sort {
            Sort::Analogue => Self::Analogue(1_000 + chance.below(2_000) as u16),
            Sort::Counter => {
                Self::Counter { value: chance.below(1 << 20) as u32, step: 1 + chance.below(8) as u32 }
            }
            Sort::Mode => Self::Mode(chance.below(MODES) as u8),
            Sort::Noise => Self::Noise(1 << 14),
            Sort::NoisyFloat => Self::NoisyFloat { around: 10.0 + chance.below(90) as f32, value: 0.0 },
            Sort::SlowFloat => Self::SlowFloat(20.0 + chance.deviation() as f32),
        }
    }

    fn go_on(&mut self, chance: &mut Chance) {
        match self {
            Self::Analogue(value) => {
                *value = match chance.below(8) {
                    0 => value.saturating_sub(1),
                    1 => (*value + 1).min(ANALOGUE_END - 1),
                    _ => *value,
                }
            }
            Self::Counter { value, step } => {
                let extra = u32::from(chance.once_in(50));
                *value = value.wrapping_add(*step + extra);
            }
            Self::Mode(value) => {
                if chance.once_in(MODE_CHANGES_ONCE_IN) {
                    *value = chance.below(MODES) as u8;
                }
            }
            Self::Noise(value) => *value = (1 << 14) + chance.below(1 << NOISE_BITS) as u16,
            Self::NoisyFloat { around, value } => {
                *value = *around * (1.0 + chance.deviation() as f32 / 100.0);
            }
            Self::SlowFloat(value) => {
                if chance.once_in(4) {
                    *value += chance.deviation() as f32 / 128.0;
                }
            }
        }
    }

    fn append_to(self, packet: &mut Vec<u8>) {
        match self {
            Self::Analogue(value) | Self::Noise(value) => packet.extend_from_slice(&value.to_be_bytes()),
            Self::Counter { value, .. } => packet.extend_from_slice(&value.to_be_bytes()),
            Self::Mode(value) => packet.push(value),
            Self::NoisyFloat { value, .. } | Self::SlowFloat(value) => {
                packet.extend_from_slice(&value.to_be_bytes());
            }
        }
    }

    /// What a table of plain numbers would keep.
    fn number(self) -> f64 {
        match self {
            Self::Analogue(value) => f64::from(value) * ANALOGUE_STEP + ANALOGUE_LOWEST,
            Self::Noise(value) => f64::from(value),
            Self::Counter { value, .. } => f64::from(value),
            Self::Mode(value) => f64::from(value),
            Self::NoisyFloat { value, .. } | Self::SlowFloat(value) => f64::from(value),
        }
    }
}

/// The calibration of `spacecraft.xml`.
const ANALOGUE_LOWEST: f64 = -40.0;
const ANALOGUE_STEP: f64 = 0.03;

/// A schedule on board is kept to a fifth of a millisecond.
const JITTER_NANOS: u64 = 200_000;
/// A packet takes so long to the station's clock, and up to as much again.
const WAY_NANOS: i64 = 1_200_000;

/// Which packets are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// One of the many, by its number.
    Many(u16),
    /// The one that comes each second for a year.
    Yearly,
}

impl Kind {
    fn apid(self) -> Apid {
        let number = match self {
            Self::Many(number) => number,
            Self::Yearly => YEARLY_APID,
        };
        Apid::try_from(number).expect("the number of kinds is bounded below the last APID")
    }

    fn sorts(self) -> &'static [Sort] {
        match self {
            Self::Many(_) => &MANY,
            Self::Yearly => &YEARLY,
        }
    }

    /// How many parameters such a packet has.
    pub(crate) fn parameters(self) -> usize {
        self.sorts().len()
    }

    /// Short name of one of its parameters.
    fn parameter(self, place: usize) -> String {
        match self {
            Self::Many(number) => format!("P{}", usize::from(number) * MANY.len() + place),
            Self::Yearly => format!("Y{place}"),
        }
    }

    /// Full name of one of its parameters.
    pub(crate) fn parameter_name(self, place: usize) -> String {
        format!("/Bench/{}", self.parameter(place))
    }
}

/// The kinds among which so many parameters are shared.
pub(crate) fn kinds_of(parameters: u32) -> anyhow::Result<u16> {
    let kinds = parameters / MANY.len() as u32;
    anyhow::ensure!(
        kinds > 0 && parameters.is_multiple_of(MANY.len() as u32) && kinds <= u32::from(KINDS_MAX),
        "--parameters must be a multiple of {} up to {}",
        MANY.len(),
        u32::from(KINDS_MAX) * MANY.len() as u32
    );
    Ok(kinds as u16)
}

/// The dictionary of so many kinds and of the yearly one, as XTCE. Of the headers only the APID is a parameter: it says
/// which kind a packet is of.
pub(crate) fn dictionary(kinds: u16) -> String {
    let (mut parameters, mut containers) = (String::new(), String::new());
    for kind in (0..kinds).map(Kind::Many).chain([Kind::Yearly]) {
        let mut entries = String::new();
        for (place, sort) in kind.sorts().iter().enumerate() {
            let (name, of_type) = (kind.parameter(place), sort.type_name());
            parameters += &format!("<Parameter name=\"{name}\" parameterTypeRef=\"{of_type}\"/>\n");
            let location = if place == 0 { BEHIND_TIME } else { "" };
            entries +=
                &format!("<ParameterRefEntry parameterRef=\"{name}\">{location}</ParameterRefEntry>\n");
        }
        let apid = kind.apid().value();
        containers += &format!(
            "<SequenceContainer name=\"Kind{apid}\"><EntryList>\n{entries}</EntryList>\
             <BaseContainer containerRef=\"Packet\"><RestrictionCriteria>\
             <Comparison parameterRef=\"apid\" value=\"{apid}\"/>\
             </RestrictionCriteria></BaseContainer></SequenceContainer>\n"
        );
    }
    SPACECRAFT.replace("<!--parameters-->", &parameters).replace("<!--containers-->", &containers)
}

/// The packets of one kind, one after the other. The same seed gives the same ones.
pub(crate) struct Source {
    kind: Kind,
    signals: Vec<Signal>,
    chance: Chance,
    sequence: u64,
    /// How much later than planned this packet's values were taken.
    jitter_nanos: i64,
    /// How long it was on its way.
    way_nanos: i64,
}

impl Source {
    pub(crate) fn new(kind: Kind, seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ (u64::from(kind.apid().value()) << 32));
        let signals = kind.sorts().iter().map(|&sort| Signal::new(sort, &mut chance)).collect();
        Self { kind, signals, chance, sequence: 0, jitter_nanos: 0, way_nanos: 0 }
    }

    /// Every signal goes on by one.
    pub(crate) fn go_on(&mut self) {
        self.sequence += 1;
        self.jitter_nanos = self.chance.below(JITTER_NANOS) as i64;
        self.way_nanos = WAY_NANOS + self.chance.below(WAY_NANOS as u64) as i64;
        for signal in &mut self.signals {
            signal.go_on(&mut self.chance);
        }
    }

    /// The values as they are, as numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.signals.iter().map(|signal| signal.number())
    }

    /// When values that were planned for a moment were really taken.
    pub(crate) fn generation(&self, planned: TaiTime) -> TaiTime {
        planned.plus_nanos(self.jitter_nanos)
    }

    /// When their packet is received.
    pub(crate) fn reception(&self, planned: TaiTime) -> ReceptionTime {
        ReceptionTime(self.generation(planned).plus_nanos(self.way_nanos))
    }

    /// The packet that holds the values as they are.
    pub(crate) fn write_packet(&self, planned: TaiTime, packet: &mut Vec<u8>) {
        packet.clear();
        packet.extend_from_slice(&[0; PRIMARY_HEADER_BYTES]);
        packet.extend_from_slice(&cds::encode(self.generation(planned)));
        self.signals.iter().for_each(|signal| signal.append_to(packet));
        debug_assert!(packet.len() <= PACKET_BYTES_MAX, "a kind has few parameters");
        let place_in_sequence = (self.sequence % u64::from(SequenceCount::MODULUS)) as u16;
        let header = PrimaryHeader {
            packet_type: PacketType::Telemetry,
            secondary_header: true,
            apid: self.kind.apid(),
            sequence_flags: SequenceFlags::Unsegmented,
            sequence_count: SequenceCount::try_from(place_in_sequence)
                .expect("a remainder of the modulus is below it"),
            data_length_field: (packet.len() - PRIMARY_HEADER_BYTES - 1) as u16,
        };
        packet[..PRIMARY_HEADER_BYTES].copy_from_slice(&header.encode());
    }
}

#[cfg(test)]
mod tests {
    use mission_database::{DecodedPacket, Dictionary, RawValue};

    use super::*;

    fn number(raw: &RawValue<'_>) -> Option<f64> {
        match raw {
            RawValue::Float(number) => Some(*number),
            RawValue::Unsigned(number) => Some(*number as f64),
            _ => None,
        }
    }

    #[test]
    fn a_packet_decodes_to_its_signals() -> anyhow::Result<()> {
        let dictionary = Dictionary::from_xtce("bench.xml", &dictionary(2))?;
        for kind in [Kind::Many(0), Kind::Many(1), Kind::Yearly] {
            let (mut source, mut packet) = (Source::new(kind, 7), Vec::new());
            for moment in 0..20 {
                source.go_on();
                source.write_packet(TaiTime(moment), &mut packet);
                let mut decoded = DecodedPacket::default();
                dictionary.decode(&packet, &mut decoded)?;
                assert!(!decoded.unresolved);
                let raw: Vec<f64> = decoded.values.iter().filter_map(|value| number(&value.raw)).collect();
                assert_eq!(raw.len(), 1 + kind.parameters());
                // A calibrated one is compared as the packet has it.
                let wanted = source.signals.iter().map(|signal| match signal {
                    Signal::Analogue(value) => f64::from(*value),
                    other => other.number(),
                });
                assert!(raw[1..].iter().copied().eq(wanted), "{kind:?} {raw:?}");
            }
            for place in 0..kind.parameters() {
                assert!(dictionary.find(&kind.parameter_name(place)).is_some(), "{kind:?} {place}");
            }
        }
        Ok(())
    }

    #[test]
    fn analogue_signals_move_by_one_step_and_modes_seldom_change() {
        let mut source = Source::new(Kind::Many(3), 7);
        let (mut before, mut mode_changes) = (Vec::<f64>::new(), 0);
        for _ in 0..4_000 {
            source.go_on();
            let now: Vec<f64> = source.numbers().collect();
            if !before.is_empty() {
                let moved = |place: usize| (now[place] - before[place]).abs();
                assert!((0..8).all(|place| moved(place) <= ANALOGUE_STEP * 1.01));
                mode_changes += (11..15).filter(|&place| moved(place) > 0.0).count();
            }
            before = now;
        }
        assert!((1..40).contains(&mode_changes), "{mode_changes}");
    }

    #[test]
    fn parameters_come_in_whole_packets() {
        assert_eq!(kinds_of(2_000).expect("a hundred kinds"), 100);
        for parameters in [0, 10, 2_010, 40_000] {
            assert!(kinds_of(parameters).is_err(), "{parameters}");
        }
    }
}
