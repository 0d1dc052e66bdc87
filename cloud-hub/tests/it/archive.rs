//! Ledger, head and segments.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{ApartCause, Archive, Evidence, OpenRefused, cut_now, run_cutter};
use delivery::BootId;
use tokio_util::sync::CancellationToken;

use crate::world::{OpenedLane, World, chain, take_in};

/// Batches that are taken in at once: so many that a cut comes in the midst of some groups.
const GROUP: u32 = 50;
const GROUPS: u32 = 160;

/// A world with a node whose session is open.
pub(crate) async fn with_open_session() -> (World, OpenedLane) {
    let world = World::new().await;
    let node = world.node("station").await.node_id;
    let lane = world.open(node, 0).await.expect("opens");
    (world, lane)
}

/// Cuts what the head holds and waits until it is in segments.
pub(crate) async fn cut(world: &World, archive: &Arc<Archive>) {
    let stop = CancellationToken::new();
    let cutter = run_cutter(Arc::clone(archive), world.database.clone(), 0, Duration::ZERO, stop.clone());
    let cutter = tokio::spawn(cutter);
    let target = archive.reached().newest();
    testkit::process::until("the head is in segments", Duration::from_secs(30), async || {
        let client = world.database.borrow().await?;
        let row =
            client.query_one("SELECT least(live_ledger_id, backlog_ledger_id) FROM segmented", &[]).await?;
        Ok((row.get::<_, i64>(0) >= target).then_some(()))
    })
    .await
    .expect("cut");
    stop.cancel();
    cutter.await.expect("ends").expect("without an error");
}

fn up_to(count: u32) -> Vec<f64> {
    (0..count).map(f64::from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn history_has_no_seam_between_head_and_segments_nor_over_a_restart() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;

    let committed = world.commit(lane.key, lane.session, &chain("test", 0, 50, &mut position)).await;
    take_in(&archive, &committed.expect("committed"));
    assert_eq!(world.numbers(&archive).await, up_to(50), "all in the head");

    cut(&world, &archive).await;
    assert_eq!(world.numbers(&archive).await, up_to(50), "all in segments");

    let committed = world.commit(lane.key, lane.session, &chain("test", 50, 30, &mut position)).await;
    take_in(&archive, &committed.expect("committed"));
    assert_eq!(world.numbers(&archive).await, up_to(80), "in both");

    let restarted = world.archive().await;
    assert_eq!(world.numbers(&restarted).await, up_to(80), "the head is rebuilt from the ledger");
    cut(&world, &restarted).await;
    assert_eq!(world.numbers(&restarted).await, up_to(80));
    assert_eq!(world.numbers(&world.archive().await).await, up_to(80), "nothing is read twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_while_groups_are_taken_in_is_not_read_again_after_a_restart() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let committed = world.commit(lane.key, lane.session, &chain("test", 0, GROUPS * GROUP, &mut None)).await;
    let committed = committed.expect("committed");
    let taking = tokio::task::spawn_blocking({
        let archive = Arc::clone(&archive);
        move || committed.chunks(GROUP as usize).for_each(|group| take_in(&archive, group))
    });
    while !taking.is_finished() {
        cut_now(&archive, &world.database).await.expect("cut");
        // A later cut would hide what this one left.
        let restarted = world.page(&world.archive().await, None).await;
        assert!(restarted == up_to(GROUPS * GROUP), "{} samples after a restart", restarted.len());
    }
    taking.await.expect("taken in");
    assert_eq!(world.numbers(&archive).await, up_to(GROUPS * GROUP));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_data_takes_its_place_in_time() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    for first in [40, 0, 20] {
        let batches = chain("test", first, 20, &mut position);
        take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
        cut(&world, &archive).await;
    }
    assert_eq!(world.numbers(&archive).await, up_to(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_a_mission_nobody_configured_stay_in_the_ledger_and_stop_nothing() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    let batches = chain("apollo", 0, 5, &mut position);
    take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
    cut(&world, &archive).await;
    assert!(world.numbers(&world.archive().await).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_session_commits_nothing_once_a_newer_one_is_open() {
    let (mut world, old) = with_open_session().await;
    let node = old.key.node;
    let mut position = None;
    let batches = chain("test", 0, 4, &mut position);
    world.commit(old.key, old.session, &batches[..2]).await.expect("committed");
    let new = world.open(node, 4).await.expect("opens");
    let committed = new.log.committed.clone();
    assert_eq!((committed.watermark(), committed.hash()), (2, batches[1].hash));
    assert_eq!(world.commit(old.key, old.session, &batches[2..]).await.expect_err("fenced"), [old.key]);
    world.commit(new.key, new.session, &batches[2..]).await.expect("committed");
    world.believe(&new, committed);
    assert_eq!(world.commit(new.key, new.session, &batches[2..]).await.expect_err("is there"), [new.key]);
    assert_eq!(world.numbers(&world.archive().await).await, up_to(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn live_data_pass_the_backlog_and_both_are_there_once_over_a_restart() {
    let (mut world, lane) = with_open_session().await;
    let mut position = None;
    let batches = chain("test", 0, 9, &mut position);
    for part in [&batches[6..8], &batches[..2], &batches[4..5]] {
        world.commit(lane.key, lane.session, part).await.expect("committed");
    }
    let again = world.open(lane.key.node, 9).await.expect("opens");
    let spans: Vec<_> = again.log.committed.spans().iter().map(|span| (span.first, span.last)).collect();
    assert_eq!((again.log.committed.watermark(), spans), (2, vec![(5, 5), (7, 8)]));
    let client = world.database.borrow().await.expect("answers");
    let ranges: String =
        client.query_one("SELECT ranges::text FROM lane", &[]).await.expect("one lane").get(0);
    assert_eq!(ranges, "{[5,6),[7,9)}", "people read the same");
    for part in [&batches[2..4], &batches[5..6], &batches[8..]] {
        world.commit(again.key, again.session, part).await.expect("committed");
    }
    assert_eq!(world.numbers(&world.archive().await).await, up_to(9));
    let known = world.registry.chain_in_ledger(lane.key, batches[4].header.sequence).await.expect("answers");
    assert_eq!(known, Some(batches[4].hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_before_the_archive_takes_no_lane_over() {
    let (mut world, lane) = with_open_session().await;
    let mut position = None;
    let batches = chain("test", 0, 3, &mut position);
    world.commit(lane.key, lane.session, &batches[..2]).await.expect("committed");
    let restored = world.open(lane.key.node, 1).await.expect("opens");
    assert!(restored.log.is_fork, "a disk image was restored");
    world.commit(lane.key, lane.session, &batches[2..]).await.expect("the lane is the true node's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_comes_back_after_another_one_is_a_second_machine() {
    let world = World::new().await;
    let node = world.node("station").await.node_id;
    let (first, second) = (BootId([1; 16]), BootId([2; 16]));
    for boot in [first, first, second, second] {
        world.open_as(node, boot, 0).await.expect("opens");
    }
    assert_eq!(world.open_as(node, first, 0).await.err(), Some(OpenRefused::Duplicate));
    world.open_as(node, second, 0).await.expect("the newer one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_into_the_archive_is_kept_apart_once_and_its_number_counts() {
    let (mut world, lane) = with_open_session().await;
    let evidence = Evidence::new(world.database.clone());
    let batches = chain("test", 0, 2, &mut None);
    for _ in 0..2 {
        assert!(evidence.keep_apart(lane.key, &batches[1], ApartCause::Fork).await.expect("answers"));
    }
    world.commit_apart(&lane, &batches[0], ApartCause::Mission).await;
    let kept = evidence.kept_apart().await.expect("answers");
    let told: Vec<_> = kept.iter().map(|kept| (&*kept.node, kept.sequence, &*kept.cause)).collect();
    assert_eq!(told, [("station", 2, "fork"), ("station", 1, "mission")]);
    assert_eq!(evidence.sealed(kept[0].kept_id).await.expect("answers").as_deref(), Some(batches[1].bytes()));
    let again = world.open(lane.key.node, 2).await.expect("opens");
    assert_eq!(again.log.committed.watermark(), 1);
    assert!(world.numbers(&world.archive().await).await.is_empty());
    evidence.record(Some(lane.key.node), "STO-TEST", "first").await.expect("written");
    evidence.record(None, "STO-TEST", "second").await.expect("written");
    let events = evidence.events(10).await.expect("answers");
    let told: Vec<_> = events.iter().map(|event| (event.node.as_deref(), &*event.text)).collect();
    // What is older says how the node came.
    assert_eq!(told[..2], [(None, "second"), (Some("station"), "first")]);
}

#[tokio::test]
async fn a_second_hub_does_not_write_beside_the_first() {
    let world = World::new().await;
    assert!(world.database.connect_as_writer(Duration::from_millis(200)).await.is_err());
}
