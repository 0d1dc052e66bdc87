//! What is said on a session. A frame is a kind and a body; `link` carries both with a length before them, so
//! a frame of an unknown kind is skipped, not an error.

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::document::{DOCUMENT_PART_BYTES_MAX, DocumentHead, Holds};
use crate::ranges::RANGES_MAX;
use crate::record::ALARM_PIECE_BYTES_MAX;
use crate::{BatchSequence, BootId, ChainHash, Epoch, Lane, LogNumber, SessionNumber, Span, StoreId, Way};

/// Version of the protocol spoken here; HELLO carries it.
pub const PROTOCOL_VERSION: u16 = 2;
/// The longest text in a frame.
pub const TEXT_BYTES_MAX: usize = 1_024;
/// The most logs of a session: a journal for each lane, and a few from before.
pub const LOGS_MAX: usize = 16;
/// The most endpoints a goodbye names.
const HUBS_MAX: usize = 16;
/// A certificate or a request for one; ours have less than 600 bytes.
const CERTIFICATE_BYTES_MAX: usize = 4 * 1_024;
/// A node's certificate and what may stand between it and the authority.
const CHAIN_MAX: usize = 4;
/// What stands before a sealed batch in its frame: log and way.
const BATCH_PREFIX: usize = 2;

/// First frame of a node: who it is follows from its certificate, what it holds from this.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hello {
    /// Version the node speaks. The rest is only read when it is ours.
    pub protocol: u16,
    /// This run of the node's process.
    pub boot: BootId,
    /// The logs it has something of; their places are their numbers for the rest of the session.
    pub logs: Vec<LogHead>,
    /// The node's clock.
    pub node_time: TaiTime,
    /// Version of the node's software.
    pub software: String,
}

/// A log as its node has it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogHead {
    /// Its lane.
    pub lane: Lane,
    /// Which journal it is.
    pub store: StoreId,
    /// Newest batch; absent when it is empty.
    pub head: Option<BatchSequence>,
    /// It does not continue what the hub has: what differs is kept apart there.
    pub is_forked: bool,
}

/// The hub's answer: the session stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HelloOk {
    /// This session.
    pub session: SessionNumber,
    /// What is committed of each log, in the order of HELLO.
    pub logs: Vec<LogPosition>,
    /// How much may be sent at first.
    pub credit: Credit,
    /// Live data first: nothing from before is sent until so long after HELLO_OK.
    pub backfill_after_ms: u32,
    /// The hub's clock.
    pub hub_time: TaiTime,
}

/// How far the hub has committed a log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogPosition {
    /// Epoch of the journal.
    pub epoch: Epoch,
    /// The journal ends before what the hub has of it, so it is not the one the hub knows: nothing of it is taken.
    pub is_fork: bool,
    /// Newest batch up to which everything is committed; 0 when nothing is.
    pub watermark: u64,
    /// Newest batch the node may forget; 0 when there is none.
    pub safe: u64,
    /// The chain at the watermark, or of the empty lane.
    pub hash: ChainHash,
    /// What is committed beyond, at most [`RANGES_MAX`].
    pub spans: Vec<Span>,
}

/// Bytes of batches that may be sent in this session, counted from its beginning; it only grows, so a lost or late one
/// does no harm. A batch may begin while less than that was sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Credit {
    /// Of alarms: a reserve that telemetry never uses.
    pub alarm_bytes: u64,
    /// Of everything else.
    pub telemetry_bytes: u64,
    /// How long a node may wait for more records before it seals a batch: longer when the hub is loaded.
    pub linger_ms: u16,
}

/// Why the hub does not open a session.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RejectCode {
    /// The hub cannot serve now; try again.
    Busy,
    /// The journal does not continue what the hub holds: said by version 1 only.
    Fork,
    /// The hub does not speak the node's version.
    Version,
    /// Another machine runs under this node's identity.
    Duplicate,
}

impl RejectCode {
    /// Stable code, as in reports and documentation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Busy => "STO-SESSION-BUSY",
            Self::Duplicate => "STO-SESSION-DUPLICATE",
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

/// All that is committed of a log. Cumulative, so a lost one does no harm.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ack {
    /// The log.
    pub log: LogNumber,
    /// Newest batch up to which everything is committed; 0 when nothing is.
    pub watermark: u64,
    /// Newest batch the node may forget; 0 when there is none.
    pub safe: u64,
    /// First and last of what is committed beyond, in order.
    pub ranges: Vec<(u64, u64)>,
}

/// The sender ends the session on purpose.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Goodbye {
    /// Why, for people.
    pub reason: String,
    /// Do not come back before.
    pub retry_after_ms: u32,
    /// Where else to go, best first; empty when nothing is known.
    pub hubs: Vec<String>,
}

/// The answer to a question for the time: the hub's clock when it read it and when it answered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TimeAnswer {
    /// The node's clock when it asked.
    pub asked: TaiTime,
    /// The hub's clock when it read that.
    pub received: TaiTime,
    /// The hub's clock when it answered.
    pub answered: TaiTime,
}

/// A batch the hub does not put into the archive, but keeps apart with the reason. Its number counts as committed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SetAside {
    /// The log.
    pub log: LogNumber,
    /// The batch.
    pub sequence: BatchSequence,
    /// Why, for people.
    pub reason: String,
}

/// A new certificate for the key that the node asked with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Renewed {
    /// DER certificates, leaf first, without the authority.
    pub chain: Vec<Vec<u8>>,
    /// The hub's clock, Unix seconds.
    pub hub_time_unix: u64,
}

/// No new certificate; the one the node has holds until it ends.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RenewRefused {
    /// Stable code, as in reports and documentation.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

/// What was written into an alarm's history elsewhere, mostly at the hub: for a node that wrote into it too.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AlarmEntries {
    /// The alarm's mission.
    pub mission: String,
    /// How far the node has come with this in what the hub has to say of alarms. It rises with each; what it counts
    /// is the hub's.
    pub number: u64,
    /// Some of the alarm's history, as in a record of [`Content::Alarms`](crate::Content::Alarms).
    pub piece: Vec<u8>,
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
    /// Node to hub, on a way's stream: a sealed batch.
    Batch {
        /// Its log.
        log: LogNumber,
        /// How it comes.
        way: Way,
        /// The batch.
        sealed: Vec<u8>,
    },
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
    /// Hub to node.
    Credit(Credit),
    /// Node to hub: what time is it? Carries the node's own.
    TimeAsk(TaiTime),
    /// Hub to node.
    TimeAnswer(TimeAnswer),
    /// Hub to node.
    SetAside(SetAside),
    /// Hub to node: the log does not continue what the hub has of it.
    Forked(LogNumber),
    /// Node to hub: a certificate request, DER, for the key of the node's next certificate.
    Renew(Vec<u8>),
    /// Hub to node.
    Renewed(Renewed),
    /// Hub to node.
    RenewRefused(RenewRefused),
    /// Hub to node.
    AlarmEntries(AlarmEntries),
    /// Node to hub, once behind HELLO_OK and then for each of [`Frame::AlarmEntries`]: up to which number it has them
    /// durably. 0 of a node that has none, which is then sent all.
    AlarmsKept(u64),
    /// Hub to node.
    SendFirst(SendFirst),
    /// Node to hub, in answer to [`Frame::SendFirst`], and again when the number changed.
    StillWaits(StillWaits),
}

/// The hub asks a node to send a part of its backlog before the rest. Software that does not know it passes it over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SendFirst {
    /// The request's number.
    pub request: u64,
    /// First reception time, by the node's clock.
    pub from: TaiTime,
    /// The first reception time behind it.
    pub to: TaiTime,
}

/// A node says how much of what it was asked to send first is not at the hub.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StillWaits {
    /// The request's number.
    pub request: u64,
    /// Batches that it has and the hub has not; declared gaps count by the numbers they cover.
    pub batches: u64,
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
            Self::Batch { log, way, sealed } => {
                (Self::BATCH, [Self::batch_prefix(*log, *way).as_slice(), sealed].concat())
            }
            Self::Ack(ack) => (5, body(ack)),
            Self::Report(json) => (6, json.clone()),
            Self::Goodbye(goodbye) => (7, body(goodbye)),
            Self::Holds(holds) => (8, body(holds)),
            Self::Document(head) => (9, body(head)),
            Self::DocumentPart(bytes) => (Self::DOCUMENT_PART, bytes.clone()),
            Self::Credit(credit) => (11, body(credit)),
            Self::TimeAsk(asked) => (12, body(asked)),
            Self::TimeAnswer(answer) => (13, body(answer)),
            Self::SetAside(aside) => (14, body(aside)),
            Self::Forked(log) => (15, body(log)),
            Self::Renew(request) => (16, request.clone()),
            Self::Renewed(renewed) => (17, body(renewed)),
            Self::RenewRefused(refused) => (18, body(refused)),
            Self::AlarmEntries(entries) => (19, body(entries)),
            Self::AlarmsKept(number) => (20, body(number)),
            Self::SendFirst(request) => (21, body(request)),
            Self::StillWaits(waits) => (22, body(waits)),
        }
    }

    /// What stands before a sealed batch in its frame, so that the batch need not be copied.
    pub fn batch_prefix(log: LogNumber, way: Way) -> [u8; BATCH_PREFIX] {
        [log.0, way.into()]
    }

    /// Takes a batch's frame apart without copying the batch.
    pub fn split_batch(bytes: &[u8]) -> Result<(LogNumber, Way, &[u8]), FrameDecodeError> {
        let unfit = FrameDecodeError { kind: Self::BATCH };
        let ([log, way], sealed) = bytes.split_first_chunk::<BATCH_PREFIX>().ok_or(unfit.clone())?;
        let way = Way::try_from(*way).map_err(|_| unfit.clone())?;
        if !Way::OF_SESSION.contains(&way) {
            return Err(unfit);
        }
        Ok((LogNumber(*log), way, sealed))
    }

    /// Reads a frame; `None` when the kind is unknown here and the frame is to be skipped.
    pub fn decode(kind: u8, bytes: &[u8]) -> Result<Option<Self>, FrameDecodeError> {
        let frame = match kind {
            1 => Self::Hello(read_hello(bytes)?),
            2 => Self::HelloOk(read(kind, bytes)?),
            3 => Self::HelloReject(read(kind, bytes)?),
            Self::BATCH => {
                let (log, way, sealed) = Self::split_batch(bytes)?;
                Self::Batch { log, way, sealed: sealed.to_vec() }
            }
            5 => Self::Ack(read(kind, bytes)?),
            6 => Self::Report(bytes.to_vec()),
            7 => Self::Goodbye(read(kind, bytes)?),
            8 => Self::Holds(read(kind, bytes)?),
            9 => Self::Document(read(kind, bytes)?),
            Self::DOCUMENT_PART if bytes.len() <= DOCUMENT_PART_BYTES_MAX => {
                Self::DocumentPart(bytes.to_vec())
            }
            Self::DOCUMENT_PART => return Err(FrameDecodeError { kind }),
            11 => Self::Credit(read(kind, bytes)?),
            12 => Self::TimeAsk(read(kind, bytes)?),
            13 => Self::TimeAnswer(read(kind, bytes)?),
            14 => Self::SetAside(read(kind, bytes)?),
            15 => Self::Forked(read(kind, bytes)?),
            16 => Self::Renew(bytes.to_vec()),
            17 => Self::Renewed(read(kind, bytes)?),
            18 => Self::RenewRefused(read(kind, bytes)?),
            19 => Self::AlarmEntries(read(kind, bytes)?),
            20 => Self::AlarmsKept(read(kind, bytes)?),
            21 => Self::SendFirst(read(kind, bytes)?),
            22 => Self::StillWaits(read(kind, bytes)?),
            _ => return Ok(None),
        };
        let fits = match &frame {
            Self::AlarmEntries(entries) => {
                entries.mission.len() <= TEXT_BYTES_MAX && entries.piece.len() <= ALARM_PIECE_BYTES_MAX
            }
            Self::Hello(hello) => hello.logs.len() <= LOGS_MAX && hello.software.len() <= TEXT_BYTES_MAX,
            Self::HelloOk(ok) => {
                ok.logs.len() <= LOGS_MAX && ok.logs.iter().all(|log| log.spans.len() <= RANGES_MAX)
            }
            Self::HelloReject(reject) => reject.detail.len() <= TEXT_BYTES_MAX,
            Self::Ack(ack) => ack.ranges.len() <= RANGES_MAX,
            Self::Goodbye(goodbye) => {
                let texts = goodbye.hubs.iter().chain([&goodbye.reason]);
                goodbye.hubs.len() <= HUBS_MAX && texts.into_iter().all(|text| text.len() <= TEXT_BYTES_MAX)
            }
            Self::Holds(holds) => holds.fits(),
            Self::Document(head) => head.fits(),
            Self::SetAside(aside) => aside.reason.len() <= TEXT_BYTES_MAX,
            Self::Renew(request) => request.len() <= CERTIFICATE_BYTES_MAX,
            Self::Renewed(renewed) => {
                renewed.chain.len() <= CHAIN_MAX
                    && renewed.chain.iter().all(|certificate| certificate.len() <= CERTIFICATE_BYTES_MAX)
            }
            Self::RenewRefused(refused) => {
                refused.code.len() <= TEXT_BYTES_MAX && refused.reason.len() <= TEXT_BYTES_MAX
            }
            Self::AlarmsKept(_)
            | Self::Batch { .. }
            | Self::Credit(_)
            | Self::DocumentPart(_)
            | Self::Forked(_)
            | Self::Report(_)
            | Self::SendFirst(_)
            | Self::StillWaits(_)
            | Self::TimeAnswer(_)
            | Self::TimeAsk(_) => true,
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

/// Of another version only the number is known.
fn read_hello(bytes: &[u8]) -> Result<Hello, FrameDecodeError> {
    let (protocol, _) = postcard::take_from_bytes::<u16>(bytes).map_err(|_| FrameDecodeError { kind: 1 })?;
    if protocol == PROTOCOL_VERSION {
        return read(1, bytes);
    }
    let (boot, logs) = (BootId([0; 16]), Vec::new());
    Ok(Hello { protocol, boot, logs, node_time: TaiTime(0), software: String::new() })
}

#[cfg(test)]
mod tests;
