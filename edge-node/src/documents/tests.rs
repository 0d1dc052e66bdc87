use dashboard::access::Gate;
use delivery::{Lane, Position, StoreId, pack_text};
use processing::PacketTime;
use service::documents::Bounds;
use service::metric::MetricsPage;
use service::mission::{MissionConfig, PacketErrorControl};
use space_packet::TaiTime;

use provisioning::{Authorities, Authority};

use super::*;
use crate::history::{History, HistoryConfig};
use crate::journal::{self, JournalLimits, JournalOptions, Opening};
use crate::sessions::FileSessions;
use crate::status::HubLink;

/// A node that was started in a directory; its configured dictionary has the parameters `LOCAL` and `P`.
pub(crate) struct Started {
    view: Arc<View>,
    status: Arc<NodeStatus>,
    trust: Arc<Trust>,
    pub(crate) authority: Authority,
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
        documents.map(|held| (held.kind.try_into().expect("of a mission"), held.number)).collect()
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.status.node().problem
    }

    pub(crate) fn receive(&self, document: &MissionDocument) {
        self.receive_as(document, |_| {});
    }

    fn receive_as(&self, document: &MissionDocument, change: impl FnOnce(&mut DocumentHead)) {
        let mut head = document.head("demo", document.held().hash, DocumentSignature::default());
        head.packed_bytes = pack_text(&document.content).expect("short").len() as u64;
        change(&mut head);
        self.deliver(sign(head, &self.authority), &document.content);
    }

    /// A document arrives whole, whoever signed it.
    fn deliver(&self, mut head: DocumentHead, text: &str) {
        let packed = pack_text(text).expect("short");
        head.packed_bytes = head.packed_bytes.max(packed.len() as u64);
        let mut incoming = IncomingDocument::new(head);
        incoming.on_part(&packed).expect("as long as announced");
        self.documents.on_received(incoming);
    }
}

pub(crate) fn sign(mut head: DocumentHead, authority: &Authority) -> DocumentHead {
    let bytes = authority.sign(&head.signed_bytes()).expect("signs");
    head.signature = DocumentSignature { authority: authority.spki_sha256(), bytes };
    head
}

pub(crate) fn start(directory: &Path) -> Started {
    let authority = Authority::open_or_create(&directory.join("authority"), 1_795_000_000).expect("made");
    let enrolled = Authorities::from_der(&[authority.certificate_der().to_vec()]).expect("an authority");
    let trust = Arc::new(Trust::of(directory, Some(enrolled)));
    let verify = |message: &[u8], signature: &DocumentSignature| trust.verify(message, signature);
    std::fs::write(directory.join("local.xml"), xtce(&["LOCAL", "P"])).expect("written");
    let config = MissionConfig {
        name: "demo".to_owned(),
        title: None,
        dictionary: "local.xml".into(),
        alarms: None,
        detection: None,
        packet_time: PacketTime::None,
        packet_error_control: PacketErrorControl::None,
    };
    let mission =
        service::mission::load(&directory.join("edge.toml"), &config, directory, &verify).expect("loads");
    let start = Position::start(StoreId([1; 16]), Lane::Telemetry);
    let hub = HubLink::Connected { since: TaiTime(0) };
    let status = Arc::new(NodeStatus::new("n", "s", None, hub, start, start));
    let gate = Gate::new(FileSessions::open(directory).expect("a directory"));
    // The one of an earlier start may still be open.
    let folder = directory.join(format!("journal-{}", uuid::Uuid::new_v4()));
    let mut opener = journal::opener(&folder, JournalOptions::default());
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
    let (shown, told) = (Arc::clone(&view), Arc::clone(&status));
    let documents = NodeDocuments::open(directory, received, shown, told, Arc::clone(&trust));
    Started { view, status, trust, authority, documents: Arc::new(documents) }
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

#[test]
fn a_forged_document_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let stranger = Authority::open_or_create(elsewhere.path(), 1_795_000_000).expect("made");
    let node = start(directory.path());
    node.receive(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])));
    let good = document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P", "NEW"]));
    let head = good.head("demo", good.held().hash, DocumentSignature::default());
    let signed = sign(head.clone(), &node.authority);
    let check = |forged: DocumentHead| {
        node.deliver(forged, &good.content);
        let problem = node.problem().expect("it is shown");
        assert!(problem.contains("STO-DOCUMENT-SIGNATURE"), "{problem}");
        assert_eq!((node.versions(), node.held()), (vec![FIRST], vec![(DocumentKind::Dictionary, 1)]));
        assert_eq!(start(directory.path()).held(), [(DocumentKind::Dictionary, 1)], "it is not on disk");
    };
    check(head.clone());
    check(sign(head, &stranger));
    check(DocumentHead { effective_from: None, ..signed.clone() });
    check(DocumentHead { number: 1, ..signed.clone() });
    check(DocumentHead { number: 3, ..signed.clone() });
    check(DocumentHead { file_name: "d.csv".to_owned(), ..signed.clone() });
    check(DocumentHead { hash: delivery::DocumentHash::of(&good.content[1..]), ..signed.clone() });
    node.deliver(signed.clone(), &good.content);
    assert_eq!((node.problem(), node.held().len()), (None, 2));
    let first = document(DocumentKind::Dictionary, 1, None, &xtce(&["P"]));
    node.receive(&first);
    assert_eq!((node.versions(), node.problem()), (vec![FIRST, (2, TaiTime(50))], None), "an old one again");
}

#[test]
fn a_kept_document_whose_signature_was_altered_is_not_in_force_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    node.receive(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])));
    node.receive(&document(DocumentKind::Dictionary, 2, Some(50), &xtce(&["P", "NEW"])));
    let file = directory.path().join("dictionaries/demo/dictionary-2.json");
    let text = std::fs::read_to_string(&file).expect("kept");
    std::fs::write(&file, text.replace("\"effective_from\": 50", "\"effective_from\": 60")).expect("written");
    let node = start(directory.path());
    assert_eq!((node.held(), node.versions()), (vec![(DocumentKind::Dictionary, 1)], vec![FIRST]));
}

#[test]
fn documents_of_an_authority_that_left_stay_in_force_and_are_asked_for_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    let next = Authority::open_or_create(&directory.path().join("next"), 1_795_000_000).expect("made");
    let first = document(DocumentKind::Dictionary, 1, None, &xtce(&["P"]));
    node.receive(&first);
    let list = |number: u32, authorities: &[&Authority], by: &Authority| {
        let all: Vec<_> = authorities.iter().map(|one| one.certificate_der().to_vec()).collect();
        let text = Authorities::from_der(&all).expect("authorities").to_pem();
        let head = DocumentHead {
            mission: None,
            kind: delivery::DocumentKind::Trust,
            number,
            hash: delivery::DocumentHash::of(&text),
            text_bytes: text.len() as u64,
            ..first.head("demo", first.held().hash, DocumentSignature::default())
        };
        node.deliver(sign(head, by), &text);
    };
    list(10, &[&node.authority, &next], &node.authority);
    assert_eq!((node.held().len(), node.documents.holds().borrow().node.len()), (1, 1));
    list(11, &[&next], &next);
    assert_eq!((node.held(), node.versions(), node.problem()), (vec![], vec![FIRST], None));
    let head = first.head("demo", first.held().hash, DocumentSignature::default());
    node.deliver(sign(head, &next), &first.content);
    assert_eq!((node.held(), node.problem()), (vec![(DocumentKind::Dictionary, 1)], None));
    list(12, &[&node.authority], &node.authority);
    assert!(node.problem().is_some_and(|problem| problem.contains("not trusted here")));
    assert_eq!(node.trust.certificates(), [next.certificate_der()]);
}

#[test]
fn rules_of_the_hub_are_told_at_once_and_after_a_restart_without_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    let rules =
        |number: u32| document(DocumentKind::AlarmRules, number, None, &format!("version = {number}"));
    let told = |node: &Started| {
        let watching = node.documents.watching();
        let rules = watching.borrow().get("demo").and_then(|watching| watching.alarm_rules.clone());
        rules.map(|rules| (rules.number, rules.content))
    };
    node.receive(&document(DocumentKind::Dictionary, 1, None, &xtce(&["P"])));
    assert_eq!(told(&node), None);
    node.receive(&rules(1));
    node.receive(&rules(2));
    assert_eq!(told(&node), Some((2, "version = 2".to_owned())));
    assert_eq!(node.problem(), None);
    node.receive(&document(DocumentKind::Model, 1, None, "no model"));
    assert!(node.problem().is_some_and(|problem| problem.starts_with("mission demo: model 1")));
    assert_eq!(told(&start(directory.path())), Some((2, "version = 2".to_owned())));
}
