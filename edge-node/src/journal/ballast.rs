//! Disk that is kept in reserve: given back when the disk is full, so that what needs space to make space has some.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

const FILE: &str = "ballast";

/// The reserve of a data directory.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    is_held: bool,
}

impl Ballast {
    /// The reserve as it lies there; it is made with [`Ballast::make`].
    pub(super) fn find(data: &Path, bytes: u64) -> Self {
        let path = data.join(FILE);
        let is_held = bytes > 0 && path.metadata().is_ok_and(|file| file.len() >= bytes);
        Self { path, bytes, is_held }
    }

    /// Its size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it lies there.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Whether it is wanted and not there.
    pub(super) fn is_missing(&self) -> bool {
        self.bytes > 0 && !self.is_held
    }

    /// Gives the reserve back to the disk.
    pub(super) fn release(&mut self) -> io::Result<()> {
        std::fs::remove_file(&self.path)?;
        self.is_held = false;
        Ok(())
    }

    /// Takes the reserve: really, not as a hole. What could not be taken whole is given back.
    pub(super) fn make(&mut self) -> io::Result<()> {
        let made = File::create(&self.path).and_then(|file| {
            fill(&file, self.bytes)?;
            file.sync_all()
        });
        if made.is_err() {
            drop(std::fs::remove_file(&self.path));
        }
        self.is_held = made.is_ok();
        made
    }
}

fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = vec![0; 1 << 20];
            let mut left = bytes;
            while left > 0 {
                let size = left.min(zeros.len() as u64);
                file.write_all(&zeros[..size as usize])?;
                left -= size;
            }
            Ok(())
        }
        other => Ok(other?),
    }
}
