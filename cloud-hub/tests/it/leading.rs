//! Of several hubs on a database one leads, and the others see what it commits.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{
    Archive, ArchiveError, ConnectFailure, Database, Kept, Lead, Lease, Ledger, ReadingTable, cut_now,
    drop_old, keep, merge_due,
};
use testkit::process::until;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::archive::{cut, with_open_session};
use crate::world::{World, chain, take_in};

const SOON: Duration = Duration::from_secs(30);

fn lease(database: &Database, name: &str) -> Lease {
    Lease::new(database.led(Lead::default()), Uuid::new_v4(), name.to_owned())
}

async fn let_it_be_over(world: &World) {
    let client = world.database.borrow().await.expect("connects");
    let sql = "UPDATE lease SET until = clock_timestamp() - interval '1 second'";
    client.execute(sql, &[]).await.expect("answers");
}

#[tokio::test]
async fn one_hub_leads_until_its_lease_is_over_or_let_go() {
    let world = World::new().await;
    let (second, third) = (lease(&world.database, "second"), lease(&world.database, "third"));
    assert_eq!(second.take().await.expect("answers"), None, "another hub has it");
    let_it_be_over(&world).await;
    let lead = second.take().await.expect("answers").expect("it is over");
    assert_eq!(third.take().await.expect("answers"), None);
    let again = second.take().await.expect("answers").expect("it is this hub's own");
    assert_ne!(again, lead, "each taking has a token of its own");
    assert!(matches!(second.renew(lead).await, Err(ArchiveError::Fenced)));
    second.renew(again).await.expect("it is this hub's");
    second.let_go(again).await.expect("it was this hub's");
    third.take().await.expect("answers").expect("it was let go");
    assert!(matches!(second.let_go(again).await, Err(ArchiveError::Fenced)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hub_writes_after_another_took_the_lease_changes_nothing() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    for first in 0..12 {
        let batches = chain("test", first * 10, 10, &mut position);
        take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
        cut(&world, &archive).await;
    }
    let batches = chain("test", 120, 10, &mut position);
    take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
    keep(&world.database, "test", Kept::Samples, Some(1)).await.expect("answers");
    let before = fingerprint(&world).await;

    let_it_be_over(&world).await;
    lease(&world.database, "second").take().await.expect("answers").expect("it is over");

    let batches = chain("test", 130, 10, &mut position);
    let late = world.try_commit(lane.key, lane.session, &batches, None).await;
    assert!(matches!(late, Err(ArchiveError::Fenced)), "{late:?}");
    assert!(matches!(cut_now(&archive, &world.database).await, Err(ArchiveError::Fenced)));
    let merged = merge_due(&archive, &world.database, &CancellationToken::new()).await;
    assert!(matches!(merged, Err(ArchiveError::Fenced)), "{merged:?}");
    let in_ten_years = service::clock::now().plus_nanos(3_650 * 86_400_000_000_000);
    let mission_id = archive.missions()[0].mission_id;
    let dropped = drop_old(&world.database, "test", mission_id, in_ten_years).await;
    assert!(matches!(dropped, Err(ArchiveError::Fenced)), "{dropped:?}");
    let prepared = ReadingTable::new(world.database.clone()).prepare(1).await;
    assert!(matches!(prepared, Err(ArchiveError::Fenced)), "{prepared:?}");
    let reopened = Ledger::open(&world.database, Duration::from_millis(100)).await;
    assert!(matches!(reopened.err(), Some(ConnectFailure::Archive(ArchiveError::Fenced))));
    assert_eq!(fingerprint(&world).await, before);
}

/// Everything a leader writes.
async fn fingerprint(world: &World) -> Vec<i64> {
    let client = world.database.borrow().await.expect("connects");
    let sql = "SELECT array[(SELECT count(*) FROM ledger), (SELECT count(*) FROM segment), (SELECT generation FROM segmented),
                      (SELECT merged_generation FROM segmented), (SELECT sum(watermark) FROM lane)::bigint]";
    client.query_one(sql, &[]).await.expect("answers").get(0)
}

#[tokio::test]
async fn a_hub_that_stopped_in_the_midst_of_writing_holds_up_nobody() {
    let world = World::new().await;
    // As a hub has them: PostgreSQL knows its connections.
    let_it_be_over(&world).await;
    let stopped = Uuid::new_v4();
    let database = world.database.clone().of_hub(stopped);
    let own = Lease::new(database.clone(), stopped, "stopped".to_owned());
    own.take().await.expect("answers").expect("the first one's is over");
    let writing = database.connect().await.expect("connects");
    writing.batch_execute("BEGIN; SELECT FROM lease FOR KEY SHARE").await.expect("locks");

    let next = lease(&world.database, "next");
    assert_eq!(next.take().await.expect("answers"), None);
    let_it_be_over(&world).await;
    tokio::time::timeout(SOON, next.take())
        .await
        .expect("waits for nobody")
        .expect("answers")
        .expect("taken");
    until("the connection ended", SOON, async || Ok(writing.is_closed().then_some(()))).await.expect("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_waits_for_no_transaction_of_the_same_hub() {
    let world = World::new().await;
    let_it_be_over(&world).await;
    let own = lease(&world.database, "own");
    let lead = own.take().await.expect("answers").expect("taken");
    let client = world.database.connect().await.expect("connects");
    client.batch_execute("BEGIN; SELECT FROM lease FOR KEY SHARE").await.expect("locks");
    tokio::time::timeout(SOON, own.renew(lead)).await.expect("waits for nobody").expect("renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_hears_of_commits_and_cuts_and_shows_each_sample_once() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let (beside, mut follower) = world.follower(1_000_000).await;
    let following = tokio::spawn(async move { follower.run().await });
    let mut position = None;
    for first in [0, 20, 40] {
        let batches = chain("test", first, 20, &mut position);
        take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
        shows(&world, &beside, first + 20).await;
        cut(&world, &archive).await;
        shows(&world, &beside, first + 20).await;
    }
    following.abort();
}

pub(crate) async fn shows(world: &World, archive: &Arc<Archive>, count: u32) {
    let expected: Vec<f64> = (0..count).map(f64::from).collect();
    until("the follower shows it", SOON, async || {
        let numbers = world.page(archive, None).await;
        assert!(numbers.len() <= expected.len(), "{} of {count}", numbers.len());
        Ok((numbers == expected).then_some(()))
    })
    .await
    .expect("shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_head_is_full_waits_until_the_leader_has_cut() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let (beside, mut follower) = world.follower(0).await;
    let batches = chain("test", 0, 300, &mut None);
    take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
    follower.catch_up().await.expect("reads");
    assert_eq!(world.numbers(&beside).await.len(), 256, "as many as are read at once");
    follower.catch_up().await.expect("reads");
    assert_eq!(world.numbers(&beside).await.len(), 256, "and no more");
    cut_now(&archive, &world.database).await.expect("cut");
    follower.catch_up().await.expect("reads");
    assert_eq!(world.numbers(&beside).await, (0..300).map(f64::from).collect::<Vec<_>>());
    assert_eq!(beside.reached(), archive.reached());
}
