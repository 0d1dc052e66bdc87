//! What a configuration of `detect` says.

use std::path::{Path, PathBuf};

use model::GroupOptions;
use processing::detect::{INPUTS_MAX, SuiteRule};
use serde::Deserialize;

use crate::InspectError;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectConfig {
    pub(crate) input: InputConfig,
    /// Table of the same columns in which nothing is anomalous, beside this file; absent: the recording's first rows
    /// are learned from.
    pub(super) training_file: Option<PathBuf>,
    /// The rule of each column's detectors.
    #[serde(default)]
    pub(super) suite: SuiteRule,
    /// Columns are judged together by this rule, and not one by one.
    pub(super) group: Option<GroupConfig>,
}

/// How columns are judged together.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupConfig {
    /// First rows, from which is learned what is usual.
    pub(super) training: usize,
    /// Rows over which scores are smoothed.
    pub(super) span: f64,
    /// Part of the variance that counts as moving together.
    pub(super) explained: f64,
    /// The threshold, in what 99.5 % of the first rows stay below.
    pub(super) threshold: f64,
}

impl Default for GroupConfig {
    fn default() -> Self {
        let GroupOptions { explained, smoothing, margin, .. } = GroupOptions::default();
        Self { training: 400, span: smoothing, explained, threshold: margin }
    }
}

impl GroupConfig {
    fn is_sound(&self) -> bool {
        self.training > 0
            && [self.span, self.explained, self.threshold]
                .iter()
                .all(|number| *number > 0.0 && number.is_finite())
    }

    pub(super) fn options(&self) -> GroupOptions {
        GroupOptions {
            explained: self.explained,
            smoothing: self.span,
            margin: self.threshold,
            ..GroupOptions::default()
        }
    }
}

/// What columns mean. Others are passed over, labels among them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputConfig {
    /// Columns that are judged.
    pub(super) values: Vec<String>,
    /// What models call these, in the same order; absent: as the columns are called.
    channels: Option<Vec<String>>,
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
    INPUTS_MAX as u32
}

impl InputConfig {
    pub(crate) fn of_archived(parameter: String) -> Self {
        Self {
            values: vec!["engineering".to_owned()],
            channels: Some(vec![parameter]),
            time: Some("generation_time".to_owned()),
            mode: None,
            inputs: Vec::new(),
            commands: None,
            commands_count: commands_count(),
        }
    }

    /// What models call the columns that are judged.
    pub(crate) fn channels(&self) -> &[String] {
        self.channels.as_ref().unwrap_or(&self.values)
    }

    /// What models call the inputs, in their order.
    pub(crate) fn input_names(&self) -> Vec<String> {
        let commands = self.commands.iter().flat_map(|_| 0..self.commands_count);
        self.inputs.iter().cloned().chain(commands.map(|command| format!("command {command}"))).collect()
    }
}

impl DetectConfig {
    pub(crate) fn read(path: &Path) -> Result<Self, InspectError> {
        let failed = |reason: String| InspectError::DetectConfig { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
        match () {
            () if config.input.values.is_empty() => Err(failed("input.values names no column".to_owned())),
            () if config.input.channels().len() != config.input.values.len() => {
                Err(failed("input.channels are not as many as input.values".to_owned()))
            }
            () if config.input.input_names().len() > INPUTS_MAX => {
                Err(failed(format!("input has more than {INPUTS_MAX} inputs and commands")))
            }
            () if config.group.is_some_and(|group| !group.is_sound()) => {
                Err(failed("group has a number that is 0, below it, or no number".to_owned()))
            }
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
