//! What is said on a session. A frame is a kind and a body; `link` carries both with a length before them, so
//! a frame of an unknown kind is skipped, not an error.

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::document::{DOCUMENT_PART_BYTES_MAX, DocumentHead, Holds};
use crate::{BatchSequence, ChainHash, Epoch, Lane, SessionNumber, StoreId};

/// Version of the protocol spoken here; HELLO carries it.
pub const PROTOCOL_VERSION: u16 = 1;
/// The longest text in a frame.
pub const TEXT_BYTES_MAX: usize = 1_024;
const LANES_MAX: usize = 16;

/// First frame of a node: who it is follows from its certificate, what it holds from this.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hello {
    /// Version the node speaks.
    pub protocol: u16,
    /// Which journal this is.
    pub store: StoreId,
    /// Newest batch of each lane.
    pub lanes: Vec<LaneHead>,
    /// The node's clock.
    pub node_time: TaiTime,
    /// Version of the node's software.
    pub software: String,
}

/// The newest batch a node holds in a lane.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LaneHead {
    /// The lane.
    pub lane: Lane,
    /// The batch; absent when the lane is empty.
    pub sequence: Option<BatchSequence>,
}

/// The hub's answer: the session stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HelloOk {
    /// Epoch of the node's journal.
    pub epoch: Epoch,
    /// This session.
    pub session: SessionNumber,
    /// What is committed of each lane, and how much may be under way.
    pub lanes: Vec<LanePosition>,
    /// The hub's clock.
    pub hub_time: TaiTime,
}

/// How far the hub has committed a lane.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LanePosition {
    /// The lane.
    pub lane: Lane,
    /// Newest batch up to which everything is committed; absent when nothing is.
    pub watermark: Option<BatchSequence>,
    /// Newest batch the node may forget.
    pub safe: Option<BatchSequence>,
    /// Hash of the watermark's batch, or of the empty lane.
    pub hash: ChainHash,
    /// Bytes of batches that may be sent beyond the newest acknowledged one.
    pub credit_bytes: u64,
}

/// Why the hub does not open a session.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RejectCode {
    /// The hub cannot serve now; try again.
    Busy,
    /// The journal does not continue what the hub holds: a disk was restored, or two nodes share an identity.
    Fork,
    /// The hub does not speak the node's version.
    Version,
}

impl RejectCode {
    /// Stable code, as in reports and documentation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Busy => "STO-SESSION-BUSY",
            Self::Fork => "STO-SESSION-FORK",
            Self::Version => "STO-SESSION-VERSION",
        }
    }
}

/// The hub's other answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HelloReject {
    /// Why.
    pub code: RejectCode,
    /// For people.
    pub detail: String,
    /// Do not try again before.
    pub retry_after_ms: u32,
}

/// Everything up to the watermark is committed. Cumulative, so a lost one does no harm.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ack {
    /// The lane.
    pub lane: Lane,
    /// Newest batch up to which everything is committed.
    pub watermark: BatchSequence,
    /// Newest batch the node may forget.
    pub safe: BatchSequence,
}

/// The sender ends the session on purpose.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Goodbye {
    /// Why, for people.
    pub reason: String,
    /// Do not come back before.
    pub retry_after_ms: u32,
}

/// One frame of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// Node to hub, first on the control stream.
    Hello(Hello),
    /// Hub to node.
    HelloOk(HelloOk),
    /// Hub to node.
    HelloReject(HelloReject),
    /// Node to hub, on a lane's stream: a sealed batch.
    Batch(Vec<u8>),
    /// Hub to node.
    Ack(Ack),
    /// Node to hub: how the node is, JSON of the dashboard contract's `NodeReport`.
    Report(Vec<u8>),
    /// Either way.
    Goodbye(Goodbye),
    /// Node to hub: which documents it holds.
    Holds(Holds),
    /// Hub to node, first on a stream of the document's own.
    Document(DocumentHead),
    /// Hub to node, behind the head: some of the document's packed text.
    DocumentPart(Vec<u8>),
}

/// A body that is not what its kind says.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a frame of kind {kind} does not decode")]
pub struct FrameDecodeError {
    /// The frame's kind.
    pub kind: u8,
}

impl Frame {
    /// Kind of [`Frame::Batch`], whose body is written without being copied into a frame first.
    pub const BATCH: u8 = 4;
    /// Kind of [`Frame::DocumentPart`], likewise.
    pub const DOCUMENT_PART: u8 = 10;

    /// The frame's kind and body.
    pub fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Hello(hello) => (1, body(hello)),
            Self::HelloOk(ok) => (2, body(ok)),
            Self::HelloReject(reject) => (3, body(reject)),
            Self::Batch(bytes) => (Self::BATCH, bytes.clone()),
            Self::Ack(ack) => (5, body(ack)),
            Self::Report(json) => (6, json.clone()),
            Self::Goodbye(goodbye) => (7, body(goodbye)),
            Self::Holds(holds) => (8, body(holds)),
            Self::Document(head) => (9, body(head)),
            Self::DocumentPart(bytes) => (Self::DOCUMENT_PART, bytes.clone()),
        }
    }

    /// Reads a frame; `None` when the kind is unknown here and the frame is to be skipped.
    pub fn decode(kind: u8, bytes: &[u8]) -> Result<Option<Self>, FrameDecodeError> {
        let frame = match kind {
            1 => Self::Hello(read(kind, bytes)?),
            2 => Self::HelloOk(read(kind, bytes)?),
            3 => Self::HelloReject(read(kind, bytes)?),
            4 => Self::Batch(bytes.to_vec()),
            5 => Self::Ack(read(kind, bytes)?),
            6 => Self::Report(bytes.to_vec()),
            7 => Self::Goodbye(read(kind, bytes)?),
            8 => Self::Holds(read(kind, bytes)?),
            9 => Self::Document(read(kind, bytes)?),
            Self::DOCUMENT_PART if bytes.len() <= DOCUMENT_PART_BYTES_MAX => {
                Self::DocumentPart(bytes.to_vec())
            }
            Self::DOCUMENT_PART => return Err(FrameDecodeError { kind }),
            _ => return Ok(None),
        };
        let fits = match &frame {
            Self::Hello(hello) => hello.lanes.len() <= LANES_MAX && hello.software.len() <= TEXT_BYTES_MAX,
            Self::HelloOk(ok) => ok.lanes.len() <= LANES_MAX,
            Self::HelloReject(reject) => reject.detail.len() <= TEXT_BYTES_MAX,
            Self::Goodbye(goodbye) => goodbye.reason.len() <= TEXT_BYTES_MAX,
            Self::Holds(holds) => holds.fits(),
            Self::Document(head) => head.fits(),
            Self::Ack(_) | Self::Batch(_) | Self::DocumentPart(_) | Self::Report(_) => true,
        };
        if fits { Ok(Some(frame)) } else { Err(FrameDecodeError { kind }) }
    }
}

fn body(frame: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(frame).expect("frames hold only numbers, text and lists, which always encode")
}

fn read<'b, T: Deserialize<'b>>(kind: u8, bytes: &'b [u8]) -> Result<T, FrameDecodeError> {
    postcard::from_bytes(bytes).map_err(|_| FrameDecodeError { kind })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DocumentBounds, DocumentHash, DocumentKind, HeldDocument, MissionHolds};

    #[test]
    fn frames_have_the_same_bytes_as_ever() {
        let check = |frame: Frame, kind: u8, expected: &str| {
            let (found, body) = frame.encode();
            let text: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((found, text.as_str()), (kind, expected));
            assert_eq!(Frame::decode(found, &body).expect("decodes"), Some(frame));
        };
        check(
            Frame::Ack(Ack {
                lane: Lane::Telemetry,
                watermark: BatchSequence(300),
                safe: BatchSequence(299),
            }),
            5,
            "02ac02ab02",
        );
        check(
            Frame::HelloReject(HelloReject {
                code: RejectCode::Version,
                detail: "no".to_owned(),
                retry_after_ms: 60_000,
            }),
            3,
            "02026e6fe0d403",
        );
        check(
            Frame::Hello(Hello {
                protocol: 1,
                store: StoreId([1; 16]),
                lanes: vec![LaneHead { lane: Lane::Telemetry, sequence: Some(BatchSequence(9)) }],
                node_time: TaiTime(-1),
                software: "x".to_owned(),
            }),
            1,
            "010101010101010101010101010101010101020109010178",
        );
        let dictionary =
            HeldDocument { kind: DocumentKind::Dictionary, number: 300, hash: DocumentHash([7; 32]) };
        check(
            Frame::Holds(Holds {
                missions: vec![MissionHolds { mission: "demo".to_owned(), documents: vec![dictionary] }],
            }),
            8,
            &format!("010464656d6f0100ac02{}", "07".repeat(32)),
        );
        check(
            Frame::Document(DocumentHead {
                mission: "demo".to_owned(),
                kind: DocumentKind::Limits,
                number: 2,
                effective_from: Some(TaiTime(-1)),
                effective_to: None,
                file_name: "l.csv".to_owned(),
                bounds: Some(DocumentBounds::Violation),
                author: None,
                reason: Some("no".to_owned()),
                hash: DocumentHash([9; 32]),
                text_bytes: 300,
                packed_bytes: 5,
            }),
            9,
            &format!("0464656d6f0102010100056c2e63737601010001026e6f{}ac0205", "09".repeat(32)),
        );
        check(Frame::DocumentPart(vec![1, 2]), 10, "0102");
    }

    #[test]
    fn a_frame_of_an_unknown_kind_is_skipped() {
        assert_eq!(Frame::decode(200, &[1, 2, 3]), Ok(None));
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(kind in any::<u8>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::decode(kind, &bytes);
        }
    }
}
