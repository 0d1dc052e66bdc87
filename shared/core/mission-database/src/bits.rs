//! Integers from any bit of a packet, and what their bits mean.

/// How the bits of an integer say its sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IntegerCoding {
    /// Four bits a decimal digit.
    BinaryCodedDecimal,
    OnesComplement,
    SignMagnitude,
    TwosComplement,
    Unsigned,
}

/// How the bits of a float say its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FloatCoding {
    /// IEEE 754: 16, 32 or 64 bits.
    Ieee754,
    /// MIL-STD-1750A: 32 or 48 bits.
    MilStd1750A,
}

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ByteOrder {
    LeastSignificantFirst,
    /// Significance of each byte in the order they stand, 0 for the least.
    Listed([u8; 8]),
    MostSignificantFirst,
}

/// The `count` (1 to 64) bits from `offset` on, the most significant first. The caller checked that they are
/// there.
#[inline]
pub(crate) fn read(packet: &[u8], offset: usize, count: u32) -> u64 {
    let first = offset / 8;
    let skipped = (offset % 8) as u32;
    if skipped == 0 {
        match count {
            8 => return u64::from(packet[first]),
            16 => return u64::from(u16::from_be_bytes([packet[first], packet[first + 1]])),
            32 => {
                if let Some(bytes) = packet[first..].first_chunk::<4>() {
                    return u64::from(u32::from_be_bytes(*bytes));
                }
            }
            _ => {}
        }
    }
    match packet[first..].first_chunk::<8>() {
        Some(window) if skipped + count <= 64 => (u64::from_be_bytes(*window) << skipped) >> (64 - count),
        _ => read_bytewise(packet, offset, count),
    }
}

/// For fields in the last bytes of a packet, and those that touch nine bytes.
fn read_bytewise(packet: &[u8], offset: usize, count: u32) -> u64 {
    let end = offset + count as usize;
    let bytes = &packet[offset / 8..end.div_ceil(8)];
    let joined = bytes.iter().fold(0_u128, |joined, byte| joined << 8 | u128::from(*byte));
    let shifted = joined >> (end.div_ceil(8) * 8 - end);
    shifted as u64 & (u64::MAX >> (64 - count))
}

/// Puts the bytes of a number of `count` bits, read most significant first, into their order.
#[inline]
pub(crate) fn reorder(value: u64, count: u32, order: ByteOrder) -> u64 {
    match order {
        ByteOrder::LeastSignificantFirst => value.swap_bytes() >> (64 - count),
        ByteOrder::Listed(significance) => {
            let standing = (value << (64 - count)).to_be_bytes();
            let bytes = standing.iter().zip(significance).take(count as usize / 8);
            bytes.fold(0, |joined, (byte, significance)| joined | u64::from(*byte) << (8 * significance))
        }
        ByteOrder::MostSignificantFirst => value,
    }
}

/// What a number of `count` bits in a signed encoding means. Both zeros of the two older encodings are 0.
#[inline]
pub(crate) fn signed(value: u64, count: u32, sign: IntegerCoding) -> i64 {
    let is_negative = value >> (count - 1) & 1 == 1;
    let magnitude_mask = (u64::MAX >> (64 - count)) >> 1;
    match sign {
        IntegerCoding::OnesComplement if is_negative => -((!value & magnitude_mask) as i64),
        IntegerCoding::SignMagnitude if is_negative => -((value & magnitude_mask) as i64),
        IntegerCoding::TwosComplement => ((value << (64 - count)) as i64) >> (64 - count),
        _ => value as i64,
    }
}

/// The number that four bits a digit say, `None` when one of them is no decimal digit.
pub(crate) fn decimal(value: u64) -> Option<u64> {
    let mut digits = (0..16).rev().map(|place| value >> (4 * place) & 0xF);
    digits.try_fold(0, |sum, digit| (digit <= 9).then_some(sum * 10 + digit))
}

/// A float of so many bits.
#[inline]
pub(crate) fn float(value: u64, count: u32, coding: FloatCoding) -> f64 {
    match (coding, count) {
        (FloatCoding::Ieee754, 16) => half(value as u16),
        (FloatCoding::Ieee754, 32) => f64::from(f32::from_bits(value as u32)),
        (FloatCoding::Ieee754, _) => f64::from_bits(value),
        (FloatCoding::MilStd1750A, _) => mil_std_1750a(value, count),
    }
}

/// MIL-STD-1750A, 4.1.5 and 4.1.6: a fraction in two's complement of 24 bits, an exponent in two's complement of 8,
/// and in the extended form 16 more bits of the fraction behind them. Every one fits into an `f64`.
fn mil_std_1750a(value: u64, count: u32) -> f64 {
    let more_bits = count - 32;
    let exponent = (value >> more_bits) as u8 as i8;
    let fraction_bits = 24 + more_bits;
    let joined = value >> (more_bits + 8) << more_bits | value & ((1 << more_bits) - 1);
    let fraction = signed(joined, fraction_bits, IntegerCoding::TwosComplement);
    fraction as f64 * 2_f64.powi(i32::from(exponent) - (fraction_bits as i32 - 1))
}

/// Five bits of exponent, ten of fraction; an `f64` holds every one exactly.
fn half(value: u16) -> f64 {
    let sign = if value >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(value & 0x3FF);
    match value >> 10 & 0x1F {
        0 => sign * fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f64.powi(i32::from(exponent) - 15),
    }
}

/// Whole bytes from any bit on; a last broken byte is filled up with zero bits.
pub(crate) fn bytes(packet: &[u8], offset: usize, count: usize) -> Vec<u8> {
    let byte = |start: usize| {
        let taken = (count - start).min(8) as u32;
        (read(packet, offset + start, taken) << (8 - taken)) as u8
    };
    (0..count).step_by(8).map(byte).collect()
}
