//! `decode`: the packets of a recording, decoded with a dictionary, as JSON lines or as a table.

use std::io::{BufReader, Read, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use mission_database::{ContainerIndex, DecodedPacket, Dictionary};

use crate::lines::Lines;
use crate::names::DisplayNames;
use crate::recording::{Next, Recording};
use crate::table::Table;
use crate::wording::{counted, grouped};
use crate::{InspectError, Names};

/// What comes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum OutputFormat {
    /// One row a value, with a head.
    Csv,
    /// One JSON object a packet and line.
    Jsonl,
}

/// How a recording is decoded.
#[derive(Clone, Debug)]
pub struct DecodeOptions {
    /// What errors call the recording.
    pub path: PathBuf,
    /// Bytes before each packet that do not belong to it.
    pub skip_header_bytes: usize,
    /// Container to begin with, by full or short name; the first one without a base when absent.
    pub root_container: Option<String>,
    /// What parameters are called.
    pub names: Names,
    /// What comes out.
    pub output: OutputFormat,
}

/// A packet of a recording.
#[derive(Clone, Copy)]
pub(crate) struct PacketPlace<'e> {
    /// Counted from 0.
    pub(crate) number: u64,
    /// Where its primary header begins.
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    /// Why it was not decoded to its end.
    pub(crate) error: Option<&'e str>,
}

/// Decodes a recording to its end. A packet that cannot be decoded to its end is shown as far as it goes, and
/// counted in the notes.
pub fn decode_recording(
    dictionary: &Dictionary,
    recording: impl Read,
    options: &DecodeOptions,
    output: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<(), InspectError> {
    let root = match &options.root_container {
        Some(name) => Some(container_named(dictionary, name)?),
        None => None,
    };
    let mut recording = Recording::open(recording, &options.path, options.skip_header_bytes)?;
    let names = DisplayNames::new(dictionary, options.names);
    let summary = match options.output {
        OutputFormat::Csv => {
            let mut table = Table::begin(output)?;
            let mut row = |place: PacketPlace<'_>, packet: &DecodedPacket<'_>| {
                table.write(dictionary, &names, place, packet)
            };
            let summary = decode_all(dictionary, root, &mut recording, options, &mut row)?;
            table.end()?;
            summary
        }
        OutputFormat::Jsonl => {
            let mut lines = Lines::new(dictionary, &names, output);
            let mut line = |place: PacketPlace<'_>, packet: &DecodedPacket<'_>| lines.write(place, packet);
            decode_all(dictionary, root, &mut recording, options, &mut line)?
        }
    };
    notes.write_all(summary.notes().as_bytes()).map_err(InspectError::output)
}

fn decode_all<R: Read>(
    dictionary: &Dictionary,
    root: Option<ContainerIndex>,
    recording: &mut Recording<BufReader<R>>,
    options: &DecodeOptions,
    show: &mut dyn FnMut(PacketPlace<'_>, &DecodedPacket<'_>) -> Result<(), InspectError>,
) -> Result<Summary, InspectError> {
    let unreadable = |reason| InspectError::Recording { path: options.path.clone(), reason };
    let (mut summary, mut bytes, mut memory) = (Summary::default(), Vec::new(), DecodedPacket::default());
    loop {
        let offset = match recording.next(&mut bytes).map_err(unreadable)? {
            Next::End => return Ok(summary),
            Next::Packet { offset } => offset,
            Next::Tail { offset, bytes } => {
                summary.tail = Some((offset, bytes));
                return Ok(summary);
            }
        };
        let mut packet = memory.recycled();
        let result = match root {
            Some(root) => dictionary.decode_as(root, &bytes, &mut packet),
            None => dictionary.decode(&bytes, &mut packet),
        };
        let error = result.err().map(|error| error.to_string());
        let number = summary.packets;
        let place = PacketPlace { number, offset, bytes: bytes.len(), error: error.as_deref() };
        show(place, &packet)?;
        summary.add(place, &bytes, &packet);
        memory = packet.recycled();
    }
}

/// The one container with a full or a short name.
fn container_named(dictionary: &Dictionary, name: &str) -> Result<ContainerIndex, InspectError> {
    let is_called = |full: &str| full == name || full.rsplit('/').next() == Some(name);
    let containers = dictionary.containers().iter().zip(0..);
    let full = containers.clone().find(|(container, _)| container.name == name);
    let found: Vec<u32> =
        containers.filter(|(container, _)| is_called(&container.name)).map(|(_, index)| index).collect();
    match (full, found.as_slice()) {
        (Some((_, index)), _) | (None, &[index]) => Ok(ContainerIndex(index)),
        (None, several) => Err(InspectError::Container { name: name.to_owned(), found: several.len() }),
    }
}

/// What is to be said of a whole recording.
#[derive(Default)]
struct Summary {
    packets: u64,
    unresolved: u64,
    incomplete: u64,
    first_incomplete: Option<String>,
    other_versions: u64,
    first_other_version: Option<u64>,
    tail: Option<(u64, u64)>,
}

impl Summary {
    fn add(&mut self, place: PacketPlace<'_>, bytes: &[u8], packet: &DecodedPacket<'_>) {
        self.packets += 1;
        self.unresolved += u64::from(packet.unresolved);
        if let Some(error) = place.error {
            self.incomplete += 1;
            let first = || format!("packet {} at byte {}: {error}", place.number, grouped(place.offset));
            self.first_incomplete.get_or_insert_with(first);
        }
        if bytes.first().is_some_and(|byte| byte >> 5 != 0) {
            self.other_versions += 1;
            self.first_other_version.get_or_insert(place.offset);
        }
    }

    /// One line for each thing that is not as it might be expected.
    fn notes(&self) -> String {
        let packets = grouped(self.packets);
        let mut text = String::new();
        if self.packets == 0 {
            text.push_str("note: there is no whole packet in this recording\n");
        }
        if let Some(first) = &self.first_incomplete {
            let count = grouped(self.incomplete);
            text += &format!("note: not decoded to their end: {count} of {packets} packets; first {first}\n");
        }
        if self.unresolved > 0 {
            let count = grouped(self.unresolved);
            text += &format!("note: of no kind that the dictionary knows: {count} of {packets} packets\n");
        }
        if let Some(first) = self.first_other_version {
            let (count, first) = (grouped(self.other_versions), grouped(first));
            text += &format!(
                "note: with a version number other than 0: {count} of {packets} packets, first at byte {first}; \
                 if the values make no sense, look at --skip-header-bytes\n"
            );
        }
        if let Some((offset, bytes)) = self.tail {
            let (offset, bytes) = (grouped(offset), counted(bytes, "byte"));
            text += &format!(
                "note: the recording ends inside a packet: its last {bytes}, from byte {offset} on, are left out\n"
            );
        }
        text
    }
}
