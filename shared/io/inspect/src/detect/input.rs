//! Rows of the table as the detectors take them.

use std::path::Path;

use csv::StringRecord;
use space_packet::{GenerationTime, TaiTime, UtcTime};

use super::config::InputConfig;
use crate::InspectError;

const NANOS_PER_SECOND: f64 = 1e9;

/// Places of the columns that are read.
pub(crate) struct Columns {
    values: Vec<usize>,
    time: Option<usize>,
    mode: Option<usize>,
    inputs: Vec<usize>,
    commands: Option<(usize, usize)>,
}

/// One moment.
pub(crate) struct Row<'r> {
    pub(super) time: GenerationTime,
    /// As it stands in the table; empty without a column of times.
    pub(super) time_text: &'r str,
    /// NaN where a cell is no number.
    pub(crate) values: Vec<f64>,
    pub(crate) inputs: Vec<f64>,
    pub(super) mode: u32,
}

impl Columns {
    pub(crate) fn find(config: &InputConfig, head: &StringRecord, path: &Path) -> Result<Self, InspectError> {
        let place = |name: &String| {
            head.iter().position(|column| column == name).ok_or_else(|| InspectError::DetectColumn {
                path: path.to_owned(),
                column: name.clone(),
                there: head.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let count = config.commands_count as usize;
        let commands = config.commands.as_ref().map(place).transpose()?;
        Ok(Self {
            values: config.values.iter().map(place).collect::<Result<_, _>>()?,
            time: config.time.as_ref().map(place).transpose()?,
            mode: config.mode.as_ref().map(place).transpose()?,
            inputs: config.inputs.iter().map(place).collect::<Result<_, _>>()?,
            commands: commands.map(|place| (place, count)),
        })
    }

    pub(crate) fn read<'r>(&self, record: &'r StringRecord, number: u64) -> Row<'r> {
        let cell = |place: usize| record.get(place).unwrap_or_default().trim();
        let real = |place: &usize| cell(*place).parse::<f64>().unwrap_or(f64::NAN);
        let mut inputs: Vec<f64> = self.inputs.iter().map(real).collect();
        if let Some((place, count)) = self.commands {
            let first = inputs.len();
            inputs.resize(first + count, 0.0);
            for command in cell(place).split(';').filter_map(|command| command.trim().parse::<usize>().ok()) {
                if let Some(input) = inputs.get_mut(first..).and_then(|commands| commands.get_mut(command)) {
                    *input = 1.0;
                }
            }
        }
        let time_text = self.time.map_or("", cell);
        Row {
            time: time(time_text).unwrap_or(GenerationTime(TaiTime(number as i64 * NANOS_PER_SECOND as i64))),
            time_text,
            values: self.values.iter().map(real).collect(),
            inputs,
            mode: self.mode.and_then(|place| cell(place).parse().ok()).unwrap_or(0),
        }
    }
}

/// UTC, or seconds.
pub(crate) fn time(text: &str) -> Option<GenerationTime> {
    if text.is_empty() {
        return None;
    }
    let parsed = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => TaiTime((seconds * NANOS_PER_SECOND) as i64),
        _ => {
            let text = text.replace(' ', "T");
            UtcTime::parse(&format!("{}Z", text.trim_end_matches('Z'))).ok()?.to_tai()
        }
    };
    Some(GenerationTime(parsed))
}
