//! The journal's engines, and the few calls of theirs that the torturer makes.

use std::path::Path;

use anyhow::Context;
use delivery::{BatchSequence, Lane, SealedBatch, SealedBody, StoreId};
use edge_node::journal::{
    Found, Journal, JournalError, JournalOptions, LogOptions, Opening, SEGMENT_BYTES, SegmentJournal,
    SledJournal, open, open_older,
};

type Opened = Result<Box<dyn Journal>, JournalError>;

/// An engine to torture.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Its name on the command line.
    pub name: &'static str,
    open: fn(&Path, StoreId) -> Opened,
}

/// Every engine there is.
pub const ENGINES: &[Engine] = &[
    Engine {
        name: "segments",
        open: |path, store| Ok(Box::new(SegmentJournal::open(path, plain(store), SEGMENT_BYTES)?)),
    },
    Engine { name: "sled", open: |path, store| Ok(Box::new(SledJournal::open(path, plain(store))?)) },
];

/// A log of telemetry, not encrypted.
fn plain(new_store: StoreId) -> LogOptions {
    LogOptions { lane: Lane::Telemetry, new_store, key: None }
}

impl Engine {
    /// The engine of this name.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let names: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
        let found = ENGINES.iter().find(|engine| engine.name == name);
        found.copied().with_context(|| format!("there is no engine {name:?}, but {names:?}"))
    }

    /// Opens a journal, and when its engine finds it corrupt does as the node: sets it aside, begins anew, and keeps
    /// what is sound of the old one to be forwarded. That one comes second.
    pub fn open_or_salvage(self, directory: &Path, new_store: StoreId) -> anyhow::Result<Journals> {
        match (self.open)(directory, new_store) {
            Ok(own) => Ok(Journals { own, salvaged: self.salvaged(directory)? }),
            Err(JournalError::Corrupt(cause)) if self.name == "sled" => {
                // Standard output is for the time it took.
                eprintln!("salvaged: {cause}");
                let data = directory.parent().context("a journal lies in a data directory")?;
                let opened = open(data, &JournalOptions::default(), Opening::Again, &mut || new_store)?;
                Ok(Journals { own: opened.journal, salvaged: self.salvaged(directory)? })
            }
            Err(other) => Err(other).context("the journal does not open"),
        }
    }

    fn salvaged(self, directory: &Path) -> anyhow::Result<Option<Box<dyn Journal>>> {
        let salvaged = directory.with_extension("salvaged-1");
        Ok(if salvaged.exists() { Some(open_older(&salvaged, None)?) } else { None })
    }

    /// Opens a journal as the node does.
    pub fn open(self, directory: &Path, new_store: StoreId) -> anyhow::Result<Box<dyn Journal>> {
        (self.open)(directory, new_store).context("the journal does not open")
    }
}

/// A journal, and what was salvaged of the one before it.
pub struct Journals {
    /// The one that records.
    pub own: Box<dyn Journal>,
    /// The one that waits to be forwarded.
    pub salvaged: Option<Box<dyn Journal>>,
}

/// Appends a body.
pub fn append(journal: &mut dyn Journal, body: SealedBody) -> anyhow::Result<SealedBatch> {
    Ok(journal.append(body, &[])?)
}

/// Reads a batch; `None` when it is not there.
pub fn read(journal: &mut dyn Journal, sequence: BatchSequence) -> anyhow::Result<Option<SealedBatch>> {
    Ok(match journal.read(sequence)? {
        Found::Batch(batch) => Some(*batch),
        Found::Absent | Found::Missing { .. } => None,
    })
}
