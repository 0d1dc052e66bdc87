//! `detect`: the detectors of a station over a recording in a table, causally and in one pass.

mod config;
mod group;
mod input;
mod judges;
mod output;
mod segments;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use model::Model;

use crate::InspectError;
use crate::models::read_model;
pub(crate) use config::{DetectConfig, InputConfig};
pub(crate) use input::{Columns, time};
use judges::Judges;

/// What `detect` is to do.
#[derive(Args, Debug)]
pub struct DetectArguments {
    /// Table of samples (CSV with a head), one row a moment.
    #[arg(long)]
    input: PathBuf,
    /// What its columns mean, and the detectors' rules (TOML); a classifier of segments needs none.
    #[arg(long, required_unless_present = "model")]
    config: Option<PathBuf>,
    /// Trained model: of segments, of a column, or of columns that belong together.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Where scores and detections go (CSV).
    #[arg(long)]
    output: PathBuf,
}

impl DetectArguments {
    /// Does it. The output is a new file; what has that name already is replaced when all is judged.
    pub fn run(&self) -> Result<(), InspectError> {
        let config = self.config.as_deref().map(|path| Ok((path, DetectConfig::read(path)?))).transpose()?;
        let document = self.model.as_deref().map(|path| Ok((path, read_model(path)?))).transpose()?;
        if let Some((path, document)) = &document
            && let Model::Segments(segments) = &document.model
        {
            let model = segments::Classifier { path, document, segments };
            let input = open(&self.input)?;
            return write_whole(&self.output, |output| model.judge_all(&self.input, input, output));
        }
        let Some((path, config)) = config else {
            return Err(InspectError::DetectModel {
                path: self.model.clone().unwrap_or_default(),
                reason: "a model that judges samples needs --config, which says what columns mean".to_owned(),
            });
        };
        let mut judges = Judges::new(&config, document)?;
        if let Some(file) = &config.training_file {
            judges.teach(&config, &path.parent().map_or(file.clone(), |folder| folder.join(file)))?;
        }
        let input = open(&self.input)?;
        write_whole(&self.output, |output| judges.judge(&config, &self.input, input, output))
    }
}

/// A file that has its name only when all of it is written.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    let unfinished = path.with_extension("unfinished");
    let mut output = BufWriter::new(File::create(&unfinished).map_err(InspectError::output)?);
    let written = write(&mut output).and_then(|()| output.flush().map_err(InspectError::output));
    let named = written.and_then(|()| std::fs::rename(&unfinished, path).map_err(InspectError::output));
    if named.is_err() {
        // It is of no use to anybody, and the error at hand says more than one of this would.
        let _ = std::fs::remove_file(&unfinished);
    }
    named
}

pub(crate) fn open(path: &Path) -> Result<File, InspectError> {
    let file = File::open(path).map_err(|reason| recording(path, reason))?;
    match file.metadata() {
        Ok(found) if found.is_dir() => Err(recording(path, io::ErrorKind::IsADirectory.into())),
        _ => Ok(file),
    }
}

fn recording(path: &Path, reason: io::Error) -> InspectError {
    InspectError::Recording { path: path.to_owned(), reason }
}

pub(crate) fn unreadable(path: &Path, error: csv::Error) -> InspectError {
    match error.into_kind() {
        csv::ErrorKind::Io(reason) => recording(path, reason),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(0, |position| position.line());
            invalid(path, format!("line {line} has {len} cells, its head has {expected_len}"))
        }
        other => invalid(path, format!("it is no table: {other:?}")),
    }
}

/// A table that says something it must not.
pub(crate) fn invalid(path: &Path, reason: String) -> InspectError {
    recording(path, io::Error::new(io::ErrorKind::InvalidData, reason))
}
