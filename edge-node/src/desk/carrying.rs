//! What is carried by hand: batches on their way to a file, and the hub's receipt on its way back.

use std::io::Write;
use std::path::PathBuf;

use delivery::{BatchSequence, BundleError, ChainHash, HubReceipt, Lane, SealedBatch, Severity, StoreId};
use provisioning::{Identity, IdentityError, NotForUs};
use serde::{Deserialize, Serialize};
use service::logging::chain;
use tracing::{info, warn};

use super::{Desk, DeskError, READ_BYTES};
use crate::events::event;
use crate::forwarding::{Missing, declared_gap};
use crate::journal::{Batches, JournalHandle, ReadFailed};

/// In the data directory: the receipt that was taken last.
const RECEIPT: &str = "hub-receipt";
/// In the data directory: who carried what, one line of JSON each.
const CUSTODY: &str = "custody.jsonl";

/// A journal, as an export sees it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct CarriedLog {
    /// Its lane.
    pub lane: Lane,
    /// Which journal.
    pub store: StoreId,
    /// What the hub has, as far as it said so; 0 when nothing.
    pub acknowledged: u64,
    /// What the last receipt says that it has; 0 when there was none.
    pub receipted: u64,
    /// Oldest batch that was not forgotten; 0 when there is none.
    pub oldest: u64,
    /// Newest batch; 0 when there is none.
    pub newest: u64,
    /// What comes behind the newest will be chained to.
    pub hash: ChainHash,
    /// Sealed bytes up to the newest.
    pub bytes: u64,
}

/// What somebody carried, for whoever asks later.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Custody {
    /// What was done.
    pub code: String,
    /// Account that did it.
    pub who: String,
    /// File name.
    pub file: String,
    /// BLAKE3 in hexadecimal: of a bundle's index, or of a receipt.
    pub hash: String,
}

/// What a receipt let the journals know.
#[derive(Debug, Deserialize, Serialize)]
pub struct TakenReceipt {
    /// When the hub wrote it.
    pub created: String,
    /// Of which logs it says what.
    pub logs: Vec<TakenLog>,
}

/// Of one log.
#[derive(Debug, Deserialize, Serialize)]
pub struct TakenLog {
    /// Its lane.
    pub lane: Lane,
    /// Everything up to here is at the hub.
    pub watermark: u64,
    /// The node may forget up to here.
    pub safe: u64,
}

/// Why a receipt was not taken. Nothing was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is not one of ours.
    #[error("[{}] the receipt was not taken: {reason}; the journal is as it was", receipt_code(.reason))]
    NotForUs {
        /// Why not.
        reason: NotForUs,
    },
    /// It does not fit the journal.
    #[error(
        "[STO-RECEIPT-FORK] the receipt was not taken: at batch {watermark} the hub has another history than this \
         journal; the journal is as it was. See STO-SESSION-FORK"
    )]
    Fork {
        /// Where they differ.
        watermark: u64,
    },
    /// The identity.
    #[error("the node's identity cannot be read or written")]
    Identity(#[from] IdentityError),
    /// There is no identity.
    #[error("[STO-NOT-ENROLLED] this machine is no node yet; run edge-node enroll first")]
    NotEnrolled,
    /// A later one was taken before.
    #[error(
        "[STO-RECEIPT-OLDER] the receipt is of {created}, and one of {taken} was taken before; the journal is as it \
         was. Nothing to do, or ask mission control for a new one"
    )]
    Older {
        /// When it was written.
        created: String,
        /// When the one taken before was.
        taken: String,
    },
    /// The journal.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadFailed),
    /// The receipt could not be kept.
    #[error("the receipt cannot be kept in {path}; take it again")]
    Keep {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

fn receipt_code(error: &NotForUs) -> &'static str {
    match error {
        NotForUs::OtherHub => "STO-RECEIPT-OTHER-HUB",
        NotForUs::OtherNode { .. } => "STO-RECEIPT-OTHER-NODE",
        NotForUs::Certificate { .. } | NotForUs::File(BundleError::Altered { .. }) => "STO-RECEIPT-ALTERED",
        NotForUs::File(_) => "STO-RECEIPT-FILE",
    }
}

impl Desk {
    /// The journals, events first.
    pub fn logs(&self) -> Vec<CarriedLog> {
        let receipt = self.last_receipt();
        let of = |journal: &JournalHandle| {
            let state = *journal.state().borrow();
            let receipted = receipt.iter().flat_map(|receipt| &receipt.logs);
            let receipted = receipted.filter(|log| log.store == state.store && log.lane == journal.lane());
            CarriedLog {
                lane: journal.lane(),
                store: state.store,
                acknowledged: state.acknowledged.map_or(0, |sequence| sequence.0),
                receipted: receipted.map(|log| log.watermark).max().unwrap_or(0),
                oldest: state.tail.map_or(0, |tail| tail.0),
                newest: state.head.number(),
                hash: state.head.hash,
                bytes: state.head.bytes,
            }
        };
        vec![of(&self.alarms), of(&self.journal)]
    }

    /// Batches of a lane from a number on, about 1 MiB of them; where some are lost, the gap that says so. Nothing
    /// behind the newest.
    pub async fn carry(&self, lane: Lane, from: u64) -> Result<Vec<SealedBatch>, DeskError> {
        let journal = self.journal_of(lane);
        match journal.read(BatchSequence(from), READ_BYTES).await? {
            Batches::Here(batches) => Ok(batches),
            Batches::Missing { until, reason } => {
                let missing = Missing { first: BatchSequence(from), last: until, reason };
                Ok(vec![declared_gap(journal, missing, |_| None, "unknown").await?])
            }
            Batches::Absent if from > journal.state().borrow().head.number() => Ok(Vec::new()),
            Batches::Absent => Err(DeskError::Forgotten { batch: from }),
        }
    }

    /// Lets the journals know what the hub has, as an acknowledgement over the link would.
    pub async fn take_receipt(&self, file: &[u8], who: &str) -> Result<TakenReceipt, ReceiptError> {
        let mut identity = Identity::load(&self.data)?.ok_or(ReceiptError::NotEnrolled)?;
        let receipt = identity.check_receipt(file).map_err(|reason| ReceiptError::NotForUs { reason })?;
        if let Some(last) = self.last_receipt()
            && receipt.created < last.created
        {
            let (created, taken) = (dashboard::rfc3339(receipt.created), dashboard::rfc3339(last.created));
            return Err(ReceiptError::Older { created, taken });
        }
        let ours: Vec<_> = [&self.alarms, &self.journal]
            .into_iter()
            .filter_map(|journal| {
                let store = journal.state().borrow().store;
                let log = receipt.logs.iter().find(|log| log.store == store && log.lane == journal.lane())?;
                Some((journal, *log))
            })
            .collect();
        for (journal, log) in &ours {
            let is_behind = log.watermark > journal.state().borrow().head.number();
            let found = journal.chain_at(log.watermark).await?;
            // What was forgotten here was acknowledged before, and compared then.
            if is_behind || found.is_some_and(|hash| hash != log.hash) {
                return Err(ReceiptError::Fork { watermark: log.watermark });
            }
        }
        identity.keep_bundle_key(&self.data, receipt.hub_key)?;
        let path = self.data.join(RECEIPT);
        crate::sessions::write_private(&path, file)
            .map_err(|source| ReceiptError::Keep { path: path.clone(), source })?;
        let mut logs = Vec::new();
        for (journal, log) in ours {
            let (watermark, safe) = (BatchSequence(log.watermark), BatchSequence(log.safe));
            journal.acknowledged(log.store, watermark, safe).await.map_err(ReadFailed::from)?;
            logs.push(TakenLog { lane: log.lane, watermark: log.watermark, safe: log.safe });
        }
        self.note_custody(&Custody {
            code: "STO-RECEIPT-TAKEN".to_owned(),
            who: who.to_owned(),
            file: String::new(),
            hash: blake3::hash(file).to_string(),
        });
        Ok(TakenReceipt { created: dashboard::rfc3339(receipt.created), logs })
    }

    /// Writes down who carried what; as an event too while the node runs, so that mission control hears it.
    pub fn note_custody(&self, custody: &Custody) {
        let Custody { code, who, file, hash } = custody;
        info!(code, who, file, hash, "something was carried by hand");
        let line = serde_json::json!({
            "at": dashboard::rfc3339(service::clock::now()), "code": code, "who": who, "file": file, "hash": hash,
        });
        let path = self.data.join(CUSTODY);
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        if let Err(error) = opened.and_then(|mut file| writeln!(file, "{line}")) {
            warn!(error = chain(&error), "who carried what cannot be written down");
        }
        if let Some(events) = &self.events {
            let text = format!("{who} carried by hand: {file}");
            let details = [("who", who.clone()), ("file", file.clone()), ("hash", hash.clone())];
            events.tell(None, &event(code, Severity::Info, text, &details));
        }
    }

    /// One that cannot be read any more only means that an older one is not recognised.
    fn last_receipt(&self) -> Option<HubReceipt> {
        let identity = Identity::load(&self.data).ok()??;
        identity.check_receipt(&std::fs::read(self.data.join(RECEIPT)).ok()?).ok()
    }
}

/// The account that runs this command, as whoever looks into the custody later should know it.
pub fn account() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = rustix::process::getuid().as_raw();
    name("SUDO_USER").or_else(|| name("USER")).unwrap_or_else(|| format!("uid {user}"))
}

/// Takes sealed batches out of an answer: the length of each as u32, then its bytes.
pub(super) fn batches_in(mut bytes: &[u8]) -> Option<Vec<SealedBatch>> {
    let mut batches = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (batch, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        batches.push(SealedBatch::parse(batch.to_vec()).ok()?);
        bytes = rest;
    }
    Some(batches)
}

/// The answer that [`batches_in`] reads.
pub(super) fn framed(batches: &[SealedBatch]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(batches.iter().map(|batch| batch.bytes().len() + 4).sum());
    for batch in batches {
        bytes.extend_from_slice(&(batch.bytes().len() as u32).to_le_bytes());
        bytes.extend_from_slice(batch.bytes());
    }
    bytes
}
