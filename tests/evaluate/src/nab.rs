//! The Numenta Anomaly Benchmark: single series, one pass, the first 15 % not scored.

use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use processing::detect::{LikelihoodRule, MethodRule, RecursiveRule, Suite, SuiteRule, Training, ZScoreRule};
use serde_json::Value;

use crate::data::Table;
use crate::metrics::{
    NabProfile, count_events, count_points, labels, median, nab_probation, nab_raw, nab_score,
};
use crate::report::{self, NOT_GIVEN};
use crate::run::{Ranked, Recording, leave_one_out};

/// One series.
pub struct Series {
    /// Its file in the set.
    pub name: String,
    /// All of it.
    pub recording: Recording,
    /// Where something is anomalous, half-open.
    pub windows: Vec<Range<usize>>,
}

/// Thresholds that are tried, as factors of a detector's own.
const FACTORS: [f64; 9] = [0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];

#[derive(Clone, Debug, Default)]
struct Counts {
    /// Raw scores of the three profiles.
    raw: [f64; 3],
    windows: usize,
    false_alarms: u64,
    usual: u64,
    samples: usize,
    seconds: f64,
    delays: Vec<usize>,
}

const PROFILES: [NabProfile; 3] =
    [NabProfile::STANDARD, NabProfile::FEW_FALSE_ALARMS, NabProfile::FEW_MISSED];

/// Reads all series there are.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Series>> {
    let text = std::fs::read_to_string(folder.join("windows.json")).context("failed to read windows.json")?;
    let listed: Vec<Value> = serde_json::from_str(&text).context("windows.json is not JSON")?;
    listed.iter().map(|entry| series(folder, entry)).collect()
}

fn series(folder: &Path, entry: &Value) -> anyhow::Result<Series> {
    let name = entry["file"].as_str().context("a series has no file")?.to_owned();
    let table = Table::read(&folder.join(format!("{name}.gz")))?;
    let place = |value: &Value| value.as_u64().map(|place| place as usize).context("a window has no end");
    let window = |window: &Value| Ok(place(&window[0])?..place(&window[1])? + 1);
    let windows =
        entry["windows"].as_array().into_iter().flatten().map(window).collect::<anyhow::Result<_>>()?;
    let recording = Recording { values: table.numbers("value")?, inputs: Vec::new() };
    Ok(Series { name, recording, windows })
}

impl Counts {
    fn of(series: &Series, said: &[bool], seconds: f64) -> Self {
        let scored = nab_probation(said.len());
        let labels = labels(&series.windows, said.len());
        let points = count_points(&labels[scored..], &said[scored..]);
        Self {
            raw: PROFILES.map(|profile| nab_raw(&series.windows, said, profile).0),
            windows: nab_raw(&series.windows, said, NabProfile::STANDARD).1,
            false_alarms: points.false_positives,
            usual: points.false_positives + points.true_negatives,
            samples: said.len(),
            seconds,
            delays: count_events(&series.windows, said, 0).delays,
        }
    }

    fn sum(all: &mut dyn Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, other| Self {
            raw: [0, 1, 2].map(|profile| sum.raw[profile] + other.raw[profile]),
            windows: sum.windows + other.windows,
            false_alarms: sum.false_alarms + other.false_alarms,
            usual: sum.usual + other.usual,
            samples: sum.samples + other.samples,
            seconds: sum.seconds + other.seconds,
            delays: [sum.delays, other.delays].concat(),
        })
    }

    fn score(&self, profile: usize) -> f64 {
        nab_score(self.raw[profile], self.windows, PROFILES[profile])
    }

    fn row(&self, name: &str, ranked: Ranked, chosen: &str) -> Vec<String> {
        let [precision, volume] = ranked.cells();
        let delay = median(&self.delays).map_or(NOT_GIVEN.to_owned(), |delay| delay.to_string());
        vec![
            name.to_owned(),
            format!("{:.1}", self.score(0)),
            format!("{:.1}", self.score(1)),
            format!("{:.1}", self.score(2)),
            precision,
            volume,
            format!("{:.2}", 1e3 * self.false_alarms as f64 / self.usual.max(1) as f64),
            delay,
            format!("{:.0}", 1e9 * self.seconds / self.samples.max(1) as f64),
            chosen.to_owned(),
        ]
    }
}

/// Places where an alarm is raised: where scores cross a threshold, and the last alarm is 1 % of the series ago.
fn alarms(scores: &[f64], threshold: f64) -> Vec<bool> {
    let mut next = 0;
    let mut raise = |place: usize, score: f64| {
        let raises = score > threshold && place >= next;
        if raises {
            next = place + scores.len() / 100;
        }
        raises
    };
    scores.iter().enumerate().map(|(place, score)| raise(place, *score)).collect()
}

fn rule(method: MethodRule) -> SuiteRule {
    // Within the probation of most series.
    let training = Training { fit: 0, calibrate: 300 };
    SuiteRule { training, detectors: vec![method.into()], ..SuiteRule::default() }
}

/// Prints the table.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let all = read(folder)?;
    let mut rows: Vec<Vec<String>> = [
        ("ARTime (published)", "76.6"),
        ("Numenta HTM (published)", "71.8"),
        ("KNN-CAD (published)", "57.7"),
        ("Windowed Gaussian (published)", "40.3"),
        ("random (published)", "13.2"),
        ("trivial: no alarm", "0.0"),
    ]
    .map(|(name, score)| {
        let mut row = vec![name.to_owned(), score.to_owned()];
        row.resize(10, NOT_GIVEN.to_owned());
        row
    })
    .to_vec();
    let tried = [
        ("**likelihood 5/1500**", rule(MethodRule::Likelihood(LikelihoodRule::default()))),
        (
            "**likelihood 5/1500, of all changes**",
            rule(MethodRule::Likelihood(LikelihoodRule { follows_all: true, ..LikelihoodRule::default() })),
        ),
        ("rolling z 300", rule(MethodRule::ZScore(ZScoreRule::default()))),
        ("RLS(8), dynamic threshold", rule(MethodRule::Recursive(RecursiveRule::default()))),
    ];
    for (name, rule) in tried {
        let judged: Vec<_> =
            all.iter().map(|series| series.recording.judged_by(&mut Suite::new(rule.clone()))).collect();
        let counts = |factor: &f64| {
            let each = all
                .iter()
                .zip(&judged)
                .map(|(series, said)| Counts::of(series, &alarms(&said.scores, *factor), said.seconds));
            each.collect::<Vec<Counts>>()
        };
        let candidates: Vec<Vec<Counts>> = FACTORS.iter().map(counts).collect();
        let chosen = leave_one_out(&candidates, |counts| Counts::sum(counts), |sum| sum.score(0));
        let left_out =
            chosen.iter().enumerate().map(|(place, candidate)| candidates[*candidate][place].clone());
        let ranked = all.iter().zip(&judged).map(|(series, said)| Ranked::of(&series.windows, &said.scores));
        let ranked = ranked.fold(Ranked::default(), Ranked::plus);
        rows.push(Counts::sum(&mut left_out.into_iter()).row(name, ranked, "factor, leave one series out"));
        rows.push(Counts::sum(&mut counts(&1.0).into_iter()).row(name, ranked, "default"));
    }
    let head = [
        "detector",
        "standard",
        "few false alarms",
        "few missed",
        "AUC-PR",
        "VUS-PR",
        "false alarms/1000",
        "delay",
        "ns/sample",
        "threshold",
    ];
    report::print(&format!("NAB, {} series", all.len()), &head, &rows);
    Ok(())
}
