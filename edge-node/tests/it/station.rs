//! A node's intake and journal in a directory, and what a test wants to know of them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dashboard::access::Gate;
use delivery::{
    BatchSequence, Content, Event, Lane, Position, SampleRecord, SealedBatch, SealedBody, StoreId,
};
use edge_node::config::EdgeConfig;
use edge_node::forwarding::Linger;
use edge_node::history::{History, HistoryConfig};
use edge_node::journal::{
    Batches, Found, GapRecord, Journal, JournalError, JournalHandle, JournalLimits, JournalOptions,
    LogOptions, Opened, Opening, Receipt, SledJournal, open, start,
};
use edge_node::recording::{EventLog, JournalSink, Links, NodeOwner};
use edge_node::sessions::FileSessions;
use edge_node::status::{HubLink, NodeStatus};
use edge_node::view::{VIEWED_MAX, View};
use intake::doors::{DoorContext, Doors};
use intake::http::idempotency::KnownRequests;
use intake::link::Queues;
use intake::pipeline::Pipeline;
use intake::{Door, LinkConfig, Readers};
use processing::PacketTime;
use service::metric::MetricsPage;
use service::mission::{MissionConfig, PacketErrorControl};
use space_packet::{Apid, SequenceCount, build_packet};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "a token of the station";

const DICTIONARY: &str = r#"<SpaceSystem name="D"><TelemetryMetaData><ParameterTypeSet>
<IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType></ParameterTypeSet>
<ParameterSet><Parameter name="volts" parameterTypeRef="T"/><Parameter name="amps" parameterTypeRef="T"/></ParameterSet>
<ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="volts"/></EntryList>
</SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

/// A journal whose disk can be made to stall.
struct Stalling {
    journal: SledJournal,
    is_stalled: Arc<AtomicBool>,
}

impl Journal for Stalling {
    fn store(&self) -> StoreId {
        self.journal.store()
    }
    fn lane(&self) -> Lane {
        self.journal.lane()
    }
    fn head(&self) -> Position {
        self.journal.head()
    }
    fn tail(&self) -> Option<BatchSequence> {
        self.journal.tail()
    }
    fn retained_bytes(&self) -> u64 {
        self.journal.retained_bytes()
    }
    fn reusable_bytes(&self) -> u64 {
        self.journal.reusable_bytes()
    }
    fn append(&mut self, body: SealedBody, receipts: &[Receipt]) -> Result<SealedBatch, JournalError> {
        self.journal.append(body, receipts)
    }
    fn discard_after(&mut self, committed: &Position) -> Result<(), JournalError> {
        self.journal.discard_after(committed)
    }
    fn evict(&mut self, up_to: BatchSequence) -> Result<(), JournalError> {
        self.journal.evict(up_to)
    }
    fn gaps(&self) -> Vec<GapRecord> {
        self.journal.gaps()
    }
    fn quarantined(&self, from: BatchSequence, max: usize) -> Vec<BatchSequence> {
        self.journal.quarantined(from, max)
    }
    fn receipts_at_open(&mut self) -> HashMap<[u8; 16], u32> {
        self.journal.receipts_at_open()
    }
    fn take_events(&mut self) -> Vec<Event> {
        self.journal.take_events()
    }
    fn commit(&mut self) -> Result<(), JournalError> {
        while self.is_stalled.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.journal.commit()
    }
    fn read(&mut self, sequence: BatchSequence) -> Result<Found, JournalError> {
        self.journal.read(sequence)
    }
    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        self.journal.prune(sequence)
    }
    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        self.journal.remember_acknowledged(sequence)
    }
    fn acknowledged(&self) -> Option<BatchSequence> {
        self.journal.acknowledged()
    }
}

/// A node's intake and journal.
pub(crate) struct Station {
    pub(crate) addresses: HashMap<String, String>,
    journal: JournalHandle,
    alarms: JournalHandle,
    status: Arc<NodeStatus>,
    is_stalled: Arc<AtomicBool>,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

/// A link of the mission `demo` on a port of its own.
pub(crate) fn link(name: &str, door: Door) -> LinkConfig {
    let mut link = LinkConfig::with_defaults(name, "demo");
    link.door = door;
    link
}

impl Station {
    /// A node with these links, and receipts of an earlier run.
    pub(crate) async fn start(links: &[LinkConfig], receipts: HashMap<[u8; 16], u32>) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let directory = folder.path();
        let is_stalled = Arc::new(AtomicBool::new(false));
        let log = LogOptions { lane: Lane::Telemetry, new_store: StoreId([7; 16]), key: None };
        let journal = SledJournal::open(&directory.join("journal"), log).expect("opens");
        let journal = Box::new(Stalling { journal, is_stalled: Arc::clone(&is_stalled) });
        let opened = Opened { journal, salvaged: Vec::new(), events: Vec::new() };
        let opener = Box::new(|_| Err(JournalError::Closed));
        let (events, _) = mpsc::channel(1);
        let head = Position::start(StoreId([7; 16]), Lane::Telemetry);
        let limits = JournalLimits::none(directory);
        let (journal, _end) = start(opened, opener, limits, events).expect("starts");
        let status = Arc::new(NodeStatus::new("n", "s", None, HubLink::NotEnrolled, head, head));
        let view = view(directory, &status, journal.clone());
        let (viewer, mut viewed) = mpsc::channel(VIEWED_MAX);
        tokio::spawn(async move { while viewed.recv().await.is_some() {} });
        let queues = Arc::new(Queues::default());
        let stop = CancellationToken::new();
        let pipeline = Pipeline {
            queues: Arc::clone(&queues),
            readers: Arc::clone(&view) as Arc<dyn Readers>,
            sink: JournalSink {
                journal: journal.clone(),
                view: Arc::clone(&view),
                viewer,
                linger: Arc::new(Linger::default()),
            },
            runtime: tokio::runtime::Handle::current(),
            stopping: stop.clone(),
            packer: delivery::Packer::default(),
        };
        std::thread::spawn(move || pipeline.run());
        let alarms = alarms(directory);
        let (events, recorder) = EventLog::new(vec!["demo".to_owned()], alarms.clone());
        tokio::spawn(recorder.run(stop.clone()));
        let events = Arc::new(events);
        let mut doors = Doors::new(DoorContext {
            queues,
            missions: vec!["demo".to_owned()],
            readers: view,
            known: Arc::new(KnownRequests::new(receipts)),
            owner: Arc::new(NodeOwner { events: Arc::clone(&events), status: Arc::clone(&status) }),
        });
        for link in links {
            doors.open(link).await.expect("opens");
        }
        let addresses = doors.addresses().into_iter().collect();
        let file = directory.join("edge.toml");
        std::fs::write(&file, configuration(directory, "")).expect("written");
        let config = EdgeConfig::read(&file).expect("reads");
        let links = Links { doors, events, status: Arc::clone(&status) };
        tokio::spawn(links.run(file, config, stop.clone()));
        // Only what is written after it has looked once is a change of the file.
        tokio::task::yield_now().await;
        Self { addresses, journal, alarms, status, is_stalled, stop, folder }
    }

    /// A node with one link.
    pub(crate) async fn with(link: LinkConfig) -> Self {
        Self::start(&[link], HashMap::new()).await
    }

    /// A node with one link that wants [`TOKEN`].
    pub(crate) async fn guarded(mut link: LinkConfig) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{TOKEN}\n")).expect("written");
        link.token_file = Some(file.path().to_owned());
        Self::with(link).await
    }

    pub(crate) fn url(&self, link: &str, path: &str) -> String {
        format!("http://{}{path}", self.addresses[link])
    }

    /// Writes other links into the node's file.
    pub(crate) fn configure(&self, links: &str) {
        let directory = self.folder.path();
        std::fs::write(directory.join("edge.toml"), configuration(directory, links)).expect("written");
    }

    /// From now on nothing becomes durable.
    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::Release);
    }

    pub(crate) fn go_on(&self) {
        self.is_stalled.store(false, Ordering::Release);
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// The bytes of all durable records of a kind, in order.
    pub(crate) async fn records(&self, content: Content) -> Vec<Vec<u8>> {
        let found = self.journal.read(BatchSequence(1), usize::MAX).await.expect("reads");
        let Batches::Here(batches) = found else { return Vec::new() };
        let open = batches.iter().map(|batch| batch.open().expect("sound"));
        let wanted: Vec<_> = open.filter(|batch| batch.content() == content).collect();
        wanted.iter().flat_map(|batch| batch.records().map(|record| record.bytes.to_vec())).collect()
    }

    /// Waits for an event to be durable.
    pub(crate) async fn event(&self, code: &str) -> Event {
        let (mut state, mut next) = (self.alarms.state(), BatchSequence::FIRST);
        loop {
            let grown = state.wait_for(|state| state.head.number() >= next.0);
            let grown = tokio::time::timeout(Duration::from_secs(30), grown).await;
            drop(grown.expect("it is told").expect("the journal runs"));
            let found = self.alarms.read(next, 1).await.expect("reads");
            let Batches::Here(batches) = found else { panic!("nothing of it is pruned") };
            let open = batches[0].open().expect("sound");
            let mut events = open.records().map(|record| Event::decode(record.bytes).expect("sound"));
            if let Some(event) = events.find(|event| event.code == code) {
                return event;
            }
            next = next.next();
        }
    }

    pub(crate) async fn packets(&self) -> Vec<Vec<u8>> {
        self.records(Content::Packets).await
    }

    pub(crate) async fn samples(&self) -> Vec<SampleRecord> {
        let records = self.records(Content::Samples).await;
        records.iter().map(|record| SampleRecord::decode(record).expect("sound")).collect()
    }

    /// How often a link refused something for a cause.
    pub(crate) fn rejected(&self, cause: &str) -> u64 {
        let report = serde_json::to_value(self.status.node()).expect("JSON");
        let text = report.to_string();
        let wanted = format!("\"cause\":\"{cause}\",\"count\":");
        let counts = text.split(&wanted).skip(1);
        let numbers = counts.filter_map(|rest| rest.split([',', '}']).next()?.parse::<u64>().ok());
        // A map's keys are in order, and `bytes` stands before `cause`.
        numbers.sum()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.go_on();
        self.stop();
    }
}

pub(crate) fn configuration(directory: &Path, links: &str) -> String {
    let directory = directory.display().to_string();
    format!("data_directory = {directory:?}\n[[mission]]\nname = \"demo\"\ndictionary = \"d.xml\"\n{links}")
}

fn alarms(directory: &Path) -> JournalHandle {
    let opening = &mut || StoreId([8; 16]);
    let opened = open(directory, &JournalOptions::of_alarms(None), Opening::Again, opening).expect("opens");
    let opener = Box::new(|_| Err(JournalError::Closed));
    let (events, _) = mpsc::channel(1);
    start(opened, opener, JournalLimits::of_alarms(directory), events).expect("starts").0
}

fn view(directory: &Path, status: &Arc<NodeStatus>, journal: JournalHandle) -> Arc<View> {
    std::fs::write(directory.join("d.xml"), DICTIONARY).expect("written");
    let config = MissionConfig {
        name: "demo".to_owned(),
        title: None,
        dictionary: "d.xml".into(),
        alarms: None,
        detection: None,
        packet_time: PacketTime::None,
        packet_error_control: PacketErrorControl::None,
    };
    let mission = service::mission::load(&directory.join("edge.toml"), &config, directory, &|_, _| Ok(()))
        .expect("loads");
    let gate = Gate::new(FileSessions::open(directory).expect("a directory"));
    let missions = [mission];
    let history = History::open(&directory.join("history"), &HistoryConfig::default(), &missions, journal);
    Arc::new(View::new("n", &missions, Arc::new(history), gate, Arc::clone(status), MetricsPage::start()))
}

pub(crate) fn packet(number: u16) -> Vec<u8> {
    let apid = Apid::try_from(20).expect("in range");
    let count = SequenceCount::try_from(number % 16_384).expect("in range");
    build_packet(apid, count, false, &number.to_be_bytes().repeat(20)).expect("it fits")
}

pub(crate) fn packets(numbers: std::ops::Range<u16>) -> Vec<Vec<u8>> {
    numbers.map(packet).collect()
}
