use proptest::prelude::*;

use super::*;
use crate::{Apid, SequenceCount, build_packet};

fn packet(count: u16, data: &[u8]) -> Vec<u8> {
    let apid = Apid::try_from(100).expect("in range");
    build_packet(apid, SequenceCount::try_from(count).expect("in range"), true, data).expect("fits")
}

fn frame(framer: &mut PacketFramer, bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Rejection>) {
    let (mut packets, mut rejections) = (Vec::new(), Vec::new());
    framer.push(bytes);
    while let Some(packet) = framer.next_packet(&mut |rejection| rejections.push(rejection)) {
        packets.push(packet.to_vec());
    }
    (packets, rejections)
}

#[test]
fn several_packets_in_one_segment_come_out_one_by_one() {
    let sent = [packet(0, &[1; 10]), packet(1, &[2]), packet(2, &[3; 300])];
    let (packets, rejections) = frame(&mut PacketFramer::new(PACKET_BYTES_MAX), &sent.concat());
    assert_eq!(packets, sent);
    assert_eq!(rejections, []);
}

#[test]
fn after_garbage_the_stream_is_found_again_and_the_skipped_bytes_are_counted() {
    let (before, after) = (packet(0, &[7; 40]), [packet(1, &[8; 40]), packet(2, &[9; 40])].concat());
    let garbage = [0xFF; 13];
    let stream = [before.as_slice(), &garbage, &after].concat();
    let (packets, rejections) = frame(&mut PacketFramer::new(PACKET_BYTES_MAX), &stream);
    assert_eq!(packets, [before, packet(1, &[8; 40]), packet(2, &[9; 40])]);
    assert_eq!(rejections, [Rejection { cause: RejectionCause::Garbage, bytes: 13 }]);
}

#[test]
fn a_packet_longer_than_the_link_takes_is_rejected_as_oversized() {
    let mut framer = PacketFramer::new(1_000);
    let (packets, rejections) = frame(&mut framer, &packet(0, &[0xFF; 2_000]));
    assert_eq!(packets, Vec::<Vec<u8>>::new());
    assert_eq!(rejections[0], Rejection { cause: RejectionCause::Oversized, bytes: 1 });
}

#[test]
fn a_packet_cut_off_by_silence_is_rejected_as_truncated_and_the_next_one_is_taken() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let (packets, _) = frame(&mut framer, &[0x00, 0x64, 0xC0, 0x00, 0xFF, 0xFF, 1, 2, 3]);
    assert!(packets.is_empty());
    let mut rejections = Vec::new();
    framer.give_up(&mut |rejection| rejections.push(rejection));
    assert_eq!(rejections, [Rejection { cause: RejectionCause::Truncated, bytes: 9 }]);
    let (packets, _) = frame(&mut framer, &packet(3, &[5; 5]));
    assert_eq!(packets.len(), 1);
}

proptest! {
    #[test]
    fn packets_come_out_whole_wherever_the_stream_is_split(
        sizes in proptest::collection::vec(1usize..400, 1..20),
        cuts in proptest::collection::vec(1usize..100, 1..50),
    ) {
        let sent: Vec<_> = sizes.iter().zip(0u16..).map(|(&size, count)| packet(count, &vec![0xA5; size])).collect();
        let stream = sent.concat();
        let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
        let (mut received, mut rest, mut cut) = (Vec::new(), stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let take = (*cut.next().expect("cycles")).min(rest.len());
            let (packets, rejections) = frame(&mut framer, &rest[..take]);
            prop_assert!(rejections.is_empty());
            received.extend(packets);
            rest = &rest[take..];
        }
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn every_byte_is_either_in_a_packet_or_rejected_or_pending(
        bytes in proptest::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let mut framer = PacketFramer::new(500);
        let (packets, mut rejections) = frame(&mut framer, &bytes);
        framer.give_up(&mut |rejection| rejections.push(rejection));
        let taken: usize = packets.iter().map(Vec::len).sum();
        let rejected: u64 = rejections.iter().map(|rejection| rejection.bytes).sum();
        prop_assert_eq!(taken as u64 + rejected, bytes.len() as u64);
    }
}
