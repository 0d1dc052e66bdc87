//! The tables: how everything was done, what came out, and what others published.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{Metrics, Outcome};

use super::Judged;
use super::data::Segment;

const HEADER: &str = "| segments | n | trivial | accuracy | P | R | F1 | MCC | AUC | AP | FPR | FPR, 95 % |\n\
                      |---|---|---|---|---|---|---|---|---|---|---|---|\n";

/// Accuracy, P, R, F1, MCC, AUC, AP on the official test set; `None` where nothing was published.
type Published = (&'static str, [Option<f64>; 7]);

const PUBLISHED: [Published; 7] = [
    (
        "FCNN, labels",
        [Some(0.977), Some(0.963), Some(0.929), Some(0.946), Some(0.932), Some(0.989), Some(0.979)],
    ),
    ("XGBOD, labels", [None, Some(0.944), Some(0.894), Some(0.918), Some(0.897), Some(0.992), Some(0.975)]),
    (
        "AdaBoost, labels",
        [Some(0.934), Some(0.890), Some(0.788), Some(0.836), Some(0.797), Some(0.962), Some(0.923)],
    ),
    (
        "ROCKET and ridge on raw samples, labels",
        [Some(0.977), Some(0.972), Some(0.920), Some(0.945), Some(0.932), Some(0.984), Some(0.962)],
    ),
    ("MO-GAAL, no labels", [None, Some(0.985), Some(0.575), Some(0.726), None, Some(0.865), Some(0.779)]),
    (
        "OCSVM, no labels",
        [None, Some(0.630), Some(0.664), Some(0.647), Some(0.548), Some(0.787), Some(0.659)],
    ),
    (
        "Isolation Forest, no labels",
        [Some(0.701), Some(0.297), Some(0.292), Some(0.295), Some(0.105), Some(0.635), Some(0.347)],
    ),
];

pub(crate) fn protocol(learnt: &[Segment], test: Option<&[Segment]>, seed: u64) -> String {
    let counted = |segments: &[Segment]| {
        let anomalous = segments.iter().filter(|segment| segment.anomalous).count();
        format!("{} segments, {anomalous} of them anomalous", segments.len())
    };
    let judged = match test {
        Some(test) => format!("learnt from all of them, judged once on {}", counted(test)),
        None => "judged by cross validation: each fold by a model that learnt from the others".to_owned(),
    };
    format!("# OPSSAT-AD\n\n{}; {judged}. Seed {seed}.\n", counted(learnt))
}

pub(crate) fn tables(name: &str, judged: &[Judged]) -> String {
    let mut text = format!("## {name}\n\n{HEADER}");
    let mut parts: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    for (segment, outcome) in judged {
        parts.entry(format!("every {} s", segment.sampling)).or_default().push(*outcome);
        parts.entry(segment.channel.clone()).or_default().push(*outcome);
    }
    let all: Vec<Outcome> = judged.iter().map(|(_, outcome)| *outcome).collect();
    let decided: Vec<Outcome> = all.iter().filter(|outcome| !outcome.doubtful).copied().collect();
    row(&mut text, "all", &all);
    row(&mut text, "all but the doubtful", &decided);
    for (part, outcomes) in &parts {
        row(&mut text, part, outcomes);
    }
    let passed = decided.iter().filter(|outcome| outcome.anomalous && !outcome.found).count();
    let doubtful = 100.0 * (1.0 - decided.len() as f64 / all.len() as f64);
    let _ =
        writeln!(text, "\nDoubtful: {doubtful:.1} %. Anomalous, and neither found nor doubtful: {passed}.");
    text
}

fn row(text: &mut String, name: &str, outcomes: &[Outcome]) {
    let metrics = Metrics::of(outcomes);
    let (low, high) = metrics.false_positive_interval();
    let figures = [
        metrics.trivial_accuracy(),
        metrics.accuracy(),
        metrics.precision(),
        metrics.recall(),
        metrics.f1(),
        metrics.correlation(),
        metrics.area,
        metrics.average_precision,
    ];
    let _ = write!(text, "| {name} | {} |", metrics.count());
    for figure in figures {
        let _ = if figure.is_nan() { write!(text, " - |") } else { write!(text, " {figure:.3} |") };
    }
    let _ = writeln!(text, " {:.4} | {low:.4} to {high:.4} |", metrics.false_positive_rate());
}

/// What others report for the official test set (anomaly.md 4.1): 529 segments, trivial accuracy .786.
pub(crate) fn published() -> String {
    let mut text = "## published, official test set (trivial accuracy 0.786)\n\n\
                    | method | accuracy | P | R | F1 | MCC | AUC | AP |\n|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (method, figures) in PUBLISHED {
        let _ = write!(text, "| {method} |");
        for figure in figures {
            text.push_str(&figure.map_or(" - |".to_owned(), |figure| format!(" {figure:.3} |")));
        }
        text.push('\n');
    }
    text
}
