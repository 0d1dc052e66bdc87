//! Alarms at a node: a real process that is killed, and the log that outlasts it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dashboard::alarms::Alarms;
use delivery::{AlarmEntries, NodeId};
use edge_node::alarms::{NodeAlarms, RuleFiles};
use processing::PacketTime;
use processing::alarm::{
    AlarmSeverity, Author, Board, Cause, Entry, EntryId, History, Observation, Piece, Place, Request, State,
    Subject, Terms,
};
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use service::mission::{MissionConfig, PacketErrorControl};
use space_packet::{GenerationTime, TaiTime};

const PATIENCE: Duration = Duration::from_secs(60);
const ALARMS: &str = "/api/v1/missions/demo/alarms";
const DICTIONARY: &str = r#"<SpaceSystem name="D"><TelemetryMetaData><ParameterTypeSet>
<IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/><DefaultAlarm><StaticAlarmRanges>
<WarningRange maxInclusive="100"/><CriticalRange maxInclusive="200"/></StaticAlarmRanges></DefaultAlarm></IntegerParameterType>
</ParameterTypeSet><ParameterSet><Parameter name="volts" parameterTypeRef="T"/><Parameter name="amps" parameterTypeRef="T"/></ParameterSet>
<ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="volts"/></EntryList>
</SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;
const CONFIGURATION: &str = "data_directory = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[mission]]\nname = \"demo\"\n\
    dictionary = \"d.xml\"\ndetection = \"detection.toml\"\n[[link]]\nname = \"web\"\nlisten = \"127.0.0.1:0\"\n\
    mission = \"demo\"\ndoor = \"http\"\n";
/// Twenty samples teach what is usual.
const DETECTION: &str = "[[watch]]\nparameters = [\"/D/amps\"]\n[watch.suite]\ntraining = { fit = 20, calibrate = 0 }\n\
    [[watch.suite.detectors]]\nmethod.range = { margin = 0.1, margin_min = 1 }\n";

/// A node in a process of its own. Dropping it kills it.
struct Node {
    process: Child,
    http: reqwest::Client,
    page: String,
    link: String,
    cookie: String,
}

impl Node {
    async fn start(folder: &Path) -> Self {
        let config = folder.join("edge.toml");
        std::fs::write(folder.join("d.xml"), DICTIONARY).expect("written");
        std::fs::write(folder.join("detection.toml"), DETECTION).expect("written");
        let data = format!("data_directory = {:?}", folder.join("data").display().to_string());
        std::fs::write(&config, CONFIGURATION.replace("data_directory = \"data\"", &data)).expect("written");
        let ready = folder.join("data/ready.json");
        // A node that was killed left it.
        std::fs::remove_file(&ready).ok();
        let program = env!("CARGO_BIN_EXE_edge-node");
        let mut run = Command::new(program);
        run.arg("run").arg("--config").arg(&config).stdin(Stdio::null());
        let process = run.spawn().expect("starts");
        let ready: Value =
            until("the node", async || serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()).await;
        let http = reqwest::Client::new();
        let page = format!("http://{}", ready["http"].as_str().expect("an address"));
        let link = format!("http://{}", ready["links"]["web"].as_str().expect("an address"));
        let code = Command::new(program).arg("console").arg("--config").arg(&config).output().expect("runs");
        let code = String::from_utf8(code.stdout).expect("text");
        let login = http.post(format!("{page}/api/v1/session")).header("x-sto-request", "cli");
        let answer = login.json(&json!({ "code": code.trim() })).send().await.expect("answers");
        let cookie = answer.headers().get(SET_COOKIE).expect("logged in").to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Self { process, http, page, link, cookie }
    }

    /// Sends a sample that was made so many seconds ago; the answer says that it is in the journal.
    async fn send(&self, parameter: &str, seconds_ago: i64, value: u8) {
        let made = service::clock::now().plus_nanos(-seconds_ago * 1_000_000_000);
        let sample = json!([{ "parameter": parameter, "time": dashboard::rfc3339(made), "raw": value }]);
        let post = self.http.post(format!("{}/api/v1/ingest/demo", self.link)).json(&sample);
        let answer = post.send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    async fn get(&self, path: &str) -> Value {
        let get = self.http.get(format!("{}{path}", self.page)).header(COOKIE, &self.cookie);
        get.send().await.expect("answers").json().await.expect("JSON")
    }

    async fn act(&self, alarm: &Value, act: Value) {
        let id = alarm["id"].as_str().expect("an id");
        let post = self.http.post(format!("{}{ALARMS}/{id}/acts", self.page)).header(COOKIE, &self.cookie);
        let answer = post.header("x-sto-request", "cli").json(&json!({ "act": act })).send().await;
        let answer = answer.expect("answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// The alarms of a parameter, the newest first.
    async fn alarms(&self, parameter: &str) -> Vec<Value> {
        let listed = self.get(&format!("{ALARMS}?parameter=/D/{parameter}")).await;
        listed["alarms"].as_array().cloned().unwrap_or_default()
    }

    /// The newest alarm of a parameter once it is in a state.
    async fn alarm(&self, parameter: &str, state: &str) -> Value {
        until(&format!("{parameter} {state}"), async || {
            self.alarms(parameter).await.into_iter().next().filter(|alarm| alarm["state"] == state)
        })
        .await
    }

    fn kill(&mut self) {
        self.process.kill().expect("is killed");
        self.process.wait().expect("is over");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

#[tokio::test]
async fn what_was_acknowledged_rings_no_more_after_kill_9_and_what_was_found_is_found_again_as_the_same() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut node = Node::start(folder.path()).await;
    for second in (0..30).rev() {
        node.send("/D/amps", 100 + second, 50).await;
    }
    node.send("/D/amps", 90, 80).await;
    node.send("/D/volts", 90, 150).await;
    let volts = node.alarm("volts", "active-unacknowledged").await;
    assert_eq!((&volts["detector"], &volts["severity"]), (&json!("limits"), &json!("warning")));
    let cause = &volts["cause"];
    assert_eq!((&cause["seen"], &cause["threshold"]), (&json!(150.0), &json!(100.0)));
    assert_eq!(volts["rings"], true);
    let amps = node.alarm("amps", "active-unacknowledged").await;
    assert_eq!((&amps["detector"], &amps["cause"]["seen"]), (&json!("range"), &json!(80.0)));
    node.act(&volts, json!({ "acknowledge": {} })).await;
    let path = format!("{ALARMS}/{}", volts["id"].as_str().expect("an id"));
    let before = node.get(&path).await;

    node.kill();
    let node = Node::start(folder.path()).await;
    // What comes now is judged behind all that was there before.
    node.send("/D/volts", 0, 250).await;
    let worse = node.alarm("volts", "active-unacknowledged").await;
    assert_eq!((&worse["id"], &worse["severity"]), (&volts["id"], &json!("critical")));
    let entries = |history: &Value| history["entries"].as_array().cloned().expect("a list");
    let (before, after) = (entries(&before), entries(&node.get(&path).await));
    assert_eq!((after.len(), &after[..before.len()]), (before.len() + 1, &before[..]));
    assert_eq!(worse["unacknowledged"].as_array().map(Vec::len), Some(1), "{worse}");
    let again = node.alarms("amps").await;
    assert_eq!((again.len(), &again[0]["id"], &again[0]["occurrences"]), (1, &amps["id"], &json!(1)));
    // The other way in, without a browser.
    let digits = again[0]["id"].as_str().expect("an id")[..8].to_owned();
    let config = folder.path().join("edge.toml");
    let alarms = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge-node"));
        let output = command.arg("alarms").args(words).arg("--config").arg(&config).output().expect("runs");
        (output.status.success(), String::from_utf8(output.stdout).expect("text"))
    };
    let (_, listed) = alarms(&["ls"]);
    assert!(listed.contains(&digits) && listed.contains("active-unacknowledged"), "{listed}");
    let (is_done, shown) = alarms(&["ack", &digits, "--note", "seen at the rack"]);
    assert!(is_done && shown.contains("active-acknowledged"), "{shown}");
    node.alarm("amps", "active-acknowledged").await;
    assert!(!alarms(&["ack", &digits]).0, "there is nothing left to acknowledge");
}

#[tokio::test]
async fn late_data_never_ring() {
    let folder = tempfile::tempdir().expect("a directory");
    let node = Node::start(folder.path()).await;
    node.send("/D/volts", 10, 50).await;
    node.send("/D/volts", 500, 250).await;
    let late = node.alarm("volts", "normal").await;
    assert_eq!((&late["is_retrospective"], &late["rings"]), (&json!(true), &json!(false)));
    assert_eq!(node.get(&format!("{ALARMS}?open=true")).await["alarms"], json!([]));
    node.send("/D/volts", 0, 150).await;
    let live = node.alarm("volts", "active-unacknowledged").await;
    assert_eq!(live["is_retrospective"], false);
}

const A: Place = Place::Node(NodeId([1; 16]));
const B: Place = Place::Node(NodeId([2; 16]));

fn at(second: i64) -> TaiTime {
    TaiTime(1_800_000_000_000_000_000 + second * 1_000_000_000)
}

/// What a place writes of a violation that it sees.
fn raised(place: Place, severity: AlarmSeverity, second: i64) -> Piece {
    let seen = Observation {
        subject: Subject {
            mission: "demo".to_owned(),
            node: None,
            detector: "limits".to_owned(),
            parameter: "/D/volts".to_owned(),
        },
        severity: Some(severity),
        generation: GenerationTime(at(second)),
        live: true,
        terms: Terms::default(),
        cause: Cause::default(),
    };
    let written = Board::new(place).on_observation(&seen, at(second)).pop().expect("it was raised");
    Piece { subject: written.subject, first: written.first, entries: vec![written.entry] }
}

fn acknowledged(piece: &Piece, place: Place) -> Piece {
    let mut history = History::try_from(piece.clone()).expect("sound");
    let author = Author { by: "kari".to_owned(), place, at: at(60), id: EntryId([9; 16]) };
    let entry: Entry = history.act(&Request::Acknowledge { notices: None }, None, author).expect("it rings");
    Piece { entries: vec![entry], ..piece.clone() }
}

fn open(folder: &Path) -> std::sync::Arc<NodeAlarms> {
    let config = MissionConfig {
        name: "demo".to_owned(),
        title: None,
        dictionary: "d.xml".into(),
        alarms: None,
        detection: None,
        packet_time: PacketTime::None,
        packet_error_control: PacketErrorControl::None,
    };
    let files = RuleFiles::new(&folder.join("edge.toml"), &config);
    let (alarms, damage) = NodeAlarms::open(folder, A, vec![("demo".to_owned(), files)]).expect("opens");
    assert_eq!(damage, None);
    alarms
}

#[tokio::test]
async fn what_another_node_and_the_hub_wrote_is_merged_kept_and_acknowledged_by_number() {
    let folder = tempfile::tempdir().expect("a directory");
    let alarms = open(folder.path());
    assert_eq!(alarms.kept(), 0);
    let piece = raised(B, AlarmSeverity::Warning, 0);
    let act = acknowledged(&piece, Place::Hub);
    for (number, piece) in [(7, &piece), (9, &act), (11, &piece)] {
        let piece = piece.encode().expect("it fits");
        let entries = AlarmEntries { mission: "demo".to_owned(), number, piece };
        assert_eq!(alarms.on_entries(entries).await.expect("kept"), number);
    }
    for (mission, piece) in [("other", piece.encode().expect("it fits")), ("demo", vec![1, 2, 3])] {
        let entries = AlarmEntries { mission: mission.to_owned(), number: 12, piece };
        assert_eq!(alarms.on_entries(entries).await.expect("passed over, and not asked for again"), 12);
    }
    for alarms in [alarms, open(folder.path())] {
        let book = alarms.book("demo").expect("there is a book");
        let known = book.known(piece.alarm()).expect("it is in the book");
        assert_eq!((known.history.len(), known.state(at(61)).state), (2, State::ActiveAcknowledged));
        assert_eq!((alarms.kept(), book.open().len()), (12, 1));
    }
}
