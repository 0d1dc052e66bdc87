//! A hub that takes telemetry itself, as a real process, and a database that can be taken away from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cloud_hub::archive::{Database, OWN_STATION};
use cloud_hub::run::Ready;
use delivery::{Content, Lane, Position, SealedBatch};
use reqwest::RequestBuilder;
use serde_json::Value;
use space_packet::{Apid, SequenceCount, build_packet};
use testkit::client::Client;
use testkit::postgres::TestDatabase;
use testkit::process::{Group, Process, output, until};

pub(crate) const TOKEN: &str = "a token of the gateway";
pub(crate) const OCTETS: &str = "application/octet-stream";
const SOON: Duration = Duration::from_secs(60);
/// Has one parameter, `/D/volts`.
pub(crate) const DICTIONARY: &str = r#"<SpaceSystem name="D"><TelemetryMetaData><ParameterTypeSet>
<IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType></ParameterTypeSet>
<ParameterSet><Parameter name="volts" parameterTypeRef="T"/></ParameterSet>
<ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="volts"/></EntryList>
</SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

/// A hub with links.
pub(crate) struct HubWorld {
    links: BTreeMap<String, String>,
    http: String,
    hub: Process,
    database: TestDatabase,
    folder: tempfile::TempDir,
}

/// Lines of a link on a free port.
pub(crate) fn link(name: &str, door: &str, more: &str) -> String {
    format!(
        "[[link]]\nname = \"{name}\"\ndoor = \"{door}\"\nlisten = \"127.0.0.1:0\"\nmission = \"demo\"\n{more}"
    )
}

/// What a run of the command line is given.
fn words(words: &[&str], config: &std::path::Path) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).chain([config.display().to_string()]).collect()
}

impl HubWorld {
    /// A hub with these links.
    pub(crate) async fn start(links: &str) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let database = testkit::postgres::database().await;
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("token", &format!("{TOKEN}\n"));
        write("d.xml", DICTIONARY);
        let url = database.connection_string();
        write(
            "hub.toml",
            &format!(
                "data_directory = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n[reception]\nlisten = \"127.0.0.1:0\"\n\
                 [database]\nurl = {url:?}\n[[mission]]\nname = \"demo\"\ndictionary = \"d.xml\"\n{links}"
            ),
        );
        let (hub, ready) = run(&folder.path().join("hub.toml")).await;
        Self { links: ready.links, http: ready.http, hub, database, folder }
    }

    /// Writes a file beside `hub.toml`; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("hub.toml")
    }

    /// Kills the hub as a power cut would, and starts it again.
    pub(crate) async fn kill_and_start(&mut self) {
        self.hub.kill().expect("killed");
        self.start_again().await;
    }

    /// Stops the hub in order, and starts it again.
    pub(crate) async fn stop_and_start(&mut self) {
        self.hub.stop(SOON).await.expect("stops");
        self.start_again().await;
    }

    async fn start_again(&mut self) {
        let (hub, ready) = run(&self.config()).await;
        (self.hub, self.links, self.http) = (hub, ready.links, ready.http);
    }

    /// Where a link listens.
    pub(crate) fn address(&self, link: &str) -> &str {
        &self.links[link]
    }

    /// A request that brings packets to the link `web`.
    pub(crate) fn post(&self, body: Vec<u8>) -> RequestBuilder {
        let url = format!("http://{}/api/v1/ingest/demo", self.address("web"));
        reqwest::Client::new().post(url).header("content-type", OCTETS).body(body)
    }

    /// No connection to the database is left, and no new one is made.
    pub(crate) async fn take_database_away(&self) {
        let name = self.database.name();
        let ends = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.as_superuser(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false; {ends}")).await;
    }

    /// The hub may connect again.
    pub(crate) async fn give_database_back(&self) {
        self.as_superuser(&format!("ALTER DATABASE \"{}\" ALLOW_CONNECTIONS true", self.database.name()))
            .await;
    }

    async fn as_superuser(&self, statement: &str) {
        let mut config = self.database.superuser_config();
        let client = testkit::postgres::connect(config.dbname("postgres")).await.expect("the cluster runs");
        client.batch_execute(statement).await.expect("carried out");
    }

    /// Records of a kind that are committed as the hub's own station's, in order; checks that its log is one chain.
    pub(crate) async fn records(&self, content: Content) -> Vec<Vec<u8>> {
        let database = Database::at_url(&self.database.connection_string()).expect("a connection string");
        let client = database.borrow().await.expect("answers");
        let statement = "SELECT sealed FROM ledger WHERE node_id = $1 ORDER BY sequence";
        let rows = client.query(statement, &[&OWN_STATION]).await.expect("answers");
        let mut position = Position::start(cloud_hub::archive::OWN_STORE, Lane::Telemetry);
        let mut records = Vec::new();
        for row in rows {
            let batch = SealedBatch::parse(row.get(0)).expect("sound");
            assert_eq!(batch.previous, position.hash, "it continues the one before");
            assert_eq!(batch.header.sequence.0, position.number() + 1);
            assert_eq!(batch.header.records_before, position.records);
            position = batch.position();
            let open = batch.open().expect("sound");
            if open.content() == content {
                records.extend(open.records().map(|record| record.bytes.to_vec()));
            }
        }
        records
    }

    /// Packets that are committed.
    pub(crate) async fn packets(&self) -> Vec<Vec<u8>> {
        self.records(Content::Packets).await
    }

    /// Runs a command of the hub beside it.
    pub(crate) async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut arguments: Vec<&str> = arguments.to_vec();
        arguments.push("--config");
        output("cloud-hub", &words(&arguments, &self.config()), SOON).await
    }

    /// Where its pages and API are.
    pub(crate) fn http(&self) -> &str {
        &self.http
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("there is a log")
    }

    /// Somebody who looks at the hub.
    pub(crate) async fn client(&self) -> Client {
        let code = self.command(&["login-code"]).await.expect("a code");
        Client::log_in(self.http.parse().expect("an address"), &code).await.expect("logged in")
    }

    /// The hub's own station on the nodes page, once it is as wanted.
    pub(crate) async fn station(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let client = self.client().await;
        until("the hub's own station among the nodes", SOON, async || {
            let nodes = client.get("/api/v1/nodes").await?;
            let found = nodes["nodes"].as_array().into_iter().flatten().find(|node| node["name"] == "hub");
            Ok(found.filter(|node| is_wanted(node)).cloned())
        })
        .await
        .expect("it is told")
    }
}

async fn run(config: &std::path::Path) -> (Process, Ready) {
    let folder = config.parent().expect("it lies in a folder");
    let arguments = words(&["run", "--config"], config);
    let mut hub =
        Process::start("cloud-hub", &arguments, &folder.join("log"), Group::Shared).expect("starts");
    let file = folder.join("data/ready.json");
    let ready = until("the hub to be ready", SOON, async || {
        anyhow::ensure!(hub.is_alive(), "the hub ended: {}", hub.log_tail());
        let Ok(text) = std::fs::read(&file) else { return Ok(None) };
        let ready: Option<Ready> = serde_json::from_slice(&text).ok();
        Ok(ready.filter(|ready| ready.pid == hub.id()))
    })
    .await
    .expect("ready");
    (hub, ready)
}

/// A packet that is told from all others by its number.
pub(crate) fn packet(number: u32) -> Vec<u8> {
    let apid = Apid::try_from(20).expect("in range");
    let count = SequenceCount::try_from((number % 16_384) as u16).expect("in range");
    build_packet(apid, count, false, &number.to_be_bytes().repeat(10)).expect("it fits")
}

/// Packets of these numbers.
pub(crate) fn packets(numbers: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    numbers.map(packet).collect()
}
