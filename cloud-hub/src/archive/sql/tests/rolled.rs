//! Roll-ups and plots as rows.

use processing::RollUp;

use super::*;

/// A number for most seconds of ten minutes, which also go up and down within a minute.
fn number(second: i64) -> u64 {
    (second * second % 997).cast_unsigned() + 1
}

async fn rollups(world: &World, resolution: i32) -> Vec<(i64, RollUp)> {
    let sql =
        "SELECT sto_sql.tai(time), count, count - numbers, violations, min, max, first, last, mean * numbers
        FROM sto_sql.rollups('test', '/T/plain', $1, '-infinity', 'infinity') ORDER BY 1";
    let rows = world.client.query(sql, &[&resolution]).await.expect("answers");
    let rolled = rows.iter().map(|row| {
        let of = RollUp::of(row.get(0), None);
        let number = |place| row.get::<_, Option<f64>>(place).unwrap_or(f64::NAN);
        let count = |place| row.get::<_, i64>(place) as u32;
        let (minimum, maximum, first, last, sum) = (number(4), number(5), number(6), number(7), number(8));
        let (count, without_number, violations) = (count(1), count(2), count(3));
        (row.get(0), RollUp { count, without_number, violations, minimum, maximum, first, last, sum, ..of })
    });
    rolled.collect()
}

/// The same of a list.
fn expected(samples: &[(i64, u64)], resolution: Resolution) -> Vec<(i64, RollUp)> {
    let mut buckets = std::collections::BTreeMap::new();
    for &(second, number) in samples {
        let time = BEGINNING + second * SECOND;
        let one = RollUp::of(time, Some(number as f64));
        let bucket = buckets.entry(resolution.start_of(time));
        bucket.and_modify(|known: &mut RollUp| known.merge(&one)).or_insert(one);
    }
    buckets.into_iter().collect()
}

fn assert_same(found: &[(i64, RollUp)], expected: &[(i64, RollUp)]) {
    let plain = |(time, one): &(i64, RollUp)| {
        let numbers = [one.minimum, one.maximum, one.first, one.last, one.sum.round()];
        (*time, one.count, one.without_number, one.violations, numbers)
    };
    let (found, expected): (Vec<_>, Vec<_>) =
        (found.iter().map(plain).collect(), expected.iter().map(plain).collect());
    assert_eq!(found, expected);
}

#[tokio::test]
async fn roll_ups_of_segments_that_overlap_are_one() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    let samples: Vec<(i64, u64)> = (0..600).map(|second| (second, number(second))).collect();
    let (late, early): (Vec<_>, Vec<_>) = samples.iter().partition(|(second, _)| second / 20 % 3 == 0);
    world.insert(&mission, &plain(early), (0, 1)).await;
    world.insert(&mission, &plain(late), (0, 2)).await;
    assert_same(&rollups(&world, 60).await, &expected(&samples, Resolution::Minute));
    assert_same(&rollups(&world, 3_600).await, &expected(&samples, Resolution::Hour));
}

#[tokio::test]
async fn a_bucket_in_which_a_reading_begins_is_of_both() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    world.insert(&mission, &plain((0..600).map(|second| (second, 1))), (0, 1)).await;
    let span = BEGINNING + 200 * SECOND..BEGINNING + 330 * SECOND;
    world.reading(&mission, 1, span, 1, true).await;
    world.insert(&mission, &plain((200..330).map(|second| (second, number(second)))), (1, 2)).await;
    let shown = |second| if (200..330).contains(&second) { number(second) } else { 1 };
    let samples: Vec<(i64, u64)> = (0..600).map(|second| (second, shown(second))).collect();
    assert_same(&rollups(&world, 60).await, &expected(&samples, Resolution::Minute));
    assert_same(&rollups(&world, 3_600).await, &expected(&samples, Resolution::Hour));
}

#[tokio::test]
async fn a_plot_keeps_extremes_whatever_it_is_drawn_from() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    let samples: Vec<(i64, u64)> = (0..20_000).map(|second| (second, number(second))).collect();
    world.insert(&mission, &plain(samples.iter().copied()), (0, 1)).await;
    // Parts of 10 seconds, of 500 and of 5,000: from samples, minutes and hours.
    for (points, parts) in [(2_000, 2_000), (40, 40), (4, 4)] {
        let sql = "SELECT count(*), sum(count)::bigint, min(min), max(max)
            FROM sto_sql.plot('test', '/T/plain', '2026-11-22', '2026-11-22T05:33:20Z', $1)";
        let row = world.client.query_one(sql, &[&points]).await.expect("answers");
        assert_eq!(row.get::<_, i64>(0), parts, "{points}");
        assert_eq!(row.get::<_, i64>(1), 20_000, "{points}");
        assert_eq!((row.get::<_, f64>(2), row.get::<_, f64>(3)), (1.0, 997.0), "{points}");
    }
}
