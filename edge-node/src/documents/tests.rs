use dashboard::access::Gate;
use delivery::{Lane, Position, StoreId, pack_text};
use processing::PacketTime;
use service::documents::Bounds;
use service::metric::MetricsPage;
use service::mission::{MissionConfig, PacketErrorControl};
use space_packet::TaiTime;

use super::*;
use crate::history::{History, HistoryConfig};
use crate::journal::{JournalLimits, JournalOptions, Opening};
use crate::node::journal_opener;
use crate::sessions::FileSessions;
use crate::status::HubLink;

/// A node that was started in a directory; its configured dictionary has the parameters `LOCAL` and `P`.
pub(crate) struct Started {
    view: Arc<View>,
    status: Arc<NodeStatus>,
    pub(crate) documents: Arc<NodeDocuments>,
}

impl Started {
    /// From when on each version of the dictionary is in force, by number.
    fn versions(&self) -> Vec<(u32, TaiTime)> {
        let database = self.view.database("demo").expect("it is configured");
        database.versions().iter().map(|version| (version.number.0, version.effective_from)).collect()
    }

    fn parameters(&self) -> Vec<String> {
        let database = self.view.database("demo").expect("it is configured");
        database.parameters().iter().map(|parameter| parameter.name.clone()).collect()
    }

    /// Kinds and numbers that the hub is told of.
    pub(crate) fn held(&self) -> Vec<(DocumentKind, u32)> {
        let holds = self.documents.holds().borrow().clone();
        let documents = holds.missions.iter().flat_map(|mission| &mission.documents);
        documents.map(|held| (held.kind.into(), held.number)).collect()
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.status.node().problem
    }

    fn receive(&self, document: &MissionDocument) {
        self.receive_as(document, |_| {});
    }

    fn receive_as(&self, document: &MissionDocument, change: impl FnOnce(&mut DocumentHead)) {
        let packed = pack_text(&document.content).expect("short");
        let mut head = document.head("demo", document.held().hash, packed.len() as u64);
        change(&mut head);
        let mut incoming = IncomingDocument::new(head);
        incoming.on_part(&packed).expect("as long as announced");
        self.documents.on_received(incoming);
    }
}

pub(crate) fn start(directory: &Path) -> Started {
    std::fs::write(directory.join("local.xml"), xtce(&["LOCAL", "P"])).expect("written");
    let config = MissionConfig {
        name: "demo".to_owned(),
        title: None,
        dictionary: "local.xml".into(),
        packet_time: PacketTime::None,
        packet_error_control: PacketErrorControl::None,
    };
    let mission = service::mission::load(&directory.join("edge.toml"), &config, directory).expect("loads");
    let start = Position::start(StoreId([1; 16]), Lane::Telemetry);
    let hub = HubLink::Connected { since: TaiTime(0) };
    let status = Arc::new(NodeStatus::new("n", "s", None, hub, start, start));
    let gate = Gate::new(FileSessions::open(directory).expect("a directory"));
    // The one of an earlier start may still be open.
    let folder = directory.join(format!("journal-{}", uuid::Uuid::new_v4()));
    let mut opener = journal_opener(&folder, JournalOptions::default());
    let opened = opener(Opening::Again).expect("opens");
    let (events, _) = tokio::sync::mpsc::channel(1);
    let (journal, _end) =
        crate::journal::start(opened, opener, JournalLimits::none(directory), events).expect("starts");
    let missions = [mission];
    let history = History::open(&directory.join("history"), &HistoryConfig::default(), &missions, journal);
    let metrics = MetricsPage::start();
    let view = View::new("n", &missions, Arc::new(history), gate, Arc::clone(&status), metrics);
    let view = Arc::new(view);
    let received = ["demo", "demo"].into_iter();
    let documents = NodeDocuments::open(directory, received, Arc::clone(&view), Arc::clone(&status));
    Started { view, status, documents: Arc::new(documents) }
}

pub(crate) fn xtce(parameters: &[&str]) -> String {
    let declared =
        parameters.iter().map(|name| format!("<Parameter name=\"{name}\" parameterTypeRef=\"T\"/>"));
    let entries = parameters.iter().map(|name| format!("<ParameterRefEntry parameterRef=\"{name}\"/>"));
    format!(
        "<SpaceSystem name=\"D\"><TelemetryMetaData><ParameterTypeSet><IntegerParameterType name=\"T\">\
         <IntegerDataEncoding sizeInBits=\"8\"/></IntegerParameterType></ParameterTypeSet><ParameterSet>{}\
         </ParameterSet><ContainerSet><SequenceContainer name=\"C\"><EntryList>{}</EntryList></SequenceContainer>\
         </ContainerSet></TelemetryMetaData></SpaceSystem>",
        declared.collect::<String>(),
        entries.collect::<String>()
    )
}

pub(crate) fn document(kind: DocumentKind, number: u32, from: Option<i64>, content: &str) -> MissionDocument {
    MissionDocument {
        kind,
        number,
        effective_from: from.map(TaiTime),
        effective_to: None,
        file_name: if kind == DocumentKind::Limits { "l.csv" } else { "d.xml" }.to_owned(),
        bounds: (kind == DocumentKind::Limits).then_some(Bounds::Good),
        author: None,
        reason: None,
        content: content.to_owned(),
    }
}

const FIRST: (u32, TaiTime) = (1, TaiTime(i64::MIN));

#[test]
fn what_the_hub_sends_is_in_force_at_once_and_after_a_restart_without_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    assert_eq!((node.versions(), node.held()), (vec![FIRST], vec![]));
    let before = node.view.database("demo").expect("configured").find("/D/P");
    node.receive(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])));
    assert_eq!(node.view.database("demo").expect("configured").find("/D/P"), before, "numbers must stay");
    node.receive(&document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P", "NEW"])));
    node.receive(&document(DocumentKind::Limits, 1, None, "parameter,red_high\nP,5\n"));
    let held = [(DocumentKind::Dictionary, 1), (DocumentKind::Dictionary, 2), (DocumentKind::Limits, 1)];
    assert_eq!((node.held(), node.problem()), (held.to_vec(), None));
    assert_eq!(node.versions(), [FIRST, (2, TaiTime(50))]);
    assert_eq!(node.parameters(), ["/D/LOCAL", "/D/P", "/D/NEW"]);

    let restarted = start(directory.path());
    assert_eq!((restarted.held(), restarted.versions()), (held.to_vec(), node.versions()));
    assert_eq!(restarted.parameters(), ["/D/P", "/D/NEW"], "the hub's documents alone count");
}

#[test]
fn what_cannot_be_used_changes_nothing_and_is_shown_until_it_can() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    node.receive(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])));
    let check = |spoilt: &MissionDocument, change: fn(&mut DocumentHead), expected: &str| {
        node.receive_as(spoilt, change);
        let problem = node.problem().expect("it is shown");
        assert!(problem.starts_with("mission demo: ") && problem.contains(expected), "{problem}");
        assert_eq!((node.versions(), node.held()), (vec![FIRST], vec![(DocumentKind::Dictionary, 1)]));
        assert_eq!(start(directory.path()).held(), [(DocumentKind::Dictionary, 1)], "it is not on disk");
    };
    let good = document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P", "NEW"]));
    check(&MissionDocument { content: "<SpaceSystem".to_owned(), ..good.clone() }, |_| {}, "d.xml:1:");
    check(&good, |head| head.hash.0[0] ^= 1, "hash");
    check(&good, |head| head.text_bytes += 1, "unpack");
    node.receive(&good);
    assert_eq!((node.problem(), node.held().len()), (None, 2));
    let limits = document(DocumentKind::Limits, 1, None, "no,limits\n");
    node.receive(&limits);
    assert!(node.problem().is_some_and(|problem| problem.contains("l.csv:1:")));
    assert_eq!(node.held().len(), 2);
}

#[test]
fn nothing_is_kept_before_the_first_dictionary_of_the_hub() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    let second = document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P"]));
    for early in [second, document(DocumentKind::Limits, 1, None, "parameter,red_high\nP,5\n")] {
        node.receive(&early);
        assert!(node.problem().is_some_and(|problem| problem.contains("dictionary 1 is not here")));
        assert_eq!((node.versions(), node.held()), (vec![FIRST], vec![]));
    }
}

#[test]
fn a_kept_document_that_was_damaged_is_asked_for_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = document(DocumentKind::Dictionary, 1, None, &xtce(&["P"]));
    let second = document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P", "NEW"]));
    let node = start(directory.path());
    [&first, &second].into_iter().for_each(|document| node.receive(document));
    let folder = directory.path().join("dictionaries/demo");
    std::fs::write(folder.join("dictionary-1.xml"), "torn").expect("written");
    let node = start(directory.path());
    assert_eq!(node.held(), [], "without the first nothing has its place in time");
    [&first, &second].into_iter().for_each(|document| node.receive(document));
    assert_eq!((node.held().len(), node.versions()), (2, vec![FIRST, (2, TaiTime(50))]));
}

#[test]
fn a_document_that_was_cut_off_is_no_problem_to_show() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    node.receive_as(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])), |head| {
        head.packed_bytes += 1;
    });
    assert_eq!((node.problem(), node.held()), (None, vec![]));
}
