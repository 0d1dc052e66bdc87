//! Who may do what in the database, and whose rows somebody sees.

use cloud_hub::archive::{Client, ReaderRefused, admit_reader};
use testkit::postgres::connect;

use crate::archive::with_open_session;
use crate::database::migrated;
use crate::world::{World, chain};

/// SQLSTATE of a statement that somebody has no right to.
const NOT_ALLOWED: &str = "42501";

/// Every right that somebody who does not own it has to something in the database, but a partition's ledger rows are
/// reached through their table alone. S: select, I: insert, U: update, D: delete.
const RIGHTS: &str = "\
alarm sto_ingest SIUD
alarm sto_interactive S
alarm sto_reader S
alarm_entry sto_ingest SIU
alarm_entry sto_interactive S
alarm_entry sto_reader S
alarm_kept sto_ingest SIU
alarm_node sto_ingest SIU
alarm_notice sto_ingest SIUD
alarm_notice sto_interactive S
alarm_number sto_ingest SU
alarm_telling sto_ingest SID
alarm_watch sto_ingest SIU
api_token sto_ingest SIU
backfill_request sto_ingest SIUD
backfill_request sto_interactive S
calibration sto_ingest SIUD
calibration sto_interactive S
calibration sto_reader S
completeness sto_ingest SIU
completeness sto_interactive S
completeness sto_reader S
completeness_lane sto_ingest SIU
dashboard sto_ingest SIUD
dashboard sto_interactive S
enrolment_token sto_ingest SIU
enumeration_label sto_ingest SIUD
enumeration_label sto_interactive S
enumeration_label sto_reader S
hub_event sto_ingest SID
kept_apart sto_ingest SI
lane sto_ingest SIU
lane sto_interactive S
latest sto_ingest SIU
latest sto_interactive S
latest sto_reader S
layout sto_ingest SIU
layout sto_interactive S
layout sto_reader S
lease sto_ingest S
lease.until sto_ingest U
ledger sto_ingest S
ledger sto_interactive S
ledger sto_reader S
login_code sto_ingest SID
mission sto_ingest SIU
mission sto_interactive S
mission sto_reader S
mission_document sto_ingest SI
node sto_ingest SIU
node sto_interactive S
node.name sto_reader S
node.node_id sto_reader S
node.site sto_reader S
node_certificate sto_ingest SIUD
node_document sto_ingest SIU
node_epoch sto_ingest SI
orbit_elements sto_ingest SI
orbit_elements sto_interactive S
orbit_elements sto_reader S
parameter sto_ingest SIU
parameter sto_interactive S
parameter sto_reader S
posted_event sto_ingest SI
posted_event sto_interactive S
posted_event sto_reader S
reading sto_ingest SU
reading sto_interactive S
reading sto_reader S
rollup sto_ingest SID
rollup sto_interactive S
rollup sto_reader S
segment sto_ingest SID
segment sto_interactive S
segment sto_reader S
segmented sto_ingest SU
segmented sto_interactive S
segmented sto_reader S
site_place sto_ingest SIU
site_place sto_interactive S
web_session sto_ingest SID
web_session.last_used sto_ingest U
";

/// A world in whose ledger a partition was made and filled.
async fn filled() -> World {
    let (mut world, lane) = with_open_session().await;
    world.archive().await;
    world.commit(lane.key, lane.session, &chain("test", 0, 3, &mut None)).await.expect("committed");
    let owner = world.database.connect().await.expect("a connection");
    let sql = "INSERT INTO mission (name) VALUES ('other');
               INSERT INTO parameter (mission_id, name) SELECT mission_id, 'canary' FROM mission WHERE name = 'other'";
    owner.batch_execute(sql).await.expect("are made");
    world
}

/// What a connection sees of the missions' rows: names, parameters by their names, rows of the ledger and of its partitions.
async fn seen(client: &Client) -> (Vec<String>, Vec<String>, i64) {
    let texts = async |sql: &str| {
        let rows = client.query(sql, &[]).await.expect("may be read");
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    let rows = client.query_one("SELECT count(*) FROM ledger", &[]).await.expect("may be read").get(0);
    let parameters = "SELECT name FROM parameter WHERE name IN ('canary', '/Test/number') ORDER BY name DESC";
    (texts("SELECT name FROM mission ORDER BY name").await, texts(parameters).await, rows)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_with_a_mission_protects_its_rows_from_its_owner_too() {
    let world = filled().await;
    let client = world.database.connect().await.expect("a connection");
    let rows = client
        .query(
            "SELECT relname::text, relispartition, relrowsecurity AND relforcerowsecurity,
                    (SELECT string_agg(pg_get_expr(polqual, polrelid), ' ') FROM pg_policy WHERE polrelid = pg_class.oid)
             FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
               AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND NOT attisdropped
                                                      AND attname IN ('mission', 'mission_id'))",
            &[],
        )
        .await
        .expect("answers");
    assert!(rows.iter().any(|row| row.get(1)), "a partition is among them");
    assert!(rows.len() >= 8, "{}", rows.len());
    for row in rows {
        let name: &str = row.get(0);
        assert!(row.get::<_, bool>(2), "{name} is not protected");
        let policy: &str = row.get::<_, Option<&str>>(3).unwrap_or_else(|| panic!("{name} has no policy"));
        assert!(policy.contains("sto_mission"), "{name}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_to_tables_are_these_and_no_others() {
    let world = filled().await;
    let client = world.database.connect().await.expect("a connection");
    let rows = client
        .query(
            "WITH given AS (
                 SELECT relname::text AS place, acl.* FROM pg_class, aclexplode(relacl) AS acl
                 WHERE relnamespace = 'public'::regnamespace AND acl.grantee <> relowner
                 UNION ALL
                 SELECT relname || '.' || attname, acl.* FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid,
                        aclexplode(attacl) AS acl
                 WHERE relnamespace = 'public'::regnamespace AND acl.grantee <> relowner)
             SELECT place || ' ' || coalesce(rolname::text, 'PUBLIC') || ' ' || string_agg(
                        CASE privilege_type WHEN 'SELECT' THEN 'S' WHEN 'INSERT' THEN 'I' WHEN 'UPDATE' THEN 'U'
                                            WHEN 'DELETE' THEN 'D' ELSE ' ' || privilege_type END
                        || CASE WHEN is_grantable THEN '*' ELSE '' END,
                        '' ORDER BY position(privilege_type IN 'SELECT INSERT UPDATE DELETE'))
             FROM given LEFT JOIN pg_roles ON pg_roles.oid = grantee
             GROUP BY place, rolname ORDER BY place COLLATE \"C\", rolname COLLATE \"C\"",
            &[],
        )
        .await
        .expect("answers");
    let rights: String = rows.iter().map(|row| format!("{}\n", row.get::<_, &str>(0))).collect();
    assert_eq!(rights, RIGHTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_sees_the_mission_it_is_about_and_writes_nothing() {
    let world = filled().await;
    let check = async |mission: &str, names: &[&str], parameters: &[&str], rows: i64| {
        let question = world.database.borrow_for_question(mission).await.expect("a connection");
        assert_eq!(seen(&question).await, (owned(names), owned(parameters), rows), "{mission:?}");
        question.finish().await.expect("over");
    };
    check("test", &["test"], &["/Test/number"], 3).await;
    check("other", &["other"], &["canary"], 0).await;
    for strange in ["", "none", "tes", "%", "test'; SET LOCAL sto.mission = '*", "{*}"] {
        check(strange, &[], &[], 0).await;
    }
    let question = world.database.borrow_for_server().await.expect("a connection");
    let everything = (owned(&["other", "test"]), owned(&["canary", "/Test/number"]), 3);
    assert_eq!(seen(&question).await, everything);
    question.finish().await.expect("over");

    let question = world.database.borrow_for_question("test").await.expect("a connection");
    // Out of the question's transaction nothing is set, and going back to who connected leads nowhere.
    question.batch_execute("COMMIT; RESET ROLE").await.expect("works");
    assert_eq!(seen(&question).await, (vec![], vec![], 0));
    for write in
        ["DELETE FROM ledger", "INSERT INTO mission (name) VALUES ('x')", "UPDATE lane SET watermark = 0"]
    {
        let refused = question.batch_execute(write).await.expect_err("may not");
        assert!(refused.code().is_some_and(|state| state.code() == NOT_ALLOWED), "{write}: {refused}");
    }
    for secret in ["login_code", "web_session", "enrolment_token", "node_certificate", "kept_apart"] {
        let refused = question.batch_execute(&format!("SELECT * FROM {secret}")).await.expect_err("may not");
        assert!(refused.code().is_some_and(|state| state.code() == NOT_ALLOWED), "{secret}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_its_missions_and_nothing_it_sets_shows_it_more() {
    let world = filled().await;
    // Roles belong to the cluster, which other tests use too.
    let name = format!("reader-{}", world.postgres().name().replace('_', "-"));
    let name = name.parse().expect("a reader's name");
    let mut superuser = connect(&world.postgres().superuser_config()).await.expect("a connection");
    admit_reader(&mut superuser, &name, "other", Some("correct horse")).await.expect("is made");
    let enter = async |password: &str| {
        let mut config = world.postgres().config();
        connect(config.user(name.to_string()).password(password)).await
    };
    assert!(enter("wrong").await.is_err());
    let reader = enter("correct horse").await.expect("may in");
    let others = (owned(&["other"]), owned(&["canary"]), 0);
    assert_eq!(seen(&reader).await, others);
    let tricks = [
        "SET sto.mission = '*'",
        "SET sto.mission = 'test'",
        "SET row_security = on",
        "SET default_transaction_read_only = off",
        "CREATE TEMPORARY VIEW pg_roles AS
             SELECT 'sto_read_test'::name AS rolname, oid FROM pg_catalog.pg_roles;
         CREATE TEMPORARY TABLE mission AS SELECT generate_series(1, 100) AS mission_id, 'test'::text AS name;
         SET search_path = pg_temp, public, pg_catalog",
    ];
    for trick in tricks {
        reader.batch_execute(trick).await.expect("may be set");
        let sql = "SELECT count(*) FROM public.ledger";
        assert_eq!(reader.query_one(sql, &[]).await.expect("may be read").get::<_, i64>(0), 0, "{trick}");
        let sql = "SELECT name FROM public.parameter";
        let rows = reader.query(sql, &[]).await.expect("may be read");
        assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["canary"], "{trick}");
    }
    for trick in [
        "SET ROLE sto_interactive",
        "SET ROLE sto_ingest",
        "SET ROLE sto",
        "SELECT report FROM node",
        "SELECT * FROM node_certificate",
        "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY",
        "SELECT sto_protect('ledger'), set_config('row_security', 'off', true); SELECT * FROM public.ledger",
    ] {
        let refused = reader.batch_execute(trick).await.expect_err("may not");
        assert!(refused.code().is_some_and(|state| state.code() == NOT_ALLOWED), "{trick}: {refused}");
    }
    drop(reader);

    admit_reader(&mut superuser, &name, "test", None).await.expect("sees one more");
    let reader = enter("correct horse").await.expect("keeps its password");
    assert_eq!(seen(&reader).await, (owned(&["other", "test"]), owned(&["canary", "/Test/number"]), 3));
    let partition = "SELECT min(relid::regclass::text) FROM pg_partition_tree('ledger') WHERE isleaf";
    let partition: String = reader.query_one(partition, &[]).await.expect("answers").get(0);
    let refused = reader.batch_execute(&format!("SELECT FROM {partition}")).await.expect_err("may not");
    assert!(refused.code().is_some_and(|state| state.code() == NOT_ALLOWED), "{refused}");
    drop(reader);
    superuser.batch_execute(&format!("DROP ROLE \"{name}\"")).await.expect("is gone");
}

#[tokio::test]
async fn a_role_that_was_not_made_here_and_a_mission_that_is_not_there_are_refused() {
    let (postgres, _) = migrated().await;
    let mut superuser = connect(&postgres.superuser_config()).await.expect("a connection");
    let name = format!("stranger-{}", postgres.name().replace('_', "-"));
    superuser
        .batch_execute(&format!("CREATE ROLE \"{name}\" LOGIN; INSERT INTO mission (name) VALUES ('there')"))
        .await
        .expect("is made");
    let stranger = name.parse().expect("a reader's name");
    let refused = admit_reader(&mut superuser, &stranger, "there", Some("x")).await.expect_err("refused");
    assert!(matches!(refused, ReaderRefused::Taken(_)), "{refused}");
    let refused =
        admit_reader(&mut superuser, &stranger, "missing\"; x", Some("x")).await.expect_err("refused");
    assert!(matches!(refused, ReaderRefused::Mission(_)), "{refused}");
    superuser.batch_execute(&format!("DROP ROLE \"{name}\"")).await.expect("is gone");
}
