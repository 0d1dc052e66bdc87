//! Scores the detectors on recordings whose anomalies are known, beside published and trivial figures.
//!
//! The recordings lie outside the repository, in `$STO_SHARED_DATA/anomaly` or `shared/data/anomaly` beside any
//! folder above this crate. Each set has a module that reads it by its own protocol and prints its table. Where a
//! threshold is chosen, it is chosen for each recording on all the others (leave one out), so that nothing is
//! scored with what was tuned on it.

pub mod data;
pub mod metrics;
pub mod nab;
pub mod opssat;
pub mod report;
pub mod run;
pub mod skab;
pub mod smap;
