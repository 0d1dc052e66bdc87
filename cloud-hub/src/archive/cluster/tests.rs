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
    let mut config = Config::new();
    config.host_path(cluster.socket_directory()).port(cluster.port()).user(cluster.user()).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await.expect("the cluster accepts connections");
    let work = async move {
        client.query_one("SELECT count(*) FROM kept", &[]).await.expect("the table exists").get(0)
    };
    tokio::join!(work, connection).0
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
