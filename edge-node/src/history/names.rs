//! Numbers that a mission's parameters keep on disk, whatever dictionary names them: one name a line in `parameters`.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use mission_database::{MissionDatabase, ParameterIndex};

/// Longest file that is read: 75,000 names have a tenth of it.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Names and their numbers.
#[derive(Debug)]
pub(crate) struct ParameterNames {
    path: PathBuf,
    numbers: HashMap<String, u32>,
    /// Lines of the file.
    next: u32,
    /// By the mission's own numbers, as far as they were asked for.
    of_index: Vec<Option<u32>>,
}

impl ParameterNames {
    /// No names yet.
    pub(crate) fn empty(mission_directory: &Path) -> Self {
        let path = mission_directory.join("parameters");
        Self { path, numbers: HashMap::new(), next: 0, of_index: Vec::new() }
    }

    /// Reads the file; what a power cut left of a last line is taken away.
    pub(crate) fn open(mission_directory: &Path) -> std::io::Result<Self> {
        let path = mission_directory.join("parameters");
        let mut text = match std::fs::metadata(&path) {
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                return Err(std::io::Error::other("the list of parameters is longer than any mission's"));
            }
            Ok(_) => std::fs::read(&path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        if whole < text.len() {
            text.truncate(whole);
            OpenOptions::new().write(true).open(&path)?.set_len(whole as u64)?;
        }
        let (mut numbers, mut next) = (HashMap::new(), 0);
        for (number, line) in (0u32..).zip(text.split_inclusive(|&byte| byte == b'\n')) {
            // A line that is damaged keeps its number, and nobody has its name.
            let name = String::from_utf8_lossy(line).trim_end().to_owned();
            numbers.entry(name).or_insert(number);
            next = number + 1;
        }
        Ok(Self { path, numbers, next, of_index: Vec::new() })
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.next as usize
    }

    /// The number of a parameter, if it has one.
    pub(crate) fn known(&self, database: &MissionDatabase, parameter: ParameterIndex) -> Option<u32> {
        if let Some(&Some(number)) = self.of_index.get(parameter.0 as usize) {
            return Some(number);
        }
        let described = database.parameters().get(parameter.0 as usize)?;
        self.numbers.get(described.name.as_str()).copied()
    }

    /// Gives numbers to parameters that have none, durably. Each comes once.
    pub(crate) fn number(
        &mut self,
        database: &MissionDatabase,
        parameters: impl IntoIterator<Item = ParameterIndex>,
    ) -> std::io::Result<()> {
        let (mut new, mut lines) = (Vec::new(), String::new());
        let mut next = self.next;
        for parameter in parameters {
            let place = parameter.0 as usize;
            if place >= self.of_index.len() {
                self.of_index.resize(place + 1, None);
            }
            if self.of_index[place].is_some() {
                continue;
            }
            let Some(described) = database.parameters().get(place) else { continue };
            match self.numbers.get(described.name.as_str()) {
                Some(&number) => self.of_index[place] = Some(number),
                None => {
                    lines.push_str(&described.name);
                    lines.push('\n');
                    new.push((place, described.name.clone(), next));
                    next += 1;
                }
            }
        }
        if !new.is_empty() {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            let before = file.metadata()?.len();
            if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()) {
                let _ = file.set_len(before);
                return Err(error);
            }
        }
        self.next = next;
        for (place, name, number) in new {
            self.of_index[place] = Some(number);
            self.numbers.insert(name, number);
        }
        Ok(())
    }
}
