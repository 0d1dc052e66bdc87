//! Packets made beforehand, so that making them costs the machine nothing while it is measured.

use anyhow::Context;
use simulator::load::packet;
use space_packet::{Apid, PRIMARY_HEADER_BYTES, PrimaryHeader, SequenceCount, TaiTime};

/// Length of every packet.
pub(super) const PACKET_BYTES: usize = 92;
/// Parameters in every packet, by the load mission's dictionary.
pub(super) const PARAMETERS: usize = 20;
/// After so many packets sequence counts begin anew, and so does the ring: it goes on for ever in sequence.
const TURN: u64 = SequenceCount::MODULUS as u64;
const PREFIX_BYTES: usize = 4;

/// A turn of one APID's packets, and some of the next turn, so that every request is one piece.
pub(super) struct Ring {
    bytes: Vec<u8>,
    stride: usize,
}

impl Ring {
    /// The packets of an APID, each behind its length if wished, for requests of up to `request_max`.
    pub(super) fn new(
        apid: Apid,
        is_prefixed: bool,
        request_max: usize,
        first: TaiTime,
    ) -> anyhow::Result<Self> {
        let stride = PACKET_BYTES + if is_prefixed { PREFIX_BYTES } else { 0 };
        let count = TURN + request_max as u64;
        let mut bytes = Vec::with_capacity(count as usize * stride);
        for number in 0..count {
            let serial = number % TURN;
            let time = first.plus_nanos(serial as i64 * 10_000);
            let mut made = packet(1, serial, PACKET_BYTES, time);
            let header = PrimaryHeader { apid, ..PrimaryHeader::parse(&made)? };
            let head = made.first_chunk_mut::<PRIMARY_HEADER_BYTES>().context("a packet has a header")?;
            *head = header.encode();
            if is_prefixed {
                bytes.extend_from_slice(&(PACKET_BYTES as u32).to_be_bytes());
            }
            bytes.extend_from_slice(&made);
        }
        Ok(Self { bytes, stride })
    }

    /// The bytes of so many packets from a serial on.
    pub(super) fn request(&self, serial: u64, packets: usize) -> &[u8] {
        let start = (serial % TURN) as usize * self.stride;
        &self.bytes[start..start + packets * self.stride]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_in_sequence_over_the_end_of_a_turn() {
        let apid = Apid::try_from(7).expect("in range");
        let ring = Ring::new(apid, true, 100, TaiTime(0)).expect("made");
        let mut expected = 16_350_u16;
        for first in [16_350, 16_400] {
            for prefixed in ring.request(first, 50).chunks(PACKET_BYTES + PREFIX_BYTES) {
                let header = PrimaryHeader::parse(&prefixed[PREFIX_BYTES..]).expect("a packet");
                assert_eq!((header.apid, header.sequence_count.value()), (apid, expected));
                expected = (expected + 1) % SequenceCount::MODULUS;
            }
        }
    }
}
