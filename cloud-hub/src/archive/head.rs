//! The head: what is committed and not yet in a segment, in memory.
//!
//! It has up to two parts: the active one that grows, and the frozen one that is being written into segments.
//! Which segments a question may read is decided by the same lock that it reads the head under, so a sample is
//! found in exactly one of the two ([`Archive::snapshot`]).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use dashboard::{LiveBatch, LiveMission};
use delivery::{SealedBatch, Way};
use mission_database::{DecodedPacket, ParameterIndex, VersionNumber};
use processing::{
    Account, AccountChanges, AccountKey, Counts, Hour, MissionDecoder, RangeScan, Raw, Receipt,
    RecordOutcome, Sample, Series,
};
use service::metric::Metric;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::account;

/// A committed batch on its way into the head.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its number in the ledger.
    pub ledger_id: i64,
    /// The node it came from.
    pub node: Uuid,
    /// Epoch of the node's journal.
    pub epoch: u32,
    /// How it came.
    pub way: Way,
    /// The batch.
    pub batch: SealedBatch,
}

/// A mission as the archive knows it.
pub struct ArchivedMission {
    /// Its number in the database.
    pub mission_id: i32,
    /// Latest values and live stream.
    pub live: Arc<LiveMission>,
    /// How its packets are read now.
    pub(super) reads: RwLock<Reads>,
}

/// How a mission's packets are read, and where what is read belongs. Replaced as a whole when a version is imported.
#[derive(Clone)]
pub(super) struct Reads {
    pub(super) decoder: MissionDecoder,
    /// Numbers of its parameters in the database, by index.
    pub(super) parameter_ids: Arc<[i32]>,
}

impl ArchivedMission {
    pub(super) fn reads(&self) -> Reads {
        self.reads.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Series by mission, parameter and node.
pub(super) type SeriesMap = HashMap<SeriesKey, Series>;

/// What a series belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct SeriesKey {
    pub(super) mission: usize,
    pub(super) parameter: ParameterIndex,
    pub(super) node: Uuid,
    /// Samples of one series were read by one version of the dictionary.
    pub(super) version: VersionNumber,
    /// And are of one kind: a number that could not be read is kept as bytes.
    pub(super) kind: RawKind,
}

/// What kind of raw values a series holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum RawKind {
    Binary,
    Float,
    Signed,
    Text,
    Unsigned,
}

impl SeriesKey {
    pub(super) fn of(mission: usize, node: Uuid, sample: &Sample) -> Self {
        let kind = match sample.raw {
            Raw::Binary(_) => RawKind::Binary,
            Raw::Float(_) => RawKind::Float,
            Raw::Signed(_) => RawKind::Signed,
            Raw::Text(_) => RawKind::Text,
            Raw::Unsigned(_) => RawKind::Unsigned,
        };
        Self { mission, parameter: sample.parameter, node, version: sample.version, kind }
    }
}

/// A part of the head that is being written.
pub(super) struct Frozen {
    pub(super) series: Arc<SeriesMap>,
    pub(super) account: AccountChanges,
    pub(super) generation: i64,
    pub(super) ledger_id: i64,
}

struct Head {
    active: SeriesMap,
    /// Samples, with long texts and bytes counting for as many numbers as would take their place.
    active_weight: usize,
    active_since: Instant,
    /// Counts what the head holds.
    account: Account,
    frozen: Option<Arc<Frozen>>,
    /// Newest row of the ledger that is in the head.
    ledger_id: i64,
    /// Newest generation that is in segments, and the newest row of the ledger that is.
    generation: i64,
    segmented_ledger_id: i64,
    /// The head is cut at once when the ledger is not in segments up to here: somebody waits to read it again.
    wanted_ledger_id: i64,
}

/// A row of the account takes about as much memory as so many numbers.
const ACCOUNT_ROW_WEIGHT: usize = 8;

impl Head {
    fn weight(&self) -> usize {
        self.active_weight + self.account.rows() * ACCOUNT_ROW_WEIGHT
    }

    fn take_in(&mut self, ledger_id: i64, receipt: Receipt) {
        self.account.add(receipt);
        self.ledger_id = ledger_id;
    }
}

/// Segments and head of all missions.
pub struct Archive {
    missions: Vec<ArchivedMission>,
    node_names: Mutex<HashMap<Uuid, String>>,
    head: Mutex<Head>,
}

impl Archive {
    /// An archive whose ledger is in segments up to `ledger_id`, the newest of them of `generation`, and counted by
    /// `account` up to there.
    pub fn new(
        missions: Vec<ArchivedMission>,
        node_names: HashMap<Uuid, String>,
        (ledger_id, generation): (i64, i64),
        account: Account,
    ) -> Self {
        let head = Head {
            active: SeriesMap::new(),
            active_weight: 0,
            active_since: Instant::now(),
            account,
            frozen: None,
            ledger_id,
            generation,
            segmented_ledger_id: ledger_id,
            wanted_ledger_id: 0,
        };
        Self { missions, node_names: Mutex::new(node_names), head: Mutex::new(head) }
    }

    /// All missions.
    pub fn missions(&self) -> &[ArchivedMission] {
        &self.missions
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Newest row of the ledger that is in the head.
    pub fn ledger_id(&self) -> i64 {
        self.head().ledger_id
    }

    /// Takes committed batches in the ledger's order: into the head, and on to the screens. Blocks on decoding.
    pub fn ingest(&self, committed: &[Committed]) {
        for batch in committed {
            self.ingest_batch(batch, true);
        }
    }

    /// Whether the head holds so much that decoding must wait for the cutter.
    pub fn is_over(&self, samples_max: usize) -> bool {
        self.head().weight() > samples_max
    }

    /// As [`Archive::ingest`], but of what was committed before this start: nobody's screen changes by it.
    pub fn restore(&self, committed: &Committed) {
        self.ingest_batch(committed, false);
    }

    fn ingest_batch(&self, committed: &Committed, is_live: bool) {
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
            self.head().take_in(committed.ledger_id, receipt);
            return;
        };
        let mission = &self.missions[index];
        // Held until the samples are in the head: whoever replaces it then knows that none of before come after.
        let reads = mission.reads.read().unwrap_or_else(PoisonError::into_inner);
        let samples = match &opened {
            Ok(open) => {
                let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
                for record in open.records() {
                    let content = open.content();
                    let outcome = reads.decoder.decode_record(content, record, &mut scratch, &mut samples);
                    if let RecordOutcome::Unread(cause) = outcome {
                        Metric::HubArchiveUndecodedPackets.add_for("outcome", cause, 1);
                    }
                }
                samples
            }
            Err(error) => {
                warn!(%error, ledger_id = committed.ledger_id, "batch does not open, kept in the ledger only");
                Vec::new()
            }
        };
        self.append(index, committed, receipt, &samples);
        drop(reads);
        let source = self.source(index, committed.node);
        if is_live {
            let (position, records) = (Some(committed.ledger_id), opened.ok());
            mission.live.publish(LiveBatch { source, position, samples, records });
        } else {
            mission.live.restore(source, &samples);
        }
    }

    fn append(&self, mission: usize, committed: &Committed, receipt: Receipt, samples: &[Sample]) {
        let mut head = self.head();
        for sample in samples {
            let key = SeriesKey::of(mission, committed.node, sample);
            match head.active.get_mut(&key) {
                None => drop(head.active.insert(key, Series::starting_with(sample.clone()))),
                Some(series) => {
                    let is_taken = series.push(sample.clone());
                    debug_assert!(is_taken, "the key says version and kind");
                }
            }
        }
        head.active_weight += samples.iter().map(weight).sum::<usize>();
        head.take_in(committed.ledger_id, receipt);
        Metric::HubArchiveHeadSamples.set(head.active_weight as f64);
    }

    /// Freezes the active part when it is large or old, or gives back the part whose writing did not succeed yet.
    pub(super) fn freeze(&self, samples_max: usize, age_max: std::time::Duration) -> Option<Arc<Frozen>> {
        let mut head = self.head();
        if let Some(frozen) = &head.frozen {
            return Some(Arc::clone(frozen));
        }
        let is_wanted = head.segmented_ledger_id < head.wanted_ledger_id;
        let is_due = is_wanted || head.weight() >= samples_max || head.active_since.elapsed() >= age_max;
        // Batches without samples count too: a restart must not read them again and again.
        if !is_due || head.ledger_id == head.segmented_ledger_id {
            return None;
        }
        let frozen = Arc::new(Frozen {
            series: Arc::new(std::mem::take(&mut head.active)),
            account: head.account.take(),
            generation: head.generation + 1,
            ledger_id: head.ledger_id,
        });
        head.active_weight = 0;
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
        head.segmented_ledger_id = frozen.ledger_id;
        head.frozen = None;
    }

    /// Adds what the head holds of a series to a scan; returns the newest generation of segments that holds none
    /// of it. Both are read under one lock, so that nothing is found twice or not at all.
    pub(super) fn snapshot(&self, mission: usize, parameter: ParameterIndex, scan: &mut RangeScan) -> i64 {
        let head = self.head();
        let frozen = head.frozen.as_ref().map(|frozen| &*frozen.series);
        for part in [Some(&head.active), frozen].into_iter().flatten() {
            for (key, series) in part {
                if key.mission == mission && key.parameter == parameter {
                    scan.add(self.source(mission, key.node), series);
                }
            }
        }
        head.generation
    }

    /// Rows of the account that were not written with `generation` of segments or before; `None` when some were written
    /// with a later one meanwhile.
    pub(super) fn account_behind(
        &self,
        generation: i64,
        mission: &str,
        hours: &Range<Hour>,
    ) -> Option<Vec<(AccountKey, Counts)>> {
        let head = self.head();
        if head.generation > generation {
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

pub(super) fn weight(sample: &Sample) -> usize {
    const NUMBER_BYTES: usize = 32;
    match &sample.raw {
        Raw::Binary(bytes) => 1 + bytes.len() / NUMBER_BYTES,
        Raw::Text(text) => 1 + text.len() / NUMBER_BYTES,
        Raw::Float(_) | Raw::Signed(_) | Raw::Unsigned(_) => 1,
    }
}
