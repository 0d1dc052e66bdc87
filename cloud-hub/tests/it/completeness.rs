//! The completeness account: counted at once, kept with the segments, the same after any accident.

use std::ops::Range;
use std::sync::Arc;

use cloud_hub::archive::{AccountRows, Archive, StationRow, Width, account_rows, stations};
use cloud_hub::commands::completeness::table;
use cloud_hub::completeness::{Asked, describe};
use dashboard::contract::{Backlog, CompletenessBy, LinkReport, NodeReport};
use delivery::{
    BatchBuilder, BatchSequence, BootId, ChainHash, Gap, GapReason, Lane, LogHead, Position, SealedBatch,
    StoreId, Way,
};
use processing::{AccountKey, Counts, Hour};
use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet};
use uuid::Uuid;

use crate::archive::{cut, with_open_session};
use crate::world::{BEGINNING, OpenedLane, SECOND, STORE, World, take_in};

fn all_hours() -> Range<Hour> {
    Hour(i32::MIN / 2)..Hour(i32::MAX / 2)
}

/// A journal's batches of APID 7, two packets each, of which every third is not there; a second apart.
fn journal(batches: u16) -> Vec<SealedBatch> {
    let mut position = Position::start(STORE, Lane::Telemetry);
    let mut counts = (0..).filter(|count| count % 3 != 2);
    let batch = |_| {
        let mut builder = BatchBuilder::new("test", "link");
        for count in counts.by_ref().take(2) {
            let apid = Apid::try_from(7).expect("in range");
            let sequence_count = SequenceCount::try_from(count).expect("in range");
            let packet = build_packet(apid, sequence_count, false, &[0; 12]).expect("fits");
            builder.push(ReceptionTime(TaiTime(BEGINNING + i64::from(count) * SECOND)), &packet);
        }
        let batch = builder.pack().expect("two records").seal(Lane::Telemetry, &position);
        position = batch.position();
        batch
    };
    (0..batches).map(batch).collect()
}

async fn account(world: &World, archive: &Archive, width: Width) -> Vec<(AccountKey, Counts)> {
    let rows = archive.account(&world.database, "test", all_hours(), width, 1_000).await;
    rows.expect("answers").rows
}

async fn total(world: &World, archive: &Archive) -> Counts {
    let rows = account(world, archive, Width::Total).await;
    let mut total = Counts::default();
    rows.iter().for_each(|(_, counts)| total += *counts);
    total
}

async fn commit(
    world: &mut World,
    lane: &OpenedLane,
    way: Way,
    batches: &[SealedBatch],
    archive: &Arc<Archive>,
) {
    world.way = way;
    let committed = world.commit(lane.key, lane.session, batches).await.expect("committed");
    take_in(archive, &committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_has_no_seam_and_survives_a_kill_before_and_after_each_cut() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let batches = journal(12);

    commit(&mut world, &lane, Way::Live, &batches[..4], &archive).await;
    let live = |packets| Counts { received_live: packets, ..Counts::default() };
    assert_eq!(total(&world, &archive).await, Counts { not_received: 3, ..live(8) }, "all in memory");
    cut(&world, &archive).await;
    assert_eq!(total(&world, &archive).await, Counts { not_received: 3, ..live(8) }, "all in the database");

    // An outage: live data pass what waits, which is not called missing.
    commit(&mut world, &lane, Way::Live, &batches[8..], &archive).await;
    let apart = Counts { not_received: 6, ..live(16) };
    assert_eq!(total(&world, &archive).await, apart, "in both");

    // Killed before the cut: the ledger is read again.
    let archive = world.archive().await;
    assert_eq!(total(&world, &archive).await, apart);
    cut(&world, &archive).await;
    // Killed behind it: nothing is counted twice, and what comes is joined with what was kept.
    let archive = world.archive().await;
    assert_eq!(total(&world, &archive).await, apart);
    commit(&mut world, &lane, Way::Backfill, &batches[4..8], &archive).await;
    let whole = Counts { backfilled: 8, not_received: 11, ..live(16) };
    assert_eq!(total(&world, &archive).await, whole);
    cut(&world, &archive).await;
    assert_eq!(total(&world, &archive).await, whole);

    let by_hour = account(&world, &archive, Width::Hour).await;
    let [(key, counts)] = by_hour.as_slice() else { panic!("one link, APID and hour: {by_hour:?}") };
    assert_eq!((key.apid.map(Apid::value), key.hour), (Some(7), Hour::of(TaiTime(BEGINNING))));
    assert_eq!(*counts, whole);
    let by_day = account(&world, &archive, Width::Day).await;
    assert_eq!(by_day.len(), 1);
    assert_eq!(by_day[0].0.hour.start(), TaiTime(BEGINNING), "a day of UTC");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_made_anew_from_the_ledger_is_the_same() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let batches = journal(10);
    commit(&mut world, &lane, Way::Live, &batches[6..8], &archive).await;
    commit(&mut world, &lane, Way::Backfill, &batches[..6], &archive).await;
    cut(&world, &archive).await;
    commit(&mut world, &lane, Way::Live, &batches[8..], &archive).await;
    let kept = account(&world, &archive, Width::Hour).await;
    assert!(!kept.is_empty());

    let client = world.database.connect().await.expect("connects");
    client
        .batch_execute(
            "DELETE FROM completeness; DELETE FROM completeness_lane; DELETE FROM segment; DELETE FROM rollup;
             UPDATE segmented SET live_ledger_id = 0, backlog_ledger_id = 0, committed_at = 0",
        )
        .await
        .expect("as if nothing of the ledger had been read");
    let archive = world.archive().await;
    assert_eq!(account(&world, &archive, Width::Hour).await, kept);
    cut(&world, &archive).await;
    let rows = account_rows(&client, "test", all_hours(), Width::Total, 10).await.expect("answers").0.rows;
    assert_eq!(
        rows.iter().map(|(_, counts)| counts.received()).sum::<i64>(),
        20,
        "what is in segments is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_the_station_lost_are_counted_with_their_cause() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let before = journal(1);
    let position = before[0].position();
    let last = BatchSequence(4);
    let continues = ChainHash::after_gap(STORE, Lane::Telemetry, last);
    let gap = Gap { first: BatchSequence(2), reason: GapReason::Evicted, records: 70, continues };
    let noticed = ReceptionTime(TaiTime(BEGINNING));
    let gap = SealedBatch::seal_gap(Lane::Telemetry, &position, last, gap, ("test", "link"), noticed);
    commit(&mut world, &lane, Way::Live, &[before, vec![gap]].concat(), &archive).await;
    cut(&world, &archive).await;
    let expected = Counts { received_live: 2, evicted: 70, ..Counts::default() };
    assert_eq!(total(&world, &archive).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replaced_journal_still_had_is_presumed_lost_and_what_the_new_one_has_waits() {
    let (mut world, _) = with_open_session().await;
    let archive = world.archive().await;
    let node = archive_node(&world).await;
    let lane = world.open(node, 10).await.expect("opens");
    commit(&mut world, &lane, Way::Live, &journal(4), &archive).await;
    let found = station(&world).await;
    assert_eq!((found.waiting_batches, found.presumed_lost_batches), (6, 0));

    let head = Some(BatchSequence(3));
    let new = LogHead { lane: Lane::Telemetry, store: StoreId([9; 16]), head, is_forked: false };
    let boot = BootId(*Uuid::new_v4().as_bytes());
    world.registry.open_session(node, boot, &[new]).await.expect("answers").expect("opens");
    let found = station(&world).await;
    assert_eq!((found.waiting_batches, found.presumed_lost_batches, found.presumed_lost_records), (3, 6, 12));
}

async fn archive_node(world: &World) -> Uuid {
    world.registry.nodes().await.expect("answers")[0].node_id
}

async fn station(world: &World) -> StationRow {
    let client = world.database.borrow().await.expect("connects");
    stations(&**client).await.expect("answers").remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_tells_each_station_what_came_and_what_is_still_to_come() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    commit(&mut world, &lane, Way::Live, &journal(4), &archive).await;
    let report = NodeReport {
        at: "2026-11-22T01:00:00Z".to_owned(),
        backlog: Backlog {
            packets: 5,
            oldest: Some("2026-11-22T00:30:00Z".to_owned()),
            ..Backlog::default()
        },
        links: vec![LinkReport { mission: "test".to_owned(), ..LinkReport::default() }],
        ..NodeReport::default()
    };
    let json = serde_json::to_string(&report).expect("encodes");
    world.registry.remember(&[(lane.key.node, BEGINNING, Some(json))]).await.expect("kept");
    let stations = [station(&world).await];
    let hour = Hour::of(TaiTime(BEGINNING));
    let asked = Asked { mission: "test", hours: hour..Hour(hour.0 + 1), by: CompletenessBy::Total };
    let rows = account(&world, &archive, Width::Total).await;
    let rows = AccountRows { rows, counted_at: Some(TaiTime(BEGINNING)) };
    let answer = describe(&asked, &rows, &stations);
    assert_eq!(
        table(&answer),
        "test, received from 2026-11-22T00:00:00Z to 2026-11-22T01:00:00Z\n\
         station  link  APID  live  backfilled  waiting  not received  damaged  evicted  forgotten  presumed lost  duplicates  never issued  complete\n\
         station  all            8           0        5             3        0        0          0              0           0             0  50.000 %\n\
         station  link     7     8           0                      3        0        0          0                          0             0  72.727 %\n\
         station: waiting as it said at 2026-11-22T01:00:00Z\n\
         counted up to what was committed at 2026-11-22T00:00:00Z\n"
    );
    // What waits was received later than the hours asked for: it is shown, and not due in them.
    let earlier = Asked { hours: Hour(hour.0 - 9)..hour, ..asked };
    let answer = describe(&earlier, &rows, &stations);
    assert_eq!(answer.stations[0].waiting.as_ref().map(|waiting| waiting.records), Some(5));
    assert_eq!(answer.stations[0].percent.map(f64::floor), Some(72.0));
}
