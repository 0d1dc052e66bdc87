//! The head: what is committed and not yet in a segment, in memory.
//!
//! It has up to two parts: the active one that grows, and the frozen one that is being written into segments.
//! Which segments a question may read is decided by the same lock that it reads the head under, so a sample is
//! found in exactly one of the two ([`Archive::snapshot`]).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use dashboard::{LiveBatch, LiveMission};
use delivery::{OpenBatch, SealedBatch, Way};
use mission_database::{DecodedPacket, ParameterIndex};
use processing::{
    Account, AccountChanges, AccountKey, Counts, Derivations, Hour, MissionDecoder, Provenance, RangeScan,
    RecordOutcome, Sample, Tables,
};
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::account;
use super::layouts::Layouts;

/// A committed batch on its way into the head.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its number in the ledger.
    pub ledger_id: i64,
    /// When it was committed.
    pub committed_at: TaiTime,
    /// The node it came from.
    pub node: Uuid,
    /// Epoch of the node's journal.
    pub epoch: u32,
    /// How it came.
    pub way: Way,
    /// The batch.
    pub batch: SealedBatch,
}

/// Live data pass the backlog in the archive as they do on the link: each is decoded by itself, in the ledger's order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    /// What is sent as it comes, and alarms.
    Live,
    /// What a station had kept, and what was carried by hand.
    Backlog,
}

impl Stream {
    /// What a batch belongs to.
    pub fn of(way: Way) -> Self {
        match way {
            Way::Alarm | Way::Live => Self::Live,
            Way::Backfill | Way::Bulk | Way::Import => Self::Backlog,
        }
    }
}

/// A place in the ledger: everything up to it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// Number of the row.
    pub ledger_id: i64,
    /// When it was committed.
    pub committed_at: TaiTime,
}

/// How far each stream of the ledger has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reached {
    /// Of what came live.
    pub live: Place,
    /// Of what came late.
    pub backlog: Place,
}

impl Reached {
    fn of(&mut self, stream: Stream) -> &mut Place {
        match stream {
            Stream::Live => &mut self.live,
            Stream::Backlog => &mut self.backlog,
        }
    }

    /// The newest row that is reached of either.
    pub fn newest(&self) -> i64 {
        self.live.ledger_id.max(self.backlog.ledger_id)
    }

    /// Everything up to here is reached, whichever stream it is of.
    pub fn both(&self) -> i64 {
        self.live.ledger_id.min(self.backlog.ledger_id)
    }

    /// What is not reached was committed at or after this.
    pub(super) fn committed_at(&self) -> TaiTime {
        self.live.committed_at.min(self.backlog.committed_at)
    }
}

/// A mission as the archive knows it.
pub struct ArchivedMission {
    /// Its number in the database.
    pub mission_id: i32,
    /// Latest values and live stream.
    pub live: Arc<LiveMission>,
    /// How its packets are read now.
    pub(super) reads: RwLock<Reads>,
    pub(super) layouts: Layouts,
}

/// How a mission's packets are read, and where what is read belongs. Replaced as a whole when a version is imported.
#[derive(Clone)]
pub(super) struct Reads {
    pub(super) decoder: MissionDecoder,
    /// Numbers of its parameters in the database, by index.
    pub(super) parameter_ids: Arc<[i32]>,
    /// How engineering values that are not kept follow from raw ones.
    pub(super) derivations: Arc<Derivations>,
}

impl Reads {
    pub(super) fn new(decoder: MissionDecoder, parameter_ids: Arc<[i32]>) -> Self {
        let derivations = Arc::new(Derivations::of(decoder.database()));
        Self { decoder, parameter_ids, derivations }
    }
}

impl ArchivedMission {
    pub(super) fn reads(&self) -> Reads {
        self.reads.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Samples of each node of each mission, by the mission's index.
pub(super) type NodeTables = HashMap<(usize, Uuid), Tables>;

/// A part of the head that is being written.
pub(super) struct Frozen {
    pub(super) tables: NodeTables,
    pub(super) account: AccountChanges,
    pub(super) generation: i64,
    pub(super) reached: Reached,
}

/// What is in memory, and which segments it goes with.
pub(super) struct Head {
    active: NodeTables,
    active_since: Instant,
    /// Counts what the head holds.
    account: Account,
    frozen: Option<Arc<Frozen>>,
    /// How far it goes.
    reached: Reached,
    /// Newest generation that is in segments, and how far these go.
    generation: i64,
    segmented: Reached,
    /// The head is cut at once when the ledger is not in segments up to here: somebody waits to read it again.
    wanted_ledger_id: i64,
}

/// A row of the account takes about as much memory as so many numbers.
const ACCOUNT_ROW_WEIGHT: usize = 8;

impl Head {
    /// An empty one behind what is in segments, and counted, up to a generation.
    pub(super) fn behind((reached, generation): (Reached, i64), account: Account) -> Self {
        Self {
            active: NodeTables::new(),
            active_since: Instant::now(),
            account,
            frozen: None,
            reached,
            generation,
            segmented: reached,
            wanted_ledger_id: 0,
        }
    }

    /// A batch is in; of its stream nothing before it is missing.
    fn reach(&mut self, committed: &Committed) {
        let place = Place { ledger_id: committed.ledger_id, committed_at: committed.committed_at };
        *self.reached.of(Stream::of(committed.way)) = place;
    }

    fn weight(&self) -> usize {
        self.active.values().map(Tables::weight).sum::<usize>() + self.account.rows() * ACCOUNT_ROW_WEIGHT
    }
}

fn lock(head: &Mutex<Head>) -> MutexGuard<'_, Head> {
    head.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What of a batch comes to the screens.
#[derive(Clone, Copy)]
enum Shown {
    /// Nothing: it was there before.
    Already,
    /// Its samples, as they come.
    AsChange,
    /// Its latest samples; whoever looks at them sees no change.
    AsLatest,
}

/// Segments and head of all missions.
pub struct Archive {
    missions: Vec<ArchivedMission>,
    node_names: Mutex<HashMap<Uuid, String>>,
    head: Mutex<Head>,
}

impl Archive {
    /// An archive whose ledger is in segments so far, the newest of them of a generation, and counted by `account` up
    /// to there.
    pub fn new(
        missions: Vec<ArchivedMission>,
        node_names: HashMap<Uuid, String>,
        segmented: (Reached, i64),
        account: Account,
    ) -> Self {
        let head = Mutex::new(Head::behind(segmented, account));
        Self { missions, node_names: Mutex::new(node_names), head }
    }

    /// All missions.
    pub fn missions(&self) -> &[ArchivedMission] {
        &self.missions
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        lock(&self.head)
    }

    /// How records of a mission are read now; `None` of one that is not configured.
    pub fn decoder(&self, mission: &str) -> Option<MissionDecoder> {
        let found = self.missions.iter().find(|known| known.live.name() == mission)?;
        Some(found.reads().decoder)
    }

    /// How far the head goes.
    pub fn reached(&self) -> Reached {
        self.head().reached
    }

    /// Takes committed batches of one stream in the ledger's order: into the head, and on to the screens. With them
    /// everything of the stream up to `through` is in. Blocks on decoding.
    pub fn ingest(&self, stream: Stream, committed: &[Committed], through: Place) {
        for batch in committed {
            self.read_into(&self.head, batch, Shown::AsChange);
        }
        *self.head().reached.of(stream) = through;
    }

    /// Whether the head holds so much that decoding must wait for the cutter.
    pub fn is_over(&self, samples_max: usize) -> bool {
        self.head().weight() > samples_max
    }

    /// As [`Archive::ingest`], but of what was committed before this start: nobody's screen changes by it.
    pub(super) fn restore(&self, committed: &Committed) {
        self.read_into(&self.head, committed, Shown::AsLatest);
    }

    /// A stream is known to have nothing more up to a place.
    pub(super) fn pass(&self, stream: Stream, through: Place) {
        let mut head = self.head();
        let reached = head.reached.of(stream);
        if reached.ledger_id < through.ledger_id {
            *reached = through;
        }
    }

    /// Reads a batch into a head that takes the place of this one ([`Archive::replace_head`]), which has it already.
    pub(super) fn read_again(&self, next: &Mutex<Head>, committed: &Committed) {
        self.read_into(next, committed, Shown::Already);
    }

    /// Puts a head that goes with newer segments in the place of this one, which goes as far. Segments and head change
    /// under one lock, so that no question finds a sample twice or not at all.
    pub(super) fn replace_head(&self, next: Mutex<Head>) {
        let mut next = next.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut head = self.head();
        for stream in [Stream::Backlog, Stream::Live] {
            let (reached, place) = (next.reached.of(stream), *head.reached.of(stream));
            if reached.ledger_id < place.ledger_id {
                *reached = place;
            }
        }
        *head = next;
    }

    /// The newest generation of segments that the head goes with.
    pub(super) fn generation(&self) -> i64 {
        self.head().generation
    }

    fn read_into(&self, head: &Mutex<Head>, committed: &Committed, shown: Shown) {
        let header = &committed.batch.header;
        let opened = committed.batch.open();
        let receipt = account::receipt(committed, opened.as_ref().ok());
        let Some(index) = self.missions.iter().position(|mission| mission.live.name() == header.mission)
        else {
            // It stays in the ledger, and is decoded when the mission is configured and reprocessed.
            warn!(
                mission = header.mission,
                "batch of a mission that is not configured, kept in the ledger only"
            );
            let mut head = lock(head);
            head.account.add(receipt);
            head.reach(committed);
            return;
        };
        let mission = &self.missions[index];
        // Held until the samples are in the head: whoever replaces it then knows that none of before come after.
        let reads = mission.reads.read().unwrap_or_else(PoisonError::into_inner);
        let mut records = Records::default();
        match &opened {
            Ok(open) => records.decode(open, &reads.decoder, Provenance::of(committed.way)),
            Err(error) => {
                warn!(%error, ledger_id = committed.ledger_id, "batch does not open, kept in the ledger only");
            }
        }
        {
            let mut head = lock(head);
            let tables = head.active.entry((index, committed.node)).or_default();
            records.each().for_each(|samples| tables.push(samples, &reads.derivations));
            head.account.add(receipt);
            // Under the same lock: what is frozen next holds a batch whole and says so, or not at all. Else a batch that is in
            // segments already would be read from the ledger again after a restart.
            head.reach(committed);
            Metric::HubArchiveHeadSamples.set(head.weight() as f64);
        }
        drop(reads);
        let source = self.source(index, committed.node);
        match shown {
            Shown::Already => {}
            Shown::AsChange => {
                // What comes late is shown as it is decoded, beside the order in which a client resumes.
                let is_live = Stream::of(committed.way) == Stream::Live;
                let position = is_live.then_some(committed.ledger_id);
                let samples = records.samples;
                mission.live.publish(LiveBatch { source, position, samples, records: opened.ok() });
            }
            Shown::AsLatest => mission.live.restore(source, &records.samples),
        }
    }

    /// Freezes the active part when it is large or old, or gives back the part whose writing did not succeed yet.
    pub(super) fn freeze(&self, samples_max: usize, age_max: std::time::Duration) -> Option<Arc<Frozen>> {
        let mut head = self.head();
        if let Some(frozen) = &head.frozen {
            return Some(Arc::clone(frozen));
        }
        let is_wanted = head.segmented.both() < head.wanted_ledger_id;
        let is_due = is_wanted || head.weight() >= samples_max || head.active_since.elapsed() >= age_max;
        // Batches without samples count too: a restart must not read them again and again.
        if !is_due || head.reached == head.segmented {
            return None;
        }
        let frozen = Arc::new(Frozen {
            tables: std::mem::take(&mut head.active),
            account: head.account.take(),
            generation: head.generation + 1,
            reached: head.reached,
        });
        head.active_since = Instant::now();
        head.frozen = Some(Arc::clone(&frozen));
        Some(frozen)
    }

    /// Somebody waits for the ledger to be in segments up to a row.
    pub fn want_cut(&self, ledger_id: i64) {
        self.head().wanted_ledger_id = ledger_id;
    }

    /// The frozen part is in segments: from now on it is read from there.
    pub(super) fn on_segmented(&self, frozen: &Frozen) {
        let mut head = self.head();
        head.generation = frozen.generation;
        head.segmented = frozen.reached;
        head.frozen = None;
    }

    /// Adds what the head holds of a parameter to a scan; returns the newest generation of segments that holds none
    /// of it. Both are read under one lock, so that nothing is found twice or not at all.
    pub(super) fn snapshot(
        &self,
        mission: usize,
        parameter: ParameterIndex,
        derivations: &Derivations,
        scan: &mut RangeScan,
    ) -> i64 {
        let head = self.head();
        let frozen = head.frozen.as_ref().map(|frozen| &frozen.tables);
        for tables in [Some(&head.active), frozen].into_iter().flatten() {
            for (&(_, node), tables) in tables.iter().filter(|((of, _), _)| *of == mission) {
                let source = self.source(mission, node);
                for table in tables.all() {
                    for place in table.layout.places(parameter) {
                        scan.add(source, table.series(place, derivations));
                    }
                }
            }
        }
        head.generation
    }

    /// Rows of the account that were not written with `generation` of segments or before; `None` when some were written
    /// with a later one meanwhile, or by another hub with one that the head does not go with yet.
    pub(super) fn account_behind(
        &self,
        generation: i64,
        mission: &str,
        hours: &Range<Hour>,
    ) -> Option<Vec<(AccountKey, Counts)>> {
        let head = self.head();
        let known = head.frozen.as_ref().map_or(head.generation, |frozen| frozen.generation);
        if head.generation > generation || known < generation {
            return None;
        }
        let mut fresh = head.account.rows_of(mission, hours);
        // It may be written and not yet known to be.
        if let Some(frozen) = head.frozen.as_ref().filter(|frozen| frozen.generation > generation) {
            let is_asked = |key: &AccountKey| key.feed.mission == mission && hours.contains(&key.hour);
            let frozen = frozen.account.rows.iter().filter(|(key, _)| is_asked(key));
            fresh.extend(frozen.map(|(key, counts)| (key.clone(), *counts)));
        }
        Some(fresh)
    }

    /// The index that stands for a node among a mission's sources.
    pub(super) fn source(&self, mission: usize, node: Uuid) -> u32 {
        let names = self.node_names.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.get(&node).map_or_else(|| node.to_string(), String::clone);
        self.missions[mission].live.source(&name)
    }

    /// A node was enrolled, or found at the start.
    pub fn on_node(&self, node: Uuid, name: &str) {
        self.node_names.lock().unwrap_or_else(PoisonError::into_inner).insert(node, name.to_owned());
    }
}

/// Samples of a batch, record by record.
#[derive(Default)]
pub(super) struct Records {
    pub(super) samples: Vec<Sample>,
    ends: Vec<usize>,
}

impl Records {
    /// Reads a batch whose samples came by `provenance`.
    pub(super) fn decode(&mut self, open: &OpenBatch, decoder: &MissionDecoder, provenance: Provenance) {
        let mut scratch = DecodedPacket::default();
        for record in open.records() {
            let begin = self.samples.len();
            let outcome = decoder.decode_record(open.content(), record, &mut scratch, &mut self.samples);
            if let RecordOutcome::Unread(cause) = outcome {
                Metric::HubArchiveUndecodedPackets.add_for("outcome", cause, 1);
            }
            if provenance != Provenance::default() {
                self.samples[begin..].iter_mut().for_each(|sample| sample.provenance = provenance);
            }
            self.ends.push(self.samples.len());
        }
    }

    /// The samples of each record: they have one time.
    pub(super) fn each(&self) -> impl Iterator<Item = &[Sample]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.samples[begin..end])
    }
}
