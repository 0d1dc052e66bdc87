//! Documents on their way to a node, of a mission or of the node itself: which ones it holds, and one in parts.
//!
//! A text travels as zstd, behind a head that says how long it is, unpacked and as it comes. Whoever receives it
//! takes no more than was announced, and hands nothing on whose hash is another. The hub's authority signs the head,
//! and with it the text's hash; checking the signature is the caller's.

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::frame::TEXT_BYTES_MAX;

/// The longest text of a document, and the most that it may take when packed.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;
/// The most one [`Frame::DocumentPart`](crate::Frame::DocumentPart) carries.
pub const DOCUMENT_PART_BYTES_MAX: usize = 64 * 1_024;
/// Missions of one node.
pub const HELD_MISSIONS_MAX: usize = 64;
/// Documents of one node, in all its missions: 38 bytes each, so that [`Holds`] fits into a frame of the link.
pub const HELD_DOCUMENTS_MAX: usize = 4_096;
/// Kinds of documents about a node.
const NODE_DOCUMENTS_MAX: usize = 2;
/// The longest signature: one of RSA with 4,096 bits.
const SIGNATURE_BYTES_MAX: usize = 512;
/// Stands before every head that is signed, so that no other use of an authority's key yields such a signature.
const SIGNED_PREFIX: &[u8] = b"sto-document-1\0";
/// zstd's own default: a document is packed once for all nodes that it is sent to.
const ZSTD_LEVEL: i32 = 3;

/// What a document is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum DocumentKind {
    /// A dictionary.
    Dictionary,
    /// Limits beside it.
    Limits,
    /// The hubs a node may turn to.
    Endpoints,
    /// The authorities a node trusts.
    Trust,
    /// Alarm rules.
    AlarmRules,
    /// Which parameters detectors watch, and how.
    DetectionRules,
    /// A trained model: the text is base64 of its document.
    Model,
}

impl DocumentKind {
    /// Whether it is about a node, and not about one of its missions: its newest number alone counts.
    pub fn is_of_node(self) -> bool {
        matches!(self, Self::Endpoints | Self::Trust)
    }

    /// Its word, in databases, file names and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::AlarmRules => "alarm-rules",
            Self::DetectionRules => "detection-rules",
            Self::Dictionary => "dictionary",
            Self::Endpoints => "endpoints",
            Self::Limits => "limits",
            Self::Model => "model",
            Self::Trust => "trust",
        }
    }
}

/// What a value is that equals a bound of the limits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum DocumentBounds {
    /// Good.
    Good,
    /// A violation.
    Violation,
}

/// BLAKE3 of a document's text.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct DocumentHash(pub [u8; 32]);

impl DocumentHash {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        Self(*blake3::hash(text.as_bytes()).as_bytes())
    }
}

/// Which documents a node holds. Each one replaces what it said before.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Holds {
    /// Documents about itself, one of a kind at most.
    pub node: Vec<HeldDocument>,
    /// The missions it receives; documents of others are not sent.
    pub missions: Vec<MissionHolds>,
}

/// Which documents of a mission a node holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MissionHolds {
    /// The mission's short name.
    pub mission: String,
    /// The documents.
    pub documents: Vec<HeldDocument>,
}

/// A document that a node holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct HeldDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// Its number among those of its kind, counted from 1.
    pub number: u32,
    /// Its text.
    pub hash: DocumentHash,
}

impl Holds {
    pub(crate) fn fits(&self) -> bool {
        let documents: usize = self.missions.iter().map(|mission| mission.documents.len()).sum();
        self.node.len() <= NODE_DOCUMENTS_MAX
            && self.missions.len() <= HELD_MISSIONS_MAX
            && documents <= HELD_DOCUMENTS_MAX
            && self.missions.iter().all(|mission| mission.mission.len() <= TEXT_BYTES_MAX)
    }
}

/// A document without its text: what comes first on a document's stream.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DocumentHead {
    /// The mission's short name; absent when it is about the node.
    pub mission: Option<String>,
    /// What it is.
    pub kind: DocumentKind,
    /// Its number among those of its kind, counted from 1.
    pub number: u32,
    /// From which generation time on it is in force; absent: from the beginning of time.
    pub effective_from: Option<TaiTime>,
    /// Until when.
    pub effective_to: Option<TaiTime>,
    /// What errors call it. Its ending tells formats apart.
    pub file_name: String,
    /// What equals a bound, when the file itself does not say.
    pub bounds: Option<DocumentBounds>,
    /// Who imported it.
    pub author: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Its text.
    pub hash: DocumentHash,
    /// Length of its text.
    pub text_bytes: u64,
    /// Length of its text as it comes. Not signed: how a text is packed says nothing about it.
    pub packed_bytes: u64,
    /// Who signed all of this.
    pub signature: DocumentSignature,
}

/// An authority's signature of a document.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct DocumentSignature {
    /// SHA-256 of the authority's public key.
    pub authority: [u8; 32],
    /// Over [`DocumentHead::signed_bytes`], in the form that the authority's kind of key has.
    pub bytes: Vec<u8>,
}

/// What of a head is signed, in its order on the wire.
#[derive(Serialize)]
struct SignedHead<'a> {
    mission: &'a Option<String>,
    kind: DocumentKind,
    number: u32,
    effective_from: Option<TaiTime>,
    effective_to: Option<TaiTime>,
    file_name: &'a str,
    bounds: Option<DocumentBounds>,
    author: &'a Option<String>,
    reason: &'a Option<String>,
    hash: DocumentHash,
    text_bytes: u64,
}

impl DocumentHead {
    /// What the authority signs: everything of the document but how it is packed, after a prefix of its own.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let signed = SignedHead {
            mission: &self.mission,
            kind: self.kind,
            number: self.number,
            effective_from: self.effective_from,
            effective_to: self.effective_to,
            file_name: &self.file_name,
            bounds: self.bounds,
            author: &self.author,
            reason: &self.reason,
            hash: self.hash,
            text_bytes: self.text_bytes,
        };
        postcard::to_extend(&signed, SIGNED_PREFIX.to_vec())
            .expect("numbers and texts always encode into memory")
    }

    /// What errors call the mission, or the node.
    pub fn scope(&self) -> &str {
        self.mission.as_deref().unwrap_or("this node")
    }

    /// The document, as [`Holds`] names it.
    pub fn held(&self) -> HeldDocument {
        HeldDocument { kind: self.kind, number: self.number, hash: self.hash }
    }

    pub(crate) fn fits(&self) -> bool {
        let texts =
            [self.mission.as_ref(), Some(&self.file_name), self.author.as_ref(), self.reason.as_ref()];
        texts.into_iter().flatten().all(|text| text.len() <= TEXT_BYTES_MAX)
            && self.mission.is_none() == self.kind.is_of_node()
            && self.signature.bytes.len() <= SIGNATURE_BYTES_MAX
            && self.text_bytes <= DOCUMENT_BYTES_MAX
            && self.packed_bytes <= DOCUMENT_BYTES_MAX
    }
}

/// Why a document that came is of no use.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransferError {
    /// The stream ended early.
    #[error("it ended after {found} of {announced} bytes")]
    Cut {
        /// What the head said.
        announced: u64,
        /// What came.
        found: u64,
    },
    /// The text is not the one that was announced.
    #[error("its text has another hash than was announced")]
    Hash,
    /// There was more than announced.
    #[error("it goes on after its {announced} bytes")]
    TooLong {
        /// What the head said.
        announced: u64,
    },
    /// It is no zstd of a text of the announced length.
    #[error("it does not unpack to {announced} bytes of text")]
    Unpack {
        /// What the head said.
        announced: u64,
    },
}

/// A text as it travels; `None` when it is longer than a document may be.
pub fn pack_text(text: &str) -> Option<Vec<u8>> {
    // Compression of a buffer in memory only fails when it cannot allocate.
    let packed = zstd::bulk::compress(text.as_bytes(), ZSTD_LEVEL).ok()?;
    let fits = text.len() as u64 <= DOCUMENT_BYTES_MAX && packed.len() as u64 <= DOCUMENT_BYTES_MAX;
    fits.then_some(packed)
}

/// A document that is being received. It holds what came, never what was only announced.
#[derive(Debug)]
pub struct IncomingDocument {
    head: DocumentHead,
    packed: Vec<u8>,
}

impl IncomingDocument {
    /// A document of which the head was decoded.
    pub fn new(head: DocumentHead) -> Self {
        Self { head, packed: Vec::new() }
    }

    /// What was announced.
    pub fn head(&self) -> &DocumentHead {
        &self.head
    }

    /// The next part came.
    pub fn on_part(&mut self, part: &[u8]) -> Result<(), TransferError> {
        let announced = self.head.packed_bytes;
        if (self.packed.len() + part.len()) as u64 > announced {
            return Err(TransferError::TooLong { announced });
        }
        self.packed.extend_from_slice(part);
        Ok(())
    }

    /// All parts came: the text, if it is the one that was announced.
    pub fn finish(self) -> Result<(DocumentHead, String), TransferError> {
        let (announced, found) = (self.head.packed_bytes, self.packed.len() as u64);
        if found != announced {
            return Err(TransferError::Cut { announced, found });
        }
        let unpack = TransferError::Unpack { announced: self.head.text_bytes };
        // Within DOCUMENT_BYTES_MAX since the head was decoded.
        let bytes = usize::try_from(self.head.text_bytes).map_err(|_| unpack.clone())?;
        let text = zstd::bulk::decompress(&self.packed, bytes).map_err(|_| unpack.clone())?;
        if text.len() != bytes {
            return Err(unpack);
        }
        let text = String::from_utf8(text).map_err(|_| unpack)?;
        if DocumentHash::of(&text) != self.head.hash {
            return Err(TransferError::Hash);
        }
        Ok((self.head, text))
    }
}

#[cfg(test)]
mod tests;
