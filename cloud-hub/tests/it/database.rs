//! Questions, and what becomes of them when nobody waits any more; several addresses; roles and rows.

use std::time::Duration;

use cloud_hub::archive::{ArchiveError, Client, ConnectFailure, Database, cut_now};
use futures_util::FutureExt;
use mission_database::ParameterIndex;
use processing::{RangeQuery, Wanted};
use space_packet::TaiTime;
use testkit::postgres::{TestDatabase, connect};
use testkit::process::until;

use crate::archive::with_open_session;
use crate::world::{chain, take_in};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn migrated() -> (TestDatabase, Database) {
    let postgres = testkit::postgres::database().await;
    let database = Database::at_url(&postgres.connection_string()).expect("a connection string");
    database.migrate().await.expect("the schema");
    (postgres, database)
}

/// Statements of questions that PostgreSQL is at in this database.
async fn at_work(watcher: &Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()
                 AND (state = 'active' OR state LIKE 'idle in transaction%') AND backend_type = 'client backend'";
    watcher.query_one(sql, &[]).await.expect("answers").get(0)
}

async fn until_at_work(watcher: &Client, count: i64) {
    let seen =
        until("statements at work", PATIENCE, async || Ok((at_work(watcher).await == count).then_some(())));
    seen.await.expect("PostgreSQL is at as many statements as expected");
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_ended_at_the_server() {
    let (postgres, database) = migrated().await;
    let watcher = connect(&postgres.superuser_config()).await.expect("a connection");
    // As many as the pool has, so that the next one needs what they leave.
    for _ in 0..6 {
        let database = database.clone();
        let asked = tokio::spawn(async move {
            let question = database.borrow_for_question("test").await.expect("a connection");
            question.batch_execute("SELECT pg_sleep(600)").await
        });
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            asked.abort();
        });
    }
    let question = database.borrow_for_question("test").await.expect("one was given back");
    until_at_work(&watcher, 1).await;
    let row = question.query_one("SELECT current_setting('sto.mission')", &[]).await.expect("answers");
    assert_eq!(row.get::<_, &str>(0), "test");
    question.finish().await.expect("over");
    until_at_work(&watcher, 0).await;
}

/// The process that serves a connection.
async fn process_of(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.expect("answers").get(0)
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_told_apart_and_the_next_question_has_another_connection() {
    let (postgres, database) = migrated().await;
    let watcher = connect(&postgres.superuser_config()).await.expect("a connection");
    let question = database.borrow_for_question("test").await.expect("a connection");
    let limit = question.query_one("SHOW statement_timeout", &[]).await.expect("answers");
    assert_eq!(limit.get::<_, &str>(0), "30s");
    let first = process_of(&question).await;
    question.batch_execute("SET LOCAL statement_timeout = '50ms'").await.expect("is set");
    let failed = question.batch_execute("SELECT pg_sleep(600)").await.expect_err("is ended");
    assert!(ArchiveError::from(failed).is_timeout());
    drop(question);
    until_at_work(&watcher, 0).await;

    let blocker = connect(&postgres.config()).await.expect("a connection");
    blocker.batch_execute("BEGIN; LOCK TABLE segmented").await.expect("is locked");
    let question = database.borrow_for_question("test").await.expect("a connection");
    assert_ne!(process_of(&question).await, first, "what was cancelled there may still be on its way");
    question.batch_execute("SET LOCAL lock_timeout = '50ms'").await.expect("is set");
    let failed = question.batch_execute("SELECT * FROM segmented").await.expect_err("is ended");
    assert!(ArchiveError::from(failed).is_timeout());
    drop(question);
    blocker.batch_execute("ROLLBACK").await.expect("is free");

    let question = database.borrow_for_question("test").await.expect("a connection");
    let failed = question.batch_execute("SELECT 1 / 0").await.expect_err("fails");
    assert!(!ArchiveError::from(failed).is_timeout());
    drop(question);
    until_at_work(&watcher, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_whose_client_left_leaves_nothing_behind() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let committed = world.commit(lane.key, lane.session, &chain("test", 0, 3, &mut None)).await;
    take_in(&archive, &committed.expect("committed"));
    // What is in memory needs no database.
    cut_now(&archive, &world.database).await.expect("cut");
    let watcher = connect(&world.postgres().superuser_config()).await.expect("a connection");
    let blocker = connect(&world.postgres().config()).await.expect("a connection");
    blocker.batch_execute("BEGIN; LOCK TABLE segment").await.expect("is locked");
    let query = RangeQuery {
        parameter: ParameterIndex(3),
        from: TaiTime(0),
        to: TaiTime(i64::MAX),
        wanted: Wanted::Page { limit: 10 },
        reading: None,
    };
    let database = world.database.clone();
    let asked = tokio::spawn({
        let archive = archive.clone();
        async move { archive.range(&database, 0, query).await.map(drop) }
    });
    // The blocker's transaction and the question that waits for it.
    until_at_work(&watcher, 2).await;
    asked.abort();
    until_at_work(&watcher, 1).await;
    blocker.batch_execute("ROLLBACK").await.expect("is free");
    assert_eq!(world.numbers(&archive).await, [0.0, 1.0, 2.0]);
}

#[tokio::test]
async fn of_several_addresses_the_one_that_answers_is_used() {
    let (postgres, _) = migrated().await;
    let server = postgres.server();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let several = format!(
        "host='127.0.0.1,{}' port={},{} user={} dbname={}",
        server.socket_directory.display(),
        dead.port(),
        server.port,
        server.user,
        postgres.name()
    );
    let database = Database::at_url(&several).expect("a connection string");
    database.migrate().await.expect("reached");
    let question = database.borrow_for_question("test").await.expect("reached");
    let row = question.query_one("SELECT current_user::text", &[]).await.expect("answers");
    assert_eq!(row.get::<_, &str>(0), "sto_interactive");
    question.finish().await.expect("over");
    let lent = database.borrow().await.expect("reached");
    let row = lent.query_one("SELECT current_user::text", &[]).await.expect("answers");
    assert_eq!(row.get::<_, &str>(0), "sto_ingest");
}

#[tokio::test]
async fn of_several_databases_the_one_that_takes_commits_is_used() {
    let (postgres, _) = migrated().await;
    let standby = testkit::postgres::database().await;
    let sql = format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", standby.name());
    connect(&postgres.superuser_config())
        .await
        .expect("a connection")
        .batch_execute(&sql)
        .await
        .expect("is set");
    // One address, twice: which database is read-only is all that PostgreSQL is asked.
    let server = postgres.server();
    let check = async |name: &str| {
        let socket = server.socket_directory.display();
        let twice =
            format!("host='{socket},{socket}' port={0},{0} user={1} dbname={name}", server.port, server.user);
        Database::at_url(&twice).expect("a connection string").connect().await.map(drop)
    };
    check(postgres.name()).await.expect("takes commits");
    assert!(check(standby.name()).await.is_err(), "takes none");
}

#[tokio::test]
async fn a_user_that_cannot_work_as_the_hubs_roles_is_told_what_to_do() {
    let postgres = testkit::postgres::database().await;
    let superuser = connect(&postgres.superuser_config()).await.expect("a connection");
    let name = postgres.name();
    let sql = format!(
        "CREATE ROLE \"{name}\" LOGIN PASSWORD 'secret'; ALTER DATABASE \"{name}\" OWNER TO \"{name}\""
    );
    superuser.batch_execute(&sql).await.expect("is made");
    // The test cluster asks strangers for passwords.
    let url = format!(
        "{} password=secret",
        postgres.connection_string().replace(" user=sto", &format!(" user={name}"))
    );
    let failed = Database::at_url(&url).expect("a connection string").migrate().await.expect_err("refused");
    assert!(matches!(failed, ConnectFailure::Roles { .. }), "{failed}");
    let text = failed.to_string();
    assert!(text.contains("STO-DATABASE-ROLES") && text.contains(name), "{text}");

    let sql = format!("ALTER ROLE \"{name}\" BYPASSRLS; GRANT sto_ingest, sto_interactive TO \"{name}\"");
    superuser.batch_execute(&sql).await.expect("is granted");
    Database::at_url(&url).expect("a connection string").migrate().await.expect("that is all it takes");
    let sql = format!(
        "ALTER DATABASE \"{name}\" OWNER TO sto; REASSIGN OWNED BY \"{name}\" TO sto; DROP OWNED BY \"{name}\"; DROP ROLE \"{name}\""
    );
    superuser.batch_execute(&sql).await.expect("is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn hubs_of_several_databases_of_one_cluster_make_the_roles_at_the_same_time() {
    let cluster = testkit::postgres::TestCluster::start().await.expect("a cluster of its own");
    let server = cluster.server();
    let superuser = {
        let socket = server.socket_directory.display();
        let url = format!("host='{socket}' port={} user=postgres dbname=postgres", server.port);
        Database::at_url(&url).expect("a connection string").connect().await.expect("a connection")
    };
    superuser.batch_execute("DROP ROLE sto_reader, sto_interactive, sto_ingest").await.expect("are gone");
    let mut migrating = Vec::new();
    for number in 0..4 {
        superuser.batch_execute(&format!("CREATE DATABASE hub_{number}")).await.expect("is made");
        let socket = server.socket_directory.display();
        let url = format!("host='{socket}' port={} user=postgres dbname=hub_{number}", server.port);
        let database = Database::at_url(&url).expect("a connection string");
        migrating.push(tokio::spawn(async move { database.migrate().await }));
    }
    for migrated in migrating {
        migrated.await.expect("ends").expect("the schema");
    }
    drop(superuser);
    cluster.stop().boxed().await.expect("stops");
}
