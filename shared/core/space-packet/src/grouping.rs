//! Groups of packets that belong together by their sequence flags (CCSDS 133.0-B-2, 4.1.3.4.2), put together again.

use std::collections::BTreeMap;

use crate::{Apid, PacketType, PrimaryHeader, SequenceCount, SequenceFlags};

/// Segments of one group: more cannot be told apart by their sequence counts.
const SEGMENTS_MAX: usize = SequenceCount::MODULUS as usize;

/// How much is kept of groups that are not whole yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GroupLimits {
    /// Bytes of one group, at least those of its first segment.
    pub group_bytes_max: usize,
    /// Groups at once, at least one. There is no more than one for each APID and packet type.
    pub open_groups_max: usize,
}

/// One packet of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Segment<'g> {
    /// Its flags.
    pub sequence_flags: SequenceFlags,
    /// Its count.
    pub sequence_count: SequenceCount,
    /// What stood behind its primary header, a secondary header included.
    pub data: &'g [u8],
}

/// Packets of one APID that their sequence flags put together; an unsegmented packet is a group of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    packet_type: PacketType,
    apid: Apid,
    data: Vec<u8>,
    /// Each segment, and where its bytes end in `data`.
    segments: Vec<(SequenceFlags, SequenceCount, usize)>,
    repeated: u32,
    missing: Missing,
}

/// What an incomplete group lacks, as far as can be told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Missing {
    /// The first segment did not arrive, and maybe others after it.
    pub start: bool,
    /// Places where the sequence count does not go on from one segment to the next.
    ///
    /// A hole may hide the end of one group and the start of the next.
    pub holes: Vec<Hole>,
    /// The last segment did not arrive before this.
    pub end: Option<Cut>,
}

/// Two segments that stand beside each other and are no neighbours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hole {
    /// Count of the segment before.
    pub after: SequenceCount,
    /// Count of the segment behind; a lower one means disorder.
    pub before: SequenceCount,
}

/// What ended a group before its last segment came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// It had grown as far as allowed. What follows comes as a group without start.
    Overgrown,
    /// Its APID went on with another group.
    Superseded,
    /// More groups than allowed were open, and this one had not grown for the longest.
    TooManyOpen,
    /// The caller ended it: see [`Reassembler::finish`].
    StreamEnded,
}

impl Group {
    /// Telemetry or telecommand.
    pub fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// The application.
    pub fn apid(&self) -> Apid {
        self.apid
    }

    /// The bytes behind the primary headers, joined; `None` if anything is missing.
    pub fn joined(&self) -> Option<&[u8]> {
        self.missing().is_none().then_some(self.data.as_slice())
    }

    /// What is missing; `None` if the group is complete.
    pub fn missing(&self) -> Option<&Missing> {
        (self.missing != Missing::default()).then_some(&self.missing)
    }

    /// The packets there are, in the order of reception: at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator {
        self.segments.iter().enumerate().map(|(nth, &(sequence_flags, sequence_count, end))| {
            let start = nth.checked_sub(1).map_or(0, |before| self.segments[before].2);
            Segment { sequence_flags, sequence_count, data: &self.data[start..end] }
        })
    }

    /// Packets that came twice in a row and are left out the second time.
    pub fn repeated(&self) -> u32 {
        self.repeated
    }

    fn begun(header: &PrimaryHeader) -> Self {
        let is_start = matches!(header.sequence_flags, SequenceFlags::First | SequenceFlags::Unsegmented);
        Self {
            packet_type: header.packet_type,
            apid: header.apid,
            data: Vec::new(),
            segments: Vec::new(),
            repeated: 0,
            missing: Missing { start: !is_start, ..Missing::default() },
        }
    }

    fn add(&mut self, header: &PrimaryHeader, data: &[u8]) {
        if let Some(&(_, after, _)) = self.segments.last()
            && header.sequence_count != after.next()
        {
            self.missing.holes.push(Hole { after, before: header.sequence_count });
        }
        self.data.extend_from_slice(data);
        self.segments.push((header.sequence_flags, header.sequence_count, self.data.len()));
    }

    /// Whether a packet is the newest segment once more.
    fn ends_with(&self, header: &PrimaryHeader, data: &[u8]) -> bool {
        self.segments().next_back().is_some_and(|newest| {
            (newest.sequence_flags, newest.sequence_count) == (header.sequence_flags, header.sequence_count)
                && newest.data == data
        })
    }

    fn cut(mut self, cut: Cut) -> Self {
        self.missing.end = Some(cut);
        self
    }
}

/// Puts the groups of one link together.
///
/// A group that lacks its start, its end or something between is given out all the same, as incomplete: its
/// segments are there one by one, and [`Group::joined`] has nothing.
///
/// Memory is bounded by `open_groups_max` groups of `group_bytes_max` bytes (or one segment, if that is more) and
/// up to 16,384 segments of some 20 bytes.
#[derive(Debug)]
pub struct Reassembler {
    limits: GroupLimits,
    open: BTreeMap<(PacketType, Apid), Open>,
    packets: u64,
}

#[derive(Debug)]
struct Open {
    group: Group,
    /// Value of `packets` when it grew.
    grown_at: u64,
}

impl Reassembler {
    /// A reassembler with nothing open.
    pub fn new(limits: GroupLimits) -> Self {
        Self { limits, open: BTreeMap::new(), packets: 0 }
    }

    /// Takes a packet in the order of reception: its header, and the bytes behind it.
    ///
    /// `finished` gets each group that ends with it, the older one first.
    pub fn on_packet(&mut self, header: &PrimaryHeader, data: &[u8], finished: &mut impl FnMut(Group)) {
        self.packets += 1;
        let key = (header.packet_type, header.apid);
        let mut open = self.open.remove(&key).map(|open| open.group);
        if let Some(group) = open.as_mut().filter(|group| group.ends_with(header, data)) {
            group.repeated += 1;
        } else {
            open = self.extended(open, header, data, finished);
        }
        if let Some(group) = open {
            self.make_room(finished);
            self.open.insert(key, Open { group, grown_at: self.packets });
        }
    }

    /// Gives out all open groups as incomplete, at the end of a stream or of a pass.
    pub fn finish(&mut self, finished: &mut impl FnMut(Group)) {
        for (_, open) in std::mem::take(&mut self.open) {
            finished(open.group.cut(Cut::StreamEnded));
        }
    }

    /// Groups of which the last segment is awaited.
    pub fn open_groups(&self) -> usize {
        self.open.len()
    }

    /// What is open of an APID after a packet, given what was open before.
    fn extended(
        &self,
        open: Option<Group>,
        header: &PrimaryHeader,
        data: &[u8],
        finished: &mut impl FnMut(Group),
    ) -> Option<Group> {
        let cut = match (header.sequence_flags, &open) {
            (SequenceFlags::First | SequenceFlags::Unsegmented, _) => Some(Cut::Superseded),
            (_, Some(group)) if self.is_full(group, data) => Some(Cut::Overgrown),
            _ => None,
        };
        let mut group = match (open, cut) {
            (Some(group), Some(cut)) => {
                finished(group.cut(cut));
                Group::begun(header)
            }
            (Some(group), None) => group,
            (None, _) => Group::begun(header),
        };
        group.add(header, data);
        match header.sequence_flags {
            SequenceFlags::Last | SequenceFlags::Unsegmented => {
                finished(group);
                None
            }
            SequenceFlags::Continuation | SequenceFlags::First => Some(group),
        }
    }

    fn is_full(&self, group: &Group, data: &[u8]) -> bool {
        group.segments.len() >= SEGMENTS_MAX || group.data.len() + data.len() > self.limits.group_bytes_max
    }

    fn make_room(&mut self, finished: &mut impl FnMut(Group)) {
        while self.open.len() >= self.limits.open_groups_max.max(1) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.grown_at).map(|(key, _)| *key);
            let Some(open) = oldest.and_then(|key| self.open.remove(&key)) else { return };
            finished(open.group.cut(Cut::TooManyOpen));
        }
    }
}

#[cfg(test)]
mod tests;
