//! The files of an earlier run in the same directory: what is in them need not be written again.

use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use delivery::{BundleHash, BundleId, BundleReader, ChunkRun, Lane, NodeId, StoreId};
use provisioning::{BundleFile, Identity};

const SUFFIX: &str = "sto";
const UNFINISHED: &str = "part";

/// What a finished part is called.
pub(super) fn name(bundle: &BundleId, part: u32) -> String {
    format!("{}-{part:04}.{SUFFIX}", HEXLOWER.encode(&bundle.0[..6]))
}

/// What it is called while it is written.
pub(super) fn unfinished_name(bundle: &BundleId, part: u32) -> String {
    format!("{}.{UNFINISHED}", name(bundle, part))
}

/// What was finished before.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) files: usize,
    /// Of the last one.
    pub(super) bundle: Option<BundleId>,
    pub(super) part: u32,
    pub(super) hash: Option<BundleHash>,
    runs: Vec<(StoreId, Lane, ChunkRun)>,
}

impl Finished {
    /// Looks at this node's own files, and removes what an earlier run left unfinished.
    pub(super) fn find(directory: &Path, identity: &Identity) -> io::Result<Self> {
        let mut found = Self::default();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let ends_with = |end: &str| path.extension().is_some_and(|extension| extension == end);
            let is_left_over = ends_with(UNFINISHED)
                && path.file_stem().is_some_and(|stem| Path::new(stem).extension() == Some(SUFFIX.as_ref()));
            if is_left_over {
                std::fs::remove_file(&path)?;
            } else if ends_with(SUFFIX) {
                found.add(&path, identity);
            }
        }
        Ok(found)
    }

    /// A file of somebody else, or one that is damaged, is as good as none.
    fn add(&mut self, path: &Path, identity: &Identity) {
        let opened = BundleFile::open(path).ok().and_then(|file| BundleReader::open(file).ok());
        let Some((reader, verifier)) = opened.zip(identity.verifier()) else { return };
        let is_ours = reader.header().node == NodeId(identity.node_id.into_bytes());
        let Some(bundle) = is_ours.then(|| reader.verify(&verifier).ok()).flatten() else { return };
        let (Some(hash), header) = (bundle.hash(), bundle.header()) else { return };
        self.files += 1;
        if header.part > self.part {
            (self.bundle, self.part, self.hash) = (Some(header.bundle), header.part, Some(hash));
        }
        for run in (0..bundle.chunks()).filter_map(|chunk| bundle.runs(chunk)).flatten() {
            if let Some(log) = header.logs.get(usize::from(run.log)) {
                self.runs.push((log.store, log.lane, *run));
            }
        }
    }

    /// The first number from `from` on that is in none of the files.
    pub(super) fn next_of(&self, store: StoreId, lane: Lane, from: u64) -> u64 {
        let mut runs: Vec<_> = self
            .runs
            .iter()
            .filter(|(of, in_lane, _)| (*of, *in_lane) == (store, lane))
            .map(|(_, _, run)| (run.first, run.last))
            .collect();
        runs.sort_unstable();
        runs.into_iter()
            .fold(from, |next, (first, last)| if first <= next { next.max(last + 1) } else { next })
    }
}
