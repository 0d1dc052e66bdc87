//! Finds and reads the shared recordings.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::read::GzDecoder;

/// The folder of the shared recordings; `None`: they are not on this machine.
pub fn shared_recordings() -> Option<PathBuf> {
    if let Some(shared) = std::env::var_os("STO_SHARED_DATA") {
        let folder = Path::new(&shared).join("anomaly");
        return folder.is_dir().then_some(folder);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data/anomaly")).find(|folder| folder.is_dir())
}

/// A compressed table.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a `.csv.gz` with a header.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
        let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
        let columns = reader.headers()?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>();
        Ok(Self { columns, rows: rows.with_context(|| format!("failed to read {}", path.display()))? })
    }

    /// A column as text.
    pub fn texts(&self, column: &str) -> anyhow::Result<Vec<&str>> {
        let place = self.columns.iter().position(|name| name == column);
        let place = place.with_context(|| format!("there is no column {column}"))?;
        Ok(self.rows.iter().map(|row| row.get(place).unwrap_or_default()).collect())
    }

    /// A column of numbers.
    pub fn numbers(&self, column: &str) -> anyhow::Result<Vec<f64>> {
        let parsed = self.texts(column)?.into_iter().map(str::parse::<f64>).collect::<Result<_, _>>();
        parsed.with_context(|| format!("{column} has a value that is no number"))
    }
}

/// The names of all `….csv.gz` of a folder that end so, without the ending, sorted.
pub fn names(folder: &Path, ending: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(ending).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
