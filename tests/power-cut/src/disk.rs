//! A disk that forgets: what a file system may show after a power cut, given what was done before.
//!
//! The rules stand in the crate's documentation.

mod content;
mod names;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::record::Operation;
use crate::tree::{Node, Tree};
use content::Content;
use names::Names;

/// A file or a directory, whatever its name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Id(usize);

/// The directory that was recorded.
const ROOT: Id = Id(0);

/// When a new name becomes durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameRule {
    /// Only when its directory is synced, which is all that POSIX promises.
    DirectorySync,
    /// A new file's or directory's own sync is enough, also for those it was made in, as on ext4, XFS and btrfs.
    FileSync,
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unsynced {
    /// All of it is there: a kill.
    Kept,
    /// None of it is.
    Lost,
    /// Each sector is as it was at some moment since it was last synced, each list of names and each length too.
    Torn {
        /// What the disk writes at once.
        sector_bytes: usize,
        /// How likely a sector shows the newest that was written to it.
        newest: f64,
    },
}

impl Unsynced {
    /// One of all the ways.
    pub fn choose(chance: &mut SmallRng) -> Self {
        match chance.random_range(0..6) {
            0 => Self::Kept,
            1 => Self::Lost,
            _ => Self::Torn {
                sector_bytes: if chance.random() { 512 } else { 4096 },
                newest: chance.random_range(0.0..1.0),
            },
        }
    }
}

/// Files with what is durable of them and what is not yet.
pub struct Disk<'a> {
    names: Names,
    contents: Vec<Content<'a>>,
    /// What an inode number stands for at present.
    inodes: HashMap<u64, Id>,
    rule: NameRule,
}

impl<'a> Disk<'a> {
    /// A disk on which everything is durable.
    pub fn new(tree: &Tree, rule: NameRule) -> anyhow::Result<Self> {
        let mut disk = Self {
            names: Names::default(),
            contents: vec![Content::default()],
            inodes: HashMap::new(),
            rule,
        };
        for (path, node) in &tree.0 {
            let bytes = match node {
                Node::Directory => Vec::new(),
                Node::File(bytes) => bytes.clone(),
            };
            let id = disk.add(Content::durable(bytes));
            disk.names.enter_durably(path, id, *node == Node::Directory)?;
        }
        Ok(disk)
    }

    /// Carries out operations, the first of them being number 0.
    pub fn apply(&mut self, operations: &[Operation<'a>]) -> anyhow::Result<()> {
        for (number, operation) in operations.iter().enumerate() {
            self.apply_one(number, operation)
                .with_context(|| format!("operation {number}, {}", describe(operation)))?;
        }
        Ok(())
    }

    fn apply_one(&mut self, number: usize, operation: &Operation<'a>) -> anyhow::Result<()> {
        match operation {
            Operation::Allocate { inode, end } => self.content(*inode)?.allocate(number, *end),
            Operation::MakeDirectory { path, inode } => {
                let id = self.add(Content::default());
                self.inodes.insert(*inode, id);
                self.names.enter(number, path, id, true)?;
            }
            Operation::Open { path, inode, created, truncated } => {
                let id = if *created { self.create(number, path)? } else { self.names.find(path)? };
                self.inodes.insert(*inode, id);
                if *truncated {
                    self.content(*inode)?.resize(number, 0);
                }
            }
            Operation::Remove { path } => self.names.leave(number, path)?,
            Operation::Rename { from, to } => self.names.rename(number, from, to)?,
            Operation::Resize { inode, length } => self.content(*inode)?.resize(number, *length),
            Operation::Sync { inode, covers } => {
                let id = self.id(*inode)?;
                self.contents[id.0].sync(*covers);
                self.names.sync_directory(id, *covers);
                if self.rule == NameRule::FileSync {
                    self.names.sync_creation(id, *covers);
                }
            }
            Operation::SyncRange { .. } => {}
            Operation::Write { inode, offset, data } => self.content(*inode)?.write(number, *offset, data),
        }
        Ok(())
    }

    /// What is there when power comes back.
    pub fn after_power_cut(&self, unsynced: Unsynced, chance: &mut SmallRng) -> Tree {
        let mut tree = Tree::default();
        for (path, (id, is_directory)) in self.names.after_power_cut(unsynced, chance) {
            let node = if is_directory {
                Node::Directory
            } else {
                Node::File(self.contents[id.0].after_power_cut(unsynced, chance))
            };
            tree.0.insert(path, node);
        }
        tree
    }

    /// What a file holds to whoever reads it before the cut.
    pub fn as_seen(&self, path: &Path) -> Option<Vec<u8>> {
        let id = self.names.find(path).ok()?;
        Some(self.contents[id.0].as_seen())
    }

    fn create(&mut self, number: usize, path: &Path) -> anyhow::Result<Id> {
        let id = self.add(Content::default());
        self.names.enter(number, path, id, false)?;
        Ok(id)
    }

    fn add(&mut self, content: Content<'a>) -> Id {
        self.contents.push(content);
        Id(self.contents.len() - 1)
    }

    fn id(&self, inode: u64) -> anyhow::Result<Id> {
        self.inodes.get(&inode).copied().context("a file that nobody opened")
    }

    fn content(&mut self, inode: u64) -> anyhow::Result<&mut Content<'a>> {
        let id = self.id(inode)?;
        Ok(&mut self.contents[id.0])
    }
}

/// Without the bytes.
fn describe(operation: &Operation<'_>) -> String {
    match operation {
        Operation::Write { inode, offset, data } => {
            format!("a write of {} bytes at {offset} of inode {inode}", data.len())
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
