//! A made-up mission: kinds of packets with fields of every sort, and when they come.

use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet, time::cds};

use super::{Arrivals, later};
use crate::chance::Chance;

/// 1 January 2024, TAI.
const BEGIN_NANOS: i64 = 1_704_067_237_000_000_000;
const YEAR_NANOS: u64 = 31_557_600_000_000_000;
/// Nothing is made in between.
const STEP_NANOS: u64 = 250_000_000;

/// How a packet says when it was made.
#[derive(Clone, Copy)]
enum TimeCode {
    /// Days, milliseconds, microseconds: 8 bytes.
    Cds,
    /// Days and milliseconds: 6 bytes.
    CdsShort,
    /// Seconds since 1980 and a binary fraction of so many bytes.
    Cuc(usize),
    None,
}

/// What a packet has to say in one place.
enum Field {
    /// A big-endian reading of an analogue quantity: 2 bytes, of which so many bits are used.
    Analog {
        bits: u32,
        value: f64,
        drift: f64,
        noise: f64,
    },
    /// Two readings of 12 bits in 3 bytes.
    Thermistors {
        values: [f64; 2],
    },
    Float {
        value: f64,
        drift: f64,
        noise: f64,
    },
    Double {
        value: f64,
        drift: f64,
    },
    Counter {
        bytes: usize,
        value: u64,
        step: u64,
    },
    /// Switches and modes that seldom change.
    Flags {
        value: u8,
    },
    /// Spare bytes.
    Filler {
        bytes: usize,
        byte: u8,
    },
}

struct Kind {
    apid: Apid,
    sequence: SequenceCount,
    fields: Vec<Field>,
    /// Every so many steps, and in which of them.
    period: u64,
    phase: u64,
}

pub(super) struct Mission {
    time_code: TimeCode,
    kinds: Vec<Kind>,
    begin: i64,
    step: u64,
    /// Records of the steps so far that were not asked for yet.
    waiting: Arrivals,
}

impl Mission {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let time_code = *chance.of(&[
            TimeCode::Cds,
            TimeCode::Cds,
            TimeCode::CdsShort,
            TimeCode::Cuc(2),
            TimeCode::Cuc(3),
            TimeCode::None,
        ]);
        let count = 1 + chance.below(14);
        let first_apid = chance.below(1_900);
        let kinds = (0..count)
            .map(|place| Kind::new(chance, (first_apid + place * (1 + place % 3)) as u16))
            .collect();
        let begin = BEGIN_NANOS + chance.below(12 * YEAR_NANOS) as i64;
        Self { time_code, kinds, begin, step: chance.below(100_000), waiting: Vec::new() }
    }

    pub(super) fn now(&self) -> ReceptionTime {
        ReceptionTime(TaiTime(self.begin + (self.step * STEP_NANOS) as i64))
    }

    /// What arrives next: so many, or fewer when they come together with no more.
    pub(super) fn arrivals(&mut self, chance: &mut Chance, count: usize) -> Arrivals {
        while self.waiting.len() < count {
            self.step += 1;
            let mut reception = later(self.now(), chance.below(9_000_000));
            for kind in &mut self.kinds {
                if self.step % kind.period == kind.phase {
                    let made = self.begin + (self.step * STEP_NANOS) as i64;
                    self.waiting.push((reception, kind.packet(chance, self.time_code, TaiTime(made))));
                    // Several in one read of a socket, or one after the other.
                    if chance.once_in(2) {
                        reception = later(reception, chance.below(3_000_000));
                    }
                }
            }
        }
        self.waiting.drain(..count).collect()
    }
}

impl Kind {
    fn new(chance: &mut Chance, apid: u16) -> Self {
        let count = 3 + chance.below(30);
        let similar = chance.once_in(3).then(|| chance.below(7));
        let fields = (0..count).map(|_| {
            let sort = similar.unwrap_or_else(|| chance.below(7));
            Field::new(chance, sort)
        });
        let fields = fields.collect();
        let period = *chance.of(&[1, 2, 4, 4, 4, 8, 20, 40]);
        let sequence = SequenceCount::try_from(chance.below(u64::from(SequenceCount::MODULUS)) as u16)
            .expect("below the modulus");
        let apid = Apid::try_from(apid).expect("below 2,048");
        Self { apid, sequence, fields, period, phase: chance.below(period) }
    }

    fn packet(&mut self, chance: &mut Chance, time_code: TimeCode, made: TaiTime) -> Vec<u8> {
        let mut data = time_code.encode(made);
        self.fields.iter_mut().for_each(|field| field.append(chance, &mut data));
        let has_time = !matches!(time_code, TimeCode::None);
        let packet = build_packet(self.apid, self.sequence, has_time, &data);
        self.sequence = self.sequence.next();
        packet.expect("a few hundred bytes fit")
    }
}

impl TimeCode {
    fn encode(self, time: TaiTime) -> Vec<u8> {
        let code = cds::encode(time);
        match self {
            Self::Cds => code.to_vec(),
            Self::CdsShort => code[..6].to_vec(),
            Self::Cuc(fraction_bytes) => {
                const SINCE_1980_NANOS: i64 = 315_964_819_000_000_000;
                let nanos = (time.0 - SINCE_1980_NANOS) as u64;
                let fraction = ((nanos % 1_000_000_000) << 24) / 1_000_000_000;
                let seconds = ((nanos / 1_000_000_000) as u32).to_be_bytes();
                [&seconds, &(fraction as u32).to_be_bytes()[1..1 + fraction_bytes]].concat()
            }
            Self::None => Vec::new(),
        }
    }
}

impl Field {
    fn new(chance: &mut Chance, sort: u64) -> Self {
        match sort {
            0 => {
                let bits = *chance.of(&[10, 12, 14, 16]);
                let value = chance.below(1 << bits) as f64;
                let noise = chance.deviation().powi(4) * 30.0;
                Self::Analog { bits, value, drift: chance.deviation().powi(3) * 5.0, noise }
            }
            1 => Self::Thermistors {
                values: [1_500.0 + chance.deviation() * 500.0, 1_500.0 + chance.deviation() * 500.0],
            },
            2 => {
                let value = chance.deviation() * 10_f64.powi(chance.below(6) as i32 - 2);
                Self::Float { value, drift: value * 1e-3 * chance.deviation(), noise: value * 1e-4 }
            }
            3 => {
                let value = chance.deviation() * 10_f64.powi(chance.below(8) as i32);
                Self::Double { value, drift: value * 1e-3 * chance.deviation() }
            }
            4 => {
                let bytes = *chance.of(&[1, 2, 4, 4]);
                let value = chance.next() >> *chance.of(&[44, 52, 56, 60]);
                Self::Counter { bytes, value, step: *chance.of(&[0, 0, 1, 1, 4]) }
            }
            5 => Self::Flags { value: *chance.of(&[0, 0, 1, 2, 3, 4, 7, 8, 15, 16, 0x3F, 0x80, 0xC0, 0xFF]) },
            _ => Self::Filler {
                bytes: 1 + chance.below(6) as usize,
                byte: *chance.of(&[0, 0, 0, 0, 0xFF, 0x55]),
            },
        }
    }

    fn append(&mut self, chance: &mut Chance, out: &mut Vec<u8>) {
        match self {
            Self::Analog { bits, value, drift, noise } => {
                let highest = f64::from((1_u32 << *bits) - 1);
                *value = (*value + *drift).clamp(0.0, highest);
                let reading = (*value + *noise * chance.deviation()).clamp(0.0, highest);
                out.extend((reading.round() as u16).to_be_bytes());
            }
            Self::Thermistors { values } => {
                let [first, second] = values.each_mut().map(|value| {
                    *value = (*value + chance.deviation()).clamp(0.0, 4_095.0);
                    value.round() as u32
                });
                out.extend_from_slice(&(first << 12 | second).to_be_bytes()[1..]);
            }
            Self::Float { value, drift, noise } => {
                *value += *drift;
                out.extend(((*value + *noise * chance.deviation()) as f32).to_be_bytes());
            }
            Self::Double { value, drift } => {
                *value += *drift;
                out.extend(value.to_be_bytes());
            }
            Self::Counter { bytes, value, step } => {
                *value = value.wrapping_add(*step);
                out.extend_from_slice(&value.to_be_bytes()[8 - *bytes..]);
            }
            Self::Flags { value } => {
                if chance.once_in(50) {
                    *value ^= 1 << chance.below(8);
                }
                out.push(*value);
            }
            Self::Filler { bytes, byte } => out.resize(out.len() + *bytes, *byte),
        }
    }
}
