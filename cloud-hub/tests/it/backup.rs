//! Backups of a private cluster, what damage does to them, and the commands about a database.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cloud_hub::archive::{
    BackupError, ClusterConfig, Database, Durability, Pages, PagesError, PrivateCluster, check_pages,
    enable_checksums, restore,
};
use testkit::guard::Guard;

/// A folder for hubs' data directories, which ends what runs in them.
struct Place {
    folder: tempfile::TempDir,
    guards: Vec<Guard>,
}

impl Place {
    fn new() -> Self {
        let open = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("sto-test-").permissions(open).tempdir();
        Self { folder: folder.expect("the temporary directory is writable"), guards: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the private cluster of a data directory of this name lives.
    fn cluster(&mut self, name: &str) -> ClusterConfig {
        let directory = self.path(name).join("database");
        self.guards.push(Guard::over(&directory, None).expect("a shell"));
        ClusterConfig { directory, binaries: None, durability: Durability::TestOnly }
    }

    /// A running cluster with an archive that has one mission.
    async fn filled(&mut self, name: &str) -> PrivateCluster {
        let cluster = PrivateCluster::start(self.cluster(name)).await.expect("it starts");
        cluster.create_database("sto").await.expect("is made");
        database(&cluster).migrate().await.expect("the schema");
        add_mission(&cluster, "first").await;
        cluster
    }
}

fn database(cluster: &PrivateCluster) -> Database {
    Database::in_cluster(cluster.socket_directory(), cluster.port(), cluster.user(), "sto")
}

async fn add_mission(cluster: &PrivateCluster, name: &str) {
    let owner = database(cluster).connect().await.expect("a connection");
    owner.execute("INSERT INTO mission (name) VALUES ($1)", &[&name]).await.expect("is made");
}

async fn missions(cluster: &PrivateCluster) -> Vec<String> {
    let owner = database(cluster).connect().await.expect("a connection");
    let rows = owner.query("SELECT name FROM mission ORDER BY mission_id", &[]).await.expect("answers");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Turns a bit of a file over, in its middle.
fn damage(file: &Path) {
    let mut opened = OpenOptions::new().read(true).write(true).open(file).expect("is there");
    let middle = opened.metadata().expect("is there").len() / 2;
    let mut byte = [0];
    opened.seek(SeekFrom::Start(middle)).and_then(|_| opened.read_exact(&mut byte)).expect("is read");
    byte[0] ^= 0x10;
    opened.seek(SeekFrom::Start(middle)).and_then(|_| opened.write_all(&byte)).expect("is written");
}

/// Writes what a turned bit can make of a backup's file: what `tar` takes for no header and an end, so that it leaves
/// before the check sum is read.
fn write_rubbish(file: &Path) {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.include_checksum(true).expect("is taken");
    let content = [vec![b'U'; 512], vec![0; 20 << 10], vec![b'U'; 1 << 20]].concat();
    encoder.write_all(&content).expect("into memory");
    let mut packed = encoder.finish().expect("into memory");
    *packed.last_mut().expect("the check sum") ^= 1;
    fs::write(file, packed).expect("is written");
}

/// The largest file below a folder whose name is a number: a table or an index.
fn largest_table(folder: &Path) -> PathBuf {
    let is_number = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<u32>().is_ok())
    };
    let databases =
        fs::read_dir(folder.join("base")).expect("is there").map(|entry| entry.expect("is read").path());
    let files = databases
        .flat_map(|folder| fs::read_dir(folder).expect("is there"))
        .map(|entry| entry.expect("is read").path());
    files
        .filter(is_number)
        .max_by_key(|path| fs::metadata(path).expect("is there").len())
        .expect("there are tables")
}

fn left_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.expect("is read").file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_database_brings_back_what_was_committed_until_then() {
    let mut place = Place::new();
    let cluster = place.filled("hub").await;
    let (folder, file) = (place.path("backups/folder"), place.path("backups/all.tar.zst"));
    let bytes = cluster.back_up(&folder).await.expect("is made");
    let packed = cluster.back_up(&file).await.expect("is made");
    assert!(packed > 1 << 20 && packed < bytes / 4, "{packed} of {bytes}");
    assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
    add_mission(&cluster, "later").await;
    for taken in [&folder, &file] {
        let refused = cluster.back_up(taken).await.expect_err("is there already");
        assert!(matches!(refused, BackupError::Taken(_)), "{refused}");
    }
    let mut made = left_in(&place.path("backups"));
    made.sort();
    assert_eq!(made, ["all.tar.zst", "folder"]);

    for (backup, name) in [(&folder, "from-folder"), (&file, "from-file")] {
        let config = place.cluster(name);
        let restored = restore(backup, config.clone()).await.expect("is restored");
        assert_eq!(missions(&restored).await, ["first"]);
        add_mission(&restored, "new").await;
        restored.stop().await.expect("it stops");
        let refused = restore(backup, config.clone()).await.err().expect("is there already");
        assert!(matches!(refused, BackupError::Taken(_)), "{refused}");
        let again = PrivateCluster::start(config).await.expect("it starts");
        assert_eq!(missions(&again).await, ["first", "new"]);
        again.stop().await.expect("it stops");
    }
    cluster.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_nothing_of_it_stays() {
    let mut place = Place::new();
    let cluster = place.filled("hub").await;
    let backups: Vec<PathBuf> =
        ["page", "log", "manifest", "incomplete"].map(|name| place.path(name)).to_vec();
    let files: Vec<PathBuf> = ["bit.tar.zst", "end.tar.zst"].map(|name| place.path(name)).to_vec();
    for group in [&backups, &files] {
        cluster.back_up(&group[0]).await.expect("is made");
        for copy in &group[1..] {
            assert!(Command::new("cp").arg("-a").args([&group[0], copy]).status().expect("cp").success());
        }
    }
    cluster.stop().await.expect("it stops");

    damage(&largest_table(&backups[0]));
    let log = fs::read_dir(backups[1].join("pg_wal"))
        .expect("is there")
        .map(|entry| entry.expect("is read").path());
    fs::remove_file(log.filter(|path| path.is_file()).min().expect("there is a log")).expect("is removed");
    damage(&backups[2].join("backup_manifest"));
    fs::remove_file(backups[3].join("global/pg_control")).expect("is removed");
    damage(&files[0]);
    let length = fs::metadata(&files[1]).expect("is there").len();
    OpenOptions::new().write(true).open(&files[1]).and_then(|file| file.set_len(length - 9)).expect("is cut");
    let empty = place.path("empty");
    fs::create_dir(&empty).expect("is made");
    let rubbish = place.path("rubbish.tar.zst");
    write_rubbish(&rubbish);
    for backup in backups.iter().chain(&files).chain([&empty, &rubbish]) {
        let config = place.cluster("restored");
        let directory = config.directory.clone();
        let refused =
            restore(backup, config).await.err().unwrap_or_else(|| panic!("{} is damaged", backup.display()));
        assert!(matches!(refused, BackupError::Damaged { .. }), "{}: {refused}", backup.display());
        assert_eq!(left_in(&directory), Vec::<String>::new(), "{}", backup.display());
    }
    let missing =
        restore(&place.path("missing"), place.cluster("restored")).await.err().expect("is not there");
    assert!(matches!(missing, BackupError::File { .. }), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_stopped_database_are_checked_and_get_check_sums_when_asked() {
    let mut place = Place::new();
    let cluster = place.filled("hub").await;
    let config = place.cluster("hub");
    assert!(matches!(check_pages(&config).await, Err(PagesError::Running(_))));
    cluster.stop().await.expect("it stops");
    assert_eq!(check_pages(&config).await.expect("are read"), Pages::Intact);

    let data = config.directory.join("cluster");
    let table = largest_table(&data);
    damage(&table);
    let Pages::Damaged(said) = check_pages(&config).await.expect("are read") else {
        panic!("one is damaged")
    };
    assert!(said.contains("Bad checksums:  1"), "{said}");
    damage(&table);
    assert_eq!(check_pages(&config).await.expect("are read"), Pages::Intact, "turned back");

    let control = data.join("global/pg_control");
    disable_checksums(&data);
    assert_eq!(check_pages(&config).await.expect("is asked"), Pages::WithoutChecksums);
    let before = fs::read(&control).expect("is there");
    let cluster = PrivateCluster::start(config.clone()).await.expect("it starts without");
    cluster.stop().await.expect("it stops");
    assert_eq!(check_pages(&config).await.expect("is asked"), Pages::WithoutChecksums, "not done silently");
    enable_checksums(&config).await.expect("are written");
    assert_ne!(fs::read(&control).expect("is there"), before);
    assert_eq!(check_pages(&config).await.expect("are read"), Pages::Intact);
}

/// As the cluster's own user, with the program of its version.
fn disable_checksums(data: &Path) {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let owner = fs::metadata(data).expect("is there");
    let version = fs::read_to_string(data.join("PG_VERSION")).expect("is there");
    let packaged = PathBuf::from(format!("/usr/lib/postgresql/{}/bin/pg_checksums", version.trim()));
    let program = if packaged.exists() { packaged } else { PathBuf::from("pg_checksums") };
    let mut command = Command::new(program);
    command.args(["--disable", "-D"]).arg(data).current_dir("/").stdout(Stdio::null());
    if owner.uid() != std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").expect("is there")) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    assert!(command.status().expect("PostgreSQL is installed").success());
}

fn hub(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloud-hub"));
    command.arg("db").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("is piped").write_all(input.as_bytes()).expect("is read");
    child.wait_with_output().expect("it ends")
}

/// What it printed; it must have ended well, or not, as expected.
fn said(arguments: &[&str], input: &str, is_well: bool) -> String {
    let Output { status, stdout, stderr } = hub(arguments, input);
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert_eq!(status.success(), is_well, "{arguments:?}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_tell_a_person_what_is_and_what_to_do_next() {
    let mut place = Place::new();
    let cluster = place.filled("hub").await;
    let file = place.path("hub.toml");
    let (data, text) = (place.path("hub"), file.display().to_string());
    fs::write(&file, format!("data_directory = \"{}\"\n", data.display())).expect("is written");
    let configured = ["--config", &text];
    let with = |arguments: &[&str]| {
        [arguments, &configured].concat().iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    let db = |arguments: &[&str], input: &str, is_well: bool| {
        let arguments = with(arguments);
        said(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), input, is_well)
    };
    assert!(db(&["status"], "", false).contains("STO-HUB-NOT-RUNNING"));

    let ready = serde_json::json!({
        "http": "127.0.0.1:1", "reception": "127.0.0.1:1", "pid": 1,
        "database": { "kind": "private", "socket_directory": cluster.socket_directory(), "port": cluster.port(),
                      "user": cluster.user() },
    });
    fs::write(data.join("ready.json"), ready.to_string()).expect("is written");
    let status = db(&["status"], "", true);
    for part in ["PostgreSQL ", "check sums  on", "ledger      empty", "segment"] {
        assert!(status.contains(part), "{part}: {status}");
    }
    let status: serde_json::Value =
        serde_json::from_str(&db(&["status", "--json"], "", true)).expect("is JSON");
    assert_eq!(status["has_checksums"], true);
    assert!(status["bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{status}");
    assert!(db(&["check"], "", true).contains("every table with a mission is protected"));
    assert!(db(&["check", "--enable-checksums"], "", false).contains("STO-DATABASE-RUNNING"));

    let made = db(&["reader", "grafana", "--mission", "first"], "", true);
    assert!(made.contains("shown only now"), "{made}");
    let again = db(&["reader", "grafana", "--mission", "first"], "", true);
    assert!(!again.contains("password"), "{again}");
    assert!(
        !db(&["reader", "anna", "--mission", "first", "--password-stdin"], "secret\n", true)
            .contains("secret")
    );
    assert!(
        db(&["reader", "anna", "--mission", "first", "--password-stdin"], "\n", false)
            .contains("STO-DATABASE-READER")
    );
    assert!(db(&["reader", "anna", "--mission", "none"], "", false).contains("STO-DATABASE-READER"));
    assert!(db(&["reader", "postgres", "--mission", "first"], "", false).contains("lower-case"));

    let backup = place.path("b.tar.zst").display().to_string();
    assert!(db(&["backup", &backup], "", true).contains("verified"));
    assert!(db(&["backup", &backup], "", false).contains("STO-DATABASE-TAKEN"));
    assert_eq!(missions(&cluster).await, ["first"], "it still runs");
    cluster.stop().await.expect("it stops");
    assert!(db(&["check"], "", true).contains("fits its check sum"));
    let second = place.path("c").display().to_string();
    assert!(db(&["backup", &second], "", true).contains("verified"), "of a stopped one");
    assert!(db(&["check"], "", true).contains("fits its check sum"), "stopped again");

    place.cluster("new");
    let into = place.path("new").display().to_string();
    let restored = said(&["restore", &backup, "--into", &into], "", true);
    assert!(restored.contains("no batch is in it") && restored.contains("cloud-hub run"), "{restored}");
    assert!(said(&["restore", &backup, "--into", &into], "", false).contains("STO-DATABASE-TAKEN"));
    damage(Path::new(&backup));
    let other = place.path("other").display().to_string();
    assert!(said(&["restore", &backup, "--into", &other], "", false).contains("STO-DATABASE-DAMAGED"));
    assert!(!place.path("other/database/cluster").exists());

    fs::write(
        &file,
        format!(
            "data_directory = \"{}\"\n[database]\nurl = \"postgresql://nobody@localhost/none\"\n",
            data.display()
        ),
    )
    .expect("is written");
    let third = place.path("d").display().to_string();
    assert!(db(&["backup", &third], "", false).contains("STO-DATABASE-YOURS"));
}
