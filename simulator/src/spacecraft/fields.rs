//! Writes the fields of a packet bit by bit, with noise and quantisation, and remembers what went in.

use super::labels::Label;
use crate::noise::Noise;

/// What a packet says in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name of the parameter within its space system.
    pub name: &'static str,
    /// What was put in.
    pub value: FieldValue,
}

/// A value on its way into a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// A Boolean.
    Flag(bool),
    /// A whole number, exactly.
    Integer(i64),
    /// A label of an enumeration.
    Label(&'static str),
    /// A measurement, which the packet carries within a tolerance.
    Number {
        /// Before quantisation.
        value: f64,
        /// Half a step of the quantisation, and what rounding adds.
        tolerance: f64,
    },
}

/// A measurement carried as a whole number of steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    bits: u32,
    signed: bool,
    step: f64,
}

impl Linear {
    const fn unsigned(bits: u32, step: f64) -> Self {
        Self { bits, signed: false, step }
    }

    const fn signed(bits: u32, step: f64) -> Self {
        Self { bits, signed: true, step }
    }

    fn range(self) -> (f64, f64) {
        let steps = 2_f64.powi(self.bits as i32);
        let (low, high) = if self.signed { (-steps / 2.0, steps / 2.0 - 1.0) } else { (0.0, steps - 1.0) };
        (low * self.step, high * self.step)
    }
}

/// Voltage in steps of a millivolt.
pub(super) const VOLTAGE: Linear = Linear::unsigned(16, 0.001);
/// Current that flows one way only, in steps of a milliampere.
pub(super) const CURRENT: Linear = Linear::unsigned(16, 0.001);
/// Current that flows both ways, in steps of a milliampere.
pub(super) const SIGNED_CURRENT: Linear = Linear::signed(16, 0.001);
/// Electrical power in steps of 10 mW.
pub(super) const POWER: Linear = Linear::unsigned(16, 0.01);
/// Radio-frequency power in steps of a milliwatt.
pub(super) const RADIO_POWER: Linear = Linear::unsigned(16, 0.001);
/// Share of a whole in steps of a hundredth of a percent.
pub(super) const PERCENTAGE: Linear = Linear::unsigned(16, 0.01);
/// Temperature from a platinum sensor in steps of 10 mK.
pub(super) const FINE_TEMPERATURE: Linear = Linear::signed(16, 0.01);
/// Angle between -180 and 180 degrees in steps of 0.01 degree.
pub(super) const ANGLE: Linear = Linear::signed(16, 0.01);
/// Ratio on a logarithmic scale.
pub(super) const DECIBEL: Linear = Linear::signed(16, 0.01);
/// Angle between where the body points and where it should.
pub(super) const POINTING_ERROR: Linear = Linear::unsigned(16, 0.005);
/// Speed of a reaction wheel in steps of a quarter turn a minute.
pub(super) const WHEEL_SPEED: Linear = Linear::signed(16, 0.25);
/// Torque of a reaction wheel.
pub(super) const WHEEL_TORQUE: Linear = Linear::signed(16, 1e-05);
/// Angular momentum.
pub(super) const MOMENTUM: Linear = Linear::unsigned(16, 0.0001);
/// Magnetic dipole of a torquer.
pub(super) const DIPOLE: Linear = Linear::signed(16, 0.01);
/// Cosine of an angle.
pub(super) const COSINE: Linear = Linear::signed(16, 0.0001);
/// Magnetic flux density.
pub(super) const MAGNETIC_FIELD: Linear = Linear::signed(16, 0.002);
/// Rate measured by a gyroscope.
pub(super) const GYRO_RATE: Linear = Linear::signed(24, 1e-05);
/// Geographic latitude or longitude.
pub(super) const GEOGRAPHIC_ANGLE: Linear = Linear::signed(32, 1e-07);
/// Height above the ellipsoid.
pub(super) const ALTITUDE: Linear = Linear::unsigned(16, 0.02);
/// Power of a received signal.
pub(super) const SIGNAL_STRENGTH: Linear = Linear::signed(16, 0.01);
/// Amount of data in a second.
pub(super) const DATA_RATE: Linear = Linear::unsigned(16, 0.01);

/// The thermistors' curve: degrees Celsius by powers of the 12-bit reading.
const THERMISTOR: [f64; 3] = [-60.0, 0.05, -2.5e-6];
const THERMISTOR_BITS: u32 = 12;

/// The data of one packet in the making.
pub(super) struct Fields {
    bytes: Vec<u8>,
    bits_free: u32,
    noise: Noise,
    noise_factor: f64,
    channel: u64,
    moment: u64,
    fields: Vec<Field>,
}

impl Fields {
    /// Begins after `head` (the secondary header). Channel and moment choose the noise.
    pub(super) fn new(head: &[u8], noise: Noise, noise_factor: f64, channel: u64, moment: u64) -> Self {
        Self { bytes: head.to_vec(), bits_free: 0, noise, noise_factor, channel, moment, fields: Vec::new() }
    }

    /// The data field of the packet, and what was put in.
    pub(super) fn finish(self) -> (Vec<u8>, Vec<Field>) {
        (self.bytes, self.fields)
    }

    pub(super) fn flag(&mut self, name: &'static str, value: bool) {
        self.push(1, u32::from(value));
        self.remember(name, FieldValue::Flag(value));
    }

    pub(super) fn label(&mut self, name: &'static str, bits: u32, value: impl Label) {
        self.push(bits, value.raw());
        self.remember(name, FieldValue::Label(value.label()));
    }

    /// A counter: what does not fit its bits is cut off, as on board.
    pub(super) fn count(&mut self, name: &'static str, bits: u32, value: u32) {
        let value = value & mask(bits);
        self.push(bits, value);
        self.remember(name, FieldValue::Integer(i64::from(value)));
    }

    /// A signed number, held at the ends of its range.
    pub(super) fn signed(&mut self, name: &'static str, bits: u32, value: i32) {
        let highest = (mask(bits) >> 1) as i32;
        let value = value.clamp(-highest - 1, highest);
        self.push(bits, value as u32 & mask(bits));
        self.remember(name, FieldValue::Integer(i64::from(value)));
    }

    /// A measurement with noise of a deviation, held at the ends of its range.
    pub(super) fn measured(&mut self, name: &'static str, quantity: Linear, value: f64, deviation: f64) {
        let (low, high) = quantity.range();
        let value = (value + self.next_noise() * deviation).clamp(low, high);
        let steps = (value / quantity.step).round() as i64;
        self.push(quantity.bits, steps as u32 & mask(quantity.bits));
        self.remember(name, FieldValue::Number { value, tolerance: quantity.step * 0.500_001 });
    }

    /// A temperature through a thermistor's curve.
    pub(super) fn temperature(&mut self, name: &'static str, celsius: f64, deviation: f64) {
        let [offset, slope, bend] = THERMISTOR;
        let highest = f64::from(mask(THERMISTOR_BITS));
        let hottest = offset + slope * highest + bend * highest * highest;
        let value = (celsius + self.next_noise() * deviation).clamp(offset, hottest);
        let root = (slope * slope - 4.0 * bend * (offset - value)).sqrt();
        let reading = ((root - slope) / (2.0 * bend)).round();
        self.push(THERMISTOR_BITS, reading as u32);
        self.remember(name, FieldValue::Number { value, tolerance: slope * 0.51 });
    }

    /// A number of 32 bits.
    pub(super) fn float(&mut self, name: &'static str, value: f64, deviation: f64) {
        let value = value + self.next_noise() * deviation;
        self.push(32, (value as f32).to_bits());
        let tolerance = value.abs() * f64::from(f32::EPSILON) + f64::from(f32::MIN_POSITIVE);
        self.remember(name, FieldValue::Number { value, tolerance });
    }

    fn next_noise(&mut self) -> f64 {
        let channel = self.channel << 8 | self.fields.len() as u64;
        self.noise.gaussian(channel, self.moment) * self.noise_factor
    }

    fn remember(&mut self, name: &'static str, value: FieldValue) {
        self.fields.push(Field { name, value });
    }

    /// Appends the low `bits` of a value, highest first.
    fn push(&mut self, bits: u32, value: u32) {
        for bit in (0..bits).rev() {
            if self.bits_free == 0 {
                self.bytes.push(0);
                self.bits_free = 8;
            }
            self.bits_free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.bits_free;
            }
        }
    }
}

fn mask(bits: u32) -> u32 {
    u32::MAX >> (32 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields::new(&[], Noise::new(1), 0.0, 0, 0)
    }

    #[test]
    fn fields_follow_each_other_without_gaps() {
        let mut fields = fields();
        fields.count("a", 3, 0b101);
        fields.flag("b", true);
        fields.signed("c", 12, -2);
        assert_eq!(fields.finish().0, [0b1011_1111, 0b1111_1110]);
    }

    #[test]
    fn a_measurement_beyond_its_range_is_held_at_the_end() {
        let mut fields = fields();
        fields.measured("low", VOLTAGE, -1.0, 0.0);
        fields.measured("high", VOLTAGE, 1e9, 0.0);
        assert_eq!(fields.finish().0, [0, 0, 0xFF, 0xFF]);
    }

    #[test]
    fn a_temperature_takes_the_reading_whose_curve_comes_back_to_it() {
        for celsius in [-60.0, -20.0, 0.0, 24.7, 90.0] {
            let mut fields = fields();
            fields.temperature("t", celsius, 0.0);
            fields.count("filler", 4, 0);
            let bytes = fields.finish().0;
            let reading = f64::from(u16::from_be_bytes([bytes[0], bytes[1]]) >> 4);
            let back = THERMISTOR[0] + THERMISTOR[1] * reading + THERMISTOR[2] * reading * reading;
            assert!((back - celsius).abs() <= 0.0255, "{celsius} came back as {back}");
        }
    }
}
