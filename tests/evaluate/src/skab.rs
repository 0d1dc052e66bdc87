//! SKAB: a water pump with eight sensors, one fault in each experiment. The first 400 rows are learned from.

use std::path::Path;

use anyhow::Context;
use model::{CorrelatedGroup, GroupOptions, GroupState};

use crate::data::{Table, names};
use crate::metrics::{EventCounts, PointCounts, count_events, count_points, runs};
use crate::report::{self, NOT_GIVEN, share};
use crate::run::{Ranked, leave_one_out, processor_seconds};

/// The sensors, as the files call them.
const SENSORS: [&str; 8] = [
    "Accelerometer1RMS",
    "Accelerometer2RMS",
    "Current",
    "Pressure",
    "Temperature",
    "Thermocouple",
    "Voltage",
    "Volume Flow RateRMS",
];
/// Rows that are learned from, by the set's protocol.
const LEARNED: usize = 400;
/// Thresholds that are tried, in the group's own.
const THRESHOLDS: [f64; 10] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.6, 2.0];

/// One experiment.
pub struct Experiment {
    /// Its file in the set.
    pub name: String,
    /// Values of the sensors, row by row.
    pub rows: Vec<Vec<f64>>,
    /// Whether each row is anomalous.
    pub labels: Vec<bool>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    points: PointCounts,
    events: EventCounts,
    samples: usize,
    seconds: f64,
}

/// Reads all experiments with a fault.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Experiment>> {
    let names = names(folder, ".csv.gz")?.into_iter().filter(|name| !name.starts_with("anomaly-free"));
    names.map(|name| experiment(folder, name)).collect()
}

fn experiment(folder: &Path, name: String) -> anyhow::Result<Experiment> {
    let table = Table::read(&folder.join(format!("{name}.csv.gz")))?;
    let columns = SENSORS.iter().map(|sensor| table.numbers(sensor)).collect::<anyhow::Result<Vec<_>>>()?;
    let labels: Vec<bool> = table.numbers("anomaly")?.iter().map(|label| *label > 0.5).collect();
    let rows = (0..labels.len()).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
    Ok(Experiment { name, rows, labels })
}

impl Counts {
    fn of(experiment: &Experiment, said: &[bool], seconds: f64) -> Self {
        Self {
            points: count_points(&experiment.labels, said),
            events: count_events(&runs(&experiment.labels, 0), said, 0),
            samples: said.len(),
            seconds,
        }
    }

    fn sum(all: &mut dyn Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, other| Self {
            points: sum.points.plus(other.points),
            events: sum.events.plus(other.events),
            samples: sum.samples + other.samples,
            seconds: sum.seconds + other.seconds,
        })
    }

    fn row(&self, name: &str, ranked: [String; 2], chosen: &str) -> Vec<String> {
        let [precision, volume] = ranked;
        let usual = self.points.false_positives + self.points.true_negatives;
        vec![
            name.to_owned(),
            share(self.points.f1()),
            format!("{:.1}", 100.0 * self.points.false_positive_rate()),
            format!("{:.1}", 100.0 * (1.0 - self.points.recall())),
            precision,
            volume,
            format!("{} of {}", self.events.found, self.events.found + self.events.missed),
            format!("{:.2}", 1e3 * self.events.false_alarms as f64 / usual.max(1) as f64),
            self.events.median_delay().map_or(NOT_GIVEN.to_owned(), |delay| delay.to_string()),
            format!("{:.0}", 1e9 * self.seconds / self.samples.max(1) as f64),
            chosen.to_owned(),
        ]
    }
}

/// Prints the table.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let all = read(folder)?;
    let mut rows: Vec<Vec<String>> = [
        ("Conv-AE (published)", ".78", "13.6", "28.0"),
        ("MSET (published)", ".78", "39.7", "14.1"),
        ("T2+Q (published)", ".76", "26.6", "24.9"),
        ("Isolation Forest (published)", ".29", "2.6", "82.9"),
    ]
    .map(|(name, f1, far, mar)| {
        let mut row = vec![name.to_owned(), f1.to_owned(), far.to_owned(), mar.to_owned()];
        row.resize(11, NOT_GIVEN.to_owned());
        row
    })
    .to_vec();
    let not_ranked = [NOT_GIVEN, NOT_GIVEN].map(str::to_owned);
    for (name, said) in [("trivial: no alarm", false), ("trivial: one endless alarm", true)] {
        let each =
            all.iter().map(|experiment| Counts::of(experiment, &vec![said; experiment.labels.len()], 0.0));
        rows.push(Counts::sum(&mut each.into_iter()).row(name, not_ranked.clone(), NOT_GIVEN));
    }
    let tried = [("**T² and Q**, 99 % of the variance", 0.99), ("90 %", 0.9), ("T² alone, 100 %", 1.0)];
    for (name, explained) in tried {
        let options = GroupOptions { explained, ..GroupOptions::default() };
        let judged: Vec<(Vec<f64>, f64)> =
            all.iter().map(|experiment| scores(experiment, &options)).collect::<anyhow::Result<_>>()?;
        let counts = |threshold: &f64| {
            let each = all.iter().zip(&judged).map(|(experiment, (scores, seconds))| {
                let said: Vec<bool> = scores.iter().map(|score| score > threshold).collect();
                Counts::of(experiment, &said, *seconds)
            });
            each.collect::<Vec<Counts>>()
        };
        let ranked = all.iter().zip(&judged);
        let ranked = ranked.map(|(experiment, (scores, _))| Ranked::of(&runs(&experiment.labels, 0), scores));
        let ranked = ranked.fold(Ranked::default(), Ranked::plus).cells();
        let candidates: Vec<Vec<Counts>> = THRESHOLDS.iter().map(counts).collect();
        let chosen = leave_one_out(&candidates, |counts| Counts::sum(counts), |sum| sum.points.f1());
        let left_out =
            chosen.iter().enumerate().map(|(place, candidate)| candidates[*candidate][place].clone());
        let left_out = Counts::sum(&mut left_out.into_iter());
        rows.push(left_out.row(name, ranked.clone(), "leave one experiment out"));
        rows.push(Counts::sum(&mut counts(&1.0).into_iter()).row(name, ranked, "default"));
    }
    let head = [
        "detector",
        "F1",
        "FAR %",
        "MAR %",
        "AUC-PR",
        "VUS-PR",
        "faults",
        "false alarms/1000",
        "delay",
        "ns/row",
        "threshold",
    ];
    report::print(&format!("SKAB, {} experiments", all.len()), &head, &rows);
    Ok(())
}

fn scores(experiment: &Experiment, options: &GroupOptions) -> anyhow::Result<(Vec<f64>, f64)> {
    let (learned, judged) =
        experiment.rows.split_at_checked(LEARNED).context("an experiment has fewer than 400 rows")?;
    let group = CorrelatedGroup::fit(&learned.concat(), SENSORS.len(), options)?.model;
    let (mut state, begin) = (GroupState::default(), processor_seconds());
    let judge = |row: &Vec<f64>| group.next_score(&mut state, row).map_or(0.0, |said| said.score());
    let scores: Vec<f64> = learned.iter().map(|_| 0.0).chain(judged.iter().map(judge)).collect();
    Ok((scores, processor_seconds() - begin))
}
