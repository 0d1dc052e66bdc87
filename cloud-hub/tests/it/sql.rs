//! What the hub has cut and merged, read with SQL.

use cloud_hub::archive::{cut_now, merge_due};
use tokio_util::sync::CancellationToken;

use crate::archive::with_open_session;
use crate::world::{World, chain, take_in};

/// Numbers in the order of time: of all samples, of roll-ups of an hour, and the newest.
async fn in_sql(world: &World) -> (Vec<f64>, (i64, f64, f64), f64) {
    let client = world.database.connect().await.expect("a connection");
    let samples = "SELECT value FROM sto_sql.samples('test', '/Test/number', '-infinity', 'infinity') ORDER BY nanoseconds";
    let rows = client.query(samples, &[]).await.expect("answers");
    let numbers = rows.iter().map(|row| row.get(0)).collect();
    let rolled = "SELECT sum(count)::bigint, min(min), max(max)
        FROM sto_sql.rollups('test', '/Test/number', 3600, '-infinity', 'infinity')";
    let rolled = client.query_one(rolled, &[]).await.expect("answers");
    let latest = "SELECT value FROM sto_sql.latest('test', '/Test/number')";
    let latest = client.query_one(latest, &[]).await.expect("answers").get(0);
    (numbers, (rolled.get(0), rolled.get(1), rolled.get(2)), latest)
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_what_was_cut_and_what_was_merged() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut position = None;
    for first in [140, 0, 20, 40, 60, 80, 100, 120] {
        let batches = chain("test", first, 20, &mut position);
        take_in(&archive, &world.commit(lane.key, lane.session, &batches).await.expect("committed"));
        cut_now(&archive, &world.database).await.expect("cut");
    }
    let expected = world.numbers(&archive).await;
    assert_eq!(expected.len(), 160);
    let (last, count) = (expected[159], expected.len() as i64);
    assert_eq!(in_sql(&world).await, (expected.clone(), (count, 0.0, last), last), "of eight segments");
    let never = CancellationToken::new();
    while merge_due(&archive, &world.database, &never).await.expect("merges") > 0 {}
    assert_eq!(in_sql(&world).await, (expected, (count, 0.0, last), last), "of what they were merged to");
}
