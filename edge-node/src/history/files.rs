//! Blocks of one mission and resolution on disk: append-only files, of which the oldest is removed when its time or
//! room is over.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use processing::{Resolution, RollUp};
use service::metric::Metric;
use tracing::{info, warn};

use super::block::{self, BlockHeader, FRAME_BYTES, Group, MAGIC};
use super::runs::AHEAD_MAX_NANOS;

const SUFFIX: &str = ".rollups";
/// Bytes looked through at once for the next block behind a damaged one.
const SEARCH_BYTES: usize = 64 << 10;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Where a group lies.
#[derive(Clone, Debug)]
pub(crate) struct GroupPlace {
    /// File.
    pub(crate) path: PathBuf,
    /// First byte.
    pub(crate) at: u64,
    /// The group.
    pub(crate) group: Group,
}

/// A block with all its groups.
#[derive(Clone, Debug)]
pub(crate) struct WholeBlock {
    /// Its number.
    pub(crate) number: u64,
    /// Reception of its first and last sample.
    pub(crate) receptions: (i64, i64),
    /// Its groups.
    pub(crate) groups: Vec<GroupPlace>,
}

/// When files are full, and how long they stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LevelLimits {
    /// A file takes no more blocks past this.
    pub(crate) file_bytes_max: u64,
    /// A file is removed when its newest sample is so much older than the newest of all.
    pub(crate) keep_nanos: i64,
}

/// The files of a resolution.
#[derive(Debug)]
pub(crate) struct Level {
    directory: PathBuf,
    resolution: Resolution,
    limits: LevelLimits,
    files: Vec<LevelFile>,
    newest: Option<BlockHeader>,
    is_damaged: bool,
}

#[derive(Debug)]
struct LevelFile {
    path: PathBuf,
    bytes: u64,
    blocks: Vec<PlacedBlock>,
}

#[derive(Debug)]
struct PlacedBlock {
    number: u64,
    first_reception: i64,
    last_reception: i64,
    groups_at: u64,
    groups: Vec<Group>,
}

impl Level {
    /// Reads what is there; `on_header` gets each block's header, the oldest first.
    pub(crate) fn open(
        mission_directory: &Path,
        resolution: Resolution,
        limits: LevelLimits,
        mut on_header: impl FnMut(&BlockHeader),
    ) -> std::io::Result<Self> {
        let directory = mission_directory.join(block::folder(resolution));
        std::fs::create_dir_all(&directory)?;
        let mut paths: Vec<(u64, PathBuf)> = Vec::new();
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            paths.extend(number_of(&path).map(|number| (number, path)));
        }
        paths.sort();
        let mut level =
            Self { directory, resolution, limits, files: Vec::new(), newest: None, is_damaged: false };
        for (_, path) in paths {
            let mut file = LevelFile { bytes: 0, blocks: Vec::new(), path };
            let damaged = file.read(|header| {
                on_header(&header);
                level.newest = Some(header);
            })?;
            if damaged > 0 {
                level.is_damaged = true;
                Metric::EdgeHistoryDamaged.add(damaged);
                warn!(path = %file.path.display(), damaged, "roll-ups are damaged on disk, the rest is used");
            }
            level.files.push(file);
        }
        Ok(level)
    }

    /// No files, and none can be made: the directory is not usable.
    pub(crate) fn without_disk(
        mission_directory: &Path,
        resolution: Resolution,
        limits: LevelLimits,
    ) -> Self {
        let directory = mission_directory.join(block::folder(resolution));
        Self { directory, resolution, limits, files: Vec::new(), newest: None, is_damaged: false }
    }

    /// Whether a header could not be read when the files were opened.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Header of the newest block.
    pub(crate) fn newest(&self) -> Option<&BlockHeader> {
        self.newest.as_ref()
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Since when every sample is in here, but for what the damage of a block took.
    pub(crate) fn available_from(&self) -> i64 {
        match self.files.iter().find_map(|file| file.blocks.first()) {
            // What is gone was received before the oldest that is there.
            Some(oldest) if oldest.number > 1 => oldest.first_reception.saturating_add(AHEAD_MAX_NANOS),
            _ => i64::MIN,
        }
    }

    /// Writes a block durably. After an error nothing of it is there.
    pub(crate) fn append(&mut self, header: BlockHeader, rollups: &[(u32, RollUp)]) -> std::io::Result<()> {
        let (header, groups_at, bytes) = block::encode(header, rollups);
        let is_full = self.files.last().is_none_or(|file| {
            let first = file.blocks.first().map(|block| block.first_reception);
            let lasted =
                first.map_or(0, |first| header.last_reception.saturating_sub(first).saturating_abs());
            file.bytes >= self.limits.file_bytes_max || lasted >= file_lasts_nanos(self.resolution)
        });
        if is_full {
            self.begin_file(header.number)?;
        }
        let Some(file) = self.files.last_mut() else { return Ok(()) };
        let mut open = OpenOptions::new().append(true).open(&file.path)?;
        if let Err(error) = open.write_all(&bytes).and_then(|()| open.sync_data()) {
            // Half a block would be skipped anyway, but it takes room on a disk that may be full.
            let _ = open.set_len(file.bytes);
            return Err(error);
        }
        file.blocks.push(PlacedBlock::new(&header, file.bytes + groups_at as u64));
        file.bytes += bytes.len() as u64;
        self.newest = Some(header);
        Ok(())
    }

    fn begin_file(&mut self, number: u64) -> std::io::Result<()> {
        let path = self.directory.join(format!("{number:012}{SUFFIX}"));
        File::create(&path)?;
        File::open(&self.directory)?.sync_all()?;
        self.files.push(LevelFile { path, bytes: 0, blocks: Vec::new() });
        Ok(())
    }

    /// Removes the oldest file if its time is over. One at a time: a clock that is wrong for a moment costs one file.
    pub(crate) fn forget_old(&mut self, newest_reception: i64) {
        let oldest =
            self.files.first().and_then(|file| file.blocks.iter().map(|block| block.last_reception).max());
        let limit = newest_reception.saturating_sub(self.limits.keep_nanos);
        if self.files.len() > 1 && oldest.is_none_or(|last| last < limit) {
            self.forget_oldest("time");
        }
    }

    /// Removes the oldest file; false when only one is left, which is being written.
    pub(crate) fn forget_oldest(&mut self, limit: &str) -> bool {
        if self.files.len() < 2 {
            return false;
        }
        let file = self.files.remove(0);
        if let Err(error) = std::fs::remove_file(&file.path) {
            warn!(path = %file.path.display(), %error, "roll-ups could not be removed");
        } else {
            info!(path = %file.path.display(), bytes = file.bytes, limit, "oldest roll-ups were removed");
        }
        true
    }

    /// Groups that may have roll-ups of a parameter and are wanted by the earliest and latest time in them.
    pub(crate) fn groups_of(&self, parameter: u32, is_wanted: impl Fn(i64, i64) -> bool) -> Vec<GroupPlace> {
        let mut places = Vec::new();
        for file in &self.files {
            for block in &file.blocks {
                places.extend(block.places(&file.path).filter(|GroupPlace { group, .. }| {
                    (group.first_parameter..=group.last_parameter).contains(&parameter)
                        && is_wanted(group.earliest, group.latest)
                }));
            }
        }
        places
    }

    /// Blocks behind a number, to make coarser roll-ups of them.
    pub(crate) fn blocks_behind(&self, number: u64) -> Vec<WholeBlock> {
        let blocks = self.files.iter().flat_map(|file| file.blocks.iter().map(move |block| (file, block)));
        let behind = blocks.filter(|(_, block)| block.number > number);
        behind
            .map(|(file, block)| WholeBlock {
                number: block.number,
                receptions: (block.first_reception, block.last_reception),
                groups: block.places(&file.path).collect(),
            })
            .collect()
    }
}

impl LevelFile {
    /// Reads all headers; says how many places are damaged.
    fn read(&mut self, mut on_header: impl FnMut(BlockHeader)) -> std::io::Result<u64> {
        let file = File::open(&self.path)?;
        self.bytes = file.metadata()?.len();
        let (mut at, mut damaged) = (0, 0);
        while at < self.bytes {
            match read_header(&file, at, self.bytes) {
                Some((header, groups_at, end)) => {
                    self.blocks.push(PlacedBlock::new(&header, groups_at));
                    on_header(header);
                    at = end;
                }
                None => {
                    damaged += 1;
                    at = next_block(&file, at + 1)?.unwrap_or(self.bytes);
                }
            }
        }
        Ok(damaged)
    }
}

impl PlacedBlock {
    fn new(header: &BlockHeader, groups_at: u64) -> Self {
        Self {
            number: header.number,
            first_reception: header.first_reception,
            last_reception: header.last_reception,
            groups_at,
            groups: header.groups.clone(),
        }
    }

    fn places(&self, path: &Path) -> impl Iterator<Item = GroupPlace> {
        let mut at = self.groups_at;
        self.groups.iter().map(move |group| {
            let place = GroupPlace { path: path.to_owned(), at, group: *group };
            at += u64::from(group.bytes);
            place
        })
    }
}

/// A header, where its groups begin and where they end.
fn read_header(file: &File, at: u64, file_bytes: u64) -> Option<(BlockHeader, u64, u64)> {
    let mut frame = [0; FRAME_BYTES];
    file.read_exact_at(&mut frame, at).ok()?;
    let (header_bytes, group_bytes, check_sum) = block::decode_frame(&frame).ok()?;
    let groups_at = at + FRAME_BYTES as u64 + header_bytes as u64;
    let end = groups_at + group_bytes;
    if end > file_bytes {
        return None;
    }
    let mut bytes = vec![0; header_bytes];
    file.read_exact_at(&mut bytes, at + FRAME_BYTES as u64).ok()?;
    Some((block::decode_header(&bytes, check_sum, group_bytes).ok()?, groups_at, end))
}

/// Where the next block seems to begin.
fn next_block(file: &File, mut at: u64) -> std::io::Result<Option<u64>> {
    let mut bytes = vec![0; SEARCH_BYTES];
    loop {
        let read = file.read_at(&mut bytes, at)?;
        if read < MAGIC.len() {
            return Ok(None);
        }
        if let Some(found) = bytes[..read].windows(MAGIC.len()).position(|window| window == MAGIC) {
            return Ok(Some(at + found as u64));
        }
        at += (read - MAGIC.len() + 1) as u64;
    }
}

/// Reads groups one after the other; what is damaged is counted, what was removed in between has had its time.
#[derive(Default)]
pub(crate) struct GroupReader {
    open: Option<(PathBuf, File)>,
}

impl GroupReader {
    /// The roll-ups of a group.
    pub(crate) fn read(&mut self, place: &GroupPlace) -> Vec<(u32, RollUp)> {
        if self.open.as_ref().is_none_or(|(path, _)| *path != place.path) {
            self.open = File::open(&place.path).ok().map(|file| (place.path.clone(), file));
        }
        let Some((_, file)) = &self.open else { return Vec::new() };
        // The header was read with a bound on this length.
        let mut bytes = vec![0; place.group.bytes as usize];
        let read = file.read_exact_at(&mut bytes, place.at);
        match read.ok().and_then(|()| block::decode_group(&place.group, &bytes).ok()) {
            Some(rollups) => rollups,
            None => {
                Metric::EdgeHistoryDamaged.add(1);
                warn!(path = %place.path.display(), at = place.at, "roll-ups are damaged on disk, the rest is used");
                Vec::new()
            }
        }
    }
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(SUFFIX)?.parse().ok()
}

/// Files of a day, a month and a year, so that each resolution has a few dozens and loses a small part at a time.
fn file_lasts_nanos(resolution: Resolution) -> i64 {
    match resolution {
        Resolution::Second => NANOS_PER_DAY,
        Resolution::Minute => 30 * NANOS_PER_DAY,
        Resolution::Hour => 365 * NANOS_PER_DAY,
    }
}
