//! A table of very many events.

use std::path::Path;

use testkit::configuration::Mission;
use testkit::ground::GroundPlan;

use super::{Part, script};
use crate::database;

/// The page shows this much of the past.
const SPREAD_S: i64 = 23 * 3_600;

/// The events are put into their table by a statement of SQL, as if people had posted them over most of a day.
pub(super) async fn measure(events: u32, directory: &Path) -> anyhow::Result<()> {
    let mut plan = GroundPlan::new(directory);
    plan.mission = Mission::load();
    let mission = plan.mission.name.clone();
    let ground = plan.start().await?;
    let sql = "INSERT INTO posted_event (mission, event_id, at, author, severity, text)
               SELECT $1, decode(md5(number::text), 'hex'), $3 + number::bigint * $4, 'bench',
                      (ARRAY['info', 'info', 'info', 'warning', 'error'])[1 + number % 5],
                      format('antenna %s went to azimuth %s, elevation %s', number, number % 360, number % 90)
               FROM generate_series(0, $2 - 1) AS number";
    let (begin, apart) =
        (simulator::clock::now().plus_nanos(-SPREAD_S * 1_000_000_000).0, SPREAD_S * 1_000_000_000);
    let apart = apart / i64::from(events);
    let count = events.cast_signed();
    database::connect(directory).await?.execute(sql, &[&mission, &count, &begin, &apart]).await?;
    let options = [("mission", mission), ("events", events.to_string())];
    script::run(&ground, directory, Part::Table, &options, script::Measured::print).await?;
    ground.stop().await
}
