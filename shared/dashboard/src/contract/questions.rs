//! Questions about samples, and what is answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Buckets, Problem, Sample};

/// In which order samples come.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The earliest ones first.
    #[default]
    Asc,
    /// The latest ones first.
    Desc,
}

/// Body of `POST /api/v1/missions/{mission}/latest`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LatestQuestion {
    /// Full paths, 10,000 at most.
    pub parameters: Vec<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/at`: values as they were at a moment.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ValuesAt {
    /// The moment.
    pub at: String,
    /// How far back was looked: no sample before this counts.
    pub looked_back_to: String,
    /// One for each parameter, in the order they were asked for.
    pub values: Vec<ValueAt>,
}

/// The value of a parameter at a moment.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ValueAt {
    /// Full path.
    pub parameter: String,
    /// The newest sample that is not after the moment; absent when there is none so far back.
    pub sample: Option<Sample>,
    /// How old it was at the moment.
    pub age_ms: Option<f64>,
}

/// Answer of `GET /api/v1/missions/{mission}/statistics`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Statistics {
    /// Full path of the parameter.
    pub parameter: String,
    /// Beginning of the range, included.
    pub from: String,
    /// Its end, excluded.
    pub to: String,
    /// Of the whole range.
    pub total: Statistic,
    /// Width of a bucket; absent when none were asked for.
    pub bucket_ms: Option<f64>,
    /// Of each bucket that holds samples, in order.
    pub buckets: Vec<BucketStatistic>,
}

/// Statistics of one bucket.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BucketStatistic {
    /// Beginning of the bucket.
    pub from: String,
    /// Its statistics.
    pub statistic: Statistic,
}

/// What is said of some samples. Numbers are finite engineering values of valid samples, of an enumeration raw values.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Statistic {
    /// Samples.
    pub count: u64,
    /// Of them, those that are numbers; what follows is of these, and absent when there are none.
    pub numbers: u64,
    /// Smallest.
    pub min: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Mean of the numbers, each counting alike.
    pub mean: Option<f64>,
    /// Standard deviation, of the numbers as a whole population.
    pub deviation: Option<f64>,
    /// First in time.
    pub first: Option<NumberAt>,
    /// Last in time.
    pub last: Option<NumberAt>,
    /// Samples that were compared with limits.
    pub monitored: u64,
    /// Of them, those outside a limit.
    pub outside: u64,
    /// How long the value was compared with limits, each sample counting until the next, from the first to the last.
    pub monitored_s: f64,
    /// Of that, how long it was outside a limit.
    pub outside_s: f64,
}

/// A number and its time.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NumberAt {
    /// When the spacecraft made it.
    pub generation_time: String,
    /// The number.
    pub value: f64,
}

/// Answer of `GET /api/v1/missions/{mission}/aligned`: several parameters on one grid of cells.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Aligned {
    /// Beginning of the first cell.
    pub from: String,
    /// End of the range, excluded.
    pub to: String,
    /// Width of a cell.
    pub step_ms: f64,
    /// Unix milliseconds of each cell's beginning.
    pub times: Vec<f64>,
    /// One for each parameter, in the order they were asked for.
    pub columns: Vec<AlignedColumn>,
}

/// A parameter's cells, as many as there are times; null where a cell holds no number.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AlignedColumn {
    /// Full path.
    pub parameter: String,
    /// Smallest number.
    pub min: Vec<Option<f64>>,
    /// Largest number.
    pub max: Vec<Option<f64>>,
    /// Mean of the numbers.
    pub mean: Vec<Option<f64>>,
    /// Last in time.
    pub last: Vec<Option<f64>>,
    /// Samples.
    pub count: Vec<u64>,
}

/// Answer of `GET /api/v1/missions/{mission}/buckets`: several parameters over one range.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ManyBuckets {
    /// One for each parameter, in the order they were asked for.
    pub answers: Vec<BucketsOrProblem>,
}

/// What is answered about one parameter of several.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BucketsOrProblem {
    /// As of one parameter alone.
    Buckets(Buckets),
    /// Why there are none; the others are answered.
    Problem(Problem),
}

/// A span of a range without samples, wider than a few usual intervals and pixels.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Silence {
    /// Its beginning, right within a bucket.
    pub from: String,
    /// Its end: the next sample's time, or that of the range, or now.
    pub to: String,
    /// What may be the cause, as far as it is known; never empty.
    pub causes: Vec<SilenceCause>,
}

/// What may be the cause of a silence. Counts are of the hours of reception that the silence lies in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SilenceCause {
    /// Records were lost at a station: they could not be read any more.
    Damaged {
        /// The node.
        node: String,
        /// How many.
        records: u64,
    },
    /// Records were lost at a station: they were given up for new ones.
    Evicted {
        /// The node.
        node: String,
        /// How many.
        records: u64,
    },
    /// Records were lost at the hub, which was set back to an older state when the station held them no longer.
    Forgotten {
        /// The node.
        node: String,
        /// How many.
        records: u64,
    },
    /// Nothing is known to be lost, to wait or to be cut off: nothing was issued, or not this parameter.
    NothingIssued,
    /// Packets did not come to a station, say their sequence counts.
    NotReceived {
        /// The node.
        node: String,
        /// How many.
        records: u64,
    },
    /// A station is not connected: what it received since then is not here.
    StationNotConnected {
        /// The node.
        node: String,
        /// Since when.
        since: Option<String>,
    },
    /// Nobody here keeps account of what came from where.
    Unknown,
    /// Records wait at a station, the oldest of which was received before the silence ended.
    WaitingAtStation {
        /// The node.
        node: String,
        /// How many, of all times and of all its missions.
        records: u64,
    },
}
