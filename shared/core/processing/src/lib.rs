//! From packets to samples: decoding with a mission's dictionary and clock, verdicts on what was received, latest
//! values, series in columns, and reduction of a range to pixels.
//!
//! Pure: the caller passes packets and their reception times and keeps what comes back.

mod completeness;
mod decoder;
mod latest;
mod packet_time;
mod raise;
mod rate;
mod received;
mod record;
mod reduce;
mod rollup;
mod sample;
mod scan;
mod series;
mod validation;
mod verdict;

pub use completeness::{
    Account, AccountChanges, AccountKey, Counts, Feed, Hour, JournalLane, LaneState, Receipt,
};
pub use decoder::{MissionDecoder, PacketConventions, PacketOutcome};
pub use latest::{LatestValue, LatestValues};
pub use packet_time::{ClockTime, CucTime, EpochDay, PacketTime};
pub use raise::{AlarmRaising, AlarmStanding, JudgedSample};
pub use received::{
    BodyError, RefusedSample, SampleBody, SampleCause, SampleField, SampleFormat, SampleLimits,
    SampleProblem, check_against, read_samples,
};
pub use record::RecordOutcome;
pub use reduce::{Buckets, Reducer};
pub use rollup::{Resolution, RollUp, RollUps};
pub use sample::{Converted, Engineering, Raw, Sample, Unseen};
pub use scan::{CellStatistics, RangeAnswer, RangeQuery, RangeScan, Statistics, Wanted};
pub use series::{Columns, ConvertedColumn, Quality, RawColumn, Series};
pub use validation::{ValidationSettings, Validator};
pub use verdict::{QUARANTINED, Verdict, quarantine_cause, verdicts_in};
