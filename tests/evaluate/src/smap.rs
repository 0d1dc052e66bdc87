//! SMAP and MSL: 51 channels of two NASA spacecraft with commands, by the protocol of Telemanom (Hundman et al.).
//!
//! A detector learns from a channel's `train`, then judges its `test` in one pass. All channels are counted
//! together.

use std::ops::Range;
use std::path::Path;

use model::{ForecastOptions, Forecaster};
use processing::detect::{
    AutoregressionRule, ChangeRule, DetectorRule, FlatLineRule, ForecastRule, HampelRule, LikelihoodRule,
    MethodRule, RangeRule, RecursiveRule, ResidualRule, SpreadRule, Suite, SuiteRule, Training, ZScoreRule,
};

use crate::data::{Table, names};
use crate::metrics::{EventCounts, PointCounts, count_events, count_points, labels, runs};
use crate::report::{self, NOT_GIVEN, share};
use crate::run::{Ranked, Recording, leave_one_out};

/// One channel.
pub struct Channel {
    /// Its name in the set.
    pub name: String,
    /// What is learned from.
    pub train: Recording,
    /// What is judged.
    pub test: Recording,
    /// The anomalies of `test`, half-open.
    pub events: Vec<Range<usize>>,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Event by event.
    pub events: EventCounts,
    /// Sample by sample.
    pub points: PointCounts,
    /// What judging took.
    pub seconds: f64,
}

/// A rule with the floor it is given.
type ByFloor = fn(f64) -> SuiteRule;

/// Floors that are tried, in 99.9 % quantiles of the errors in training.
const FLOORS: [f64; 6] = [1.2, 1.5, 1.75, 2.0, 2.5, 3.0];
/// Commands of a channel are numbered below this.
const COMMANDS: usize = 64;

/// Reads all channels there are.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Channel>> {
    names(folder, ".test.csv.gz")?.into_iter().map(|name| channel(folder, name)).collect()
}

fn channel(folder: &Path, name: String) -> anyhow::Result<Channel> {
    let (train, _) = recording(&Table::read(&folder.join(format!("{name}.train.csv.gz")))?)?;
    let table = Table::read(&folder.join(format!("{name}.test.csv.gz")))?;
    let (test, _) = recording(&table)?;
    let labels: Vec<bool> = table.numbers("label")?.iter().map(|label| *label > 0.5).collect();
    Ok(Channel { name, train, test, events: runs(&labels, 0) })
}

fn recording(table: &Table) -> anyhow::Result<(Recording, usize)> {
    let values = table.numbers("value")?;
    let mut commands = 0;
    let inputs = table
        .texts("commands")?
        .iter()
        .map(|text| {
            let mut inputs = vec![0.0; COMMANDS];
            for id in text.split(';').filter_map(|id| id.parse::<usize>().ok()) {
                commands = commands.max(id + 1);
                if let Some(input) = inputs.get_mut(id) {
                    *input = 1.0;
                }
            }
            inputs
        })
        .collect();
    Ok((Recording { values, inputs }, commands))
}

impl Counts {
    fn of(channel: &Channel, said: &[bool], seconds: f64) -> Self {
        Self {
            events: count_events(&channel.events, said, 0),
            points: count_points(&labels(&channel.events, said.len()), said),
            seconds,
        }
    }

    fn sum(all: &mut dyn Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, other| Self {
            events: sum.events.plus(other.events),
            points: sum.points.plus(other.points),
            seconds: sum.seconds + other.seconds,
        })
    }

    fn corrected_f05(&self) -> f64 {
        self.events.corrected_f05(self.points.false_positive_rate())
    }

    fn row(&self, name: &str, ranked: [String; 2], chosen: &str) -> Vec<String> {
        let [precision, volume] = ranked;
        let usual = self.points.false_positives + self.points.true_negatives;
        let samples = usual + self.points.true_positives + self.points.false_negatives;
        let rate = self.points.false_positive_rate();
        vec![
            name.to_owned(),
            share(self.events.precision()),
            share(self.events.recall()),
            share(self.corrected_f05()),
            format!("{rate:.4}"),
            precision,
            volume,
            format!("{:.2}", 1e3 * self.events.false_alarms as f64 / usual.max(1) as f64),
            self.events.median_delay().map_or(NOT_GIVEN.to_owned(), |delay| delay.to_string()),
            format!("{:.0}", 1e9 * self.seconds / samples.max(1) as f64),
            chosen.to_owned(),
        ]
    }
}

/// What a rule says of a channel.
pub struct Judged {
    /// Beside what is so.
    pub counts: Counts,
    /// The scores themselves.
    pub scores: Vec<f64>,
}

/// What a rule says of each channel, with a trained forecaster where a channel has one.
pub fn judge(channels: &[Channel], forecasters: &[Option<Forecaster>], rule: &SuiteRule) -> Vec<Judged> {
    let judged = |(place, channel): (usize, &Channel)| {
        let forecaster = forecasters.get(place).and_then(Option::as_ref);
        let mut suite = Suite::new(rule.clone());
        channel.train.teach(forecaster, &mut suite);
        let said = channel.test.judged_with(forecaster, &mut suite);
        Judged { counts: Counts::of(channel, &said.is_anomalous, said.seconds), scores: said.scores }
    };
    channels.iter().enumerate().map(judged).collect()
}

fn ranked(channels: &[Channel], judged: &[Judged]) -> [String; 2] {
    let each = channels.iter().zip(judged).map(|(channel, said)| Ranked::of(&channel.events, &said.scores));
    each.fold(Ranked::default(), Ranked::plus).cells()
}

/// A forecaster for each channel, learned from its `train` and its first so many commands; none where nothing changes
/// there.
pub fn forecasters(channels: &[Channel], commands: usize) -> Vec<Option<Forecaster>> {
    let options = ForecastOptions { units: 16, ..ForecastOptions::default() };
    let fit = |channel: &Channel| {
        let inputs: Vec<f64> =
            channel.train.inputs.iter().flat_map(|row| row.iter().take(commands)).copied().collect();
        Forecaster::fit(&channel.train.values, &inputs, commands, &options).ok().map(|trained| trained.model)
    };
    channels.iter().map(fit).collect()
}

fn suite(detectors: Vec<DetectorRule>) -> SuiteRule {
    SuiteRule { training: Training::BY_HAND, detectors, ..SuiteRule::default() }
}

fn residual(floor_factor: f64) -> ResidualRule {
    ResidualRule { floor_factor, ..ResidualRule::default() }
}

fn change(floor: f64) -> DetectorRule {
    MethodRule::Change(ChangeRule { residual: residual(floor) }).into()
}

fn autoregression(floor: f64) -> DetectorRule {
    let inputs = COMMANDS as u32;
    MethodRule::Autoregression(AutoregressionRule { inputs, residual: residual(floor), ..Default::default() })
        .into()
}

fn forecast(floor: f64) -> SuiteRule {
    suite(vec![MethodRule::Forecast(ForecastRule { residual: residual(floor) }).into()])
}

fn recursive(floor: f64) -> DetectorRule {
    MethodRule::Recursive(RecursiveRule { residual: residual(floor), ..Default::default() }).into()
}

/// Values are scaled to about ±1; a hundredth of that is no other level.
fn range() -> DetectorRule {
    let rule = RangeRule { margin_min: 0.01, ..RangeRule::default() };
    DetectorRule { persistence: 50, hold: 100, rearm: 1000, ..MethodRule::Range(rule).into() }
}

fn flat_line() -> DetectorRule {
    DetectorRule { hold: 100, ..MethodRule::FlatLine(FlatLineRule::default()).into() }
}

fn union(floor: f64) -> SuiteRule {
    suite(vec![autoregression(floor), range(), flat_line()])
}

/// Prints the table.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let channels = read(folder)?;
    let mut rows = vec![
        published(
            "Telemanom, LSTM and dynamic threshold (published; F0.5 is not corrected)",
            [".903", ".824", ".886"],
        ),
        trivial("trivial: no alarm", &channels, |_| false),
        trivial("trivial: one endless alarm", &channels, |_| true),
        trivial("trivial: 1 % of samples at random", &channels, |place| {
            place.wrapping_mul(2_654_435_761) % 100 == 0
        }),
    ];
    let fixed: [(&str, SuiteRule); 6] = [
        ("range learned, +10 %, 50 samples", suite(vec![range()])),
        ("flat line, 2 x longest", suite(vec![flat_line()])),
        ("likelihood 5/1500", suite(vec![MethodRule::Likelihood(LikelihoodRule::default()).into()])),
        ("Hampel 51", suite(vec![MethodRule::Hampel(HampelRule::default()).into()])),
        ("quartiles, 3 ranges", suite(vec![MethodRule::Spread(SpreadRule::default()).into()])),
        ("rolling z 300", suite(vec![MethodRule::ZScore(ZScoreRule::default()).into()])),
    ];
    for (name, rule) in fixed {
        let judged = judge(&channels, &[], &rule);
        let ranked = ranked(&channels, &judged);
        let sum = Counts::sum(&mut judged.into_iter().map(|judged| judged.counts));
        rows.push(sum.row(name, ranked, "default"));
    }
    let of_values = forecasters(&channels, 0);
    let of_commands = forecasters(&channels, COMMANDS);
    let tried: [(&str, ByFloor, &[Option<Forecaster>]); 6] = [
        ("changes, dynamic threshold", |floor| suite(vec![change(floor)]), &[]),
        ("AR(32) + commands, dynamic threshold", |floor| suite(vec![autoregression(floor)]), &[]),
        ("LSTM(16), dynamic threshold", forecast, &of_values),
        ("LSTM(16) + commands, dynamic threshold", forecast, &of_commands),
        ("RLS(8), dynamic threshold", |floor| suite(vec![recursive(floor)]), &[]),
        ("**default suite: union of AR, range, flat line**", union, &[]),
    ];
    for (name, rule, forecasters) in tried {
        let judged = |floor: f64| judge(&channels, forecasters, &rule(floor));
        let counts = |judged: Vec<Judged>| judged.into_iter().map(|judged| judged.counts).collect();
        let all: Vec<Vec<Counts>> = FLOORS.iter().map(|floor| counts(judged(*floor))).collect();
        let chosen = leave_one_out(&all, |counts| Counts::sum(counts), Counts::corrected_f05);
        let left_out = chosen.iter().enumerate().map(|(place, candidate)| all[*candidate][place].clone());
        let default = judged(ResidualRule::default().floor_factor);
        let ranked = ranked(&channels, &default);
        let left_out = Counts::sum(&mut left_out.into_iter());
        rows.push(left_out.row(name, ranked.clone(), "floor, leave one channel out"));
        let default = Counts::sum(&mut default.into_iter().map(|judged| judged.counts));
        rows.push(default.row(name, ranked, "default floor"));
    }
    let head = [
        "detector",
        "P",
        "R",
        "F0.5c",
        "FPR",
        "AUC-PR",
        "VUS-PR",
        "false alarms/1000",
        "delay",
        "ns/sample",
        "threshold",
    ];
    report::print(&format!("SMAP/MSL, {} channels", channels.len()), &head, &rows);
    Ok(())
}

fn published(name: &str, [precision, recall, f05]: [&str; 3]) -> Vec<String> {
    let mut row = vec![name, precision, recall, f05];
    row.resize(11, NOT_GIVEN);
    row.into_iter().map(str::to_owned).collect()
}

fn trivial(name: &str, channels: &[Channel], said: impl Fn(usize) -> bool) -> Vec<String> {
    let of = |channel: &Channel| {
        let said: Vec<bool> = (0..channel.test.values.len()).map(&said).collect();
        Counts::of(channel, &said, 0.0)
    };
    let not_ranked = [NOT_GIVEN, NOT_GIVEN].map(str::to_owned);
    let mut row = Counts::sum(&mut channels.iter().map(of)).row(name, not_ranked, NOT_GIVEN);
    row[9] = NOT_GIVEN.to_owned();
    row
}
