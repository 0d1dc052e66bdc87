//! One module names each engine, so that it can be replaced.

use crate::assert_nothing_wrong;
use crate::tree::{File, files};

/// A crate's name in code, and the only folders whose files may say it.
const ENGINES: [(&str, &[&str]); 8] = [
    ("automerge", &["shared/core/operator-state/"]),
    ("quinn", &["shared/io/link/"]),
    ("quinn_proto", &["shared/io/link/"]),
    ("redis", &["cloud-hub/src/archive/fan_out/", "tests/"]),
    ("refinery", &["cloud-hub/src/archive/", "cloud-hub/src/archive.rs"]),
    ("rustls", &["shared/io/link/", "shared/io/notify/src/tls.rs", "shared/io/notify/tests/"]),
    ("sled", &["edge-node/src/journal/", "edge-node/src/journal.rs"]),
    ("tokio_postgres", &["cloud-hub/src/archive/", "cloud-hub/src/archive.rs", "tests/"]),
];

/// What the core must be given instead of taking it.
const NOT_IN_CORE: [&str; 8] = [
    "Instant::now",
    "SystemTime::now",
    "std::env::",
    "std::fs::",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process::",
    "std::thread::",
];

fn engines_named_elsewhere(sources: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    // These rules spell out what breaks them.
    for file in sources.iter().filter(|file| !file.path.starts_with("tests/tidy/")) {
        for (engine, folders) in ENGINES {
            if folders.iter().any(|folder| file.path.starts_with(folder)) {
                continue;
            }
            for (number, line) in file.code().filter(|(_, line)| names(line, engine)) {
                problems.push(format!("{}:{number} names {engine}: {}", file.path, line.trim()));
            }
        }
    }
    problems
}

/// Whether the line uses a path that begins with this crate.
fn names(line: &str, crate_name: &str) -> bool {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    line.match_indices(crate_name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + crate_name.len()..]);
        let imported = before.trim() == "use" && (after == ";" || after.starts_with(" as "));
        !before.ends_with(word) && (after.starts_with("::") || imported)
    })
}

fn impure_core(sources: &[File]) -> Vec<String> {
    let core = sources.iter().filter(|file| file.path.starts_with("shared/core/") && !file.is_test());
    let lines = core.flat_map(|file| file.code().map(move |(number, line)| (file, number, line)));
    lines
        .filter(|(_, _, line)| NOT_IN_CORE.iter().any(|taken| line.contains(taken)))
        .map(|(file, number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        .collect()
}

#[test]
fn each_engine_is_named_by_one_module_only() {
    assert_nothing_wrong("an engine is named outside its module", &engines_named_elsewhere(&files(".rs")));
}

#[test]
fn the_core_takes_no_time_files_or_sockets_by_itself() {
    assert_nothing_wrong(
        "the core is given time and data, it does not take them",
        &impure_core(&files(".rs")),
    );
}

#[test]
fn an_engine_that_is_named_elsewhere_is_found() {
    let check = |path, line: &str, expected| {
        let problems = engines_named_elsewhere(&[File::new(path, line)]);
        assert_eq!(problems.len(), expected, "{path}: {line}: {problems:?}");
    };
    check("edge-node/src/journal/store.rs", "use sled::Db;", 0);
    check("edge-node/src/node.rs", "use sled::Db;", 1);
    check("edge-node/src/node.rs", "use sled;", 1);
    check("edge-node/src/node.rs", "// sled::Db would do", 0);
    check("edge-node/src/node.rs", "let wheeled = bobsled::new();", 0);
    check("cloud-hub/src/fleet.rs", "use tokio_postgres::Client;", 1);
    check("cloud-hub/src/archive/cluster.rs", "use tokio_postgres::Client;", 0);
    check("tests/testkit/src/postgres.rs", "use tokio_postgres::Config;", 0);
    check("provisioning/src/authority.rs", "fn new() -> rustls::Error {", 1);
    check("shared/io/link/src/endpoint.rs", "fn new() -> quinn::Endpoint {", 0);
    check("cloud-hub/src/hub.rs", "fn names_tokio_postgres_rustls() {}", 0);
}

#[test]
fn a_core_that_looks_at_the_clock_is_found() {
    let check =
        |path, text: &str, expected| assert_eq!(impure_core(&[File::new(path, text)]).len(), expected);
    check("shared/core/delivery/src/outbox.rs", "let now = Instant::now();", 1);
    check("shared/core/delivery/src/outbox.rs", "/// Not `Instant::now()`.", 0);
    check("shared/core/delivery/src/outbox.rs", "#[cfg(test)]\nlet now = Instant::now();", 0);
    check("shared/core/delivery/tests/it/main.rs", "let now = Instant::now();", 0);
    check("edge-node/src/node.rs", "let now = Instant::now();", 0);
}
