//! Reads a file chunk by chunk, from any medium that gives bytes at a place.

use std::ops::Range;

use super::{
    BundleError, BundleHash, BundleHeader, BundledBatch, CHUNK_BYTES, CHUNKS_MAX, ChunkRun, Cipher,
    HEADER_BYTES, HEADER_CONTEXT, HEADER_MAGIC, INDEX_BYTES_MAX, INDEX_CONTEXT, INDEX_MAGIC, Index,
    PLAIN_BYTES, TAIL_BYTES, TAIL_MAGIC, VERSION, Verifier, envelope, signed,
};
use crate::{LOGS_MAX, SealedBatch};

/// Where a file's bytes come from.
pub trait BundleSource {
    /// How many there are.
    fn length(&self) -> u64;

    /// So many from a place on, all of them within the length; nothing when the medium does not give them.
    fn read(&self, at: u64, bytes: usize) -> Option<Vec<u8>>;
}

impl BundleSource for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u64, bytes: usize) -> Option<Vec<u8>> {
        let from = usize::try_from(at).ok()?;
        self.get(from..from.checked_add(bytes)?).map(<[u8]>::to_vec)
    }
}

/// A file whose header can be read, and whose signatures nobody has looked at yet.
#[derive(Debug)]
pub struct BundleReader<S> {
    source: S,
    header: BundleHeader,
    header_hash: [u8; 32],
    header_body: Vec<u8>,
    header_signature: Vec<u8>,
    /// Body and signature.
    index: Option<(Vec<u8>, Vec<u8>)>,
}

/// A file that the node of its header made. Holds the index: 32 to 370 bytes for each MiB of the file.
#[derive(Debug)]
pub struct Bundle<S> {
    source: S,
    header: BundleHeader,
    header_hash: [u8; 32],
    index: Option<(Index, BundleHash)>,
}

/// What is wrong with a chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChunkDamage {
    /// Its check sum is right and it is not what the node sealed: somebody put it there.
    Altered,
    /// It is not what was written.
    Damaged,
    /// It opens, and does not hold what it must: the node did not make it as it must be.
    Malformed,
    /// The medium does not give it, or the file ends before it does.
    Unreadable,
}

/// A chunk that gives nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadChunk {
    /// Which, from 0.
    pub number: u32,
    /// Where it lies in the file.
    pub bytes: Range<u64>,
    /// What is wrong.
    pub damage: ChunkDamage,
    /// What was in it, when the index can be read.
    pub runs: Option<Vec<ChunkRun>>,
}

impl<S: BundleSource> BundleReader<S> {
    /// Finds header and index. Allocates by what is there, and never more than 64 MiB.
    pub fn open(source: S) -> Result<Self, BundleError> {
        let length = source.length();
        let tail = index_bytes(&source);
        let first = source.read(0, HEADER_BYTES.min(usize::try_from(length).unwrap_or(HEADER_BYTES)));
        let copy = tail.as_ref().and_then(|(index, _)| {
            let at = length.checked_sub((TAIL_BYTES + index.len() + HEADER_BYTES) as u64)?;
            source.read(at, HEADER_BYTES)
        });
        let is_ours = tail.is_some() || first.as_ref().is_some_and(|bytes| bytes.starts_with(&HEADER_MAGIC));
        let found = [&first, &copy]
            .into_iter()
            .flatten()
            .find_map(|bytes| envelope::unwrap(HEADER_MAGIC, bytes))
            .ok_or(if is_ours {
                BundleError::Damaged { what: "neither its header nor the copy of it can be read" }
            } else {
                BundleError::Foreign
            })?;
        let header = decode_header(found.body)?;
        let (header_hash, header_body, header_signature) =
            (*blake3::hash(found.bytes).as_bytes(), found.body.to_vec(), found.signature.to_vec());
        // One whose check sum is wrong tells nothing.
        let index = tail.filter(|(_, is_sound)| *is_sound).and_then(|(bytes, _)| {
            let found = envelope::unwrap(INDEX_MAGIC, &bytes)?;
            Some((found.body.to_vec(), found.signature.to_vec()))
        });
        Ok(Self { source, header, header_hash, header_body, header_signature, index })
    }

    /// What the header says, which is not to be believed yet.
    pub fn header(&self) -> &BundleHeader {
        &self.header
    }

    /// Holds header and index against the node's signatures.
    pub fn verify(self, node: &impl Verifier) -> Result<Bundle<S>, BundleError> {
        if !node.verifies(&signed(HEADER_CONTEXT, &self.header_body), &self.header_signature) {
            return Err(BundleError::Altered { what: "its header is not what the node signed" });
        }
        let index = match self.index {
            None => None,
            Some((body, signature)) => {
                if !node.verifies(&signed(INDEX_CONTEXT, &body), &signature) {
                    return Err(BundleError::Altered { what: "its index is not what the node signed" });
                }
                Some((decode_index(&body, self.header_hash)?, BundleHash(*blake3::hash(&body).as_bytes())))
            }
        };
        let Self { source, header, header_hash, .. } = self;
        Ok(Bundle { source, header, header_hash, index })
    }
}

impl<S: BundleSource> Bundle<S> {
    /// Who made it for whom, and of what.
    pub fn header(&self) -> &BundleHeader {
        &self.header
    }

    /// Its hash; nothing when its end is damaged or missing.
    pub fn hash(&self) -> Option<BundleHash> {
        self.index.as_ref().map(|(_, hash)| *hash)
    }

    /// Whether the export ends with it; nothing when its end is damaged or missing.
    pub fn is_last(&self) -> Option<bool> {
        self.index.as_ref().map(|(index, _)| index.is_last)
    }

    /// How many chunks it has, as far as can be known.
    pub fn chunks(&self) -> u32 {
        match &self.index {
            Some((index, _)) => index.chunks.len() as u32,
            None => {
                let behind_header = self.source.length().saturating_sub(HEADER_BYTES as u64);
                let chunks = behind_header.div_ceil(CHUNK_BYTES as u64);
                u32::try_from(chunks).unwrap_or(CHUNKS_MAX).min(CHUNKS_MAX)
            }
        }
    }

    /// What the index says is in a chunk.
    pub fn runs(&self, number: u32) -> Option<&[ChunkRun]> {
        let (index, _) = self.index.as_ref()?;
        index.chunks.get(number as usize).map(|entry| &*entry.runs)
    }

    /// The batches of a chunk, in the order they were written.
    pub fn chunk(&self, number: u32, cipher: &impl Cipher) -> Result<Vec<BundledBatch>, BadChunk> {
        let from = HEADER_BYTES as u64 + u64::from(number) * CHUNK_BYTES as u64;
        let to = from + CHUNK_BYTES as u64;
        let bad = |damage| BadChunk {
            number,
            bytes: from.min(self.source.length())..to.min(self.source.length()),
            damage,
            runs: self.runs(number).map(<[ChunkRun]>::to_vec),
        };
        let is_here = to <= self.source.length();
        let bytes = is_here.then(|| self.source.read(from, CHUNK_BYTES)).flatten();
        let mut bytes =
            bytes.filter(|bytes| bytes.len() == CHUNK_BYTES).ok_or(bad(ChunkDamage::Unreadable))?;
        let crc = bytes.split_off(CHUNK_BYTES - 4);
        let is_as_summed = crc32c::crc32c(&bytes).to_le_bytes() == *crc;
        if self.cipher_refuses(number, cipher, &mut bytes) {
            return Err(bad(if is_as_summed { ChunkDamage::Altered } else { ChunkDamage::Damaged }));
        }
        self.batches(&bytes).ok_or(bad(ChunkDamage::Malformed))
    }

    fn cipher_refuses(&self, number: u32, cipher: &impl Cipher, bytes: &mut Vec<u8>) -> bool {
        cipher.open(number, &self.header_hash, bytes).is_err() || bytes.len() != PLAIN_BYTES
    }

    fn batches(&self, plain: &[u8]) -> Option<Vec<BundledBatch>> {
        let (mut rest, mut batches) = (plain, Vec::new());
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if length == 0 {
                break;
            }
            let (&log, behind) = behind.split_first()?;
            let (bytes, behind) = behind.split_at_checked(length)?;
            let batch = SealedBatch::parse(bytes.to_vec()).ok()?;
            let lane = self.header.logs.get(usize::from(log))?.lane;
            if batch.header.lane != lane {
                return None;
            }
            batches.push(BundledBatch { log, batch });
            rest = behind;
        }
        Some(batches)
    }
}

/// The bytes that the tail says are the index, and whether their check sum is right.
fn index_bytes(source: &impl BundleSource) -> Option<(Vec<u8>, bool)> {
    let length = source.length();
    let tail = source.read(length.checked_sub(TAIL_BYTES as u64)?, TAIL_BYTES)?;
    let (tail, crc) = tail.split_last_chunk::<4>()?;
    if crc32c::crc32c(tail).to_le_bytes() != *crc {
        return None;
    }
    let (index_length, index_crc) = tail.strip_prefix(&TAIL_MAGIC)?.split_first_chunk::<8>()?;
    let index_length = usize::try_from(u64::from_le_bytes(*index_length)).ok()?;
    if index_length > INDEX_BYTES_MAX {
        return None;
    }
    let at = length.checked_sub((TAIL_BYTES + index_length) as u64)?;
    let bytes = source.read(at, index_length)?;
    let is_sound = crc32c::crc32c(&bytes).to_le_bytes() == *index_crc;
    Some((bytes, is_sound))
}

fn decode_header(body: &[u8]) -> Result<BundleHeader, BundleError> {
    match body.first() {
        Some(&VERSION) => {}
        Some(&found) => return Err(BundleError::Version { found }),
        None => return Err(BundleError::Malformed { what: "its header is empty" }),
    }
    let header: BundleHeader = postcard::from_bytes(body)
        .map_err(|_| BundleError::Malformed { what: "its header cannot be read" })?;
    let fits = |first: u64, last: u64| (1..=last).contains(&first);
    if header.logs.len() > LOGS_MAX
        || header.part == 0
        || header.certificates.is_empty()
        || !header.logs.iter().all(|log| fits(log.first, log.last))
    {
        return Err(BundleError::Malformed { what: "a field of its header is out of range" });
    }
    Ok(header)
}

fn decode_index(body: &[u8], header: [u8; 32]) -> Result<Index, BundleError> {
    let index: Index = postcard::from_bytes(body)
        .map_err(|_| BundleError::Malformed { what: "its index cannot be read" })?;
    if index.header != header {
        return Err(BundleError::Altered { what: "its index belongs to another file" });
    }
    if index.chunks.len() > CHUNKS_MAX as usize {
        return Err(BundleError::Malformed { what: "its index names too many chunks" });
    }
    Ok(index)
}
