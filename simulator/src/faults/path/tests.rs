use proptest::prelude::*;

use super::*;
use crate::faults::{Bursts, FaultProfile};

const DRAWS: usize = 100_000;

fn path(seed: u64) -> Path {
    Path::new(seed, 0, Direction::ToUpstream)
}

fn rate(bits_per_s: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(bits_per_s)
}

/// The fates of datagrams of 1,000 bytes, a millisecond apart.
fn fates(seed: u64, client: u64, direction: Direction, faults: &DirectionFaults, count: usize) -> Vec<Fate> {
    let mut path = Path::new(seed, client, direction);
    (0..count).map(|place| path.on_datagram(faults, 1_000, Duration::from_millis(place as u64))).collect()
}

fn share(fates: &[Fate], counts: impl Fn(&Fate) -> bool) -> f64 {
    fates.iter().filter(|fate| counts(fate)).count() as f64 / fates.len() as f64 * 100.0
}

/// Everything at once, of any strength.
fn any_faults() -> impl Strategy<Value = DirectionFaults> {
    let percent = || 0.0..100.0;
    let bursts = proptest::option::of((percent(), percent(), percent()));
    let millis = || (0_u64..500).prop_map(Duration::from_millis);
    let times = (millis(), millis(), millis());
    let percents = (percent(), percent(), percent(), percent());
    (times, percents, bursts, proptest::option::of(1_000_u64..10_000_000), 0_u64..100_000).prop_map(
        |((delay, jitter, reorder_by), (loss, duplicate, reorder, corrupt), bursts, bits, queue_bytes)| {
            DirectionFaults {
                delay,
                jitter,
                loss_percent: loss,
                bursts: bursts.map(|(enter_percent, leave_percent, loss_percent)| Bursts {
                    enter_percent,
                    leave_percent,
                    loss_percent,
                }),
                duplicate_percent: duplicate,
                reorder_percent: reorder,
                reorder_by,
                corrupt_percent: corrupt,
                rate_bits_per_s: bits.and_then(NonZeroU64::new),
                queue_bytes,
            }
        },
    )
}

/// Datagrams by their length and the time since the one before.
fn any_traffic() -> impl Strategy<Value = Vec<(usize, Duration)>> {
    proptest::collection::vec((0_usize..2_000, (0_u64..20_000).prop_map(Duration::from_micros)), 1..300)
}

/// The most bytes due within any second that begins as one of them is through, which therefore counts not.
fn most_in_a_second(mut sent: Vec<(Duration, usize)>) -> u64 {
    sent.sort_unstable();
    let after = |begin: Duration| {
        let within =
            |due: &Duration| (begin + Duration::from_nanos(1)..=begin + Duration::from_secs(1)).contains(due);
        sent.iter().filter(|(due, _)| within(due)).map(|(_, bytes)| *bytes as u64).sum()
    };
    sent.iter().map(|(due, _)| after(*due)).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn the_same_seed_has_the_same_fates(
        faults in any_faults(), traffic in any_traffic(), seed: u64, client in 0_u64..5_000,
    ) {
        let fates = || {
            let (mut path, mut now) = (Path::new(seed, client, Direction::ToClient), Duration::ZERO);
            let fates: Vec<Fate> = traffic.iter().map(|(bytes, gap)| {
                now += *gap;
                path.on_datagram(&faults, *bytes, now)
            }).collect();
            fates
        };
        prop_assert_eq!(fates(), fates());
    }

    #[test]
    fn the_rate_is_never_exceeded_over_any_second(
        bits_per_s in 8_000_u64..2_000_000, duplicate_percent in 0.0..100.0, traffic in any_traffic(),
        stream: bool,
    ) {
        let faults = DirectionFaults {
            delay: Duration::from_millis(70),
            duplicate_percent,
            rate_bits_per_s: rate(bits_per_s),
            queue_bytes: 1 << 20,
            ..DirectionFaults::default()
        };
        let (mut path, mut now, mut sent) = (path(7), Duration::ZERO, Vec::new());
        for (bytes, gap) in traffic {
            now += gap;
            let fate = if stream {
                Fate::Passed(path.on_chunk(&faults, bytes, now))
            } else {
                path.on_datagram(&faults, bytes, now)
            };
            if let Fate::Passed(passage) = fate {
                sent.push((passage.due, bytes));
                sent.extend(passage.copy_due.map(|due| (due, bytes)));
            }
        }
        prop_assert!(most_in_a_second(sent) * 8 <= bits_per_s);
    }

    #[test]
    fn nothing_arrives_before_its_delay_or_with_a_bit_it_does_not_have(
        faults in any_faults(), traffic in any_traffic(), seed: u64,
    ) {
        let (mut path, mut now) = (path(seed), Duration::ZERO);
        for (bytes, gap) in traffic {
            now += gap;
            if let Fate::Passed(passage) = path.on_datagram(&faults, bytes, now) {
                let earliest = now + faults.delay;
                prop_assert!(passage.due >= earliest && passage.copy_due.is_none_or(|due| due >= earliest));
                prop_assert!(passage.flipped_bit.is_none_or(|bit| bit < bytes * 8));
            }
        }
    }

    #[test]
    fn chunks_of_a_stream_all_arrive_in_order(
        faults in any_faults(), traffic in any_traffic(), seed: u64,
    ) {
        let (mut path, mut now, mut last) = (path(seed), Duration::ZERO, Duration::ZERO);
        for (bytes, gap) in traffic {
            now += gap;
            let passage = path.on_chunk(&faults, bytes, now);
            prop_assert!(passage.due >= last && passage.due >= now + faults.delay);
            prop_assert_eq!((passage.copy_due, passage.flipped_bit), (None, None));
            last = passage.due;
        }
    }

    #[test]
    fn a_queue_holds_what_it_is_given_and_no_more(queue_bytes in 2_000_u64..50_000, count in 1_usize..200) {
        let faults =
            DirectionFaults { rate_bits_per_s: rate(64_000), queue_bytes, ..DirectionFaults::default() };
        let mut path = path(7);
        let passed =
            (0..count).filter(|_| path.on_datagram(&faults, 1_000, Duration::ZERO) != Fate::Dropped(Cause::QueueFull));
        prop_assert_eq!(passed.count(), count.min((queue_bytes / 1_000) as usize));
    }
}

#[test]
fn clients_directions_and_seeds_have_fates_of_their_own() {
    let faults = DirectionFaults { loss_percent: 50.0, ..DirectionFaults::default() };
    let of = |seed, client, direction| fates(seed, client, direction, &faults, 200);
    let one = of(7, 0, Direction::ToClient);
    assert_ne!(one, of(8, 0, Direction::ToClient));
    assert_ne!(one, of(7, 1, Direction::ToClient));
    assert_ne!(one, of(7, 0, Direction::ToUpstream));
}

#[test]
fn a_fault_that_is_turned_on_leaves_the_others_as_they_were() {
    let lossy = DirectionFaults { loss_percent: 30.0, ..DirectionFaults::default() };
    let worse = DirectionFaults { duplicate_percent: 50.0, corrupt_percent: 50.0, ..lossy.clone() };
    let lost = |faults| {
        let fates = fates(7, 0, Direction::ToClient, faults, 1_000);
        fates.iter().map(|fate| matches!(fate, Fate::Dropped(_))).collect::<Vec<_>>()
    };
    assert_eq!(lost(&lossy), lost(&worse));
}

#[test]
fn what_is_asked_for_in_percent_is_what_happens() {
    let check = |asked: f64, faults: DirectionFaults, counts: fn(&Fate) -> bool| {
        for seed in 1..=3 {
            let found = share(&fates(seed, 0, Direction::ToUpstream, &faults, DRAWS), counts);
            // Four standard deviations; nothing and everything are exact.
            let tolerance = 4.0 * (asked * (100.0 - asked) / DRAWS as f64).sqrt();
            assert!((found - asked).abs() <= tolerance, "{found} % for {asked} % with seed {seed}");
        }
    };
    for asked in [0.0, 0.1, 2.0, 5.0, 50.0, 100.0] {
        let clean = DirectionFaults::default();
        check(asked, DirectionFaults { loss_percent: asked, ..clean.clone() }, |fate| {
            *fate == Fate::Dropped(Cause::Loss)
        });
        check(
            asked,
            DirectionFaults { duplicate_percent: asked, ..clean.clone() },
            |fate| matches!(fate, Fate::Passed(passage) if passage.copy_due.is_some()),
        );
        check(
            asked,
            DirectionFaults { reorder_percent: asked, ..clean.clone() },
            |fate| matches!(fate, Fate::Passed(passage) if passage.held_back),
        );
        check(
            asked,
            DirectionFaults { corrupt_percent: asked, ..clean },
            |fate| matches!(fate, Fate::Passed(passage) if passage.flipped_bit.is_some()),
        );
    }
}

#[test]
fn bursts_have_the_share_and_the_length_that_were_asked_for() {
    let bursts = Bursts { enter_percent: 1.0, leave_percent: 20.0, loss_percent: 100.0 };
    let faults = DirectionFaults { bursts: Some(bursts), ..DirectionFaults::default() };
    let fates = fates(7, 0, Direction::ToUpstream, &faults, DRAWS);
    let lost = share(&fates, |fate| *fate == Fate::Dropped(Cause::Burst));
    // One in 21 datagrams lies in a burst: 1 / (1 + 20).
    assert!((4.3..5.2).contains(&lost), "{lost} %");
    let runs = fates.windows(2).filter(|pair| pair[0] != pair[1] && matches!(pair[1], Fate::Dropped(_)));
    let bursts = runs.filter(|pair| matches!(pair[0], Fate::Passed(_))).count();
    let mean = lost / 100.0 * DRAWS as f64 / bursts as f64;
    assert!((4.6..5.4).contains(&mean), "{mean} datagrams a burst where 5 were asked for");
}

#[test]
fn jitter_lets_datagrams_overtake_and_chunks_not() {
    let faults = FaultProfile::lossy().to_upstream;
    let dues: Vec<Duration> = fates(7, 0, Direction::ToUpstream, &faults, 1_000)
        .into_iter()
        .filter_map(|fate| if let Fate::Passed(passage) = fate { Some(passage.due) } else { None })
        .collect();
    assert!(!dues.is_sorted());
}

#[test]
fn one_that_is_held_back_is_overtaken_by_those_of_its_time() {
    let late = DirectionFaults {
        reorder_percent: 100.0,
        reorder_by: Duration::from_millis(30),
        ..DirectionFaults::default()
    };
    let mut path = path(7);
    let Fate::Passed(first) = path.on_datagram(&late, 100, Duration::ZERO) else { panic!("nothing is lost") };
    let Fate::Passed(second) = path.on_datagram(&DirectionFaults::default(), 100, Duration::from_millis(10))
    else {
        panic!("nothing is lost")
    };
    assert_eq!((first.due, second.due), (Duration::from_millis(30), Duration::from_millis(10)));
}

#[test]
fn a_stream_is_read_again_when_the_queue_has_room() {
    let faults =
        DirectionFaults { rate_bits_per_s: rate(8_000), queue_bytes: 2_000, ..DirectionFaults::default() };
    let mut path = path(7);
    let idle = path.next_room(&faults);
    assert_eq!(idle, Duration::ZERO);
    // 5 s of the rate, of which 2 may wait.
    path.on_chunk(&faults, 5_000, Duration::ZERO);
    assert_eq!(path.next_room(&faults), Duration::from_secs(3));
    assert_eq!(path.next_room(&DirectionFaults::default()), Duration::ZERO);
}

#[test]
fn a_loss_in_a_stream_costs_a_retransmission() {
    let lossy = DirectionFaults {
        delay: Duration::from_millis(300),
        loss_percent: 100.0,
        ..DirectionFaults::default()
    };
    let passage = path(7).on_chunk(&lossy, 100, Duration::ZERO);
    assert!(passage.held_back);
    assert_eq!(passage.due, Duration::from_millis(300 + 200 + 600));
}
