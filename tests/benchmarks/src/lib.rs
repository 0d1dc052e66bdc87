//! `just bench NAME`: figures as JSON lines, of real processes and of decoding alone.
//!
//! Every figure says what it was measured with. Machines are shared and noisy: figures of one run compare with
//! each other, not with those of another day.

pub mod archive;
pub mod browser;
mod chance;
mod database;
pub mod decode;
pub mod delivery;
pub mod detect;
pub mod figures;
pub mod fleet;
pub mod intake;
pub mod latency;
pub mod link_bytes;
pub mod processes;
mod scratch;
pub mod smoke;
mod stream;
pub mod timing;
pub mod training;
pub mod yamcs_load;
