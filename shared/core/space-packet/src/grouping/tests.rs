use proptest::prelude::*;

use super::*;

const WIDE: GroupLimits = GroupLimits { group_bytes_max: 1_000, open_groups_max: 8 };

/// A packet of an APID: its flags as `F`, `C`, `L` or `U`, its count, its bytes.
type Packet = (u16, char, u16, Vec<u8>);

fn header(apid: u16, flags: char, count: u16) -> PrimaryHeader {
    PrimaryHeader {
        packet_type: PacketType::Telemetry,
        secondary_header: false,
        apid: Apid::try_from(apid).expect("in range"),
        sequence_flags: match flags {
            'C' => SequenceFlags::Continuation,
            'F' => SequenceFlags::First,
            'L' => SequenceFlags::Last,
            _ => SequenceFlags::Unsegmented,
        },
        sequence_count: sequence_count(count),
        data_length_field: 0,
    }
}

fn sequence_count(count: u16) -> SequenceCount {
    SequenceCount::try_from(count % SequenceCount::MODULUS).expect("in range")
}

fn grouped(limits: GroupLimits, packets: &[Packet]) -> Vec<Group> {
    let (mut reassembler, mut groups) = (Reassembler::new(limits), Vec::new());
    for (apid, flags, count, data) in packets {
        reassembler.on_packet(&header(*apid, *flags, *count), data, &mut |group| groups.push(group));
        assert!(reassembler.open_groups() <= limits.open_groups_max);
    }
    reassembler.finish(&mut |group| groups.push(group));
    assert_eq!(reassembler.open_groups(), 0);
    groups
}

/// Packets of APID 22 with counts from 100 on, written as `F0 C1 L2`; each carries its count as one byte.
fn packets(text: &str) -> Vec<Packet> {
    let packet = |word: &str| {
        let count = word[1..].parse::<u8>().expect("a count");
        (22, word.chars().next().expect("flags"), 100 + u16::from(count), vec![count])
    };
    text.split_whitespace().map(packet).collect()
}

/// What comes out, each group as its bytes and what is missing.
fn check(text: &str, expected: &[(&[u8], Missing)]) {
    let found: Vec<_> = grouped(WIDE, &packets(text))
        .iter()
        .map(|group| {
            assert_eq!(group.joined().is_some(), group.missing().is_none());
            let bytes: Vec<u8> = group.segments().flat_map(|segment| segment.data).copied().collect();
            assert!(group.joined().is_none_or(|joined| joined == bytes));
            (bytes, group.missing().cloned().unwrap_or_default())
        })
        .collect();
    let expected: Vec<_> =
        expected.iter().map(|(bytes, missing)| (bytes.to_vec(), missing.clone())).collect();
    assert_eq!(found, expected, "{text}");
}

fn nothing() -> Missing {
    Missing::default()
}

fn start() -> Missing {
    Missing { start: true, ..Missing::default() }
}

fn hole(after: u16, before: u16) -> Missing {
    let hole = Hole { after: sequence_count(100 + after), before: sequence_count(100 + before) };
    Missing { holes: vec![hole], ..Missing::default() }
}

fn end(cut: Cut) -> Missing {
    Missing { end: Some(cut), ..Missing::default() }
}

#[test]
fn segments_from_first_to_last_are_joined_and_an_unsegmented_packet_stands_for_itself() {
    check("F0 C1 C2 L3 U4 F5 L6", &[(&[0, 1, 2, 3], nothing()), (&[4], nothing()), (&[5, 6], nothing())]);
}

#[test]
fn a_group_that_lost_a_part_is_kept_and_says_which() {
    check("C7 C8 L9 U10", &[(&[7, 8, 9], start()), (&[10], nothing())]);
    check("F0 C2 L3", &[(&[0, 2, 3], hole(0, 2))]);
    check("F0 C1 F3 L4", &[(&[0, 1], end(Cut::Superseded)), (&[3, 4], nothing())]);
    check("F0 C1 U3", &[(&[0, 1], end(Cut::Superseded)), (&[3], nothing())]);
    check("F0 C1", &[(&[0, 1], end(Cut::StreamEnded))]);
    check("L0", &[(&[0], start())]);
}

#[test]
fn the_end_of_one_group_lost_with_the_start_of_the_next_is_a_hole() {
    check("F0 C1 C5 L6", &[(&[0, 1, 5, 6], hole(1, 5))]);
}

#[test]
fn segments_out_of_order_are_not_joined() {
    let mut missing = hole(0, 2);
    missing.holes.extend([hole(2, 1), hole(1, 3)].into_iter().flat_map(|other| other.holes));
    check("F0 C2 C1 L3", &[(&[0, 2, 1, 3], missing)]);
}

#[test]
fn a_segment_that_comes_twice_is_taken_once_and_counted() {
    let groups = grouped(WIDE, &packets("F0 F0 C1 C1 C1 L2"));
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].joined(), Some(&[0, 1, 2][..]));
    assert_eq!(groups[0].repeated(), 3);
}

#[test]
fn a_count_that_comes_twice_with_other_bytes_is_not_taken_for_a_repetition() {
    let mut twice = packets("F0 C1 C1 L2");
    twice[2].3 = vec![99];
    let groups = grouped(WIDE, &twice);
    assert_eq!(groups[0].segments().len(), 4);
    assert_eq!(groups[0].joined(), None);
}

#[test]
fn counts_go_on_across_their_end() {
    let packets = [(22, 'F', 16_383, vec![1]), (22, 'L', 0, vec![2])];
    assert_eq!(grouped(WIDE, &packets)[0].joined(), Some(&[1, 2][..]));
}

#[test]
fn groups_of_several_apids_grow_beside_each_other() {
    let packets = [(1, 'F', 5, vec![1]), (2, 'F', 9, vec![2]), (1, 'L', 6, vec![3]), (2, 'L', 10, vec![4])];
    let groups = grouped(WIDE, &packets);
    let joined: Vec<_> = groups.iter().map(|group| (group.apid().value(), group.joined())).collect();
    assert_eq!(joined, [(1, Some(&[1, 3][..])), (2, Some(&[2, 4][..]))]);
}

#[test]
fn a_group_that_outgrows_its_limit_is_given_out_and_the_rest_has_no_start() {
    let limits = GroupLimits { group_bytes_max: 2, ..WIDE };
    let groups = grouped(limits, &packets("F0 C1 C2 L3"));
    let missing: Vec<_> = groups.iter().map(|group| group.missing().cloned()).collect();
    assert_eq!(missing, [Some(end(Cut::Overgrown)), Some(start())]);
    assert_eq!(groups[1].segments().len(), 2);
}

#[test]
fn when_too_many_groups_are_open_the_one_that_waited_longest_is_given_out() {
    let limits = GroupLimits { open_groups_max: 2, ..WIDE };
    let packets = [(1, 'F', 0, vec![1]), (2, 'F', 0, vec![2]), (1, 'C', 1, vec![3]), (3, 'F', 0, vec![4])];
    let groups = grouped(limits, &packets);
    assert_eq!(groups[0].apid().value(), 2);
    assert_eq!(groups[0].missing(), Some(&end(Cut::TooManyOpen)));
}

proptest! {
    #[test]
    fn whole_groups_come_out_as_they_were_cut_and_groups_with_losses_are_never_joined(
        sizes in proptest::collection::vec(1usize..6, 1..20),
        lost in proptest::collection::hash_set(0usize..60, 0..10),
        start in 0..SequenceCount::MODULUS,
    ) {
        let mut sent: Vec<(usize, Packet)> = Vec::new();
        for (group, &size) in sizes.iter().enumerate() {
            for nth in 0..size {
                let flags = match (nth, size - 1 - nth) { (0, 0) => 'U', (0, _) => 'F', (_, 0) => 'L', _ => 'C' };
                let count = (start + sent.len() as u16) % SequenceCount::MODULUS;
                sent.push((group, (7, flags, count, vec![sent.len() as u8; 3])));
            }
        }
        let numbered = sent.iter().enumerate();
        let received: Vec<Packet> =
            numbered.filter(|(nth, _)| !lost.contains(nth)).map(|(_, (_, packet))| packet.clone()).collect();
        let groups = grouped(WIDE, &received);
        let whole: Vec<Vec<u8>> = (0..sizes.len())
            .filter(|group| !sent.iter().enumerate().any(|(nth, (of, _))| of == group && lost.contains(&nth)))
            .map(|group| sent.iter().filter(|(of, _)| *of == group).flat_map(|(_, packet)| packet.3.clone()).collect())
            .collect();
        let joined: Vec<Vec<u8>> = groups.iter().filter_map(|group| group.joined().map(<[u8]>::to_vec)).collect();
        prop_assert_eq!(joined, whole);
        let kept: Vec<u8> = groups.iter().flat_map(|group| group.segments().flat_map(|segment| segment.data)).copied().collect();
        let all: Vec<u8> = received.iter().flat_map(|packet| packet.3.clone()).collect();
        prop_assert_eq!(kept, all, "nothing is dropped");
    }

    #[test]
    fn whatever_comes_every_packet_is_in_one_group_and_the_limits_hold(
        packets in proptest::collection::vec(
            (0u16..4, prop::sample::select(vec!['F', 'C', 'L', 'U']), 0u16..20, proptest::collection::vec(any::<u8>(), 1..30)),
            0..200,
        ),
    ) {
        let limits = GroupLimits { group_bytes_max: 64, open_groups_max: 3 };
        let groups = grouped(limits, &packets);
        let packets_out: usize = groups.iter().map(|group| group.segments().len() + group.repeated() as usize).sum();
        prop_assert_eq!(packets_out, packets.len());
        let bytes_max = groups.iter().map(|group| group.segments().map(|segment| segment.data.len()).sum()).max();
        prop_assert!(bytes_max.unwrap_or(0) <= limits.group_bytes_max);
    }
}
