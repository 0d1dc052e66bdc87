//! Missions made for measuring: a dictionary, and packets that fit it.

use anyhow::ensure;
use mission_database::{DecodedPacket, Dictionary};
use space_packet::{Apid, SequenceCount, build_packet};

use super::document::{Document, Encoding, HEADER_PARAMETERS};

/// Day 23109 since 1958, half past nine: 2021-04-09T09:30:00Z in CDS with microseconds.
const TIME: [u8; 8] = [0x5A, 0x45, 0x02, 0x09, 0xDA, 0xC0, 0, 0];

/// Positions from 1,000 to 9,000 are within all limits; each severity begins a step further out.
const NORMAL_LOW: i32 = 1_000;
const NORMAL_HIGH: i32 = 9_000;
const SEVERITY_STEP: i32 = 100;
const SEVERITIES: [&str; 5] = ["Watch", "Warning", "Distress", "Critical", "Severe"];
/// One value of so many violates its limits.
const VIOLATION_EVERY: u32 = 100;

/// A dictionary and packets for it.
#[derive(Debug)]
pub(crate) struct Mission {
    /// The dictionary.
    pub(crate) xtce: String,
    /// Packets, of all kinds in turn.
    pub(crate) packets: Vec<Vec<u8>>,
    /// Values of the headers and of all parameters.
    pub(super) values_per_packet: usize,
    /// About what share of values, those of the headers aside, violates limits.
    violations: f64,
}

/// How large a generated mission is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Kinds of packets, each with its APID.
    pub(crate) kinds: u16,
    /// Parameters of each kind, 32 bits each; those of the headers come on top.
    pub(crate) parameters: u32,
}

impl Mission {
    /// Packets with parameters of 32 bits: half of them are integers, a third of these with a polynomial, the others
    /// are IEEE 754 floats. Each has a type of its own with limits of all five severities.
    pub(super) fn of_extent(extent: Extent, packets: usize) -> Self {
        let mut document = Document::new();
        for apid in 0..extent.kinds {
            for number in extent.numbers(apid) {
                Parameter::new(number).declare(&mut document);
            }
            document.end_container(apid);
        }
        let mut chance = Chance(7);
        let packet = |serial: usize| {
            let apid = (serial % usize::from(extent.kinds)) as u16;
            let fields = extent.numbers(apid).map(|number| Parameter::new(number).field(chance.position()));
            packet(apid, &fields.flat_map(u32::to_be_bytes).collect::<Vec<u8>>())
        };
        Mission {
            xtce: document.finish(),
            packets: (0..packets).map(packet).collect(),
            values_per_packet: HEADER_PARAMETERS + extent.parameters as usize,
            violations: 1.0 / f64::from(VIOLATION_EVERY),
        }
    }

    /// The same mission; each kind comes so often, and from one time to the next a share of its bytes changes.
    pub(crate) fn repeating(extent: Extent, repeats: usize, changing: f64) -> Self {
        let mut mission = Self::of_extent(extent, usize::from(extent.kinds));
        let mut chance = Chance(11);
        for serial in mission.packets.len()..repeats * usize::from(extent.kinds) {
            let before = &mission.packets[serial - usize::from(extent.kinds)];
            let apid = (serial % usize::from(extent.kinds)) as u16;
            let fields = before.len() - 4 * extent.parameters as usize;
            let (mut next, mut left) = (before.clone(), (before.len() - fields) as f64 * changing);
            while left >= 1.0 {
                let place = chance.below(extent.parameters);
                let at = fields + 4 * place as usize..fields + 4 * (place as usize + 1);
                // One that changed already stays: changed once more it would be counted twice.
                if next[at.clone()] != before[at.clone()] {
                    continue;
                }
                let number = extent.numbers(apid).start + place;
                let field = Parameter::new(number).field(chance.position()).to_be_bytes();
                left -=
                    before[at.clone()].iter().zip(field).filter(|(old, new)| **old != *new).count() as f64;
                next[at].copy_from_slice(&field);
            }
            mission.packets.push(next);
        }
        mission
    }

    /// As many values, of the same sizes, as the attitude packets of JPSS-1 have; without limits, as there.
    pub(super) fn small(packets: usize) -> Self {
        let times = |number: u32| {
            [("DAY", 16), ("MSEC", 32), ("USEC", 16)].map(|(name, bits)| (format!("{name}_{number}"), bits))
        };
        let mut document = Document::new();
        let mut integer = |(name, bits): (String, u32)| {
            document.parameter(&name, "Integer", &Encoding::Unsigned { bits }, &[]);
        };
        integer(("ID".to_owned(), 8));
        times(1).into_iter().for_each(&mut integer);
        times(2).into_iter().for_each(&mut integer);
        for number in 0..10 {
            document.parameter(&format!("FLOAT_{number}"), "Float", &Encoding::Float { bits: 32 }, &[]);
        }
        document.end_container(0);
        let mut chance = Chance(7);
        // Bytes below 64 make no float that is not a number.
        let packet = |_| packet(0, &(0..57).map(|_| chance.below(64) as u8).collect::<Vec<u8>>());
        Mission {
            xtce: document.finish(),
            packets: (0..packets).map(packet).collect(),
            values_per_packet: HEADER_PARAMETERS + 17,
            violations: 0.0,
        }
    }

    /// Compiles the dictionary.
    pub(super) fn load(&self) -> anyhow::Result<Dictionary> {
        Ok(Dictionary::from_xtce("bench.xml", &self.xtce)?)
    }

    /// Fails unless every packet decodes to as many values and violations as it should: what is not decoded is
    /// decoded fast.
    pub(super) fn check(&self, dictionary: &Dictionary) -> anyhow::Result<()> {
        let mut decoded = DecodedPacket::default();
        let mut violations = 0;
        for packet in &self.packets {
            dictionary.decode(packet, &mut decoded)?;
            ensure!(!decoded.unresolved, "a packet is of no known kind");
            ensure!(decoded.values.len() == self.values_per_packet, "{} values", decoded.values.len());
            violations += decoded.values.iter().filter(|value| value.monitoring.is_violation()).count();
        }
        let parameters = self.packets.len() * (self.values_per_packet - HEADER_PARAMETERS);
        let share = violations as f64 / parameters as f64;
        ensure!(
            (share - self.violations).abs() <= self.violations / 2.0,
            "{share} of the values violate limits"
        );
        Ok(())
    }
}

impl Extent {
    /// All parameters but those of the headers.
    pub(super) fn all_parameters(self) -> usize {
        usize::from(self.kinds) * self.parameters as usize
    }

    /// Full name of a parameter of a kind.
    pub(crate) fn parameter_name(self, apid: u16, place: u32) -> String {
        format!("/BENCH/P{}", self.numbers(apid).start + place)
    }

    fn numbers(self, apid: u16) -> std::ops::Range<u32> {
        let first = u32::from(apid) * self.parameters;
        first..first + self.parameters
    }
}

/// What a parameter of 32 bits is, by its number.
struct Parameter {
    number: u32,
    coding: Coding,
}

#[derive(Clone, Copy)]
enum Coding {
    Calibrated,
    Float,
    Signed,
    Unsigned,
}

impl Parameter {
    fn new(number: u32) -> Self {
        let coding = match number % 6 {
            0 => Coding::Calibrated,
            2 => Coding::Signed,
            4 => Coding::Unsigned,
            _ => Coding::Float,
        };
        Parameter { number, coding }
    }

    fn coefficients(&self) -> [f64; 3] {
        [f64::from(self.number) / 1_000.0 - 50.0, 0.02, 1e-6]
    }

    fn declare(&self, document: &mut Document) {
        let bits = 32;
        let coefficients = self.coefficients();
        let (kind, encoding) = match self.coding {
            Coding::Calibrated => {
                ("Float", Encoding::UnsignedCalibrated { bits, coefficients: &coefficients })
            }
            Coding::Float => ("Float", Encoding::Float { bits }),
            Coding::Signed => ("Integer", Encoding::Signed { bits }),
            Coding::Unsigned => ("Integer", Encoding::Unsigned { bits }),
        };
        let mut steps = 0..;
        let limits = SEVERITIES.map(|severity| {
            let outward = steps.next().unwrap_or(0) * SEVERITY_STEP;
            let range = [NORMAL_LOW - outward, NORMAL_HIGH + outward].map(|end| self.engineering(end));
            (severity, range[0], range[1])
        });
        document.parameter(&format!("P{}", self.number), kind, &encoding, &limits);
    }

    /// Other ones for each parameter, and so other limits: a dictionary that shares equal ones gains nothing.
    fn engineering(&self, position: i32) -> f64 {
        let x = f64::from(position);
        let shift = f64::from(self.number % 64);
        match self.coding {
            Coding::Calibrated => {
                let [constant, linear, square] = self.coefficients();
                constant + linear * x + square * x * x
            }
            Coding::Float => x / 64.0 + shift,
            Coding::Signed => x - 5_000.0 + shift,
            Coding::Unsigned => x + shift,
        }
    }

    /// The bits that say a position.
    fn field(&self, position: i32) -> u32 {
        match self.coding {
            Coding::Calibrated => position as u32,
            Coding::Float => (self.engineering(position) as f32).to_bits(),
            Coding::Signed => self.engineering(position) as i32 as u32,
            Coding::Unsigned => self.engineering(position) as u32,
        }
    }
}

fn packet(apid: u16, fields: &[u8]) -> Vec<u8> {
    let apid = Apid::try_from(apid).expect("a mission has fewer kinds than there are APIDs");
    let data = [TIME.as_slice(), fields].concat();
    build_packet(apid, SequenceCount::default(), true, &data).expect("a packet carries so much")
}

/// Chance that is the same in every run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % u64::from(bound)) as u32
    }

    /// Mostly a normal one, else one in the middle of a severity.
    fn position(&mut self) -> i32 {
        if self.below(VIOLATION_EVERY) == 0 {
            let severity = self.below(SEVERITIES.len() as u32) as i32;
            return NORMAL_HIGH + severity * SEVERITY_STEP + SEVERITY_STEP / 2;
        }
        NORMAL_LOW + self.below((NORMAL_HIGH - NORMAL_LOW) as u32) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_packets_fit_their_dictionary_and_few_values_violate_limits() -> anyhow::Result<()> {
        let mission = Mission::of_extent(Extent { kinds: 3, parameters: 50 }, 200);
        let dictionary = mission.load()?;
        assert_eq!(dictionary.parameters().len(), 150 + HEADER_PARAMETERS);
        mission.check(&dictionary)
    }

    #[test]
    fn a_tenth_of_the_bytes_changes_from_one_repeat_to_the_next() -> anyhow::Result<()> {
        let extent = Extent { kinds: 3, parameters: 369 };
        let mission = Mission::repeating(extent, 20, 0.1);
        let dictionary = mission.load()?;
        mission.check(&dictionary)?;
        assert_eq!(mission.packets.len(), 60);
        assert!(dictionary.find(&extent.parameter_name(2, 368)).is_some());
        for (before, after) in mission.packets.iter().zip(&mission.packets[3..]) {
            let changed = before.iter().zip(after).filter(|(before, after)| before != after).count();
            let share = changed as f64 / (4.0 * 369.0);
            assert!((0.099..0.103).contains(&share), "{share}");
        }
        Ok(())
    }

    #[test]
    fn small_packets_are_as_large_as_those_of_jpss() -> anyhow::Result<()> {
        let mission = Mission::small(10);
        assert_eq!((mission.values_per_packet, mission.packets[0].len()), (27, 71));
        mission.check(&mission.load()?)
    }
}
