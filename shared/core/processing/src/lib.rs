//! From packets to samples: decoding with a mission's dictionary and clock, verdicts on what was received, latest
//! values, series in columns, reduction of a range to pixels, and what is unusual about a parameter ([`detect`]).
//!
//! Pure: the caller passes packets and their reception times and keeps what comes back.

pub mod alarm;
mod column;
mod completeness;
mod decoder;
pub mod detect;
mod dissect;
mod latest;
mod packet_time;
mod raise;
mod rate;
mod received;
mod record;
mod reduce;
mod rolled;
mod rollup;
mod sample;
mod scan;
mod series;
mod table;
pub mod trial;
mod validation;
mod verdict;
pub mod watch;

pub use column::{Column, ConvertedColumn, Quality, RawColumn, SeriesView};
pub use completeness::{
    Account, AccountChanges, AccountKey, Counts, Feed, Hour, JournalLane, LaneState, Receipt,
};
pub use decoder::{MissionDecoder, PacketConventions, PacketOutcome};
pub use dissect::DissectedPacket;
pub use latest::{LatestValue, LatestValues};
pub use packet_time::{ClockTime, CucTime, EpochDay, PacketTime};
pub use raise::{AlarmRaising, AlarmStanding, JudgedSample};
pub use received::{
    BodyError, RefusedSample, SampleBody, SampleCause, SampleField, SampleFormat, SampleLimits,
    SampleProblem, check_against, read_samples,
};
pub use record::RecordOutcome;
pub use reduce::{Buckets, Reducer};
pub use rolled::{Bucket, Rolled, RolledTable};
pub use rollup::{Resolution, RollUp, RollUps};
pub use sample::{Converted, Engineering, Provenance, Raw, Sample, Unseen};
pub use scan::{CellStatistics, RangeAnswer, RangeQuery, RangeScan, Statistics, Wanted};
pub use series::Series;
pub use table::{ConvertedKind, Derivations, Layout, LayoutEntry, RawKind, Table, Tables};
pub use validation::{ValidationSettings, Validator};
pub use verdict::{QUARANTINED, Verdict, quarantine_cause, verdicts_in};
