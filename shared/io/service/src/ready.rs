//! `ready.json`: where a running daemon listens. Written once it serves, removed when it stops; other
//! processes of this machine wait for it and read the ports from it.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The file of a running daemon; removed on drop.
pub struct ReadyFile {
    path: PathBuf,
}

impl ReadyFile {
    /// Removes what an earlier run left.
    pub fn clear(data_directory: &Path) -> std::io::Result<()> {
        match std::fs::remove_file(data_directory.join("ready.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes the file, whole or not at all.
    pub fn write(data_directory: &Path, content: &impl Serialize) -> std::io::Result<Self> {
        let file = Self { path: data_directory.join("ready.json") };
        file.rewrite(content)?;
        Ok(file)
    }

    /// Writes it again, when the daemon listens elsewhere too: whole or not at all.
    pub fn rewrite(&self, content: &impl Serialize) -> std::io::Result<()> {
        let unfinished = self.path.with_extension("json.unfinished");
        std::fs::write(&unfinished, serde_json::to_vec(content)?)?;
        std::fs::rename(&unfinished, &self.path)
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // A file left behind is cleared at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}
