//! Samples as CSV, JSON lines and Parquet. An [`Encoder`] takes rows and gives up what is finished of the file, so that
//! a file of any length needs little memory; who writes or sends the parts is the caller's business.

mod cell;
mod lines;
mod parquet_file;

use std::fmt;
use std::str::FromStr;

use mission_database::MissionDatabase;
use processing::Sample;

use lines::{Csv, JsonLines};
use parquet_file::ParquetFile;

/// Rows of a file, all formats alike: `parquet` has more columns for them.
pub const COLUMNS: [&str; 10] = [
    "generation_time",
    "reception_time",
    "parameter",
    "raw",
    "engineering",
    "validity",
    "monitoring",
    "node",
    "dictionary_version",
    "provenance",
];

/// What comes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// One row a sample, with a head: RFC 4180, ended by line feeds.
    Csv,
    /// One JSON object a sample and line, as the API writes samples.
    JsonLines,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

impl Format {
    /// All.
    pub const ALL: [Self; 3] = [Self::Csv, Self::JsonLines, Self::Parquet];

    /// Its word in questions, which is the ending of its files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// A word that is no format.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a format of samples; expected `csv`, `jsonl` or `parquet`")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.word() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Why rows do not become a file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The library that writes the format failed.
    #[error("failed to encode rows as {format}")]
    Encode {
        /// What they were to become.
        format: Format,
        /// How.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What a Parquet file says at its end about each group of its rows would grow without bound.
    #[error("a Parquet file takes {groups_max} groups of rows, and these are more: export a shorter span")]
    TooManyGroups {
        /// Groups that one file takes.
        groups_max: usize,
    },
}

/// A sample with what it is read with.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The mission's dictionaries.
    pub database: &'a MissionDatabase,
    /// The sample.
    pub sample: &'a Sample,
    /// Name of the node that received it.
    pub node: &'a str,
}

impl<'a> Row<'a> {
    fn parameter(&self) -> &'a str {
        &self.database.parameter(self.sample.parameter).name
    }
}

/// Makes a file of rows, part by part.
pub struct Encoder(Kind);

enum Kind {
    Csv(Box<Csv>),
    JsonLines(JsonLines),
    Parquet(Box<ParquetFile>),
}

impl Encoder {
    /// Begins a file.
    pub fn new(format: Format) -> Result<Self, ExportError> {
        Ok(Self(match format {
            Format::Csv => Kind::Csv(Box::new(Csv::begin()?)),
            Format::JsonLines => Kind::JsonLines(JsonLines::default()),
            Format::Parquet => Kind::Parquet(Box::new(ParquetFile::begin()?)),
        }))
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        match &mut self.0 {
            Kind::Csv(csv) => csv.push(row),
            Kind::JsonLines(lines) => lines.push(row),
            Kind::Parquet(file) => file.push(row),
        }
    }

    /// The bytes that are finished and were not taken yet; often none of a Parquet file, which holds back a group of
    /// at most 65,536 rows or 16 MiB of text.
    pub fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        match &mut self.0 {
            Kind::Csv(csv) => csv.take(),
            Kind::JsonLines(lines) => Ok(lines.take()),
            Kind::Parquet(file) => file.take(),
        }
    }

    /// The rest of the file.
    pub fn finish(self) -> Result<Vec<u8>, ExportError> {
        match self.0 {
            Kind::Csv(mut csv) => csv.take(),
            Kind::JsonLines(mut lines) => Ok(lines.take()),
            Kind::Parquet(file) => file.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
