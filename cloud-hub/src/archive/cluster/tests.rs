use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use rustix::process::geteuid;

use super::place::{SOCKET_PATH_BYTES_MAX, account_named, major_in, may_enter};
use super::*;

fn account(uid: u32, gid: u32) -> Account {
    Account { name: "user `postgres`".to_owned(), uid, gid }
}

/// A folder that PostgreSQL's user may enter, whatever the umask is.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("the temporary directory is writable");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

async fn start(folder: &Path, durability: Durability) -> PrivateCluster {
    let config = ClusterConfig { directory: folder.join("database"), binaries: None, durability };
    PrivateCluster::start(config).await.unwrap_or_else(|failed| panic!("{failed}"))
}

async fn count(cluster: &PrivateCluster) -> i64 {
    ask(cluster, "SELECT count(*)::text FROM kept").await.parse().expect("a number")
}

/// What the superuser reads in one field of one row.
async fn ask(cluster: &PrivateCluster, question: &str) -> String {
    let asked = cluster.session(SUPERUSER, "postgres", async |client| client.query_one(question, &[]).await);
    asked.await.expect("the cluster answers").get(0)
}

fn kill(cluster: &PrivateCluster) {
    let pid = running_postmaster(&cluster.data_directory()).expect("the postmaster runs");
    kill_process(pid, Signal::KILL).expect("it is ours");
}

#[tokio::test]
async fn a_killed_database_is_restarted_with_what_was_committed() {
    let folder = folder();
    let cluster = start(folder.path(), Durability::Full).await;
    cluster.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000)").await.expect("it runs");
    let shutdown = CancellationToken::new();
    let rounds = async {
        for _ in 0..3 {
            let before = running_postmaster(&cluster.data_directory());
            kill(&cluster);
            let deadline = Instant::now() + Duration::from_secs(60);
            while running_postmaster(&cluster.data_directory()).is_none_or(|now| Some(now) == before)
                || cluster.execute("SELECT 1").await.is_err()
            {
                assert!(Instant::now() < deadline, "the database was not restarted");
                sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(count(&cluster).await, 1000);
        }
        shutdown.cancel();
    };
    tokio::join!(cluster.supervise(shutdown.clone()), rounds);
    cluster.stop().await.expect("it stops");
    assert_eq!(running_postmaster(&cluster.data_directory()), None);
}

#[tokio::test]
async fn a_database_that_outlived_its_hub_is_taken_over() {
    let folder = folder();
    let first = start(folder.path(), Durability::TestOnly).await;
    first.create_database("hub").await.expect("it is created");
    let pid = running_postmaster(&first.data_directory());
    drop(first);
    let second = start(folder.path(), Durability::TestOnly).await;
    assert_eq!(running_postmaster(&second.data_directory()), pid);
    second.create_database("hub").await.expect("an existing one is fine");
    second.stop().await.expect("it stops");
    assert_eq!(running_postmaster(&second.data_directory()), None);
}

#[tokio::test]
async fn the_hubs_user_is_no_superuser_and_an_older_hubs_cluster_is_handed_over_to_it() {
    let folder = folder();
    let run_as = account_for(&folder.path().join("database")).expect("an account");
    let directory = prepare_directory(&folder.path().join("database"), run_as.as_ref()).expect("is made");
    let older = PrivateCluster {
        socket_directory: socket_directory_for(&directory),
        binaries: find_binaries(None, None, run_as.as_ref()).await.expect("PostgreSQL is installed"),
        directory,
        run_as,
        durability: Durability::TestOnly,
        settings: settings(Durability::TestOnly, false),
        postmaster: Mutex::new(Postmaster::Stopped),
    };
    private_directory(&older.socket_directory, older.run_as.as_ref()).expect("is made");
    older.initialise(USER).await.expect("is made");
    older.launch().await.expect("it starts");
    let made = async |database, statement| {
        older
            .session(USER, database, async |client| client.batch_execute(statement).await)
            .await
            .expect("made");
    };
    made("postgres", "CREATE DATABASE hub").await;
    made("hub", "CREATE TABLE kept (number integer GENERATED ALWAYS AS IDENTITY)").await;
    older.stop().await.expect("it stops");

    let cluster = start(folder.path(), Durability::TestOnly).await;
    cluster.create_database("hub").await.expect("is there");
    cluster.create_database("another").await.expect("is made");
    let read =
        "SELECT string_agg(datname || ' ' || pg_get_userbyid(datdba), ', ' ORDER BY datname) FROM pg_database
                WHERE NOT datistemplate";
    assert_eq!(ask(&cluster, read).await, "another sto, hub sto, postgres sto_former");
    let superusers = "SELECT string_agg(rolname || ' ' || rolcanlogin, ', ' ORDER BY rolname) FROM pg_roles
                      WHERE rolsuper OR rolcreaterole OR rolcreatedb";
    assert_eq!(ask(&cluster, superusers).await, "postgres true, sto_former false");
    let written = cluster.session(USER, "hub", async |client| {
        client
            .batch_execute("INSERT INTO kept DEFAULT VALUES; ALTER TABLE kept ADD COLUMN more integer")
            .await
    });
    written.await.expect("the table is the hub's");
    cluster.stop().await.expect("it stops");
}

#[tokio::test]
async fn whoever_is_neither_the_hub_nor_the_superuser_shows_a_password_at_the_socket_too() {
    let folder = folder();
    let cluster = start(folder.path(), Durability::TestOnly).await;
    cluster.execute("CREATE ROLE reader LOGIN PASSWORD 'right'").await.expect("is made");
    let asked = cluster.session("reader", "postgres", async |client| client.batch_execute("SELECT 1").await);
    let refused = asked.await.expect_err("no password was given");
    assert!(format!("{refused:?}").to_lowercase().contains("password"), "{refused:?}");
    cluster.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_log_that_grew_is_emptied_while_the_database_goes_on_writing_to_it() {
    let folder = folder();
    let cluster = start(folder.path(), Durability::TestOnly).await;
    let log = cluster.log_path();
    let grown = OpenOptions::new().append(true).open(&log).expect("is there");
    grown.set_len(LOG_BYTES_MAX + 1).expect("grows");
    assert_eq!(cluster.roll_log().expect("rolls"), 0);
    assert!(cluster.execute("SELECT 1 / 0").await.is_err());
    let (_, lines) = cluster.log_since(0);
    assert!(lines.contains("division by zero"), "{lines}");
    assert!(
        fs::metadata(&log).expect("is there").len() < 4_096,
        "written at its end and not at the old place"
    );
    let older = fs::metadata(log.with_extension("log.1")).expect("is kept");
    assert_eq!(older.len(), LOG_BYTES_MAX + 1);
    cluster.stop().await.expect("it stops");
}

#[tokio::test]
async fn the_cluster_is_set_up_for_an_archive() {
    let folder = folder();
    let cluster = start(folder.path(), Durability::Full).await;
    let check = async |name: &str, expected: &str| {
        assert_eq!(ask(&cluster, &format!("SHOW {name}")).await, expected, "{name}");
    };
    check("data_checksums", "on").await;
    check("synchronous_commit", "on").await;
    check("full_page_writes", "on").await;
    check("fsync", "on").await;
    check("jit", "off").await;
    check("timezone", "UTC").await;
    check("max_wal_size", "2GB").await;
    check("listen_addresses", "").await;
    let buffers = "SELECT (setting::bigint * 8 / 1024 BETWEEN 128 AND 1024)::text FROM pg_settings
                   WHERE name = 'shared_buffers'";
    assert_eq!(ask(&cluster, buffers).await, "true");
    cluster.stop().await.expect("it stops");
}

#[test]
fn the_machines_memory_is_read_from_meminfo() {
    assert_eq!(settings::total_in("MemFree: 3 kB\nMemTotal:       24606760 kB\n"), Some(24_606_760 << 10));
    for text in ["", "MemTotal:", "MemTotal: many kB", "MemTotal: 99999999999999999999 kB"] {
        assert_eq!(settings::total_in(text), None, "{text:?}");
    }
}

#[tokio::test]
async fn a_killed_database_starts_while_its_children_still_hold_its_memory() {
    let folder = folder();
    let first = start(folder.path(), Durability::Full).await;
    first.execute("CREATE TABLE kept AS SELECT generate_series(1, 10)").await.expect("it runs");
    kill(&first);
    let second = start(folder.path(), Durability::Full).await;
    assert_eq!(count(&second).await, 10);
    second.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_lock_file_with_a_living_strangers_number_does_not_keep_the_database_from_starting() {
    let folder = folder();
    let first = start(folder.path(), Durability::TestOnly).await;
    first.stop().await.expect("it stops");
    // A process of PostgreSQL's own user, as in a container where the numbers start again.
    let mut command = command(Path::new("/bin/sleep"), Path::new("/"), first.run_as.as_ref());
    let mut stranger = command.arg("60").kill_on_drop(true).spawn().expect("sleep exists");
    let pid = stranger.id().expect("it runs");
    let lock = format!("{pid}\n{}\n0\n5432\n\n\n", first.data_directory().display());
    fs::write(first.data_directory().join("postmaster.pid"), lock).expect("the folder is writable");
    let second = start(folder.path(), Durability::TestOnly).await;
    second.stop().await.expect("it stops");
    stranger.kill().await.expect("it is ours");
}

#[tokio::test]
async fn a_start_that_cannot_succeed_shows_the_last_lines_of_the_log() {
    let folder = folder();
    start(folder.path(), Durability::TestOnly).await.stop().await.expect("it stops");
    let directory = folder.path().join("database");
    fs::write(directory.join("cluster/postgresql.conf"), "no_such_setting = 1\n").expect("it is writable");
    let config = ClusterConfig { directory, binaries: None, durability: Durability::TestOnly };
    let failed = PrivateCluster::start(config).await.err().expect("it cannot start");
    assert!(failed.to_string().contains("no_such_setting"), "{failed}");
}

#[tokio::test]
async fn a_folder_that_the_database_user_cannot_enter_is_named_with_the_option_that_moves_it() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("it is ours");
    let config = ClusterConfig {
        directory: folder.path().join("database"),
        binaries: None,
        durability: Durability::TestOnly,
    };
    let failed = PrivateCluster::start(config).await.err().expect("root's own folder is closed").to_string();
    let named = folder.path().canonicalize().expect("it exists");
    assert!(failed.contains(&named.display().to_string()), "{failed}");
    assert!(failed.contains("database.directory"), "{failed}");
}

#[tokio::test]
async fn a_folder_without_postgresql_is_refused_by_name() {
    let folder = folder();
    let missing = folder.path().join("bin");
    let failed = find_binaries(Some(&missing), None, None).await.expect_err("it is empty").to_string();
    assert!(failed.contains("database.binaries") && failed.contains("bin (does not have both)"), "{failed}");
}

#[test]
fn accounts_are_read_from_passwd_and_root_is_none() {
    let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104:a,b:/var:/bin/bash\nbroken:x\n";
    assert_eq!(account_named("postgres", passwd), Some(account(101, 104)));
    for name in ["root", "broken", "post", ""] {
        assert_eq!(account_named(name, passwd), None, "{name}");
    }
}

#[test]
fn entering_a_folder_is_decided_by_the_first_of_owner_group_and_others_that_fits() {
    let check = |owner, group, mode, expected| {
        assert_eq!(may_enter(&account(101, 104), owner, group, mode), expected, "{owner} {group} {mode:o}");
    };
    check(0, 0, 0o755, true);
    check(0, 0, 0o700, false);
    check(101, 0, 0o700, true);
    check(101, 104, 0o077, false);
    check(0, 104, 0o710, true);
    check(0, 104, 0o701, false);
    check(0, 0, 0o711, true);
}

#[test]
fn a_socket_path_that_does_not_fit_moves_to_tmp_under_a_lasting_name() {
    assert_eq!(
        socket_directory_for(Path::new("/var/lib/sto/database")),
        Path::new("/var/lib/sto/database/socket")
    );
    let fits = |directory: &str| socket_directory_for(Path::new(directory)).starts_with(directory);
    let longest = SOCKET_PATH_BYTES_MAX - "/socket/.s.PGSQL.5432".len();
    assert!(fits(&format!("/{}", "a".repeat(longest - 1))));
    assert!(!fits(&format!("/{}", "a".repeat(longest))));
    let long = format!("/{}", "a".repeat(200));
    assert_eq!(socket_directory_for(Path::new(&long)), Path::new("/tmp/sto-0b235c1485d21076"));
}

#[test]
fn version_texts_of_several_packagings_are_understood() {
    let check = |text, expected| assert_eq!(major_in(text), expected, "{text}");
    check("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15));
    check("initdb (PostgreSQL) 18beta2\n", Some(18));
    check("postgres (PostgreSQL) 17.0\n", Some(17));
    check("postgres: command not found", None);
    check("", None);
}

#[test]
fn only_what_time_heals_is_tried_again() {
    assert!(passes_by_itself("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use"));
    assert!(passes_by_itself("FATAL:  lock file exists\nHINT:  Is another postmaster (PID 7) running?"));
    assert!(!passes_by_itself("FATAL:  could not create lock file: No space left on device"));
}
