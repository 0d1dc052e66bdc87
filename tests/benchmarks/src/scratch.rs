//! A folder to measure in: with enough room, and gone afterwards.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use rustix::fs::{Advice, fadvise, statvfs};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::figures::print;

/// Measures in a new folder, below the system's temporary directory unless another one is named, and removes it, whatever
/// happened. Prints first how much will be written, and does not begin where there is no room for it.
///
/// Who is told to stop drops what it measures, and with it every process that was started.
pub(crate) async fn measure(
    bench: &str,
    parent: Option<&Path>,
    bytes: u64,
    work: impl AsyncFnOnce(PathBuf) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let parent = std::path::absolute(parent.map_or_else(std::env::temp_dir, Path::to_owned))?;
    need(bench, &parent, bytes)?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let directory = parent.join(format!("sto-{bench}-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let outcome = tokio::select! {
        outcome = work(directory.clone()) => outcome,
        _ = interrupt.recv() => Err(anyhow::anyhow!("it was interrupted; what it started was ended")),
        _ = terminate.recv() => Err(anyhow::anyhow!("it was told to stop; what it started was ended")),
    };
    let removed = std::fs::remove_dir_all(&directory);
    outcome?;
    removed.with_context(|| format!("{} is still there", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn need(bench: &str, parent: &Path, bytes: u64) -> anyhow::Result<()> {
    let room = statvfs(parent).with_context(|| format!("no room can be read of {}", parent.display()))?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let context = json!({ "directory": parent, "free_gib": (gib(free) * 10.0).round() / 10.0 });
    print(bench, "disk_needed", gib(bytes), "GiB", &context);
    ensure!(
        bytes <= free,
        "{} needs {:.1} GiB in {} and there are {:.1}; nothing was started. Ask for less (see --help), or name another \
         disk with --directory",
        bench,
        gib(bytes),
        parent.display(),
        gib(free)
    );
    Ok(())
}

/// Gives back the memory that holds pages of these files, which nobody has open: the next read comes from the disk.
/// Returns how many files there were.
pub(crate) fn forget_pages(folder: &Path) -> anyhow::Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files += forget_pages(&entry.path())?;
        } else if kind.is_file() {
            match File::open(entry.path()).and_then(|file| forget(&file)) {
                Ok(()) => files += 1,
                // Temporary files come and go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| entry.path().display().to_string()),
            }
        }
    }
    Ok(files)
}

fn forget(file: &File) -> io::Result<()> {
    // Only what is on the disk can be given back.
    file.sync_data()?;
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_that_needs_more_than_the_disk_has_does_not_begin() {
        let folder = std::env::temp_dir();
        assert!(need("test", &folder, 1).is_ok());
        let refused = need("test", &folder, u64::MAX).expect_err("no disk is as large");
        assert!(refused.to_string().contains("nothing was started"), "{refused}");
    }

    #[test]
    fn files_are_still_whole_when_their_pages_are_forgotten() -> anyhow::Result<()> {
        let folder = std::env::temp_dir().join(format!("sto-forget-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("deeper"))?;
        std::fs::write(folder.join("deeper/file"), [7; 10_000])?;
        assert_eq!(forget_pages(&folder)?, 1);
        assert_eq!(std::fs::read(folder.join("deeper/file"))?, [7; 10_000]);
        Ok(std::fs::remove_dir_all(&folder)?)
    }
}
