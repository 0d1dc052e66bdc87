//! What a configuration of `detect` says.

use std::path::{Path, PathBuf};

use processing::detect::{GroupRule, SuiteRule};
use serde::Deserialize;

use crate::InspectError;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetectConfig {
    pub(super) input: InputConfig,
    /// Table of the same columns in which nothing is anomalous, beside this file; absent: the recording's first rows
    /// are learned from.
    pub(super) training_file: Option<PathBuf>,
    /// The rule of each column's detectors.
    #[serde(default)]
    pub(super) suite: SuiteRule,
    /// Columns are judged together by this rule, and not one by one.
    pub(super) group: Option<GroupRule>,
}

/// What columns mean. Others are passed over, labels among them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputConfig {
    /// Columns that are judged.
    pub(super) values: Vec<String>,
    /// Column of times: UTC as `2026-11-22T17:31:02Z` or `2026-11-22 17:31:02`, or seconds; absent: rows follow
    /// each other by a second.
    pub(super) time: Option<String>,
    /// Column of the mode, a whole number.
    pub(super) mode: Option<String>,
    /// Columns of inputs, numbers.
    #[serde(default)]
    pub(super) inputs: Vec<String>,
    /// Column of the commands in effect: their numbers, divided by `;`.
    pub(super) commands: Option<String>,
    /// Commands are numbered from 0 below this.
    #[serde(default = "commands_count")]
    pub(super) commands_count: u32,
}

fn commands_count() -> u32 {
    processing::detect::INPUTS_MAX as u32
}

impl DetectConfig {
    pub(super) fn read(path: &Path) -> Result<Self, InspectError> {
        let failed = |reason: String| InspectError::DetectConfig { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
        match () {
            () if config.input.values.is_empty() => Err(failed("input.values names no column".to_owned())),
            () if config.group.is_none() && config.suite.detectors.is_empty() => {
                Err(failed("suite.detectors is empty, and there is no group".to_owned()))
            }
            () if config.group.is_some() && config.training_file.is_some() => Err(failed(
                "a group learns from the recording's first rows, not from a training_file".to_owned(),
            )),
            () => Ok(config),
        }
    }
}
