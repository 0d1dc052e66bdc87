//! Dependencies run one way: core, io, what both binaries share, binaries, tests.

use cargo_metadata::DependencyKind;

use crate::{assert_nothing_wrong, metadata, repository};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    Core,
    Io,
    Dashboard,
    Provisioning,
    Binary,
    Simulator,
    Testkit,
    Tests,
}

use Layer::{Binary, Core, Dashboard, Io, Provisioning, Simulator, Testkit, Tests};

/// Every crate's folder and layer: a new crate gets its row here, and so its place.
const LAYERS: [(&str, Layer); 27] = [
    ("shared/core/delivery", Core),
    ("shared/core/mission-database", Core),
    ("shared/core/model", Core),
    ("shared/core/operator-state", Core),
    ("shared/core/orbit", Core),
    ("shared/core/processing", Core),
    ("shared/core/space-packet", Core),
    ("shared/io/export", Io),
    ("shared/io/inspect", Io),
    ("shared/io/intake", Io),
    ("shared/io/link", Io),
    ("shared/io/notify", Io),
    ("shared/io/service", Io),
    ("proto", Io),
    ("shared/dashboard", Dashboard),
    ("provisioning", Provisioning),
    ("cloud-hub", Binary),
    ("edge-node", Binary),
    ("simulator", Simulator),
    ("simulator/world", Simulator),
    ("tests/testkit", Testkit),
    ("tests/benchmarks", Tests),
    ("tests/conformance", Tests),
    ("tests/evaluate", Tests),
    ("tests/power-cut", Tests),
    ("tests/system-tests", Tests),
    ("tests/tidy", Tests),
];

/// What would bring a clock, a socket, a disk or chance into the core.
const IMPURE: [&str; 12] = [
    "axum",
    "getrandom",
    "hyper",
    "quinn",
    "rand",
    "refinery",
    "reqwest",
    "rustls",
    "sled",
    "socket2",
    "tokio",
    "tokio-postgres",
];

impl Layer {
    fn may_use(self, other: Self, development: bool) -> bool {
        let allowed: &[Self] = match self {
            Core => &[Core],
            Io => &[Core, Io],
            Dashboard | Provisioning | Simulator => &[Core, Io],
            Binary => &[Core, Io, Dashboard, Provisioning],
            Testkit => &[Core, Io, Dashboard, Provisioning, Binary, Simulator],
            Tests => &[Core, Io, Dashboard, Provisioning, Binary, Simulator, Testkit],
        };
        allowed.contains(&other) || (development && self == Binary && other == Testkit)
    }
}

struct Crate {
    folder: String,
    name: String,
    /// Name, and whether only its tests use it.
    dependencies: Vec<(String, bool)>,
}

fn layer_of(folder: &str) -> Option<Layer> {
    LAYERS.iter().find(|(known, _)| *known == folder).map(|(_, layer)| *layer)
}

fn wrong_arrows(crates: &[Crate]) -> Vec<String> {
    let mut problems = Vec::new();
    for from in crates {
        let Some(layer) = layer_of(&from.folder) else {
            problems.push(format!("{} has no layer: give it a row in LAYERS of {}", from.folder, file!()));
            continue;
        };
        for (name, development) in &from.dependencies {
            let to = crates.iter().find(|to| to.name == *name).and_then(|to| layer_of(&to.folder));
            if let Some(other) = to.filter(|other| !layer.may_use(*other, *development)) {
                problems.push(format!("{} ({layer:?}) must not use {name} ({other:?})", from.name));
            }
            if layer == Core && !development && IMPURE.contains(&name.as_str()) {
                problems.push(format!("{} is core and must not use {name}", from.name));
            }
        }
    }
    problems
}

#[test]
fn dependencies_run_from_core_to_io_to_binaries_to_tests() {
    let (metadata, root) = (metadata(), repository());
    let crates: Vec<Crate> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| Crate {
            folder: package
                .manifest_path
                .parent()
                .and_then(|folder| folder.as_std_path().strip_prefix(&root).ok())
                .expect("a member lies in the workspace")
                .to_string_lossy()
                .into_owned(),
            name: package.name.to_string(),
            dependencies: package
                .dependencies
                .iter()
                .map(|used| (used.name.clone(), used.kind == DependencyKind::Development))
                .collect(),
        })
        .collect();
    assert_nothing_wrong("an arrow points the wrong way", &wrong_arrows(&crates));
}

#[test]
fn an_arrow_that_points_the_wrong_way_is_found() {
    let check = |folder: &str, used: &str, development: bool, expected: Option<&str>| {
        let dependencies = vec![(used.to_owned(), development)];
        let mut crates = vec![Crate { folder: folder.to_owned(), name: "judged".to_owned(), dependencies }];
        for (folder, _) in LAYERS {
            let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
            crates.push(Crate { folder: folder.to_owned(), name, dependencies: Vec::new() });
        }
        let problems = wrong_arrows(&crates);
        assert_eq!(problems.len(), usize::from(expected.is_some()), "{folder} -> {used}: {problems:?}");
        assert!(expected.is_none_or(|text| problems[0].contains(text)), "{problems:?}");
    };
    check("shared/core/delivery", "space-packet", false, None);
    check("shared/core/delivery", "link", false, Some("link (Io)"));
    check("shared/core/delivery", "service", true, Some("service (Io)"));
    check("shared/core/delivery", "tokio", false, Some("is core and must not use tokio"));
    check("shared/core/delivery", "tokio", true, None);
    check("shared/io/link", "dashboard", false, Some("dashboard (Dashboard)"));
    check("shared/dashboard", "provisioning", false, Some("provisioning (Provisioning)"));
    check("edge-node", "cloud-hub", false, Some("cloud-hub (Binary)"));
    check("edge-node", "cloud-hub", true, Some("cloud-hub (Binary)"));
    check("edge-node", "simulator", false, Some("simulator (Simulator)"));
    check("cloud-hub", "testkit", true, None);
    check("cloud-hub", "testkit", false, Some("testkit (Testkit)"));
    check("simulator", "edge-node", false, Some("edge-node (Binary)"));
    check("tests/system-tests", "testkit", false, None);
    check("shared/core/guesses", "serde", false, Some("shared/core/guesses has no layer"));
}
