//! The archive beside a list: whatever comes in whatever order, is cut, merged and read back after a crash, each question
//! is answered as a list of all samples would answer it: by the hub that leads and by one that follows.

use std::sync::Arc;

use cloud_hub::archive::{Archive, Follower, Width, cut_now, merge_due, verify};
use delivery::{BatchBuilder, Lane, Position, SealedBatch, Way};
use processing::{Buckets, Hour, RangeAnswer, RangeQuery, Wanted};
use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet, time::cds};
use tokio_util::sync::CancellationToken;

use crate::archive::with_open_session;
use crate::world::{BEGINNING, OpenedLane, STORE, World, take_in};

const MILLISECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600_000 * MILLISECOND;
const STEPS: usize = 60;

/// SplitMix64: the same seed tells the same story.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A sample as the list has it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Listed {
    time: i64,
    number: f64,
}

struct Story {
    world: World,
    lane: OpenedLane,
    archive: Arc<Archive>,
    /// Of a hub that follows.
    beside: (Arc<Archive>, Follower),
    chance: Chance,
    position: Option<Position>,
    list: Vec<Listed>,
    /// Where live data have come to.
    now: i64,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let (world, lane) = with_open_session().await;
        let archive = world.archive().await;
        let beside = world.follower(usize::MAX).await;
        let (chance, now) = (Chance(seed), BEGINNING + 700 * HOUR);
        Self { world, lane, archive, beside, chance, position: None, list: Vec::new(), now }
    }

    fn batch(&mut self, way: Way) -> SealedBatch {
        let mut builder = BatchBuilder::new("test", "link");
        for _ in 0..=self.chance.below(30) {
            let time = match way {
                // Some come twice at one moment, some after hours of silence.
                Way::Live => {
                    self.now += match self.chance.below(20) {
                        0 => 0,
                        1 => self.chance.below(90) as i64 * HOUR,
                        _ => self.chance.below(100_000) as i64 * MILLISECOND,
                    };
                    self.now
                }
                _ => self.now - self.chance.below(1_500 * 3_600_000) as i64 * MILLISECOND,
            };
            let number = self.chance.below(1 << 31) as u32;
            let mut data = cds::encode(TaiTime(time)).to_vec();
            data.extend(number.to_be_bytes());
            let apid = Apid::try_from(7).expect("in range");
            let packet = build_packet(apid, SequenceCount::default(), true, &data).expect("fits");
            builder.push(ReceptionTime(TaiTime(self.now)), &packet);
            self.list.push(Listed { time, number: f64::from(number) });
        }
        let before = self.position.unwrap_or(Position::start(STORE, Lane::Telemetry));
        let batch = builder.pack().expect("some records").seal(Lane::Telemetry, &before);
        self.position = Some(batch.position());
        batch
    }

    async fn step(&mut self) {
        match self.chance.below(22) {
            0..6 => self.receive(Way::Live).await,
            6..9 => self.receive(Way::Backfill).await,
            9..16 => cut_now(&self.archive, &self.world.database).await.expect("cut"),
            16..18 => self.merge().await,
            // As after a kill: what is in memory is gone.
            18..20 => self.archive = self.world.archive().await,
            20 => self.beside = self.world.follower(usize::MAX).await,
            _ => self.take_over().await,
        }
        if self.chance.below(2) == 0 {
            self.beside.1.catch_up().await.expect("reads");
        }
    }

    /// The hub that follows leads from now on, and another one follows.
    async fn take_over(&mut self) {
        let (archive, mut follower) =
            std::mem::replace(&mut self.beside, self.world.follower(usize::MAX).await);
        follower.catch_up().await.expect("reads");
        archive.rebuild(&self.world.database, usize::MAX).await.expect("reads");
        self.archive = archive;
    }

    async fn receive(&mut self, way: Way) {
        let batch = self.batch(way);
        self.world.way = way;
        let committed =
            self.world.commit(self.lane.key, self.lane.session, &[batch]).await.expect("committed");
        take_in(&self.archive, &committed);
    }

    async fn merge(&mut self) {
        let never = CancellationToken::new();
        while merge_due(&self.archive, &self.world.database, &never).await.expect("merges") > 0 {}
    }

    async fn ask(&self, archive: &Arc<Archive>, (from, to): (i64, i64), wanted: Wanted) -> RangeAnswer {
        let parameter = self.world.parameter();
        let query = RangeQuery { parameter, from: TaiTime(from), to: TaiTime(to), wanted, reading: None };
        archive.range(&self.world.database, 0, query).await.expect("answers")
    }

    fn listed(&self, (from, to): (i64, i64)) -> Vec<Listed> {
        let mut listed: Vec<Listed> =
            self.list.iter().copied().filter(|sample| (from..to).contains(&sample.time)).collect();
        listed.sort_by(|one, other| {
            (one.time, one.number).partial_cmp(&(other.time, other.number)).expect("numbers")
        });
        listed
    }

    async fn check(&mut self) {
        let reach = 1_600 * 3_600_000;
        let mut moment =
            || self.now - reach * MILLISECOND + self.chance.below(reach as u64) as i64 * MILLISECOND;
        let (one, other) = (moment(), moment());
        let some = (one.min(other), one.max(other) + 1);
        self.beside.1.catch_up().await.expect("reads");
        for archive in [&self.archive, &self.beside.0] {
            for range in [(i64::MIN, i64::MAX), some, (some.0, some.0 + HOUR / 7)] {
                self.check_pages(archive, range).await;
                for points in [1, 40, 1_000] {
                    let RangeAnswer::Pixels(buckets) =
                        self.ask(archive, range, Wanted::Pixels { points }).await
                    else {
                        panic!("buckets were asked for")
                    };
                    check_buckets(&buckets, &self.listed(range), points);
                }
            }
        }
        assert_eq!(self.counted(&self.archive).await, self.list.len() as i64);
        assert_eq!(self.counted(&self.beside.0).await, self.list.len() as i64);
    }

    /// Records that the account counts.
    async fn counted(&self, archive: &Archive) -> i64 {
        let hours = Hour(i32::MIN)..Hour(i32::MAX);
        let account = archive.account(&self.world.database, "test", hours, Width::Total, 10_000).await;
        let rows = account.expect("answers").rows;
        rows.iter().map(|(_, counts)| counts.received_live + counts.backfilled).sum()
    }

    async fn check_pages(&self, archive: &Arc<Archive>, (from, to): (i64, i64)) {
        let (mut found, mut next) = (Vec::new(), Some(TaiTime(from)));
        while let Some(begin) = next {
            let RangeAnswer::Page { samples, next: then } =
                self.ask(archive, (begin.0, to), Wanted::Page { limit: 97 }).await
            else {
                panic!("a page was asked for")
            };
            found.extend(samples.iter().map(|(_, sample)| Listed {
                time: sample.generation.0.0,
                number: sample.number().expect("a number"),
            }));
            next = then;
        }
        assert!(found.is_sorted_by_key(|sample| sample.time));
        found.sort_by(|one, other| {
            (one.time, one.number).partial_cmp(&(other.time, other.number)).expect("numbers")
        });
        assert_eq!(found, self.listed((from, to)));
    }
}

/// Each bucket goes from its first sample to the next one's.
fn check_buckets(buckets: &Buckets, listed: &[Listed], points: usize) {
    assert_eq!(buckets.count, listed.len() as u64);
    assert!(buckets.times.is_sorted());
    if buckets.width_nanos == 0 {
        let times: Vec<i64> = listed.iter().map(|sample| sample.time).collect();
        return assert_eq!(buckets.times, times);
    }
    assert!(buckets.times.len() <= points, "{} for {points}", buckets.times.len());
    for (place, &begin) in buckets.times.iter().enumerate() {
        let end = buckets.times.get(place + 1).copied().unwrap_or(i64::MAX);
        let within: Vec<Listed> =
            listed.iter().copied().filter(|sample| (begin..end).contains(&sample.time)).collect();
        assert_eq!(within[0].time, begin, "a bucket is where its first sample is");
        let numbers = || within.iter().map(|sample| sample.number);
        assert_eq!(buckets.min[place], numbers().reduce(f64::min));
        assert_eq!(buckets.max[place], numbers().reduce(f64::max));
        // Of several at one moment the smallest is the first, the largest the last.
        assert_eq!(buckets.first[place], within.first().map(|sample| sample.number));
        assert_eq!(buckets.last[place], within.last().map(|sample| sample.number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_order_data_come_cut_merged_and_read_back_in_questions_are_answered_as_a_list_would() {
    let seed = std::env::var("STO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in seed.map_or(1..4, |seed| seed..seed + 1) {
        eprintln!("STO_TEST_SEED={seed}");
        let mut story = Story::begin(seed).await;
        for step in 0..STEPS {
            story.step().await;
            if step % 12 == 11 {
                story.check().await;
            }
        }
        // Segments enough that some are merged twice.
        for _ in 0..70 {
            story.receive(Way::Live).await;
            cut_now(&story.archive, &story.world.database).await.expect("cut");
        }
        story.check().await;
        story.merge().await;
        story.check().await;
        story.archive = story.world.archive().await;
        story.check().await;
        let verified = verify(&story.world.database, "test", &story.world.missions[0].decoder, |_| {}).await;
        let verified = verified.expect("answers").expect("the mission is there");
        assert_eq!((verified.difference_count, verified.differences), (0, Vec::new()));
        assert_eq!(verified.segment_samples, verified.ledger_samples);
        assert!(verified.segments < 70, "{} segments are left", verified.segments);
    }
}
