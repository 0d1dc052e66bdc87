//! Writes a file from front to back: what comes out of each step is appended.

use super::{
    BundleHash, BundleHeader, CHUNK_BYTES, CHUNKS_MAX, ChunkEntry, ChunkRun, Cipher, CryptoRefused,
    HEADER_BYTES, HEADER_CONTEXT, HEADER_MAGIC, INDEX_CONTEXT, INDEX_MAGIC, Index, PLAIN_BYTES, PREFIX_BYTES,
    Signer, TAIL_BYTES, TAIL_MAGIC, envelope, signed,
};
use crate::{BATCH_BYTES_MAX, SealedBatch, Span};

/// What an entry of the index takes at most, if a chunk has one run of each of 16 logs.
const ENTRY_BYTES_MAX: u64 = 32 + 1 + 16 * 21;

/// Why a file cannot be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// Cryptography refused.
    #[error(transparent)]
    Crypto(#[from] CryptoRefused),
    /// Certificates and logs take more than [`HEADER_BYTES`].
    #[error("its header would be longer than {HEADER_BYTES} bytes")]
    HeaderTooLong,
    /// It would have more than [`CHUNKS_MAX`] chunks.
    #[error("it would have more than {CHUNKS_MAX} chunks")]
    TooLong,
}

/// One file being written. Holds one chunk, and 32 to 370 bytes for each chunk before.
#[derive(Debug)]
pub struct BundleWriter<C> {
    cipher: C,
    header: Vec<u8>,
    header_hash: [u8; 32],
    plain: Vec<u8>,
    runs: Vec<ChunkRun>,
    chunks: Vec<ChunkEntry>,
}

impl<C: Cipher> BundleWriter<C> {
    /// Begins a file; the bytes are its first ones.
    pub fn begin(
        header: &BundleHeader,
        cipher: C,
        signer: &impl Signer,
    ) -> Result<(Self, Vec<u8>), WriteError> {
        let body = postcard::to_stdvec(header).expect("a header of numbers and bytes always encodes");
        let signature = signer.sign(&signed(HEADER_CONTEXT, &body))?;
        let mut header = envelope::wrap(HEADER_MAGIC, &body, &signature);
        let header_hash = *blake3::hash(&header).as_bytes();
        if header.len() > HEADER_BYTES {
            return Err(WriteError::HeaderTooLong);
        }
        header.resize(HEADER_BYTES, 0);
        let plain = Vec::with_capacity(CHUNK_BYTES);
        let writer =
            Self { cipher, header: header.clone(), header_hash, plain, runs: Vec::new(), chunks: Vec::new() };
        Ok((writer, header))
    }

    /// Takes a batch of the log at this place of the header; the bytes are a chunk that was full before it.
    pub fn push(&mut self, log: u8, batch: &SealedBatch) -> Result<Option<Vec<u8>>, WriteError> {
        let is_full = self.plain.len() + PREFIX_BYTES + batch.bytes().len() > PLAIN_BYTES;
        let chunk = if is_full { Some(self.chunk()?) } else { None };
        self.plain.extend_from_slice(&(batch.bytes().len() as u32).to_le_bytes());
        self.plain.push(log);
        self.plain.extend_from_slice(batch.bytes());
        let Span { first, last, .. } = Span::of(batch);
        match self.runs.iter_mut().find(|run| run.log == log && run.last + 1 == first) {
            Some(run) => run.last = last,
            None => self.runs.push(ChunkRun { log, first, last }),
        }
        Ok(chunk)
    }

    /// How long the file will be at most if one more batch is pushed, and then it ends.
    pub fn bytes_max(&self) -> u64 {
        let chunks = self.chunks.len() as u64 + 2;
        chunks * (CHUNK_BYTES as u64 + ENTRY_BYTES_MAX) + overhead()
    }

    /// Ends the file; the bytes are its last ones.
    pub fn finish(
        mut self,
        is_last: bool,
        signer: &impl Signer,
    ) -> Result<(Vec<u8>, BundleHash), WriteError> {
        let mut bytes = if self.plain.is_empty() { Vec::new() } else { self.chunk()? };
        let index = Index { header: self.header_hash, is_last, chunks: self.chunks };
        let body = postcard::to_stdvec(&index).expect("an index of numbers and hashes always encodes");
        let signature = signer.sign(&signed(INDEX_CONTEXT, &body))?;
        let index = envelope::wrap(INDEX_MAGIC, &body, &signature);
        bytes.extend_from_slice(&self.header);
        bytes.extend_from_slice(&index);
        let mut tail = Vec::with_capacity(TAIL_BYTES);
        tail.extend_from_slice(&TAIL_MAGIC);
        tail.extend_from_slice(&(index.len() as u64).to_le_bytes());
        tail.extend_from_slice(&crc32c::crc32c(&index).to_le_bytes());
        tail.extend_from_slice(&crc32c::crc32c(&tail).to_le_bytes());
        bytes.extend_from_slice(&tail);
        Ok((bytes, BundleHash(*blake3::hash(&body).as_bytes())))
    }

    fn chunk(&mut self) -> Result<Vec<u8>, WriteError> {
        let number = self.chunks.len() as u32;
        if number >= CHUNKS_MAX {
            return Err(WriteError::TooLong);
        }
        let mut bytes = std::mem::replace(&mut self.plain, Vec::with_capacity(CHUNK_BYTES));
        bytes.resize(PLAIN_BYTES, 0);
        self.cipher.seal(number, &self.header_hash, &mut bytes)?;
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let runs = std::mem::take(&mut self.runs);
        self.chunks.push(ChunkEntry { hash: *blake3::hash(&bytes).as_bytes(), runs });
        Ok(bytes)
    }
}

impl BundleWriter<()> {
    /// Bytes that files of at most `split` bytes take for so many bytes of batches, at most.
    pub fn bytes_needed(batch_bytes: u64, batches: u64, split: u64) -> u64 {
        // A batch that does not fit leaves less than its own length unused.
        let used = (PLAIN_BYTES - PREFIX_BYTES - BATCH_BYTES_MAX) as u64;
        let chunks = (batch_bytes + batches * PREFIX_BYTES as u64).div_ceil(used);
        let chunk = CHUNK_BYTES as u64 + ENTRY_BYTES_MAX;
        let in_file = (split.saturating_sub(overhead()) / chunk).saturating_sub(1).max(1);
        chunks * chunk + (chunks.div_ceil(in_file) + 1) * overhead()
    }
}

/// Both headers, the index's envelope with its signature, and the tail.
fn overhead() -> u64 {
    (2 * HEADER_BYTES + envelope::OVERHEAD + 1_024 + 64 + TAIL_BYTES) as u64
}
