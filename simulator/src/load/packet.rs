//! One load packet: made from its serial alone, so that any copy of it can be checked.
//!
//! After the primary header: CDS time (8 bytes), serial (8), run (4), eight measurements of 16 bits, filler.
//! Half of the filler repeats and half does not, as in telemetry: it compresses, but not to nothing.

use space_packet::{Apid, PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES, PacketType, PrimaryHeader, SequenceCount};
use space_packet::{SequenceFlags, TaiTime, time::cds};

const TIME_BYTES: usize = 8;
const SERIAL_AT: usize = PRIMARY_HEADER_BYTES + TIME_BYTES;
const RUN_AT: usize = SERIAL_AT + 8;
const CONTENT_AT: usize = RUN_AT + 4;
const MEASUREMENTS: u64 = 8;

/// Bytes of the shortest load packet: everything but filler.
pub const PACKET_BYTES_MIN: usize = CONTENT_AT + 2 * MEASUREMENTS as usize;

/// A load packet of APID 1000; the length is held between [`PACKET_BYTES_MIN`] and the standard's 65,542.
pub fn packet(run_id: u32, serial: u64, length: usize, time: TaiTime) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length.clamp(PACKET_BYTES_MIN, PACKET_BYTES_MAX));
    append_packet(&mut bytes, default_apid(), run_id, serial, length, time);
    bytes
}

pub(super) fn default_apid() -> Apid {
    Apid::try_from(1_000).expect("1000 is below 2048")
}

/// Run and serial of a packet that is long enough to be a load packet.
pub fn serial_of(packet: &[u8]) -> Option<(u32, u64)> {
    let header = PrimaryHeader::parse(packet).ok()?;
    if !header.secondary_header || packet.len() < PACKET_BYTES_MIN || packet.len() != header.packet_bytes() {
        return None;
    }
    let serial = u64::from_be_bytes(*packet[SERIAL_AT..].first_chunk()?);
    let run_id = u32::from_be_bytes(*packet[RUN_AT..].first_chunk()?);
    Some((run_id, serial))
}

/// Whether a packet holds exactly what its serial says, from the run on.
pub fn is_intact(packet: &[u8]) -> bool {
    let Some((_, serial)) = serial_of(packet) else {
        return false;
    };
    let mut content = Vec::with_capacity(packet.len());
    append_content(&mut content, serial, packet.len() - CONTENT_AT);
    content == packet[CONTENT_AT..]
}

pub(super) fn append_packet(
    to: &mut Vec<u8>,
    apid: Apid,
    run_id: u32,
    serial: u64,
    length: usize,
    time: TaiTime,
) {
    let length = length.clamp(PACKET_BYTES_MIN, PACKET_BYTES_MAX);
    let place_in_sequence = (serial % u64::from(SequenceCount::MODULUS)) as u16;
    let header = PrimaryHeader {
        packet_type: PacketType::Telemetry,
        secondary_header: true,
        apid,
        sequence_flags: SequenceFlags::Unsegmented,
        sequence_count: SequenceCount::try_from(place_in_sequence)
            .expect("a remainder of the modulus is below it"),
        data_length_field: (length - PRIMARY_HEADER_BYTES - 1) as u16,
    };
    to.extend_from_slice(&header.encode());
    to.extend_from_slice(&cds::encode(time));
    to.extend_from_slice(&serial.to_be_bytes());
    to.extend_from_slice(&run_id.to_be_bytes());
    append_content(to, serial, length - CONTENT_AT);
}

fn append_content(to: &mut Vec<u8>, serial: u64, length: usize) {
    let end = to.len() + length;
    for measurement in 0..MEASUREMENTS {
        to.extend_from_slice(&triangle(serial, measurement).to_be_bytes());
    }
    let mut word = serial;
    while to.len() < end {
        word = word.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        let scattered = (word >> 32) as u32;
        let repeated = (serial >> 12) as u32;
        let left = end - to.len();
        let eight = u64::from(scattered) << 32 | u64::from(repeated);
        to.extend_from_slice(&eight.to_be_bytes()[..left.min(8)]);
    }
}

/// A wave over the serial, slower with each measurement, with one bit of noise.
fn triangle(serial: u64, measurement: u64) -> u16 {
    let half_period = 2_000 << measurement;
    let place = serial % (2 * half_period);
    let height = if place < half_period { place } else { 2 * half_period - place };
    let noise = serial.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (63 - measurement) & 1;
    (4_000 + height * 24_000 / half_period + noise) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn run_and_serial_come_back_from_a_packet(
            run_id: u32, serial: u64, length in 0..2_000_usize, nanos in 0..4_000_000_000_000_000_000_i64,
        ) {
            let bytes = packet(run_id, serial, length, TaiTime(nanos));
            prop_assert_eq!(bytes.len(), length.max(PACKET_BYTES_MIN));
            prop_assert_eq!(serial_of(&bytes), Some((run_id, serial)));
            prop_assert!(is_intact(&bytes));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = (serial_of(&bytes), is_intact(&bytes));
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let mut bytes = packet(1, 42, 92, TaiTime(0));
        bytes[80] ^= 1;
        assert!(!is_intact(&bytes));
    }
}
