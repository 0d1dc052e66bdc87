//! What the journal asks of an engine: to keep values under numbers that grow, and a few small facts beside them.

use delivery::{BatchError, RECORDS_MAX};

use super::{JournalError, Receipt};

/// A value as the engine found it; the inner error says that the engine's own check failed.
pub(super) type Stored = Result<Vec<u8>, BatchError>;

/// An engine. Nothing it is given is durable before `flush`.
pub trait Store: Send + 'static {
    /// The lowest number here.
    fn first(&self) -> Result<Option<u64>, JournalError>;
    /// The highest number here.
    fn last(&self) -> Result<Option<u64>, JournalError>;
    /// The lowest number here that is not below `number`.
    fn next_from(&self, number: u64) -> Result<Option<u64>, JournalError>;
    /// The value under a number.
    fn get(&mut self, number: u64) -> Result<Option<Stored>, JournalError>;
    /// Keeps a value under a number above all others, with a note; both or neither survive.
    fn put(&mut self, number: u64, value: &[u8], note: Option<&[u8]>) -> Result<(), JournalError>;
    /// Makes everything durable.
    fn flush(&mut self) -> Result<(), JournalError>;
    /// Forgets numbers up to and including `last`.
    fn remove_up_to(&mut self, last: u64) -> Result<(), JournalError>;
    /// Forgets numbers above `kept`.
    fn remove_after(&mut self, kept: u64) -> Result<(), JournalError>;
    /// Moves a value out of the way, where people find it; it is not here any more then.
    fn set_aside(&mut self, number: u64) -> Result<(), JournalError>;
    /// Shows the notes of what is here, newest first.
    fn visit_notes(&mut self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), JournalError>;
    /// A small fact.
    fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError>;
    /// Keeps a small fact.
    fn set_fact(&mut self, name: &'static str, value: &[u8]) -> Result<(), JournalError>;
    /// Bytes of its files that it will fill before it asks the disk for more.
    fn reusable_bytes(&self, retained_bytes: u64) -> u64;
    /// Whether bytes that make no value were found at its end when it was opened.
    fn was_end_torn(&self) -> bool;
}

/// Names of small facts.
pub(super) mod fact {
    /// Newest batch the hub has: u64 BE.
    pub(in crate::journal) const ACKNOWLEDGED: &str = "acknowledged";
    /// Gaps, in postcard.
    pub(in crate::journal) const GAPS: &str = "gaps";
    /// A batch that was committed once, so that a missing end is noticed: u64 BE.
    pub(in crate::journal) const HEAD: &str = "head";
    /// No number above this one was ever used: u64 BE.
    pub(in crate::journal) const RESERVED_UNTIL: &str = "reserved-until";
    /// The journal's id.
    pub(in crate::journal) const STORE_ID: &str = "store-id";
}

const QUARANTINED: u8 = 1;
const RECEIPT_BYTES: usize = 20;

/// What is kept of a batch outside it, so that it can be found without reading batches.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Note {
    /// Whether the batch holds quarantined records.
    pub(super) is_quarantined: bool,
    /// Requests it completes or continues.
    pub(super) receipts: Vec<Receipt>,
}

impl Note {
    /// Its bytes: flags, then 20 bytes a receipt; nothing when there is nothing to note.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        assert!(self.receipts.len() <= RECORDS_MAX, "a batch holds no more requests than records");
        if !self.is_quarantined && self.receipts.is_empty() {
            return None;
        }
        let mut bytes = vec![u8::from(self.is_quarantined) * QUARANTINED];
        for receipt in &self.receipts {
            bytes.extend_from_slice(&receipt.key);
            bytes.extend_from_slice(&receipt.records.to_le_bytes());
        }
        Some(bytes)
    }

    /// Reads what [`Note::encode`] wrote; bytes that are none of it say nothing.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let Some((flags, receipts)) = bytes.split_first() else { return Self::default() };
        let (receipts, _) = receipts.as_chunks::<RECEIPT_BYTES>();
        let receipts = receipts.iter().map(|bytes| {
            let (key, records) = bytes.split_first_chunk::<16>().expect("20 bytes hold 16");
            let records = u32::from_le_bytes(records.try_into().expect("20 bytes hold 16 and 4"));
            Receipt { key: *key, records }
        });
        Self { is_quarantined: flags & QUARANTINED != 0, receipts: receipts.collect() }
    }
}

/// The number of a fact that is one.
pub(super) fn number_in(fact: Option<Vec<u8>>) -> Option<u64> {
    Some(u64::from_be_bytes(fact?.try_into().ok()?))
}
