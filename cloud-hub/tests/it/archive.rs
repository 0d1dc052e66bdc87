//! Ledger, head and segments.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{Archive, OpenedLane, run_cutter};
use tokio_util::sync::CancellationToken;

use crate::world::{World, chain};

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
    let target = archive.ledger_id();
    testkit::process::until("the head is in segments", Duration::from_secs(30), async || {
        let client = world.database.borrow().await?;
        let row = client.query_one("SELECT ledger_id FROM segmented", &[]).await?;
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
    archive.ingest(&committed.expect("committed"));
    assert_eq!(world.numbers(&archive).await, up_to(50), "all in the head");

    cut(&world, &archive).await;
    assert_eq!(world.numbers(&archive).await, up_to(50), "all in segments");

    let committed = world.commit(lane.key, lane.session, &chain("test", 50, 30, &mut position)).await;
    archive.ingest(&committed.expect("committed"));
    assert_eq!(world.numbers(&archive).await, up_to(80), "in both");

    let restarted = world.archive().await;
    assert_eq!(world.numbers(&restarted).await, up_to(80), "the head is rebuilt from the ledger");
    cut(&world, &restarted).await;
    assert_eq!(world.numbers(&restarted).await, up_to(80));
    assert_eq!(world.numbers(&world.archive().await).await, up_to(80), "nothing is read twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_data_takes_its_place_in_time() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    for first in [40, 0, 20] {
        let batches = chain("test", first, 20, &mut position);
        archive.ingest(&world.commit(lane.key, lane.session, &batches).await.expect("committed"));
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
    archive.ingest(&world.commit(lane.key, lane.session, &batches).await.expect("committed"));
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
    assert_eq!(new.watermark, Some(batches[1].header.sequence));
    assert_eq!(new.hash, batches[1].hash);
    assert_eq!(world.commit(old.key, old.session, &batches[2..]).await.expect_err("fenced"), [old.key]);
    world.commit(new.key, new.session, &batches[2..]).await.expect("committed");
    assert_eq!(
        world.commit(new.key, new.session, &batches[2..]).await.expect_err("already there"),
        [new.key]
    );
    assert_eq!(world.numbers(&world.archive().await).await, up_to(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_before_the_archive_opens_no_session_and_disturbs_none() {
    let (mut world, lane) = with_open_session().await;
    let mut position = None;
    let batches = chain("test", 0, 3, &mut position);
    world.commit(lane.key, lane.session, &batches[..2]).await.expect("committed");
    assert!(world.open(lane.key.node, 1).await.is_none(), "a disk image was restored");
    world.commit(lane.key, lane.session, &batches[2..]).await.expect("the true node goes on");
}

#[tokio::test]
async fn a_second_hub_does_not_write_beside_the_first() {
    let world = World::new().await;
    assert!(world.database.connect_as_writer(Duration::from_millis(200)).await.is_err());
}
