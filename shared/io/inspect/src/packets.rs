//! `packets`: what is in a recording, without a dictionary.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use space_packet::{
    Apid, ContinuityTracker, Group, GroupLimits, PacketType, PrimaryHeader, Reassembler, SequenceFlags, crc,
};

use crate::InspectError;
use crate::recording::{Next, Recording};
use crate::wording::{aligned, counted, grouped};

/// How a recording is looked at.
#[derive(Clone, Debug)]
pub struct PacketsOptions {
    /// What errors call the recording.
    pub path: PathBuf,
    /// Bytes before each packet that do not belong to it.
    pub skip_header_bytes: usize,
    /// Whether packets end with a CRC.
    pub crc: bool,
}

/// Groups that are followed at once. Of each only flags and counts are kept, at most 16,384 of 24 bytes.
const LIMITS: GroupLimits = GroupLimits { group_bytes_max: 0, open_groups_max: 256 };

/// What was counted of one APID in one direction.
#[derive(Default)]
struct Counted {
    packets: u64,
    bytes: u64,
    shortest: usize,
    longest: usize,
    complete_groups: u64,
    incomplete_groups: u64,
    crc_failures: u64,
}

/// What was counted of a recording.
struct Contents {
    sequences: BTreeMap<(PacketType, Apid), Counted>,
    continuity: ContinuityTracker,
    groups: Reassembler,
    packets: u64,
    bytes: u64,
    other_versions: u64,
    first_other_version: Option<u64>,
    tail: Option<(u64, u64)>,
}

/// Counts what a recording holds and prints it as a table.
pub fn summarise_recording(
    recording: impl Read,
    options: &PacketsOptions,
    output: &mut dyn Write,
) -> Result<(), InspectError> {
    let unreadable = |reason| InspectError::Recording { path: options.path.clone(), reason };
    let mut recording = Recording::open(recording, &options.path, options.skip_header_bytes)?;
    let (mut contents, mut packet) = (Contents::new(), Vec::new());
    loop {
        match recording.next(&mut packet).map_err(unreadable)? {
            Next::End => break,
            Next::Packet { offset } => contents.add(offset, &packet, options.crc),
            Next::Tail { offset, bytes } => {
                contents.tail = Some((offset, bytes));
                break;
            }
        }
    }
    contents.finish();
    output.write_all(contents.text(options.crc).as_bytes()).map_err(InspectError::output)
}

impl Contents {
    fn new() -> Self {
        Self {
            sequences: BTreeMap::new(),
            continuity: ContinuityTracker::default(),
            groups: Reassembler::new(LIMITS),
            packets: 0,
            bytes: 0,
            other_versions: 0,
            first_other_version: None,
            tail: None,
        }
    }

    fn add(&mut self, offset: u64, packet: &[u8], with_crc: bool) {
        self.packets += 1;
        self.bytes += packet.len() as u64;
        let Ok(header) = PrimaryHeader::parse(packet) else {
            self.other_versions += 1;
            self.first_other_version.get_or_insert(offset);
            return;
        };
        let counted = self.sequences.entry((header.packet_type, header.apid)).or_default();
        counted.add(packet);
        // An idle packet has nothing in it: neither order nor sum is kept for it.
        if header.apid == Apid::IDLE {
            return;
        }
        counted.crc_failures += u64::from(with_crc && crc::check(packet).is_err());
        self.continuity.on_packet(&header);
        // Groups are counted only, so their bytes need not be kept.
        let sequences = &mut self.sequences;
        self.groups.on_packet(&header, &[], &mut |group| count_group(sequences, &group));
    }

    /// Counts the groups that the end of the recording leaves open.
    fn finish(&mut self) {
        let sequences = &mut self.sequences;
        self.groups.finish(&mut |group| count_group(sequences, &group));
    }

    fn text(&self, with_crc: bool) -> String {
        let mut text = format!("{}, {}\n", counted(self.packets, "packet"), counted(self.bytes, "byte"));
        if !self.sequences.is_empty() {
            text.push('\n');
            text += &self.table(with_crc);
        }
        if let Some(first) = self.first_other_version {
            let (packets, first) = (counted(self.other_versions, "packet"), grouped(first));
            text += &format!(
                "\n{packets} not in the table: version number other than 0, first at byte {first}; \
                 look at --skip-header-bytes\n"
            );
        }
        if let Some((offset, bytes)) = self.tail {
            let (bytes, offset) = (counted(bytes, "byte"), grouped(offset));
            text += &format!(
                "\nThe recording ends inside a packet: {bytes} are left over, from byte {offset} on.\n"
            );
        }
        text
    }

    fn table(&self, with_crc: bool) -> String {
        let head = "APID,kind,packets,bytes,shortest,longest,gaps,missing,duplicates,late,resets,\
                    groups whole,groups broken,CRC failures";
        let columns = if with_crc { 14 } else { 13 };
        let mut rows = vec![head.split(',').take(columns).map(str::to_owned).collect::<Vec<_>>()];
        for ((packet_type, apid), counted) in &self.sequences {
            let mut row = vec![apid.value().to_string(), kind(*packet_type, *apid).to_owned()];
            let sizes = [counted.packets, counted.bytes, counted.shortest as u64, counted.longest as u64];
            row.extend(sizes.map(grouped));
            let judged = match self.continuity.counts(*packet_type, *apid) {
                Some(counts) => {
                    let order = [counts.gaps, counts.missing, counts.duplicates, counts.late, counts.resets];
                    let rest = [counted.complete_groups, counted.incomplete_groups, counted.crc_failures];
                    order.into_iter().chain(rest).map(grouped).collect()
                }
                None => vec!["-".to_owned(); 8],
            };
            row.extend(judged);
            row.truncate(columns);
            rows.push(row);
        }
        let mut is_numeric = [true; 14];
        is_numeric[1] = false;
        aligned(&rows, &is_numeric)
    }
}

impl Counted {
    fn add(&mut self, packet: &[u8]) {
        self.shortest = if self.packets == 0 { packet.len() } else { self.shortest.min(packet.len()) };
        self.longest = self.longest.max(packet.len());
        self.packets += 1;
        self.bytes += packet.len() as u64;
    }
}

fn count_group(sequences: &mut BTreeMap<(PacketType, Apid), Counted>, group: &Group) {
    let is_alone = group.segments().any(|segment| segment.sequence_flags == SequenceFlags::Unsegmented);
    let Some(counted) = sequences.get_mut(&(group.packet_type(), group.apid())) else { return };
    match group.missing() {
        None if is_alone => {}
        None => counted.complete_groups += 1,
        Some(_) => counted.incomplete_groups += 1,
    }
}

fn kind(packet_type: PacketType, apid: Apid) -> &'static str {
    match packet_type {
        _ if apid == Apid::IDLE => "idle",
        PacketType::Telecommand => "telecommand",
        PacketType::Telemetry => "telemetry",
    }
}
