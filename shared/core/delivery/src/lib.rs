//! How records get from a station to the archive exactly once: sealed batches, the session's frames, and the
//! state machines at both ends.
//!
//! Pure (decision D7): no socket, disk, clock or randomness. `on_…` tells a machine what happened, `next_…`
//! asks what to do; the caller does it. The protocol is described in `docs/delivery-protocol.md`.

mod batch;
mod commit;
mod frame;
mod identity;
mod inbox;
mod outbox;

pub use batch::{
    BATCH_BYTES_MAX, BatchBuilder, BatchError, BatchHeader, ChainHash, Codec, OpenBatch, Position,
    RECORDS_MAX, SealedBatch, SealedBody, is_name,
};
pub use commit::{CommitVerdict, judge_group};
pub use frame::{
    Ack, Frame, FrameDecodeError, Goodbye, Hello, HelloOk, HelloReject, LaneHead, LanePosition,
    PROTOCOL_VERSION, RejectCode,
};
pub use identity::{BatchSequence, Epoch, Lane, NodeId, SessionNumber, StoreId, UnknownLane};
pub use inbox::{Inbox, InboxVerdict};
pub use outbox::{Outbox, ResumeError};
