//! How records get from a station to the archive exactly once: sealed batches, the session's frames, and the
//! state machines at both ends; and how documents get the other way.
//!
//! Pure (decision D7): no socket, disk, clock or randomness. `on_…` tells a machine what happened, `next_…`
//! asks what to do; the caller does it. The protocol is described in `docs/delivery-protocol.md`.

mod backlog;
mod backoff;
mod batch;
mod bundle;
mod clock;
mod commit;
mod document;
mod endpoints;
mod frame;
mod identity;
mod inbox;
mod mutation;
mod outbox;
mod ranges;
mod rate;
mod record;
mod safe;
mod schedule;

pub use backlog::{Backlog, BacklogMeter, Drain, Flow, Rate, Rates, Totals, Waiting};
pub use backoff::Backoff;
pub use batch::{
    BATCH_BYTES_MAX, BatchBuilder, BatchError, BatchHeader, ChainHash, Codec, Gap, GapReason, OpenBatch,
    Packer, Position, RECORDS_MAX, Record, SealedBatch, SealedBody, is_name,
};
pub use bundle::{
    BadChunk, Bundle, BundleError, BundleHash, BundleHeader, BundleId, BundleLog, BundleReader, BundleSource,
    BundleWriter, BundledBatch, CHUNK_BYTES, CHUNKS_MAX, ChunkDamage, ChunkRun, Cipher, CryptoRefused,
    HEADER_BYTES, HubReceipt, RECEIPT_BYTES_MAX, RECEIPT_LOGS_MAX, ReceiptLog, Signer, TAG_BYTES,
    UncheckedReceipt, Verifier, WriteError,
};
pub use clock::{ClockComparison, ClockOffset};
pub use commit::{CommitVerdict, JudgedGroup, LaneChange, judge_group};
pub use document::{
    DOCUMENT_BYTES_MAX, DOCUMENT_PART_BYTES_MAX, DocumentBounds, DocumentHash, DocumentHead, DocumentKind,
    DocumentSignature, HELD_DOCUMENTS_MAX, HELD_MISSIONS_MAX, HeldDocument, Holds, IncomingDocument,
    MissionHolds, TransferError, pack_text,
};
pub use endpoints::preferred_order;
pub use frame::{
    Ack, AlarmEntries, Credit, Frame, FrameDecodeError, Goodbye, Hello, HelloOk, HelloReject, LOGS_MAX,
    LogHead, LogPosition, PROTOCOL_VERSION, RejectCode, RenewRefused, Renewed, SendFirst, SetAside,
    StillWaits, TEXT_BYTES_MAX, TimeAnswer,
};
pub use identity::{
    BatchSequence, BootId, CONTROL_PRIORITY, Epoch, Lane, LogNumber, NodeId, SessionNumber, StoreId,
    UnknownLane, UnknownWay, Way,
};
pub use inbox::{Inbox, InboxVerdict, OpenedLog, Violation};
pub use mutation::Mutation;
#[cfg(feature = "mutations")]
pub use mutation::activate;
pub use outbox::{BacklogPolicy, LogRole, LogsMissing, Next, Order, Outbox, Proof, Wanted};
pub use ranges::{Misfit, RANGES_MAX, Ranges, Span};
pub use rate::{BitRate, BitRateError, RateLimit};
pub use record::{
    ALARM_PIECE_BYTES_MAX, Content, EVENT_TEXT_BYTES_MAX, Event, RECORD_NAME_BYTES_MAX, ReadingKind,
    SampleRecord, Scalar, Severity, Unframed, Verdicts,
};
pub use safe::SafeTrail;
pub use schedule::{Cap, DailyCap, DayWindow, DayWindowError, PassCap, RateSchedule};
