//! Requests for backfill as the database keeps them.

use std::collections::BTreeMap;
use std::ops::Range;

use cloud_hub::archive::{Asked, BackfillRow, BackfillStanding, BackfillTable};
use delivery::SendFirst;
use space_packet::TaiTime;
use uuid::Uuid;

use crate::world::{BEGINNING, SECOND, World};

fn span(from: i64) -> Range<TaiTime> {
    TaiTime(BEGINNING + from * SECOND)..TaiTime(BEGINNING + (from + 10) * SECOND)
}

async fn ask(table: &BackfillTable, mission: &str, node: Uuid, from: i64) -> Option<BackfillRow> {
    match table.ask(mission, node, span(from), "Ada").await.expect("answers") {
        Asked::Open(row) => Some(row),
        Asked::TooMany => None,
    }
}

async fn standings(table: &BackfillTable) -> Vec<(BackfillStanding, Option<u64>)> {
    let rows = table.list("test").await.expect("answers");
    rows.iter().map(|row| (row.standing, row.batches)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_open_until_its_node_says_that_nothing_waits_or_for_a_day() {
    let world = World::new().await;
    let table = BackfillTable::new(world.database.clone());
    let node = world.node("station").await.node_id;
    let first = ask(&table, "test", node, 0).await.expect("asked");
    let second = ask(&table, "test", node, 10).await.expect("asked");
    let third = ask(&table, "test", node, 20).await.expect("asked");
    assert_eq!(ask(&table, "test", node, 0).await, Some(first.clone()), "the same is asked for once");
    let number = |row: &BackfillRow| row.number.cast_unsigned();
    let wanted =
        |row: &BackfillRow| SendFirst { request: number(row), from: row.span.start, to: row.span.end };
    let open = async || table.open().await.expect("answers").remove(&node).unwrap_or_default();
    assert_eq!(open().await, [wanted(&first), wanted(&second), wanted(&third)]);

    let said = async |pairs: &[(&BackfillRow, u64)]| {
        let said: BTreeMap<u64, u64> = pairs.iter().map(|(row, batches)| (number(row), *batches)).collect();
        table.answered(node, &said).await.expect("written");
    };
    said(&[(&first, 7), (&second, 0)]).await;
    said(&[(&first, 3)]).await;
    let asked = (BackfillStanding::Asked, None);
    assert_eq!(
        standings(&table).await,
        [asked, (BackfillStanding::NothingWaits, Some(0)), (BackfillStanding::UnderWay, Some(3))]
    );
    said(&[(&first, 0), (&second, 5)]).await;
    assert_eq!(
        standings(&table).await,
        [asked, (BackfillStanding::NothingWaits, Some(0)), (BackfillStanding::Served, Some(0))],
        "what is over does not begin again"
    );
    assert_eq!(open().await, [wanted(&third)]);

    let owner = world.database.connect().await.expect("a connection");
    let day = 86_401 * SECOND;
    owner.execute("UPDATE backfill_request SET asked_at = asked_at - $1", &[&day]).await.expect("aged");
    assert_eq!(standings(&table).await[0].0, BackfillStanding::Expired);
    assert_eq!(open().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_has_eight_open_requests_and_a_mission_sees_its_own() {
    let world = World::new().await;
    let table = BackfillTable::new(world.database.clone());
    let node = world.node("station").await.node_id;
    let other = world.node("other").await.node_id;
    for from in 0..8 {
        let mission = if from == 0 { "luna" } else { "test" };
        assert!(ask(&table, mission, node, from).await.is_some());
    }
    assert_eq!(ask(&table, "test", node, 8).await, None);
    assert!(ask(&table, "test", other, 8).await.is_some(), "another node has eight of its own");
    assert_eq!(table.list("luna").await.expect("answers").len(), 1);
    assert_eq!(table.list("test").await.expect("answers").len(), 8);
    let stranger =
        BTreeMap::from([(table.list("luna").await.expect("answers")[0].number.cast_unsigned(), 1)]);
    table.answered(other, &stranger).await.expect("written");
    assert_eq!(table.list("luna").await.expect("answers")[0].standing, BackfillStanding::Asked);
}
