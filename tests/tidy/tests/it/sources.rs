//! How sources look: finished, short, under the workspace's lints.

use crate::assert_nothing_wrong;
use crate::tree::{File, files};

/// Written in two halves, so that this file does not find itself.
const UNFINISHED: [&str; 3] =
    [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore")];
const UNWRAP: &str = concat!(".unw", "rap()");
/// What is longer is usually two things.
const LINES_MAX: usize = 600;
/// Files that may be longer, how much, and until when: empty is best.
const LONGER: [(&str, usize); 0] = [];
/// Names for a heap, not for a thing.
const HEAPS: [&str; 5] = ["common", "helpers", "legacy", "misc", "utils"];

fn unfinished(file: &File) -> Vec<String> {
    let bad = |line: &str| {
        UNFINISHED.iter().any(|macro_name| line.contains(macro_name))
            || (!file.is_test() && line.contains(UNWRAP))
    };
    // In a module of tests, only what hides a test counts.
    let tests = file.numbered().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let hidden = tests.filter(|(_, line)| UNFINISHED.iter().any(|macro_name| line.contains(macro_name)));
    let mut found: Vec<(usize, &str)> = file.code().filter(|(_, line)| bad(line)).chain(hidden).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())).collect()
}

fn too_long(file: &File, longer: &[(&str, usize)]) -> Option<String> {
    let limit = longer.iter().find(|(path, _)| *path == file.path).map_or(LINES_MAX, |(_, limit)| *limit);
    let length = file.length();
    (!file.is_test() && length > limit).then(|| format!("{} has {length} lines without its tests", file.path))
}

fn heap(file: &File) -> Option<String> {
    let mut parts = file.path.trim_end_matches(".rs").rsplit('/');
    let named = parts.next().filter(|name| *name != "mod").or_else(|| parts.next())?;
    HEAPS.contains(&named).then(|| format!("{} is named after nothing", file.path))
}

fn without_lints(manifest: &File) -> Option<String> {
    let mut lines = manifest.text.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    let inherited = lines.next() == Some("workspace = true");
    let is_crate = manifest.text.lines().any(|line| line.trim() == "[package]");
    (is_crate && !inherited).then(|| format!("{} needs `[lints]` with `workspace = true`", manifest.path))
}

#[test]
fn sources_are_finished() {
    let problems: Vec<String> = files(".rs").iter().flat_map(unfinished).collect();
    assert_nothing_wrong("something is unfinished, hidden or may panic", &problems);
}

#[test]
fn files_are_short_enough_to_be_read() {
    let problems: Vec<String> = files(".rs").iter().filter_map(|file| too_long(file, &LONGER)).collect();
    assert_nothing_wrong("split by meaning, not by size", &problems);
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let problems: Vec<String> = files(".rs").iter().filter_map(heap).collect();
    assert_nothing_wrong("a heap is no module", &problems);
}

#[test]
fn every_crate_is_under_the_lints_of_the_workspace() {
    let manifests = files("Cargo.toml").into_iter().filter(|file| !file.path.contains("fuzz/"));
    let problems: Vec<String> = manifests.filter_map(|file| without_lints(&file)).collect();
    assert_nothing_wrong("a crate has rules of its own", &problems);
}

#[test]
fn what_is_unfinished_is_found() {
    let check = |path, text: &str, expected| {
        assert_eq!(unfinished(&File::new(path, text)).len(), expected, "{path}: {text}");
    };
    check("a/src/lib.rs", &format!("let a = b{UNWRAP};"), 1);
    check("a/src/lib.rs", &format!("/// `b{UNWRAP}`\n#[cfg(test)]\nlet a = b{UNWRAP};"), 0);
    check("a/tests/it/main.rs", &format!("let a = b{UNWRAP};"), 0);
    for text in UNFINISHED {
        check("a/src/lib.rs", text, 1);
        check("a/src/lib.rs", &format!("#[cfg(test)]\n{text}"), 1);
        check("a/tests/it/main.rs", text, 1);
    }
    check("a/src/lib.rs", "let a = b.expect(\"checked above\");", 0);
}

#[test]
fn a_file_that_is_too_long_is_found() {
    let long = File::new("a/src/lib.rs", &"x\n".repeat(LINES_MAX + 1));
    assert!(too_long(&long, &[]).is_some());
    assert!(too_long(&long, &[("a/src/lib.rs", LINES_MAX + 1)]).is_none());
    assert!(too_long(&File::new("a/src/lib.rs", &"x\n".repeat(LINES_MAX)), &[]).is_none());
    let tested = format!("#[cfg(test)]\n{}", long.text);
    assert!(too_long(&File::new("a/src/lib.rs", &tested), &[]).is_none());
    assert!(too_long(&File::new("a/src/tests.rs", &long.text), &[]).is_none());
}

#[test]
fn a_heap_is_found() {
    let check = |path, expected| assert_eq!(heap(&File::new(path, "")).is_some(), expected, "{path}");
    check("a/src/utils.rs", true);
    check("a/src/common/mod.rs", true);
    check("a/src/outbox.rs", false);
    check("a/src/commons.rs", false);
}

#[test]
fn a_crate_with_lints_of_its_own_is_found() {
    let check = |text, expected| {
        assert_eq!(without_lints(&File::new("a/Cargo.toml", text)).is_some(), expected, "{text}");
    };
    check("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n", false);
    check("[package]\nname = \"a\"\n", true);
    check("[package]\nname = \"a\"\n[lints]\nrust.unsafe_code = \"allow\"\n", true);
    check("[workspace]\n", false);
}
