//! Whose rows somebody sees.

use tokio_postgres::NoTls;

use super::*;

/// Counts of what a role sees: rows of both missions in functions and views.
async fn seen_by(superuser: &Client, role: &str, missions: [&str; 2]) -> Vec<i64> {
    let [one, other] = missions;
    let sql = format!(
        "SELECT count(*) FROM sto_sql.samples('{one}', '/T/plain', '2026-01-01', '2027-01-01')
         UNION ALL SELECT count(*) FROM sto_sql.samples('{other}', '/T/plain', '2026-01-01', '2027-01-01')
         UNION ALL SELECT count(*) FROM sto_sql.latest('{other}', '/T/plain')
         UNION ALL SELECT count(*) FROM sto_sql.rollups('{other}', '/T/plain', 60, '2026-01-01', '2027-01-01')
         UNION ALL SELECT count(*) FROM sto_sql.plot('{other}', '/T/plain', '2026-11-22', '2026-11-23', 10)
         UNION ALL SELECT count(*) FROM sto_sql.missions UNION ALL SELECT count(*) FROM sto_sql.parameters
         UNION ALL SELECT count(*) FROM calibration UNION ALL SELECT count(*) FROM enumeration_label"
    );
    superuser.batch_execute(&format!("SET ROLE {role}")).await.expect("is granted");
    let rows = superuser.query(&sql, &[]).await.unwrap_or_else(|failed| panic!("{role}: {failed:?}"));
    superuser.batch_execute("RESET ROLE").await.expect("is always granted");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn functions_and_views_show_the_missions_that_were_granted() {
    let world = World::new().await;
    // Roles belong to the cluster, which other tests use as well.
    let name = world.postgres.connection_string().rsplit('=').next().expect("a name").replace('_', "");
    let (one, other) = (format!("{name}a"), format!("{name}b"));
    for mission in [&one, &other] {
        let mission = world.mission(mission, XTCE).await;
        world.insert(&mission, &plain((0..90).map(|second| (second, 1))), (0, 1)).await;
    }
    let (superuser, connection) = world.postgres.superuser_config().connect(NoTls).await.expect("connects");
    tokio::spawn(connection);
    let roles = format!(
        "CREATE ROLE sto_read_{one} NOLOGIN; CREATE ROLE {name}_nobody IN ROLE sto_reader;
         CREATE ROLE {name}_somebody IN ROLE sto_reader, sto_read_{one}"
    );
    superuser.batch_execute(&roles).await.expect("made");
    let nobody = seen_by(&superuser, &format!("{name}_nobody"), [&one, &other]).await;
    let somebody = seen_by(&superuser, &format!("{name}_somebody"), [&one, &other]).await;
    let roles = format!("DROP ROLE {name}_nobody, {name}_somebody, sto_read_{one}");
    superuser.batch_execute(&roles).await.expect("dropped");
    assert_eq!(nobody, [0; 9]);
    assert_eq!(somebody, [90, 0, 0, 0, 0, 1, 10, 1, 2]);
}
