//! Records that intake found something wrong with: looked at, and tried again when the dictionary was mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::str::FromStr;

use dashboard::rfc3339;
use delivery::{BatchSequence, Content, Record, SealedBatch, Severity, Unframed};
use mission_database::DecodedPacket;
use processing::{MissionDecoder, QUARANTINED, RecordOutcome, Sample, quarantine_cause, verdicts_in};
use serde::{Deserialize, Serialize};
use space_packet::PrimaryHeader;

use super::{Desk, DeskError, Readers};
use crate::events::event;

/// In the data directory: which records left the quarantine, one a line.
const RELEASED: &str = "quarantine-released";
/// Bytes of a record that a list shows.
const SHOWN_BYTES: usize = 16;
/// Batches asked for at once.
const SEQUENCES: usize = 256;

/// A record of the journal: its batch and its place in there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId {
    batch: u64,
    index: usize,
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.batch, self.index)
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.to_string()
    }
}

impl FromStr for RecordId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('-').and_then(|(batch, index)| Some((batch.parse().ok()?, index.parse().ok()?)));
        let (batch, index) = parts.ok_or(format!("{text:?} is no record; they look like 4711-12"))?;
        Ok(Self { batch, index })
    }
}

impl TryFrom<String> for RecordId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A record in a list.
#[derive(Debug, Deserialize, Serialize)]
pub struct QuarantinedRow {
    /// What it is asked for by.
    pub id: RecordId,
    /// Its mission.
    pub mission: String,
    /// Its link.
    pub link: String,
    /// When it was received.
    pub reception: String,
    /// Stable code of the cause.
    pub cause: String,
    /// Its length.
    pub bytes: usize,
    /// Its first bytes, in hexadecimal.
    pub begins: String,
    /// Whether it was tried again with success.
    pub released: bool,
}

/// All of a record.
#[derive(Debug, Deserialize, Serialize)]
pub struct QuarantinedRecord {
    /// As in a list.
    #[serde(flatten)]
    pub row: QuarantinedRow,
    /// What was found out about it, in sentences.
    pub verdicts: Vec<String>,
    /// What its header says, if it has one.
    pub header: Option<String>,
    /// All its bytes, in hexadecimal.
    pub hexadecimal: String,
    /// What the dictionary in force makes of it now.
    pub now: String,
}

/// What came of trying again.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Retried {
    /// Records looked at.
    pub tried: u64,
    /// How many can be read now.
    pub released: u64,
    /// How many still cannot, by cause.
    pub remaining: BTreeMap<String, u64>,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A record's own bytes, and its cause when no packet was found in them.
fn content_of<'a>(content: Content, record: &Record<'a>) -> (&'a [u8], Option<&'a str>) {
    match Unframed::decode(record.bytes) {
        Ok(unframed) if content == Content::Unframed => (unframed.bytes, Some(unframed.cause)),
        _ => (record.bytes, None),
    }
}

fn row(
    batch: &SealedBatch,
    content: Content,
    index: usize,
    record: &Record<'_>,
    released: bool,
) -> QuarantinedRow {
    let (bytes, cause) = content_of(content, record);
    let judged = quarantine_cause(record.verdicts).map_or("unknown", processing::Verdict::code);
    QuarantinedRow {
        id: RecordId { batch: batch.header.sequence.0, index },
        mission: batch.header.mission.clone(),
        link: batch.header.link.clone(),
        reception: rfc3339(record.reception.0),
        cause: cause.unwrap_or(judged).to_owned(),
        bytes: bytes.len(),
        begins: hexadecimal(&bytes[..bytes.len().min(SHOWN_BYTES)]),
        released,
    }
}

/// What a dictionary makes of a record.
fn read(
    decoder: Option<&MissionDecoder>,
    content: Content,
    record: Record<'_>,
) -> (RecordOutcome, Vec<Sample>) {
    let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
    let outcome = match decoder {
        Some(decoder) => decoder.decode_record(content, record, &mut scratch, &mut samples),
        None => RecordOutcome::Unread("mission-unknown"),
    };
    (outcome, samples)
}

impl Desk {
    /// Records in quarantine, oldest first, of one mission and cause or of all.
    pub async fn quarantine(
        &self,
        mission: Option<&str>,
        cause: Option<&str>,
        count: usize,
    ) -> Result<Vec<QuarantinedRow>, DeskError> {
        let released = self.released();
        let mut rows = Vec::new();
        self.each_batch(|batch| {
            if mission.is_some_and(|mission| mission != batch.header.mission) {
                return true;
            }
            let Ok(open) = batch.open() else { return true };
            for (index, record) in open.records().enumerate() {
                if !record.verdicts.intersects(QUARANTINED) {
                    continue;
                }
                let id = RecordId { batch: batch.header.sequence.0, index };
                let row = row(batch, open.content(), index, &record, released.contains(&id));
                if cause.is_none_or(|cause| cause == row.cause) {
                    rows.push(row);
                }
            }
            rows.len() < count
        })
        .await?;
        rows.truncate(count);
        Ok(rows)
    }

    /// One record.
    pub async fn quarantined(&self, id: RecordId) -> Result<QuarantinedRecord, DeskError> {
        let batch = self.batch(id.batch).await?.ok_or(DeskError::NoRecord(id))?;
        let open = batch.open().map_err(|_| DeskError::NoRecord(id))?;
        let record = open.records().nth(id.index).filter(|record| record.verdicts.intersects(QUARANTINED));
        let record = record.ok_or(DeskError::NoRecord(id))?;
        let content = open.content();
        let (bytes, _) = content_of(content, &record);
        let decoder = self.decoder(&batch.header.mission);
        let now = match read(decoder.as_ref(), content, record) {
            (RecordOutcome::Read, samples) => {
                format!("it can be read: {} values; edge-node quarantine retry {id}", samples.len())
            }
            (RecordOutcome::Empty, _) => "there is nothing in it to be read".to_owned(),
            (RecordOutcome::Unread(cause), _) => format!("it still cannot be read: {cause}"),
        };
        let header = PrimaryHeader::parse(bytes).ok().filter(|_| content != Content::Samples);
        Ok(QuarantinedRecord {
            row: row(&batch, content, id.index, &record, self.released().contains(&id)),
            verdicts: verdicts_in(record.verdicts).map(|verdict| verdict.describe().to_owned()).collect(),
            header: header.map(|header| {
                let (apid, count) = (header.apid.value(), header.sequence_count.value());
                format!("APID {apid}, sequence count {count}, {} bytes by its header", header.packet_bytes())
            }),
            hexadecimal: hexadecimal(bytes),
            now,
        })
    }

    /// Tries records again, these or all of a mission. What can be read now is shown, and the hub is told; the record
    /// itself was forwarded long ago.
    pub async fn retry(&self, ids: &[RecordId], mission: Option<&str>) -> Result<Retried, DeskError> {
        let (Readers::Running(view), Some(events)) = (&self.readers, &self.events) else {
            return Err(DeskError::NotRunning);
        };
        let before = self.released();
        let mut retried = Retried::default();
        let mut by_mission: BTreeMap<String, u64> = BTreeMap::new();
        let mut failed = None;
        self.each_batch(|batch| {
            let name = &batch.header.mission;
            if mission.is_some_and(|mission| mission != name) {
                return true;
            }
            let (Ok(open), decoder) = (batch.open(), self.decoder(name)) else { return true };
            let (mut released, mut shown) = (Vec::new(), Vec::new());
            for (index, record) in open.records().enumerate() {
                let id = RecordId { batch: batch.header.sequence.0, index };
                let is_wanted = ids.is_empty() || ids.contains(&id);
                if !record.verdicts.intersects(QUARANTINED) || before.contains(&id) || !is_wanted {
                    continue;
                }
                retried.tried += 1;
                match read(decoder.as_ref(), open.content(), record) {
                    (RecordOutcome::Read, samples) => {
                        released.push(id);
                        shown.extend(samples);
                    }
                    (RecordOutcome::Empty, _) => {}
                    (RecordOutcome::Unread(cause), _) => {
                        *retried.remaining.entry(cause.to_owned()).or_default() += 1;
                    }
                }
            }
            // Batch by batch, so that days of records need no more memory than one.
            failed = self.remember_released(&released).err();
            view.restore(name, &shown);
            retried.released += released.len() as u64;
            *by_mission.entry(name.clone()).or_default() += released.len() as u64;
            failed.is_none()
        })
        .await?;
        for (name, records) in by_mission.into_iter().filter(|(_, records)| *records > 0) {
            let text = format!("{records} records left the quarantine: the dictionary in force reads them.");
            let details = [("records", records.to_string())];
            events.tell(Some(&name), &event("STO-QUARANTINE-RELEASED", Severity::Info, text, &details));
        }
        failed.map_or(Ok(retried), Err)
    }

    /// Every batch that holds something in quarantine, oldest first, as long as `more` says so.
    async fn each_batch(&self, mut more: impl FnMut(&SealedBatch) -> bool) -> Result<(), DeskError> {
        let mut from = BatchSequence(1);
        loop {
            let sequences = self.journal.quarantined(from, SEQUENCES).await?;
            for sequence in &sequences {
                if let Some(batch) = self.batch(sequence.0).await?
                    && !more(&batch)
                {
                    return Ok(());
                }
                from = sequence.next();
            }
            if sequences.len() < SEQUENCES {
                return Ok(());
            }
        }
    }

    fn store(&self) -> String {
        format!("{:?}", self.journal.state().borrow().store)
    }

    /// A list that cannot be read only means that a record is tried once more.
    fn released(&self) -> BTreeSet<RecordId> {
        let text = std::fs::read_to_string(self.data.join(RELEASED)).unwrap_or_default();
        let store = self.store();
        // Another journal counts from 1 again.
        let ours = text.lines().filter_map(|line| line.split_once(' ').filter(|(of, _)| *of == store));
        ours.filter_map(|(_, id)| id.parse().ok()).collect()
    }

    fn remember_released(&self, ids: &[RecordId]) -> Result<(), DeskError> {
        if ids.is_empty() {
            return Ok(());
        }
        let store = self.store();
        let lines: String = ids.iter().map(|id| format!("{store} {id}\n")).collect();
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.data.join(RELEASED))
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(DeskError::Released)
    }
}
