//! What of intake is the node's own: its links follow `edge.toml`, what they take goes into the journal, and what the
//! node has to say itself into a journal beside it.

mod events;
mod links;
mod sink;

pub use events::{EventLog, EventRecorder};
pub use links::{Links, NodeOwner};
pub use sink::JournalSink;
