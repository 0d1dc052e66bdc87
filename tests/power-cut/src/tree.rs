//! A directory as a value: read from a disk, or written to one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Files and directories by relative path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tree(pub BTreeMap<PathBuf, Node>);

/// What lies at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Node {
    /// A directory; what is in it has paths of its own.
    Directory,
    /// A file, with what it holds.
    File(Vec<u8>),
}

impl Tree {
    /// Everything below a directory.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.collect(directory, Path::new(""))
            .with_context(|| format!("failed to read {}", directory.display()))?;
        Ok(tree)
    }

    fn collect(&mut self, root: &Path, inside: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(root.join(inside))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.0.insert(path.clone(), Node::Directory);
                self.collect(root, &path)?;
            } else {
                self.0.insert(path, Node::File(fs::read(entry.path())?));
            }
        }
        Ok(())
    }

    /// Writes everything into a new directory.
    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(directory)?;
        // Parents come before their children in this order.
        for (path, node) in &self.0 {
            let path = directory.join(path);
            match node {
                Node::Directory => fs::create_dir(&path),
                Node::File(bytes) => fs::write(&path, bytes),
            }
            .with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }

    /// What a file holds, when it is there.
    pub fn file(&self, path: &Path) -> Option<&[u8]> {
        match self.0.get(path) {
            Some(Node::File(bytes)) => Some(bytes),
            _ => None,
        }
    }
}
