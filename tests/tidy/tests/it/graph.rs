//! What is built together: one provider of cryptography, one of each library that must not be there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::tree::{File, files};
use crate::{assert_nothing_wrong, repository};

/// A second provider makes rustls panic at run time; OpenSSL is not ours to patch.
const NEVER: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];
/// Two of these do not know each other's types, or do not link.
const ONCE: [&str; 8] = ["aws-lc-sys", "axum", "hyper", "quinn", "rustls", "serde", "tokio", "zstd-sys"];

const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Names with versions, and who uses whom by position.
#[derive(Default)]
struct Graph {
    packages: Vec<(String, String)>,
    uses: BTreeMap<usize, Vec<usize>>,
    roots: Vec<usize>,
}

impl Graph {
    /// What ends up in our programs or builds them on Linux: normal and build dependencies.
    ///
    /// From `cargo tree`, because `cargo metadata` also lists optional packages that nobody switched on.
    fn of_workspace() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.args([
            "tree",
            "--workspace",
            "--locked",
            "--offline",
            "--target",
            "x86_64-unknown-linux-gnu",
        ]);
        command.args(["--edges", "normal,build", "--prefix", "depth"]).current_dir(repository());
        let printed = command.output().expect("cargo is there: it runs this test");
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        Self::parse(&String::from_utf8_lossy(&printed.stdout))
    }

    /// Lines such as `2ring v0.17.14 (*)`: how deep, what, and a mark if it was spelled out before.
    fn parse(tree: &str) -> Self {
        let (mut graph, mut way) = (Self::default(), Vec::new());
        for line in tree.lines() {
            let name_at = line.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(line.len());
            let (depth, rest) = line.split_at(name_at);
            let mut words = rest.split_whitespace();
            let (Ok(depth), Some(name), Some(version)) = (depth.parse(), words.next(), words.next()) else {
                continue;
            };
            let place = graph.place_of(name, version.trim_start_matches('v'));
            way.truncate(depth);
            match way.last() {
                Some(from) => graph.uses.entry(*from).or_default().push(place),
                None => graph.roots.push(place),
            }
            way.push(place);
        }
        graph
    }

    fn place_of(&mut self, name: &str, version: &str) -> usize {
        let package = (name.to_owned(), version.to_owned());
        self.packages.iter().position(|known| *known == package).unwrap_or_else(|| {
            self.packages.push(package);
            self.packages.len() - 1
        })
    }

    /// Everything reached, each with who brought it in.
    fn reached(&self) -> BTreeMap<usize, Option<usize>> {
        let mut reached: BTreeMap<usize, Option<usize>> =
            self.roots.iter().map(|root| (*root, None)).collect();
        let mut waiting = self.roots.clone();
        while let Some(from) = waiting.pop() {
            for to in self.uses.get(&from).into_iter().flatten() {
                if !reached.contains_key(to) {
                    reached.insert(*to, Some(from));
                    waiting.push(*to);
                }
            }
        }
        reached
    }

    fn way_to(&self, package: usize, reached: &BTreeMap<usize, Option<usize>>) -> String {
        let mut way = vec![self.packages[package].0.as_str()];
        let mut at = package;
        while let Some(from) = reached.get(&at).copied().flatten() {
            way.push(&self.packages[from].0);
            at = from;
        }
        way.reverse();
        way.join(" -> ")
    }
}

fn forbidden_packages(graph: &Graph) -> Vec<String> {
    let reached = graph.reached();
    let forbidden = reached.keys().filter(|place| NEVER.contains(&graph.packages[**place].0.as_str()));
    forbidden.map(|place| graph.way_to(*place, &reached)).collect()
}

fn doubled_packages(graph: &Graph) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in graph.reached().keys() {
        let (name, version) = &graph.packages[*place];
        versions.entry(name).or_default().insert(version);
    }
    let doubled = versions.iter().filter(|(name, versions)| ONCE.contains(name) && versions.len() > 1);
    doubled.map(|(name, versions)| format!("{name} is there as {versions:?}")).collect()
}

/// Lines of `Cargo.lock` and `package-lock.json` that say where a package is fetched from, other than the usual way.
fn foreign_sources(lock: &File) -> Vec<String> {
    let foreign = |line: &str| match line.trim().split_once([' ', ':']) {
        Some(("source", rest)) => !rest.contains(&format!("\"{INDEX}\"")),
        Some(("\"resolved\"", rest)) => !rest.trim().trim_start_matches('"').starts_with("file:"),
        _ => false,
    };
    lock.numbered()
        .filter(|(_, line)| foreign(line))
        .map(|(number, line)| format!("{}:{number}: {}", lock.path, line.trim()))
        .collect()
}

#[test]
fn cryptography_comes_from_one_provider() {
    assert_nothing_wrong("a second provider came in", &forbidden_packages(&Graph::of_workspace()));
}

#[test]
fn what_must_be_there_once_is_there_once() {
    let graph = Graph::of_workspace();
    assert_nothing_wrong("a library is there twice", &doubled_packages(&graph));
    let reached = graph.reached();
    for name in ["rustls", "tokio", "zstd-sys"] {
        let found = reached.keys().any(|place| graph.packages[*place].0 == name);
        assert!(found, "{name} is not there at all: the graph is read wrongly");
    }
}

#[test]
fn lock_files_name_no_registry_of_our_own() {
    let mut locks = files("Cargo.lock");
    locks.extend(files("package-lock.json"));
    let problems: Vec<String> = locks.iter().flat_map(foreign_sources).collect();
    assert_nothing_wrong("a lock file only works where it was made", &problems);
}

fn doubled(tree: &str) -> Vec<String> {
    doubled_packages(&Graph::parse(tree))
}

#[test]
fn a_second_provider_is_found_with_its_way_in() {
    let check =
        |tree, expected: &[&str]| assert_eq!(forbidden_packages(&Graph::parse(tree)), expected, "{tree}");
    check("0ours v0.1.0 (/ours)\n1rustls v0.23.0\n2aws-lc-rs v1.0.0\n1tokio v1.0.0\n", &[]);
    check("0ours v0.1.0 (/ours)\n1rustls v0.23.0\n2ring v0.17.0\n", &["ours -> rustls -> ring"]);
    check("0a v0.1.0\n1b v1.0.0\n0c v0.1.0\n1b v1.0.0 (*)\n1openssl v1.0.0\n", &["c -> openssl"]);
    check("", &[]);
}

#[test]
fn a_doubled_library_is_found() {
    assert_eq!(doubled("0ours v0.1.0\n1tokio v1.0.0\n1b v2.0.0\n2tokio v1.0.0 (*)\n"), Vec::<String>::new());
    assert_eq!(doubled("0ours v0.1.0\n1tokio v1.0.0\n1b v2.0.0\n2tokio v0.2.0\n").len(), 1);
    assert_eq!(doubled("0ours v0.1.0\n1b v1.0.0\n1b v2.0.0\n"), Vec::<String>::new());
}

#[test]
fn a_foreign_source_is_found() {
    let check = |line: &str, expected| {
        assert_eq!(foreign_sources(&File::new("Cargo.lock", line)).len(), expected, "{line}");
    };
    check(&format!("source = \"{INDEX}\""), 0);
    check("source = \"registry+https://crates.example.org/index\"", 1);
    check("source = \"git+https://example.org/a/b#0123\"", 1);
    check("      \"resolved\": \"https://npm.example.org/a/-/a-1.0.0.tgz\",", 1);
    check("      \"resolved\": \"file:../local\",", 0);
    check("      \"url\": \"https://example.org/funding\"", 0);
}
