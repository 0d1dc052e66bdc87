//! What directories hold: durable names, and the changes since.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rand::RngExt;
use rand::rngs::SmallRng;

use super::{Id, ROOT, Unsynced};

/// A name in a directory.
type Place = (Id, OsString);

#[derive(Clone, Copy)]
struct Entry {
    id: Id,
    is_directory: bool,
}

enum Change {
    Enter { place: Place, entry: Entry },
    Leave { place: Place },
    Rename { from: Place, to: Place },
}

impl Change {
    fn directories(&self) -> [Id; 2] {
        match self {
            Self::Enter { place, .. } | Self::Leave { place } => [place.0, place.0],
            Self::Rename { from, to } => [from.0, to.0],
        }
    }

    fn apply(&self, entries: &mut BTreeMap<Place, Entry>) {
        match self {
            Self::Enter { place, entry } => {
                entries.insert(place.clone(), *entry);
            }
            Self::Leave { place } => {
                entries.remove(place);
            }
            Self::Rename { from, to } => {
                // What lost its own beginning cannot be renamed either.
                if let Some(entry) = entries.remove(from) {
                    entries.insert(to.clone(), entry);
                }
            }
        }
    }
}

struct Recorded {
    number: usize,
    is_durable: bool,
    change: Change,
}

/// All directories.
#[derive(Default)]
pub(super) struct Names {
    durable: BTreeMap<Place, Entry>,
    changes: Vec<Recorded>,
    /// As the program saw them last.
    live: BTreeMap<Place, Entry>,
}

impl Names {
    /// What is there; the recorded directory itself has the empty path.
    pub(super) fn find(&self, path: &Path) -> anyhow::Result<Id> {
        let mut id = ROOT;
        for name in path {
            let entry = self.live.get(&(id, name.to_owned()));
            id = entry.with_context(|| format!("{} is not there", path.display()))?.id;
        }
        Ok(id)
    }

    pub(super) fn enter_durably(&mut self, path: &Path, id: Id, is_directory: bool) -> anyhow::Result<()> {
        let place = self.place(path)?;
        self.durable.insert(place.clone(), Entry { id, is_directory });
        self.live.insert(place, Entry { id, is_directory });
        Ok(())
    }

    pub(super) fn enter(
        &mut self,
        number: usize,
        path: &Path,
        id: Id,
        is_directory: bool,
    ) -> anyhow::Result<()> {
        let place = self.place(path)?;
        self.change(number, Change::Enter { place, entry: Entry { id, is_directory } });
        Ok(())
    }

    pub(super) fn leave(&mut self, number: usize, path: &Path) -> anyhow::Result<()> {
        let place = self.place(path)?;
        self.change(number, Change::Leave { place });
        Ok(())
    }

    pub(super) fn rename(&mut self, number: usize, from: &Path, to: &Path) -> anyhow::Result<()> {
        self.find(from)?;
        let (from, to) = (self.place(from)?, self.place(to)?);
        self.change(number, Change::Rename { from, to });
        Ok(())
    }

    /// The names in a directory are durable, as they were before operation `covers`.
    pub(super) fn sync_directory(&mut self, directory: Id, covers: usize) {
        for recorded in self.changes.iter_mut().take_while(|recorded| recorded.number < covers) {
            recorded.is_durable |= recorded.change.directories().contains(&directory);
        }
    }

    /// The name that a file was made under is durable, and those of the directories it was made in.
    pub(super) fn sync_creation(&mut self, mut id: Id, covers: usize) {
        while let Some((recorded, directory)) =
            self.changes.iter_mut().find_map(|recorded| match &recorded.change {
                Change::Enter { place, entry } if entry.id == id && recorded.number < covers => {
                    let directory = place.0;
                    Some((recorded, directory))
                }
                _ => None,
            })
        {
            recorded.is_durable = true;
            id = directory;
        }
    }

    /// What is there when power comes back, by path: parents before children.
    pub(super) fn after_power_cut(
        &self,
        unsynced: Unsynced,
        chance: &mut SmallRng,
    ) -> BTreeMap<PathBuf, (Id, bool)> {
        let mut left = self.changes_left(unsynced, chance);
        let mut entries = self.durable.clone();
        for recorded in &self.changes {
            let [from, to] = recorded.change.directories();
            let in_time =
                |directory, left: &HashMap<Id, usize>| left.get(&directory).is_some_and(|left| *left > 0);
            if recorded.is_durable || (in_time(from, &left) && in_time(to, &left)) {
                recorded.change.apply(&mut entries);
            }
            if !recorded.is_durable {
                for directory in self.distinct(&recorded.change) {
                    left.entry(directory).and_modify(|left| *left = left.saturating_sub(1));
                }
            }
        }
        let mut found = BTreeMap::new();
        collect(&entries, ROOT, Path::new(""), &mut found);
        found
    }

    /// How many of each directory's changes that are not durable made it to the disk: they do so in order.
    fn changes_left(&self, unsynced: Unsynced, chance: &mut SmallRng) -> HashMap<Id, usize> {
        let mut left: BTreeMap<Id, usize> = BTreeMap::new();
        for recorded in self.changes.iter().filter(|recorded| !recorded.is_durable) {
            for directory in self.distinct(&recorded.change) {
                *left.entry(directory).or_default() += 1;
            }
        }
        let choose = |changes: usize, chance: &mut SmallRng| match unsynced {
            Unsynced::Kept => changes,
            Unsynced::Lost => 0,
            Unsynced::Torn { .. } => chance.random_range(0..=changes),
        };
        left.into_iter().map(|(directory, changes)| (directory, choose(changes, chance))).collect()
    }

    fn distinct(&self, change: &Change) -> impl Iterator<Item = Id> + use<> {
        let [from, to] = change.directories();
        std::iter::once(from).chain((from != to).then_some(to))
    }

    fn place(&self, path: &Path) -> anyhow::Result<Place> {
        let name: &OsStr = path.file_name().context("the recorded directory itself was changed")?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((self.find(parent)?, name.to_owned()))
    }

    fn change(&mut self, number: usize, change: Change) {
        change.apply(&mut self.live);
        self.changes.push(Recorded { number, is_durable: false, change });
    }
}

fn collect(
    entries: &BTreeMap<Place, Entry>,
    directory: Id,
    inside: &Path,
    found: &mut BTreeMap<PathBuf, (Id, bool)>,
) {
    for ((_, name), entry) in
        entries.range((directory, OsString::new())..).take_while(|((of, _), _)| *of == directory)
    {
        let path = inside.join(name);
        found.insert(path.clone(), (entry.id, entry.is_directory));
        if entry.is_directory {
            collect(entries, entry.id, &path, found);
        }
    }
}
