//! Batches carried by hand: a file that a node writes for one hub, signed and encrypted, whose sound chunks come out
//! whatever became of the others; and the receipt that goes back the same way.
//!
//! ```text
//! 16 KiB     header   an envelope, then zeros
//! n × 1 MiB  chunks   sealed batches, whole, encrypted each by itself
//! 16 KiB     header   again, for a medium that lost its beginning
//!            index    an envelope: what is in which chunk, and each chunk's hash
//! 24 B       tail     where the index is
//! ```
//! Every place follows from the file's length and the tail, so nothing damaged hides what comes behind it. The
//! cryptography stands outside ([`Cipher`], [`Signer`]): the core only says what is signed and what is sealed.

mod envelope;
mod read;
mod receipt;
mod write;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::{ChainHash, Lane, NodeId, SealedBatch, StoreId};

pub use read::{BadChunk, Bundle, BundleReader, BundleSource, ChunkDamage};
pub use receipt::{HubReceipt, RECEIPT_BYTES_MAX, RECEIPT_LOGS_MAX, ReceiptLog, UncheckedReceipt};
pub use write::{BundleWriter, WriteError};

/// Bytes of a chunk in the file.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Bytes by which sealing makes a chunk longer.
pub const TAG_BYTES: usize = 16;
/// Bytes in front of the chunks, and behind them once more.
pub const HEADER_BYTES: usize = 16 << 10;
/// Most chunks of a file: 64 GiB.
pub const CHUNKS_MAX: u32 = 1 << 16;
/// Bytes of a chunk that carry batches; the rest is the tag and a check sum.
const PLAIN_BYTES: usize = CHUNK_BYTES - TAG_BYTES - 4;
/// What stands before a batch in a chunk: its length as u32, and its log.
const PREFIX_BYTES: usize = 5;
const INDEX_BYTES_MAX: usize = 64 << 20;
const TAIL_BYTES: usize = 24;
const TAIL_MAGIC: [u8; 8] = *b"STOBTAIL";
const HEADER_MAGIC: [u8; 8] = *b"STOBUNDL";
const INDEX_MAGIC: [u8; 8] = *b"STOINDEX";
/// Stands before what is signed, so that one signature is never taken for another.
const HEADER_CONTEXT: &[u8] = b"sto-bundle-header-1";
const INDEX_CONTEXT: &[u8] = b"sto-bundle-index-1";
const VERSION: u8 = 1;

/// Cryptography refused: no randomness, or a key it cannot use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cryptographic library refused")]
pub struct CryptoRefused;

/// Seals and opens the chunks of one file. A key must never seal two files: the chunk's number is all that is new.
pub trait Cipher {
    /// Encrypts in place and appends [`TAG_BYTES`].
    fn seal(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused>;

    /// Decrypts in place and takes the tag away; an error when a bit of bytes, number or `associated` is another.
    fn open(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused>;
}

/// Signs as the node, or as the hub.
pub trait Signer {
    /// A signature of at most 1,024 bytes.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoRefused>;
}

/// Says whether a signature is the one it must be.
pub trait Verifier {
    /// Whether `signature` is of `message`.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

impl BundleHeader {
    /// Version written here.
    pub const VERSION: u8 = VERSION;
}

/// Names one export; all its parts have the same.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BundleId(pub [u8; 16]);

/// BLAKE3 of a file's index, and so of everything in the file: what both ends write down about it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BundleHash(pub [u8; 32]);

/// Who made a file for whom, and of what.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BundleHeader {
    /// Of the format.
    pub version: u8,
    /// The export.
    pub bundle: BundleId,
    /// Its part, from 1.
    pub part: u32,
    /// SHA-256 of the public key of the authority whose hubs it is for.
    pub authority: [u8; 32],
    /// The hub's X25519 key that it is sealed for.
    pub hub_key: [u8; 32],
    /// The X25519 key made for this file alone.
    pub file_key: [u8; 32],
    /// Whose batches these are.
    pub node: NodeId,
    /// The node's certificate in DER, and those above it but the authority's.
    pub certificates: Vec<Vec<u8>>,
    /// Its logs; a log's place is its number in the chunks. At most 16.
    pub logs: Vec<BundleLog>,
    /// The part before, or the last file of the export before.
    pub previous: Option<BundleHash>,
    /// The node's clock when it began.
    pub created: TaiTime,
}

/// What an export holds of a log, in all its parts together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BundleLog {
    /// Which journal.
    pub store: StoreId,
    /// Its lane.
    pub lane: Lane,
    /// First batch.
    pub first: u64,
    /// Last batch.
    pub last: u64,
    /// What the first one is chained to.
    pub previous: ChainHash,
    /// What the one behind the last will be chained to.
    pub hash: ChainHash,
}

/// An unbroken run of a log's batches in a chunk.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ChunkRun {
    /// The log's place in the header.
    pub log: u8,
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
}

/// A batch out of a chunk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BundledBatch {
    /// The log's place in the header.
    pub log: u8,
    /// The batch as its node sealed it.
    pub batch: SealedBatch,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct ChunkEntry {
    /// BLAKE3 of the chunk as it lies in the file.
    hash: [u8; 32],
    runs: Vec<ChunkRun>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Index {
    /// BLAKE3 of the header's envelope.
    header: [u8; 32],
    is_last: bool,
    chunks: Vec<ChunkEntry>,
}

/// Why a file gives nothing at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// It is whole, and not what was signed.
    #[error("it was altered: {what}")]
    Altered {
        /// What is not as it was signed.
        what: &'static str,
    },
    /// Neither its header nor the copy can be read.
    #[error("it is damaged: {what}")]
    Damaged {
        /// What cannot be read.
        what: &'static str,
    },
    /// It is another kind of file.
    #[error("it is not a file of this kind")]
    Foreign,
    /// A field cannot be.
    #[error("it is malformed: {what}")]
    Malformed {
        /// What cannot be.
        what: &'static str,
    },
    /// The version is not one we read.
    #[error("it has format version {found}; this software reads version {VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
}

/// What is signed: a context, then the bytes.
fn signed(context: &[u8], body: &[u8]) -> Vec<u8> {
    [context, body].concat()
}

#[cfg(test)]
mod tests;
