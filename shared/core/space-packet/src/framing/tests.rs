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
    while let Some(packet) = framer.next_packet(&mut |rejection, _| rejections.push(rejection)) {
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
    let (packets, rejections) = finish(&mut framer);
    assert!(packets.is_empty());
    assert_eq!(rejections, [Rejection { cause: RejectionCause::Truncated, bytes: 9 }]);
    let (packets, _) = frame(&mut framer, &packet(3, &[5; 5]));
    assert_eq!(packets.len(), 1);
}

/// Gives up until nothing is pending, as at the end of a stream.
fn finish(framer: &mut PacketFramer) -> (Vec<Vec<u8>>, Vec<Rejection>) {
    let (mut packets, mut rejections) = (Vec::new(), Vec::new());
    while framer.pending_bytes() > 0 {
        framer.give_up(&mut |rejection, _| rejections.push(rejection));
        let (found, rejected) = frame(framer, &[]);
        packets.extend(found);
        rejections.extend(rejected);
    }
    (packets, rejections)
}

/// Packets of 92 bytes whose data look like headers.
fn good(counts: std::ops::Range<u16>) -> Vec<Vec<u8>> {
    counts.map(|count| packet(count, &[1; 86])).collect()
}

/// One of them, and its length field says 65,542 bytes.
fn lying(count: u16) -> Vec<u8> {
    let mut bytes = packet(count, &[1; 86]);
    bytes[4..6].fill(0xFF);
    bytes
}

#[test]
fn packets_behind_a_lying_length_come_out_when_it_is_given_up() {
    for learnt in [0, 5] {
        let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
        let (before, behind) = (good(0..learnt), good(learnt + 1..learnt + 301));
        let (mut packets, _) = frame(&mut framer, &before.concat());
        let stream = [lying(learnt), behind.concat(), packet(9_999, &[1; 86])[..50].to_vec()].concat();
        packets.extend(frame(&mut framer, &stream).0);
        assert_eq!(packets, before);
        let mut rejections = Vec::new();
        framer.give_up(&mut |rejection, _| rejections.push(rejection));
        let (found, rejected) = frame(&mut framer, &[]);
        rejections.extend(rejected);
        assert_eq!(found, behind, "with {learnt} packets before");
        assert_eq!(rejections, [Rejection { cause: RejectionCause::Truncated, bytes: 92 }]);
        assert_eq!(framer.pending_bytes(), 50);
        let (found, _) =
            frame(&mut framer, &[packet(9_999, &[1; 86])[50..].to_vec(), good(400..401).concat()].concat());
        assert_eq!(found.len(), 2, "and the one that was not whole is waited for");
    }
}

#[test]
fn a_lying_length_that_is_filled_up_costs_nothing_on_a_link_that_is_known() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let stream = [good(0..3).concat(), lying(3), good(4..1_004).concat()].concat();
    let (packets, rejections) = frame(&mut framer, &stream);
    assert_eq!(packets, [good(0..3), good(4..1_004)].concat());
    assert_eq!(rejections, [Rejection { cause: RejectionCause::Garbage, bytes: 92 }]);
}

#[test]
fn a_lying_length_at_the_very_beginning_is_left_behind_with_what_it_swallowed() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let (packets, _) = frame(&mut framer, &[lying(0), good(1..1_001).concat()].concat());
    assert_eq!(packets[0].len(), PACKET_BYTES_MAX);
    // 711.5 packets are inside of it.
    assert!(packets[1..] == good(713..1_001), "{} packets", packets.len());
}

#[test]
fn in_synchronisation_no_packet_waits_for_its_successor_new_or_not() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    for (apid, size) in [(1, 20), (1, 20), (2, 20), (1, 33), (3, 4_000), (4, 1)] {
        let apid = Apid::try_from(apid).expect("in range");
        let sent = build_packet(apid, SequenceCount::default(), false, &vec![0xAA; size]).expect("fits");
        let (packets, rejections) = frame(&mut framer, &sent);
        assert_eq!((packets, rejections), (vec![sent], Vec::new()));
    }
}

#[test]
fn a_packet_that_carries_packets_of_its_link_stays_whole() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let apid = Apid::try_from(7).expect("in range");
    let file = good(0..20).concat();
    let chunk = |count: u16, bytes: &[u8]| {
        build_packet(apid, SequenceCount::try_from(count).expect("in range"), false, bytes).expect("fits")
    };
    let sent =
        [good(100..103), vec![chunk(0, &file[..1_000]), chunk(1, &file[1_000..])], good(103..105)].concat();
    let (packets, rejections) = frame(&mut framer, &sent.concat());
    assert_eq!((packets, rejections), (sent, Vec::new()));
}

#[test]
fn on_a_link_that_carries_something_else_now_the_packets_are_found_again() {
    let mut framer = PacketFramer::new(2_000);
    let (known, _) = frame(&mut framer, &good(0..10).concat());
    assert_eq!(known.len(), 10);
    let apid = Apid::try_from(9).expect("in range");
    let other: Vec<_> = (0..200)
        .map(|count| {
            build_packet(apid, SequenceCount::try_from(count).expect("in range"), true, &[0xCC; 1_000])
        })
        .map(|built| built.expect("fits"))
        .collect();
    let (packets, _) = frame(&mut framer, &[vec![0xFF; 20], other.concat()].concat());
    assert!(packets.len() > 50, "{}", packets.len());
    assert_eq!(packets.last(), other.last());
}

#[test]
fn packets_of_changing_length_are_found_again_by_who_sends_them() {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let changing = |counts: std::ops::Range<u16>| {
        counts.map(|count| packet(count, &vec![1; 40 + usize::from(count) * 7]))
    };
    let _ = frame(&mut framer, &changing(0..10).collect::<Vec<_>>().concat());
    let sent: Vec<_> = changing(20..30).collect();
    let (mut packets, _) = frame(&mut framer, &[vec![0xFF; 20], sent.concat()].concat());
    packets.extend(finish(&mut framer).0);
    assert_eq!(packets, sent);
}

#[test]
fn what_is_kept_is_bounded_by_a_packet_and_a_push_whatever_comes() {
    let mut framer = PacketFramer::new(1_000);
    let bytes: Vec<u8> =
        (0..200_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 27) as u8).collect();
    for part in bytes.chunks(100) {
        let _ = frame(&mut framer, part);
        assert!(framer.pending_bytes() <= 1_000 + 100 + PRIMARY_HEADER_BYTES, "{}", framer.pending_bytes());
    }
}

proptest! {
    #[test]
    fn garbage_between_known_packets_costs_none_of_them(
        sizes in proptest::collection::vec(1usize..80, 1..4),
        garbage in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..20),
    ) {
        let make = |count: usize| packet(count as u16, &vec![0xA5; sizes[count % sizes.len()]]);
        let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
        let mut sent: Vec<_> = (0..sizes.len() * 2).map(make).collect();
        let mut stream = sent.concat();
        let (mut at_garbage, mut at_packets) = (Vec::new(), Vec::new());
        for (nth, garbage) in garbage.iter().enumerate() {
            at_garbage.push(stream.len());
            stream.extend_from_slice(garbage);
            at_packets.push(stream.len());
            sent.push(make(sizes.len() * 2 + nth));
            stream.extend_from_slice(sent.last().expect("just pushed"));
        }
        // Garbage may by accident be a header with the right length: that of a link that just began to carry it.
        for at in at_garbage {
            let end = PrimaryHeader::parse(&stream[at..]).map_or(0, |header| at + header.packet_bytes());
            let left = stream.len().checked_sub(end);
            prop_assume!(!at_packets.contains(&end) && left.is_none_or(|left| left >= PRIMARY_HEADER_BYTES));
        }
        let (mut packets, _) = frame(&mut framer, &stream);
        packets.extend(finish(&mut framer).0);
        let good: Vec<_> = packets.iter().filter(|packet| sent.contains(packet)).cloned().collect();
        prop_assert_eq!(good, sent);
    }

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
        let (mut packets, mut rejections) = frame(&mut framer, &bytes);
        let pending = framer.pending_bytes();
        let accounted = |packets: &[Vec<u8>], rejections: &[Rejection]| {
            packets.iter().map(Vec::len).sum::<usize>() as u64
                + rejections.iter().map(|rejection| rejection.bytes).sum::<u64>()
        };
        // A run of garbage is told when it ends.
        prop_assert!(accounted(&packets, &rejections) + pending as u64 <= bytes.len() as u64);
        let (found, rejected) = finish(&mut framer);
        packets.extend(found);
        rejections.extend(rejected);
        prop_assert_eq!(accounted(&packets, &rejections), bytes.len() as u64);
    }
}
