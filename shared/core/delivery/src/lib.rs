//! How records get from a station to the archive exactly once: sealed batches, the session's frames, and the
//! state machines at both ends; and how documents of a mission get the other way.
//!
//! Pure (decision D7): no socket, disk, clock or randomness. `on_…` tells a machine what happened, `next_…`
//! asks what to do; the caller does it. The protocol is described in `docs/delivery-protocol.md`.

mod backlog;
mod batch;
mod commit;
mod document;
mod frame;
mod identity;
mod inbox;
mod outbox;
mod record;

pub use backlog::{Backlog, BacklogMeter, Drain, Flow, Rate, Rates, Totals, Waiting};
pub use batch::{
    BATCH_BYTES_MAX, BatchBuilder, BatchError, BatchHeader, ChainHash, Codec, Gap, GapReason, OpenBatch,
    Packer, Position, RECORDS_MAX, Record, SealedBatch, SealedBody, is_name,
};
pub use commit::{CommitVerdict, judge_group};
pub use document::{
    DOCUMENT_BYTES_MAX, DOCUMENT_PART_BYTES_MAX, DocumentBounds, DocumentHash, DocumentHead, DocumentKind,
    HELD_DOCUMENTS_MAX, HELD_MISSIONS_MAX, HeldDocument, Holds, IncomingDocument, MissionHolds,
    TransferError, pack_text,
};
pub use frame::{
    Ack, Frame, FrameDecodeError, Goodbye, Hello, HelloOk, HelloReject, LaneHead, LanePosition,
    PROTOCOL_VERSION, RejectCode, TEXT_BYTES_MAX,
};
pub use identity::{BatchSequence, Epoch, Lane, NodeId, SessionNumber, StoreId, UnknownLane};
pub use inbox::{Inbox, InboxVerdict};
pub use outbox::{Outbox, ResumeError};
pub use record::{
    Content, EVENT_TEXT_BYTES_MAX, Event, RECORD_NAME_BYTES_MAX, ReadingKind, SampleRecord, Scalar, Severity,
    Unframed, Verdicts,
};
