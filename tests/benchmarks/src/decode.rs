//! `decode`: from packets to values on one core, and what a dictionary costs.
//!
//! All times are processor time of the thread that works.

mod document;
mod instructions;
pub(crate) mod jpss;
mod loading;
pub(crate) mod missions;
mod rival;
mod wide;

use std::process::ExitCode;

pub use instructions::{Instructions, Repeated, Which};

const BENCH: &str = "decode";
/// What a bench ends with that lacked something.
pub(crate) const INCOMPLETE: u8 = 2;

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Decode {
    /// Repetitions of each measurement; odd numbers have a median that was measured.
    pub repetitions: usize,
}

impl Decode {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let shared = jpss::shared_cases();
        // First, while this process has used and freed little memory.
        wide::run(self.repetitions)?;
        loading::run(self.repetitions, shared.as_deref())?;
        match shared.as_deref().and_then(jpss::Case::find) {
            Some(case) => case.run(self.repetitions)?,
            None => {
                eprintln!(
                    "no ccsds/{} in STO_SHARED_DATA, nor in shared/data beside a folder above: its figures are missing",
                    jpss::NAME
                );
                return Ok(ExitCode::from(INCOMPLETE));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
