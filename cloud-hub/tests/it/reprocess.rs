//! The ledger read again: the earlier reading until the switch, each sample once before and after it.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{
    Archive, Database, ReadingTable, ReprocessProgress, ReprocessRequest, reprocess, run_cutter,
};
use delivery::Position;
use mission_database::{Dictionary, VersionNumber};
use processing::MissionDecoder;
use space_packet::TaiTime;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::archive::{cut, with_open_session};
use crate::world::{BEGINNING, OpenedLane, SECOND, World, XTCE, chain, take_in};

fn second(number: i64) -> TaiTime {
    TaiTime(BEGINNING + number * SECOND)
}

/// The mission with a second version, in force from a second on, that makes tens of ones.
fn with_tens(world: &World, from: i64) -> MissionDecoder {
    let calibrator = "<DefaultCalibrator><PolynomialCalibrator><Term coefficient=\"10\" exponent=\"1\"/>\
                      </PolynomialCalibrator></DefaultCalibrator>";
    let xml = XTCE.replace(
        "<IntegerDataEncoding sizeInBits=\"32\"/>",
        &format!("<IntegerDataEncoding sizeInBits=\"32\">{calibrator}</IntegerDataEncoding>"),
    );
    let dictionary = Dictionary::from_xtce("tens.xml", &xml).expect("loads");
    let decoder = &world.missions[0].decoder;
    let database = decoder.database().with_version(VersionNumber(2), second(from), dictionary);
    decoder.with_database(database.expect("there are no limits"))
}

/// What the running hub does for whoever reads again: says what to wait for, and cuts.
struct Hub {
    stop: CancellationToken,
    tasks: tokio::task::JoinSet<()>,
}

impl Hub {
    fn running(database: &Database, archive: &Arc<Archive>) -> Self {
        let (stop, mut tasks) = (CancellationToken::new(), tokio::task::JoinSet::new());
        let hour = Duration::from_secs(3_600);
        let cutter = run_cutter(Arc::clone(archive), database.clone(), usize::MAX, hour, stop.clone());
        tasks.spawn(async move { cutter.await.expect("ends without an error") });
        let (table, archive, stopped) =
            (ReadingTable::new(database.clone()), Arc::clone(archive), stop.clone());
        tasks.spawn(async move {
            while !stopped.is_cancelled() {
                if let Ok(Some(ledger_id)) = table.prepare(archive.reached().newest()).await {
                    archive.want_cut(ledger_id);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { stop, tasks }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("ends");
        }
    }
}

async fn receive(
    world: &mut World,
    archive: &Arc<Archive>,
    lane: &OpenedLane,
    (first, count): (u32, u32),
    position: &mut Option<Position>,
) {
    let batches = chain("test", first, count, position);
    take_in(archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
}

/// Numbers from 0 on, ten times as large where `is_ten` says so.
fn expected(count: u32, is_ten: impl Fn(u32) -> bool) -> Vec<f64> {
    (0..count).map(|number| f64::from(number) * if is_ten(number) { 10.0 } else { 1.0 }).collect()
}

async fn read_again(
    world: &World,
    archive: &Arc<Archive>,
    request: ReprocessRequest,
    tell: impl FnMut(ReprocessProgress),
) -> ReprocessProgress {
    let hub = Hub::running(&world.database, archive);
    let done = reprocess(&world.database, request, tell).await.expect("it is read again");
    hub.stop().await;
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_reading_is_shown_until_the_switch_and_can_be_read_after_it() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    receive(&mut world, &archive, &lane, (0, 30), &mut position).await;
    cut(&world, &archive).await;
    receive(&mut world, &archive, &lane, (30, 30), &mut position).await;
    let decoder = with_tens(&world, 10);
    archive.replace(&world.database, 0, decoder.database().clone(), None).await.expect("replaced");
    let request = ReprocessRequest {
        mission: "test".to_owned(),
        decoder: decoder.clone(),
        span: second(5)..second(50),
    };

    let mut before_switch = Vec::new();
    let progress = read_again(&world, &archive, request, |_| {
        let numbers = || Handle::current().block_on(world.numbers(&archive));
        before_switch = tokio::task::block_in_place(numbers);
    })
    .await;
    assert_eq!(before_switch, expected(60, |_| false), "the earlier reading until the switch");
    assert_eq!((progress.reading_id, progress.batches, progress.samples), (1, 60, 45 * 4));
    let read_again = expected(60, |number| (10..50).contains(&number));
    assert_eq!(world.numbers(&archive).await, read_again, "version 2 from second 10 on, within the span");
    assert_eq!(world.numbers_of(&archive, Some(0)).await, expected(60, |_| false), "the earlier one stays");
    // A hub has all versions that are in the database.
    world.missions[0].decoder = decoder;
    assert_eq!(world.numbers(&world.archive().await).await, read_again, "also after a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_the_ledger_is_read_again_is_shown_once_before_and_after_the_switch() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    // Seconds 20 to 40 come late, in the middle of the reading, by the new version already.
    receive(&mut world, &archive, &lane, (0, 20), &mut position).await;
    receive(&mut world, &archive, &lane, (40, 20), &mut position).await;
    let decoder = with_tens(&world, 0);
    archive.replace(&world.database, 0, decoder.database().clone(), None).await.expect("replaced");
    let request = ReprocessRequest { mission: "test".to_owned(), decoder, span: second(0)..second(50) };
    let database = world.database.clone();
    let mut before_switch = Vec::new();
    let tell = |_| {
        tokio::task::block_in_place(|| {
            Handle::current().block_on(async {
                receive(&mut world, &archive, &lane, (20, 20), &mut position).await;
                before_switch = world.numbers(&archive).await;
            });
        });
    };
    let hub = Hub::running(&database, &archive);
    reprocess(&database, request, tell).await.expect("it is read again");
    hub.stop().await;

    assert_eq!(before_switch, expected(60, |number| (20..40).contains(&number)));
    assert_eq!(world.numbers(&archive).await, expected(60, |number| number < 50));
    cut(&world, &archive).await;
    assert_eq!(world.numbers(&archive).await, expected(60, |number| number < 50), "also from segments");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_came_to_nothing_shows_nothing_and_the_next_one_begins_anew() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    receive(&mut world, &archive, &lane, (0, 20), &mut None).await;
    let decoder = with_tens(&world, 0);
    let request = |decoder: &MissionDecoder| ReprocessRequest {
        mission: "test".to_owned(),
        decoder: decoder.clone(),
        span: second(0)..second(20),
    };
    // It ends in the moment between the last row and the switch.
    let hub = Hub::running(&world.database, &archive);
    let (database, killed) = (world.database.clone(), request(&decoder));
    let first = tokio::spawn(async move {
        let _ = reprocess(&database, killed, |_| panic!("killed, as the test wants it")).await;
    });
    assert!(first.await.is_err_and(|error| error.is_panic()));
    hub.stop().await;
    assert_eq!(world.numbers(&archive).await, expected(20, |_| false));
    archive.replace(&world.database, 0, decoder.database().clone(), None).await.expect("replaced");
    let done = read_again(&world, &archive, request(&decoder), |_| {}).await;
    assert_eq!(done.reading_id, 2);
    assert_eq!(world.numbers(&archive).await, expected(20, |_| true));
    let readings = ReadingTable::new(world.database.clone()).list(1).await.expect("answers");
    assert!(readings[0].abandoned_at.is_some() && readings[1].switched_at.is_some());
}
