//! Looks into dictionaries and recordings without any server: the commands that both binaries share.
//!
//! Recordings are read one packet at a time, so memory does not grow with them. What a command finds goes to its
//! output; what somebody should know about the recording as a whole goes to its notes, which are not part of it.

mod check;
mod command;
mod decode;
mod detect;
mod entries;
mod error;
mod json;
mod limits;
mod lines;
mod models;
mod names;
mod packets;
mod raised;
mod rebuilt;
mod recording;
mod segments;
mod show;
mod table;
mod training;
mod wording;

pub use check::{check, read_dictionary};
pub use command::{DecodeArguments, DictionaryCommand, PacketsArguments};
pub use decode::{DecodeOptions, OutputFormat, decode_recording};
pub use detect::DetectArguments;
pub use error::InspectError;
pub use limits::with_limits_file;
pub use names::Names;
pub use packets::{PacketsOptions, summarise_recording};
pub use segments::{Judged, cut_segments};
pub use show::show;
pub use training::{Learnt, TableColumns, TableKind, TrainingOptions, TrainingTable};
pub use wording::grouped;

#[cfg(test)]
mod tests;
