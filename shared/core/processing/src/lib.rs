//! From packets to samples: decoding with a mission's dictionary and clock, latest values, series in columns,
//! and reduction of a range to pixels.
//!
//! Pure: the caller passes packets and their reception times and keeps what comes back.

mod decoder;
mod latest;
mod reduce;
mod sample;
mod scan;
mod series;

pub use decoder::{MissionDecoder, PacketOutcome, PacketTime};
pub use latest::{LatestValue, LatestValues};
pub use reduce::{Buckets, Reducer};
pub use sample::{Engineering, Raw, Sample};
pub use scan::{RangeAnswer, RangeQuery, RangeScan, Wanted};
pub use series::{RawColumn, Series};
