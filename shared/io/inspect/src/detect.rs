//! `detect`: the detectors of a station over a recording in a table, causally and in one pass.

mod config;
mod input;
mod output;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use processing::detect::{Group, Observation, Outcome, Suite, SuiteRule, Training};

use crate::InspectError;
use config::DetectConfig;
use input::{Columns, Row};
use output::{OutputRow, Raised, Table};

/// What `detect` is to do.
#[derive(Args, Debug)]
pub struct DetectArguments {
    /// Table of samples (CSV with a head), one row a moment.
    #[arg(long)]
    input: PathBuf,
    /// What its columns mean, and the detectors' rules (TOML).
    #[arg(long)]
    config: PathBuf,
    /// Trained model.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Where scores and detections go (CSV).
    #[arg(long)]
    output: PathBuf,
}

/// The detectors of all columns.
struct Judges {
    suites: Vec<(String, Suite)>,
    group: Option<Group>,
    is_group_anomalous: bool,
}

impl DetectArguments {
    /// Does it. The output is a new file; what has that name already is replaced when all is judged.
    pub fn run(&self) -> Result<(), InspectError> {
        if let Some(model) = &self.model {
            return Err(InspectError::DetectModel { path: model.clone() });
        }
        let config = DetectConfig::read(&self.config)?;
        let training = config.training_file.as_ref().map(|file| match self.config.parent() {
            Some(folder) => folder.join(file),
            None => file.clone(),
        });
        let learned = training.as_deref().map(|file| open(file).map(|opened| (file, opened))).transpose()?;
        let input = open(&self.input)?;
        let failed = |reason| InspectError::Output { reason };
        let unfinished = self.output.with_extension("unfinished");
        let mut output = BufWriter::new(File::create(&unfinished).map_err(failed)?);
        let mut judges = Judges::new(&config);
        if let Some((path, mut file)) = learned {
            let mut text = Vec::new();
            file.read_to_end(&mut text).map_err(|reason| recording(path, reason))?;
            judges.teach(&config, path, &text)?;
        }
        judges.judge(&config, &self.input, input, &mut output)?;
        output.flush().and_then(|()| std::fs::rename(&unfinished, &self.output)).map_err(failed)
    }
}

impl Judges {
    fn new(config: &DetectConfig) -> Self {
        // What learns from a file of its own does not learn from the recording first.
        let training = match config.training_file {
            Some(_) => Training::BY_HAND,
            None => config.suite.training,
        };
        let rule = SuiteRule { training, ..config.suite.clone() };
        let suite = |column: &String| (column.clone(), Suite::new(rule.clone()));
        let is_alone = config.group.is_none();
        Self {
            suites: config.input.values.iter().filter(|_| is_alone).map(suite).collect(),
            group: config.group.map(|rule| Group::new(rule, config.input.values.len())),
            is_group_anomalous: false,
        }
    }

    /// Goes through a table twice: what is usual, then how far from it the usual is.
    fn teach(&mut self, config: &DetectConfig, path: &Path, text: &[u8]) -> Result<(), InspectError> {
        for _ in 0..2 {
            self.judge(config, path, text, &mut io::sink())?;
            for (_, suite) in &mut self.suites {
                suite.end_phase();
                suite.on_interrupted();
            }
        }
        Ok(())
    }

    fn judge(
        &mut self,
        config: &DetectConfig,
        path: &Path,
        input: impl Read,
        output: &mut dyn Write,
    ) -> Result<(), InspectError> {
        let mut rows = csv::Reader::from_reader(input);
        let head = rows.headers().map_err(|error| unreadable(path, error))?;
        let columns = Columns::find(&config.input, head, path)?;
        let mut table = Table::begin(output)?;
        let mut record = csv::StringRecord::new();
        let mut number = 0;
        while rows.read_record(&mut record).map_err(|error| unreadable(path, error))? {
            let row = columns.read(&record, number);
            table.write(&self.on_row(number, &row))?;
            number += 1;
        }
        table.finish()
    }

    fn on_row(&mut self, number: u64, row: &Row<'_>) -> OutputRow {
        let mut judged = OutputRow::new(number, row.time_text);
        for ((name, suite), value) in self.suites.iter_mut().zip(&row.values) {
            let observation = Observation {
                time: row.time,
                value: *value,
                inputs: &row.inputs,
                mode: row.mode,
                is_flagged: false,
            };
            let Outcome { score, is_anomalous, raised } = suite.on_sample(&observation);
            judged.add(score, is_anomalous, raised.map(|detection| Raised::of_suite(name, &detection)));
        }
        if let Some(said) = self.group.as_mut().and_then(|group| group.on_row(&row.values)) {
            let is_new = said.is_anomalous() && !self.is_group_anomalous;
            self.is_group_anomalous = said.is_anomalous();
            judged.add(said.ratio(), said.is_anomalous(), is_new.then(|| Raised::of_group(&said)));
        }
        judged
    }
}

fn open(path: &Path) -> Result<File, InspectError> {
    let file = File::open(path).map_err(|reason| recording(path, reason))?;
    match file.metadata() {
        Ok(found) if found.is_dir() => Err(recording(path, io::ErrorKind::IsADirectory.into())),
        _ => Ok(file),
    }
}

fn recording(path: &Path, reason: io::Error) -> InspectError {
    InspectError::Recording { path: path.to_owned(), reason }
}

fn unreadable(path: &Path, error: csv::Error) -> InspectError {
    let reason = match error.into_kind() {
        csv::ErrorKind::Io(reason) => reason,
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(0, |position| position.line());
            let text = format!("line {line} has {len} cells, its head has {expected_len}");
            io::Error::new(io::ErrorKind::InvalidData, text)
        }
        other => io::Error::new(io::ErrorKind::InvalidData, format!("it is no table: {other:?}")),
    };
    recording(path, reason)
}
