//! The files of the repository, and which of their lines are tests.

use std::fs;
use std::path::Path;

use crate::repository;

/// A text file; its path is relative to the repository, with `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether all of it is test code: integration tests, and the sibling files that unit tests grow into.
    pub(crate) fn is_test(&self) -> bool {
        let mut folders: Vec<&str> = self.path.split('/').collect();
        let name = folders.pop().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || folders.iter().skip(1).any(|folder| ["benches", "tests"].contains(folder))
    }

    /// Its lines of code with their numbers: no comments, and nothing from the module of tests on.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.numbered().take_while(|(_, line)| line.trim() != "#[cfg(test)]" || self.is_test());
        code.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// How long it is without its module of tests.
    pub(crate) fn length(&self) -> usize {
        self.numbered().take_while(|(_, line)| line.trim() != "#[cfg(test)]").count()
    }

    /// All its lines, numbered from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// Every file with this name or ending that is ours.
pub(crate) fn files(ending: &str) -> Vec<File> {
    let (root, mut found) = (repository(), Vec::new());
    collect(&root, &root, ending, &mut found);
    assert!(!found.is_empty(), "no {ending} in {}", root.display());
    found
}

fn collect(root: &Path, folder: &Path, ending: &str, found: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("the repository is readable").flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let foreign = ["book", "corpus", "dist", "node_modules", "target", "var"].contains(&name.as_ref());
        if path.is_dir() && !foreign && !name.starts_with('.') {
            collect(root, &path, ending, found);
        } else if path.is_file() && name.ends_with(ending) {
            let relative = path.strip_prefix(root).expect("it was found below the root").to_string_lossy();
            let text = fs::read_to_string(&path).unwrap_or_else(|failed| panic!("{relative}: {failed}"));
            found.push(File { path: relative.replace('\\', "/"), text });
        }
    }
}

#[test]
fn tests_are_told_from_sources() {
    let check = |path, expected| assert_eq!(File::new(path, "").is_test(), expected, "{path}");
    check("cloud-hub/src/archive/cluster.rs", false);
    check("cloud-hub/src/archive/cluster/tests.rs", true);
    check("provisioning/src/token_tests.rs", true);
    check("shared/core/delivery/tests/it/main.rs", true);
    check("tests/testkit/src/process.rs", false);
    check("tests/tidy/tests/it/main.rs", true);
    let file = File::new("a/src/lib.rs", "//! Doc.\nfn a() {}\n    // why\n#[cfg(test)]\nmod tests {}\n");
    assert_eq!(file.code().collect::<Vec<_>>(), [(2, "fn a() {}")]);
    assert_eq!(file.length(), 3);
}
