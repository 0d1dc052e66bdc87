//! Alarms of a node beside the documents that the hub sends it.

use delivery::{Content, NodeId, ReadingKind, Record, SampleRecord, Scalar, StoreId, Verdicts};
use mission_database::DecodedPacket;
use model::{ForecastOptions, Forecaster, Model, ModelDocument, TrainingData};
use processing::PacketTime;
use processing::alarm::{Change, Condition, Entry};
use processing::watch::Arrival;
use service::documents::{DocumentKind, encode_model};
use service::mission::{LoadedMission, MissionConfig, PacketErrorControl};
use space_packet::{GenerationTime, ReceptionTime};

use super::*;
use crate::documents::tests::{Started, document, start, xtce};

const RULES: &str = "[[watch]]\nparameters = [\"/D/P\"]\n[watch.suite]\ntraining = { fit = 50, calibrate = 100 }\n\
    [[watch.suite.detectors]]\nmethod.autoregression = { residual = { span = 1 } }\n";

/// It rises for four seconds and falls for four.
fn wave(second: i64) -> u64 {
    50 + 10 * (second % 8).abs_diff(4)
}

/// A forecaster of a parameter, as the hub's document has it.
fn forecaster(channel: &str) -> String {
    let values: Vec<f64> = (0..400).map(|second| wave(second) as f64).collect();
    let options = ForecastOptions { units: 16, epochs: 5, seed: 1 };
    let trained = Forecaster::fit(&values, &[], 0, &options).expect("learns");
    let data = TrainingData {
        description: "a wave".to_owned(),
        span: None,
        examples: 400,
        anomalous: 0,
        sha256: [0; 32],
    };
    let document = ModelDocument {
        number: 1,
        channels: vec![channel.to_owned()],
        inputs: Vec::new(),
        data,
        seed: 1,
        model: Model::Forecaster(trained.model),
    };
    encode_model(&document.encode().expect("small"))
}

struct World {
    node: Started,
    alarms: Arc<NodeAlarms>,
    mission: LoadedMission,
    watching: Watching,
    sequence: u64,
}

impl World {
    /// A node starts whose journal has so many batches.
    fn start(directory: &Path, sequence: u64) -> Self {
        Self::start_with(directory, sequence, None)
    }

    /// The same, with detection rules of its own.
    fn start_with(directory: &Path, sequence: u64, detection: Option<&str>) -> Self {
        let node = start(directory);
        let config = MissionConfig {
            name: "demo".to_owned(),
            title: None,
            dictionary: "local.xml".into(),
            alarms: None,
            detection: detection.map(Into::into),
            packet_time: PacketTime::None,
            packet_error_control: PacketErrorControl::None,
        };
        let file = directory.join("edge.toml");
        let files = vec![("demo".to_owned(), RuleFiles::new(&file, &config))];
        let place = Place::Node(NodeId([1; 16]));
        let (alarms, _) = NodeAlarms::open(directory, place, files).expect("opens");
        let mission = service::mission::load(&file, &config, directory, &|_, _| Ok(())).expect("loads");
        alarms.use_documents(&node.documents.watching().borrow());
        let (missions, journal) = (std::slice::from_ref(&mission), (StoreId([1; 16]), sequence));
        let watching = Watching::open(Arc::clone(&alarms), directory, missions, journal);
        Self { node, alarms, mission, watching, sequence }
    }

    fn receive(&self, kind: DocumentKind, number: u32, content: &str) {
        self.node.receive(&document(kind, number, None, content));
        self.alarms.use_documents(&self.node.documents.watching().borrow());
    }

    /// A batch with one sample of the parameter is read from the journal.
    fn observe(&mut self, second: i64, value: u64) {
        let time = TaiTime(1_800_000_000_000_000_000 + second * 1_000_000_000);
        let sample = SampleRecord {
            parameter: "/D/P".to_owned(),
            generation: Some(GenerationTime(time)),
            reading: ReadingKind::Raw,
            value: Scalar::Unsigned(value),
        };
        let (bytes, verdicts) = (sample.encode(), Verdicts::NONE);
        let record = Record { reception: ReceptionTime(time), verdicts, bytes: &bytes };
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        self.mission.decoder.decode_record(Content::Samples, record, &mut scratch, &mut samples);
        let database = self.mission.decoder.database();
        let arrival = Arrival { samples: &samples, packet: None, verdicts };
        self.sequence += 1;
        self.watching.on_batch("demo", database);
        self.watching.on_arrival("demo", self.sequence, database, &arrival);
        self.watching.on_judged(self.sequence);
    }

    /// Kind, number and parameters of the models that are listed.
    fn models(&self) -> Vec<(String, u32, Vec<String>)> {
        let listed = self.alarms.models("demo").now_or_never().expect("at once").expect("answers");
        listed.into_iter().map(|model| (model.kind, model.number, model.parameters)).collect()
    }

    /// Detectors and models of the open alarms.
    fn found(&self) -> Vec<(String, Option<String>)> {
        let open = self.alarms.book("demo").expect("there is a book").open();
        let described = open.iter().map(|known| {
            let conditions = known.history.entries().into_iter().filter_map(Entry::condition);
            let model = |condition: &Condition| match &condition.change {
                Change::Raised { cause, .. } => cause.model.clone(),
                _ => None,
            };
            (known.history.subject().detector.clone(), conditions.filter_map(model).next())
        });
        described.collect()
    }
}

#[test]
fn a_model_of_the_hub_is_listed_and_a_detection_names_it_over_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut world = World::start(directory.path(), 0);
    world.receive(DocumentKind::Dictionary, 1, &xtce(&["LOCAL", "P"]));
    world.receive(DocumentKind::DetectionRules, 1, RULES);
    assert_eq!(world.models(), []);
    world.receive(DocumentKind::Model, 3, &forecaster("/D/P"));
    world.receive(DocumentKind::Model, 4, &forecaster("/D/UNKNOWN"));
    let listed = |number: u32, parameter: &str| ("forecaster".to_owned(), number, vec![parameter.to_owned()]);
    assert_eq!(world.node.problem(), None);
    assert_eq!(world.models(), [listed(3, "/D/P"), listed(4, "/D/UNKNOWN")]);
    (0..300).for_each(|second| world.observe(second, wave(second)));
    assert_eq!(world.found(), []);
    world.watching.save(true);
    let mut world = World::start(directory.path(), world.sequence);
    assert_eq!(world.models().len(), 2);
    world.observe(300, 250);
    assert_eq!(world.found(), [("forecast".to_owned(), Some("forecaster 3".to_owned()))]);
}

#[test]
fn a_node_shows_its_own_detection_rules_until_the_hub_sent_some() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("detection.toml"), format!("version = 5\n{RULES}"))
        .expect("written");
    let world = World::start_with(directory.path(), 0, Some("detection.toml"));
    let shown = || {
        let versions = world.alarms.rules("demo", RulesKind::Detection).now_or_never().expect("at once");
        let [version] = versions.expect("answers").try_into().expect("one version");
        let RulesVersion { number, document_version, author, .. } = version;
        let text = world.alarms.rules_text("demo", RulesKind::Detection, number).now_or_never();
        let text = text.expect("at once").expect("answers").expect("is there").text;
        (number, document_version, author, text)
    };
    let own = (1, 5, "this node's configuration".to_owned(), format!("version = 5\n{RULES}"));
    assert_eq!(shown(), own);
    assert_eq!(world.alarms.detection_rules("demo").version, 5);
    world.receive(DocumentKind::Dictionary, 1, &xtce(&["LOCAL", "P"]));
    world.receive(DocumentKind::DetectionRules, 3, RULES);
    let (number, document_version, _, text) = shown();
    assert_eq!((number, document_version, text.as_str()), (3, 0, RULES));
    assert_eq!(world.alarms.detection_rules("demo").rules()[0].parameters().collect::<Vec<_>>(), ["/D/P"]);
}
