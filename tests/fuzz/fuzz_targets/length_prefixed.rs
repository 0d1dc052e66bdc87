//! A TCP stream of packets behind their lengths, split anywhere.
#![no_main]

use intake::Records;
use intake::framing::{Framer, StreamFraming};
use libfuzzer_sys::fuzz_target;

const PACKET_BYTES_MAX: usize = 1_024;

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let whole = framed(stream, stream.len());
    assert_eq!(framed(stream, usize::from(piece)), whole);
});

/// All packets of a stream that comes in pieces.
fn framed(stream: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut framer = Framer::new(StreamFraming::LengthPrefixed, PACKET_BYTES_MAX);
    let mut packets = Vec::new();
    for bytes in stream.chunks(piece.max(1)) {
        let found = framer.frame(bytes);
        for records in found.records {
            if let Records::Packets { bytes, ends } = records {
                packets.extend(intake::packets(&bytes, &ends).map(<[u8]>::to_vec));
            }
        }
        if found.lost.is_some() {
            break;
        }
        assert!(framer.pending_bytes() <= PACKET_BYTES_MAX + 4 + bytes.len());
    }
    packets
}
