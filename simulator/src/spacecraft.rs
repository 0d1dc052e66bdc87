//! The demo spacecraft: a pure and deterministic body whose packets are those of `demo/demo-spacecraft.xml`.
//!
//! The same seed and epoch give the same bytes. It keeps nothing back: a packet nobody listened to is gone,
//! as with a real-time downlink, and only its sequence count tells.

mod attitude;
mod body;
mod communications;
mod computer;
mod fault;
mod fields;
pub mod labels;
mod packets;
mod payload;
mod power;
mod rotation;
mod thermal;

use std::collections::BTreeMap;

use space_packet::{Apid, GenerationTime, SequenceCount, TaiTime, build_packet, time::cds};

use self::{body::Body, fields::Fields, packets::KINDS};
pub use self::{
    fault::{Fault, UnknownFault},
    fields::{Field, FieldValue},
};
use crate::{noise::Noise, orbit::OrbitState};

/// The dictionary of the spacecraft's packets, as XTCE.
pub const DICTIONARY: &str = include_str!("../demo/demo-spacecraft.xml");

const STEP_NANOS: i64 = 250_000_000;
/// Packets of one step follow each other at this distance, as a downlink makes them.
const PACKET_SPACING_NANOS: i64 = 3_000_000;
/// The attitude packets, which `sensor-noise` concerns.
const NOISY_APIDS: std::ops::RangeInclusive<u16> = 110..=112;
const NOISE_FACTOR: f64 = 40.0;

/// One packet as it leaves the spacecraft.
#[derive(Clone, Debug, PartialEq)]
pub struct SpacecraftPacket {
    /// Container of the dictionary, with its space system: `Power/PowerBus`.
    pub container: &'static str,
    /// The time in its secondary header, before that was cut to microseconds.
    pub time: GenerationTime,
    /// The packet.
    pub bytes: Vec<u8>,
    /// What was put in, in the order of the container: what a decoder must find.
    pub fields: Vec<Field>,
}

/// The demo spacecraft.
pub struct Spacecraft {
    body: Body,
    epoch: TaiTime,
    noise: Noise,
    sequence_counts: BTreeMap<Apid, SequenceCount>,
    faults: Vec<(Fault, TaiTime)>,
}

impl Spacecraft {
    /// A healthy spacecraft at a moment.
    pub fn new(seed: u64, epoch: TaiTime) -> Self {
        Self {
            body: Body::new(seed, epoch),
            epoch,
            noise: Noise::new(seed),
            sequence_counts: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Lets a fault begin at a moment.
    pub fn inject(&mut self, fault: Fault, from: TaiTime) {
        self.faults.push((fault, from));
    }

    /// How far it has lived.
    pub fn now(&self) -> TaiTime {
        self.step_time(self.body.tick)
    }

    /// Where it is.
    pub fn orbit_state(&self) -> OrbitState {
        self.body.surroundings.orbit
    }

    /// Whether the Sun shines on it.
    pub fn is_sunlit(&self) -> bool {
        self.body.surroundings.sunlit
    }

    /// Lives until `now` with nobody listening: the packets of that time are made and gone.
    pub fn advance_to(&mut self, now: TaiTime) {
        while self.step_time(self.body.tick + 1) <= now {
            self.step(&mut |_| {});
        }
    }

    /// Lives until `now`, and returns what it sent meanwhile, in order. Call it often: what comes back grows
    /// by about twelve packets for each second lived.
    pub fn telemetry_due(&mut self, now: TaiTime) -> Vec<SpacecraftPacket> {
        let mut due = Vec::new();
        while self.step_time(self.body.tick + 1) <= now {
            self.step(&mut |packet| due.push(packet));
        }
        due
    }

    fn step_time(&self, tick: u64) -> TaiTime {
        self.epoch.plus_nanos(i64::try_from(tick).unwrap_or(i64::MAX).saturating_mul(STEP_NANOS))
    }

    fn step(&mut self, send: &mut impl FnMut(SpacecraftPacket)) {
        let time = self.step_time(self.body.tick + 1);
        for &(fault, from) in self.faults.iter().filter(|(_, from)| *from <= time) {
            self.body.faults.on_elapsed(fault, time.seconds_since(from));
        }
        self.body.step(time);
        let tick = self.body.tick;
        let mut sent = 0;
        for kind in KINDS.iter().filter(|kind| tick % kind.period == kind.phase % kind.period) {
            send(self.packet(kind.container, kind.apid, sent, |body, fields| (kind.fill)(body, fields)));
            sent += 1;
        }
        for event in self.body.take_events() {
            send(self.packet(packets::EVENT_CONTAINER, packets::EVENT_APID, sent, |_, fields| {
                packets::event(&event, fields);
            }));
            sent += 1;
        }
    }

    /// Makes the packet that is the `place`-th of this step.
    fn packet(
        &mut self,
        container: &'static str,
        apid: u16,
        place: u32,
        fill: impl FnOnce(&Body, &mut Fields),
    ) -> SpacecraftPacket {
        let time = self.now().plus_nanos(i64::from(place) * PACKET_SPACING_NANOS);
        let noisy = self.body.faults.is_on(Fault::SensorNoise) && NOISY_APIDS.contains(&apid);
        let noise_factor = if noisy { NOISE_FACTOR } else { 1.0 };
        let mut fields =
            Fields::new(&cds::encode(time), self.noise, noise_factor, u64::from(apid), self.body.tick);
        fill(&self.body, &mut fields);
        let (data, fields) = fields.finish();
        let apid = Apid::try_from(apid).expect("the APIDs in `packets` are below 2048");
        let sequence_count = self.sequence_counts.entry(apid).or_default();
        let bytes = build_packet(apid, *sequence_count, true, &data)
            .expect("the data begin with a time code and end below a hundred bytes");
        *sequence_count = sequence_count.next();
        self.body.computer.packets = self.body.computer.packets.wrapping_add(1);
        SpacecraftPacket { container, time: GenerationTime(time), bytes, fields }
    }
}

#[cfg(test)]
mod tests;
