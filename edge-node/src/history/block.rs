//! A block of roll-ups as bytes: what one flush of one resolution left, in groups that can be read one by one.
//!
//! ```text
//! 4 B     "STOR"
//! u32 LE  length of the header
//! u32 LE  length of all groups
//! u32 LE  CRC-32C of the header
//! u32 LE  CRC-32C of the 16 bytes before
//!         header   postcard of `BlockHeader`
//!         groups   each zstd-1 of postcard columns, its CRC-32C in the header
//! ```
//! Every length is checked against a bound before anything is allocated by it.

use mission_database::MonitoringResult;
use processing::{Resolution, RollUp};
use serde::{Deserialize, Serialize};

use super::runs::BatchRun;

/// What every block begins with, so that a reader finds the next one behind damage.
pub(crate) const MAGIC: [u8; 4] = *b"STOR";
/// Bytes before the header.
pub(crate) const FRAME_BYTES: usize = 20;
/// A header with 4,096 runs and as many groups has a tenth of it.
pub(crate) const HEADER_BYTES_MAX: usize = 4 << 20;
const VERSION: u8 = 1;
/// Roll-ups of a group: what a question about one parameter reads at least.
const GROUP_ROLLUPS_MAX: usize = 4_096;
/// What a group may unpack to: each field of a roll-up at its longest, 100 bytes.
const GROUP_RAW_BYTES_MAX: usize = GROUP_ROLLUPS_MAX * 100 + 1_024;
const GROUP_BYTES_MAX: usize = GROUP_RAW_BYTES_MAX + 1_024;
const ZSTD_LEVEL: i32 = 1;

/// Bytes that are no block.
#[derive(Debug, thiserror::Error)]
#[error("{what} of a block of roll-ups is damaged")]
pub(crate) struct BlockDamaged {
    /// Which part.
    pub(crate) what: &'static str,
}

const fn damaged(what: &'static str) -> BlockDamaged {
    BlockDamaged { what }
}

/// What is known of a block without reading its groups.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct BlockHeader {
    /// Version of this format.
    pub(crate) version: u8,
    /// Counts a mission's blocks of this resolution, from 1.
    pub(crate) number: u64,
    /// Of seconds: nothing. Of minutes and hours: number of the newest finer block that went into this or an earlier one.
    pub(crate) made_of: u64,
    /// The journal that was read.
    pub(crate) store: [u8; 16],
    /// Its newest batch that went into this or an earlier block.
    pub(crate) sequence: u64,
    /// Reception time of the first sample, TAI nanoseconds.
    pub(crate) first_reception: i64,
    /// Reception time of the last sample.
    pub(crate) last_reception: i64,
    /// Newest generation time of which the journal forgot samples, as far as they were not ahead of their reception.
    pub(crate) forgotten: i64,
    /// Batches that went into this block; only of seconds.
    pub(crate) runs: Vec<BatchRun>,
    /// The groups, in their order.
    pub(crate) groups: Vec<Group>,
}

/// Roll-ups that are packed together, by parameter and time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Group {
    /// Packed bytes.
    pub(crate) bytes: u32,
    /// Their CRC-32C.
    pub(crate) check_sum: u32,
    /// Smallest parameter, by its number in the mission's `parameters` file.
    pub(crate) first_parameter: u32,
    /// Largest parameter.
    pub(crate) last_parameter: u32,
    /// Earliest time of a first sample.
    pub(crate) earliest: i64,
    /// Latest time of a first sample.
    pub(crate) latest: i64,
}

/// One field of all roll-ups after the other. Times are differences, numbers what differs from `first` in their bits,
/// which is nothing where a bucket holds one sample.
#[derive(Default, Deserialize, Serialize)]
struct GroupColumns {
    parameter: Vec<u32>,
    first_at: Vec<i64>,
    lasted: Vec<i64>,
    count: Vec<u32>,
    without_number: Vec<u32>,
    violations: Vec<u32>,
    worst: Vec<u8>,
    first: Vec<f64>,
    last: Vec<u64>,
    minimum: Vec<u64>,
    maximum: Vec<u64>,
    sum: Vec<u64>,
}

/// Writes a block of roll-ups, which are ordered by parameter and time; says where its groups begin.
pub(crate) fn encode(mut header: BlockHeader, rollups: &[(u32, RollUp)]) -> (BlockHeader, usize, Vec<u8>) {
    let mut groups = Vec::new();
    header.version = VERSION;
    header.groups = rollups.chunks(GROUP_ROLLUPS_MAX).map(|some| encode_group(some, &mut groups)).collect();
    let encoded = postcard::to_stdvec(&header).expect("numbers and lists of them always encode");
    let mut out = Vec::with_capacity(FRAME_BYTES + encoded.len() + groups.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
    out.extend_from_slice(&(groups.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(&encoded).to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out.extend_from_slice(&encoded);
    let groups_at = out.len();
    out.extend_from_slice(&groups);
    (header, groups_at, out)
}

fn encode_group(rollups: &[(u32, RollUp)], out: &mut Vec<u8>) -> Group {
    let mut columns = GroupColumns::default();
    let mut before = 0_i64;
    for (parameter, rollup) in rollups {
        let differs = |number: f64| number.to_bits() ^ rollup.first.to_bits();
        columns.parameter.push(*parameter);
        columns.first_at.push(rollup.first_at.wrapping_sub(before));
        before = rollup.first_at;
        columns.lasted.push(rollup.last_at.wrapping_sub(rollup.first_at));
        columns.count.push(rollup.count);
        columns.without_number.push(rollup.without_number);
        columns.violations.push(rollup.violations);
        columns.worst.push(rollup.worst as u8);
        columns.first.push(rollup.first);
        columns.last.push(differs(rollup.last));
        columns.minimum.push(differs(rollup.minimum));
        columns.maximum.push(differs(rollup.maximum));
        columns.sum.push(differs(rollup.sum));
    }
    let plain = postcard::to_stdvec(&columns).expect("lists of numbers always encode");
    let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("memory is the only thing written to");
    out.extend_from_slice(&packed);
    let parameters = rollups.iter().map(|(parameter, _)| *parameter);
    let times = rollups.iter().map(|(_, rollup)| rollup.first_at);
    Group {
        bytes: packed.len() as u32,
        check_sum: crc32c::crc32c(&packed),
        first_parameter: parameters.clone().min().unwrap_or_default(),
        last_parameter: parameters.max().unwrap_or_default(),
        earliest: times.clone().min().unwrap_or_default(),
        latest: times.max().unwrap_or_default(),
    }
}

/// Lengths of the header and of all groups, and the header's check sum.
pub(crate) fn decode_frame(frame: &[u8; FRAME_BYTES]) -> Result<(usize, u64, u32), BlockDamaged> {
    let number = |at: usize| u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]);
    if frame[..4] != MAGIC || crc32c::crc32c(&frame[..16]) != number(16) {
        return Err(damaged("the frame"));
    }
    let header_bytes = number(4) as usize;
    if header_bytes > HEADER_BYTES_MAX {
        return Err(damaged("the frame"));
    }
    Ok((header_bytes, u64::from(number(8)), number(12)))
}

/// The header, whose groups are as long as the frame said.
pub(crate) fn decode_header(
    bytes: &[u8],
    check_sum: u32,
    group_bytes: u64,
) -> Result<BlockHeader, BlockDamaged> {
    if crc32c::crc32c(bytes) != check_sum || bytes.first() != Some(&VERSION) {
        return Err(damaged("the header"));
    }
    let header: BlockHeader = postcard::from_bytes(bytes).map_err(|_| damaged("the header"))?;
    let total: u64 = header.groups.iter().map(|group| u64::from(group.bytes)).sum();
    let fits = total == group_bytes
        && header.groups.iter().all(|group| group.bytes as usize <= GROUP_BYTES_MAX)
        && header.runs.iter().all(|run| run.first <= run.last);
    if fits { Ok(header) } else { Err(damaged("the header")) }
}

/// The roll-ups of a group.
pub(crate) fn decode_group(group: &Group, bytes: &[u8]) -> Result<Vec<(u32, RollUp)>, BlockDamaged> {
    let unreadable = damaged("a group");
    if bytes.len() != group.bytes as usize || crc32c::crc32c(bytes) != group.check_sum {
        return Err(unreadable);
    }
    let plain = zstd::bulk::decompress(bytes, GROUP_RAW_BYTES_MAX).map_err(|_| damaged("a group"))?;
    let columns: GroupColumns = postcard::from_bytes(&plain).map_err(|_| damaged("a group"))?;
    columns.rollups().ok_or(unreadable)
}

impl GroupColumns {
    fn rollups(&self) -> Option<Vec<(u32, RollUp)>> {
        let mut before = 0_i64;
        let one = |index: usize| {
            let first = *self.first.get(index)?;
            let number = |differs: u64| f64::from_bits(differs ^ first.to_bits());
            let first_at = before.wrapping_add(*self.first_at.get(index)?);
            before = first_at;
            let rollup = RollUp {
                count: *self.count.get(index)?,
                without_number: *self.without_number.get(index)?,
                violations: *self.violations.get(index)?,
                worst: MonitoringResult::from_number(*self.worst.get(index)?)?,
                first_at,
                last_at: first_at.wrapping_add(*self.lasted.get(index)?),
                first,
                last: number(*self.last.get(index)?),
                minimum: number(*self.minimum.get(index)?),
                maximum: number(*self.maximum.get(index)?),
                sum: number(*self.sum.get(index)?),
            };
            Some((*self.parameter.get(index)?, rollup))
        };
        (0..self.parameter.len()).map(one).collect()
    }
}

/// Name of a resolution's folder.
pub(crate) fn folder(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Second => "seconds",
        Resolution::Minute => "minutes",
        Resolution::Hour => "hours",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rollup(time: i64, number: f64) -> RollUp {
        let mut rollup = RollUp::of(time, Some(number));
        rollup.merge(&RollUp::of(time.saturating_add(5), Some(number / 3.0)));
        rollup
    }

    #[test]
    fn a_roll_up_takes_some_ten_bytes_of_one_sample_and_fifty_of_many_different_ones() {
        for (samples, bytes_max) in [(1, 14), (10, 54)] {
            let noise = |number: i64| (number.wrapping_mul(0x5DEE_CE66_D1CE_4E5B) >> 11) as f64 / 1e12;
            let one = |index: i64| {
                let (parameter, second) = (index / 60, index % 60);
                let time = second * 1_000_000_000 + parameter;
                let mut rollup = RollUp::of(time, Some(noise(index)));
                (1..samples).for_each(|more| {
                    rollup.merge(&RollUp::of(time + more * 100_000_000, Some(noise(index + more * 7_000))));
                });
                (parameter as u32, rollup)
            };
            let rollups: Vec<_> = (0..6_000).map(one).collect();
            let (_, _, bytes) = encode(BlockHeader::default(), &rollups);
            let each = bytes.len() / rollups.len();
            assert!(each <= bytes_max, "{each} bytes each of {samples} samples");
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_and_damage_is_told(
            numbers in proptest::collection::vec((0u32..50, any::<i64>(), any::<f64>()), 1..300),
            place in any::<prop::sample::Index>(),
        ) {
            let rollups: Vec<_> = numbers.iter().map(|&(id, time, number)| (id, rollup(time, number))).collect();
            let (header, groups_at, bytes) = encode(BlockHeader { number: 7, ..BlockHeader::default() }, &rollups);
            let read = |bytes: &[u8]| {
                let frame = bytes.first_chunk().ok_or(damaged("the frame"))?;
                let (header_bytes, group_bytes, check_sum) = decode_frame(frame)?;
                let header = bytes.get(FRAME_BYTES..FRAME_BYTES + header_bytes).ok_or(damaged("the header"))?;
                let header = decode_header(header, check_sum, group_bytes)?;
                let found = decode_group(&header.groups[0], &bytes[groups_at..])?;
                Ok::<_, BlockDamaged>((header, found))
            };
            let (found, group) = read(&bytes).expect("it reads");
            prop_assert_eq!(found, header);
            prop_assert_eq!(format!("{group:?}"), format!("{rollups:?}"));
            let mut changed = bytes.clone();
            changed[place.index(bytes.len())] ^= 0x10;
            prop_assert!(read(&changed).is_err());
        }

        #[test]
        fn any_bytes_give_a_group_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let check_sum = crc32c::crc32c(&bytes);
            let group = Group { bytes: bytes.len() as u32, check_sum, first_parameter: 0, last_parameter: 0, earliest: 0, latest: 0 };
            let _ = decode_group(&group, &bytes);
            let packed = zstd::bulk::compress(&bytes, 1).expect("it packs");
            let check_sum = crc32c::crc32c(&packed);
            let _ = decode_group(&Group { bytes: packed.len() as u32, check_sum, ..group }, &packed);
            let _ = decode_header(&bytes, check_sum, 0);
        }
    }
}
