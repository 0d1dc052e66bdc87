//! The commands as they stand on a command line, from files to standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use mission_database::BoundMeaning;
use space_packet::time::TimeParseError;
use space_packet::{TaiTime, UtcTime};

use crate::{
    DecodeOptions, InspectError, Names, OutputFormat, PacketsOptions, check, decode_recording,
    read_dictionary, show, summarise_recording, with_limits_file,
};

/// Buffer of an output.
const BUFFER_BYTES: usize = 64 * 1_024;

/// Looks at dictionaries.
#[derive(Debug, Subcommand)]
pub enum DictionaryCommand {
    /// Loads an XTCE file and says what is in it, or where it breaks.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Shows what is in an XTCE file: its systems and containers, or one container or parameter.
    Show {
        /// The file.
        file: PathBuf,
        /// A container, a parameter or a member: full name, or a short one that nothing else has.
        path: Option<String>,
    },
}

/// What `decode` is to do.
#[derive(Args, Debug)]
pub struct DecodeArguments {
    /// XTCE file.
    #[arg(long)]
    dictionary: PathBuf,
    /// File of packets, one after the other.
    #[arg(long)]
    packets: PathBuf,
    /// Bytes before each packet that do not belong to it.
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip_header_bytes: u16,
    /// Container to begin with; the first one without a base when absent.
    #[arg(long, value_name = "NAME")]
    root_container: Option<String>,
    /// What parameters are called.
    #[arg(long, value_enum, default_value_t)]
    names: Names,
    /// File of limits, in place of the dictionary's own for the parameters in it.
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// What a value is that equals a bound, where the file of limits does not say it: good or violation.
    #[arg(long, requires = "limits", value_parser = bound_meaning, value_name = "MEANING")]
    bounds: Option<BoundMeaning>,
    /// Which limits of the file are in force: those of this moment, as in 2026-11-22T17:31:02Z; now when absent.
    #[arg(long, requires = "limits", value_parser = moment, value_name = "TIME")]
    at: Option<TaiTime>,
    /// One JSON object a packet, or one row a value.
    #[arg(long, value_enum)]
    output: OutputFormat,
}

/// What `packets` is to do.
#[derive(Args, Debug)]
pub struct PacketsArguments {
    /// File of packets, one after the other.
    file: PathBuf,
    /// Bytes before each packet that do not belong to it.
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip_header_bytes: u16,
    /// Packets end with a CRC: say which do not fit it.
    #[arg(long)]
    crc: bool,
}

impl DictionaryCommand {
    /// Does it, to standard output.
    pub fn run(&self) -> Result<(), InspectError> {
        to_standard_output(|output| match self {
            Self::Check { file } => check(file, &read_dictionary(file)?, output),
            Self::Show { file, path } => show(&read_dictionary(file)?, path.as_deref(), output),
        })
    }
}

impl DecodeArguments {
    /// Does it, to standard output; notes on the whole recording go to standard error. `now` says which limits are in
    /// force when nothing else does.
    pub fn run(&self, now: TaiTime) -> Result<(), InspectError> {
        let mut dictionary = read_dictionary(&self.dictionary)?;
        if let Some(file) = &self.limits {
            dictionary = with_limits_file(&dictionary, file, self.bounds, self.at.unwrap_or(now))?;
        }
        let recording = open(&self.packets)?;
        let options = DecodeOptions {
            path: self.packets.clone(),
            skip_header_bytes: self.skip_header_bytes.into(),
            root_container: self.root_container.clone(),
            names: self.names,
            output: self.output,
        };
        to_standard_output(|output| {
            decode_recording(&dictionary, recording, &options, output, &mut io::stderr())
        })
    }
}

impl PacketsArguments {
    /// Does it, to standard output.
    pub fn run(&self) -> Result<(), InspectError> {
        let options = PacketsOptions {
            path: self.file.clone(),
            skip_header_bytes: self.skip_header_bytes.into(),
            crc: self.crc,
        };
        let recording = open(&self.file)?;
        to_standard_output(|output| summarise_recording(recording, &options, output))
    }
}

fn bound_meaning(word: &str) -> Result<BoundMeaning, &'static str> {
    BoundMeaning::from_word(word).ok_or("expected good or violation")
}

fn moment(text: &str) -> Result<TaiTime, TimeParseError> {
    UtcTime::parse(text).map(UtcTime::to_tai)
}

fn open(path: &PathBuf) -> Result<File, InspectError> {
    let failed = |reason| InspectError::Recording { path: path.clone(), reason };
    let file = File::open(path).map_err(failed)?;
    match file.metadata() {
        Ok(found) if found.is_dir() => Err(failed(io::ErrorKind::IsADirectory.into())),
        _ => Ok(file),
    }
}

/// A reader that has seen enough, such as `head`, ends the command and is no error.
fn to_standard_output(
    command: impl FnOnce(&mut dyn Write) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let done = command(&mut output).and_then(|()| output.flush().map_err(InspectError::output));
    match done {
        Err(error) if error.is_reader_gone() => {
            // What is still held has nowhere to go.
            let _ = output.into_parts();
            Ok(())
        }
        done => done,
    }
}
