//! The project's rules. A rule takes what it judges as a value and returns what is wrong with it, one line each.

use std::path::{Path, PathBuf};

mod arrows;
mod engines;
mod graph;
mod licences;
mod sources;
mod tree;

fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("this crate lies two folders below the root").to_path_buf()
}

/// What cargo knows of the workspace as it is built on Linux, without asking any registry.
fn metadata() -> cargo_metadata::Metadata {
    let options = ["--locked", "--offline", "--filter-platform", "x86_64-unknown-linux-gnu"];
    cargo_metadata::MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .other_options(options.map(str::to_owned))
        .exec()
        .expect("the workspace was built, so cargo knows it")
}

#[track_caller]
fn assert_nothing_wrong(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}
