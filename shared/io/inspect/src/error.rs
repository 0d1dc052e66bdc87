//! What can go wrong when a technician looks into a file: what happened, what is safe, what to do next.

use std::io;
use std::path::PathBuf;

use model::{ModelError, TrainingError};

/// Why a command could not do what it was asked for. Looking changes nothing, so nothing is ever harmed.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is no such container, or several.
    #[error(
        "error[STO-CONTAINER-UNKNOWN]: the dictionary has {count} containers called {name:?}; exactly one is needed\n  Nothing was changed.\n  → give its full name, as `dictionary show FILE` lists it",
        count = if *.found == 0 { "no".to_owned() } else { .found.to_string() }
    )]
    Container {
        /// What was asked for.
        name: String,
        /// How many there are.
        found: usize,
    },
    /// A table lacks a column that the configuration names.
    #[error(
        "error[STO-DETECT-COLUMN]: {path} has no column {column:?}; it has {there}\n  Nothing was written.\n  → mend the name under [input] of the configuration",
        path = .path.display()
    )]
    DetectColumn {
        /// The table.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// What there is.
        there: String,
    },
    /// The configuration of `detect` says something it must not.
    #[error("error[STO-DETECT-CONFIG]: {path}: {reason}\n  Nothing was written.\n  → mend the place named; docs/detect.md has examples", path = .path.display())]
    DetectConfig {
        /// The file.
        path: PathBuf,
        /// Line, column, message.
        reason: String,
    },
    /// The input, or the configuration, cannot be judged by a model of this kind.
    #[error("error[STO-DETECT-MODEL]: {path}: {reason}\n  Nothing was written.\n  → choose another model, or mend the configuration; docs/detect.md says which goes with which", path = .path.display())]
    DetectModel {
        /// The model's document.
        path: PathBuf,
        /// What does not go together.
        reason: String,
    },
    /// The dictionary does not load.
    #[error(
        "error[STO-DICTIONARY]: {reason}\n  Nothing was changed; a node or hub that runs goes on with the last dictionary that loaded.\n  → mend the place named, then run `dictionary check` again: it stops at the first error"
    )]
    Dictionary {
        /// File, line, column, path, message.
        reason: String,
    },
    /// The dictionary cannot be read at all.
    #[error("error[STO-DICTIONARY-FILE]: cannot read {path}: {reason}\n  Nothing was changed.\n  → check name and rights; an XTCE file is UTF-8 text", path = .path.display())]
    DictionaryFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The limits do not load, or do not fit the dictionary.
    #[error(
        "error[STO-LIMITS]: {reason}\n  Nothing was changed.\n  → mend the place named; --bounds says what a value is that equals a bound"
    )]
    Limits {
        /// File, line, column, message.
        reason: String,
    },
    /// The limits cannot be read at all.
    #[error("error[STO-LIMITS-FILE]: cannot read {path}: {reason}\n  Nothing was changed.\n  → check name and rights; a file of limits is UTF-8 text", path = .path.display())]
    LimitsFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The document is no model that can be used.
    #[error("error[{code}]: {path}: {reason}\n  Nothing was written, and nothing of it was used.", code = .reason.code(), path = .path.display())]
    Model {
        /// The document.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: ModelError,
    },
    /// The output took no more, which is no error when a reader such as `head` has seen enough.
    #[error(
        "error[STO-OUTPUT]: cannot write the output: {reason}\n  The recording is unchanged; what was written before is not complete.\n  → make room or write elsewhere, then run it again"
    )]
    Output {
        /// What the system says.
        reason: io::Error,
    },
    /// The recording cannot be read.
    #[error("error[STO-RECORDING-FILE]: cannot read {path}: {reason}\n  Nothing was changed.\n  → check name and rights", path = .path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The recording is compressed.
    #[error("error[STO-RECORDING-GZIP]: {path} is compressed with gzip, which is not read here\n  Nothing was changed.\n  → gunzip --keep it, then pass the unpacked file", path = .path.display())]
    RecordingGzip {
        /// The file.
        path: PathBuf,
    },
    /// Nothing can be learnt from what was given.
    #[error("error[{code}]: {path}: {reason}\n  Nothing was written.\n  → give it other data; docs/models.md says how much each kind wants", code = .reason.code(), path = .path.display())]
    Training {
        /// The table.
        path: PathBuf,
        /// Why not.
        reason: TrainingError,
    },
    /// The dictionary holds nothing of that name.
    #[error(
        "error[STO-UNKNOWN-NAME]: the dictionary holds no container or parameter called {path:?}\n  Nothing was changed.\n  → `dictionary show FILE` lists the containers, `dictionary show FILE CONTAINER` what is in one"
    )]
    UnknownName {
        /// What was asked for.
        path: String,
    },
}

impl InspectError {
    /// An error of writing.
    pub(crate) fn output(reason: impl Into<io::Error>) -> Self {
        Self::Output { reason: reason.into() }
    }

    /// An error of writing a table.
    pub(crate) fn table(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(reason) => Self::Output { reason },
            other => Self::output(io::Error::other(format!("{other:?}"))),
        }
    }

    /// Whether the reader of the output went away, as `head` does.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Output { reason } if reason.kind() == io::ErrorKind::BrokenPipe)
    }
}
