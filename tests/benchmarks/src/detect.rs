//! `detect`: what each detector and the default suite cost a sample on one core, and what they remember.
//!
//! All times are processor time of the thread that works.

use std::process::ExitCode;

use model::{CorrelatedGroup, ForecastOptions, Forecaster, GroupOptions, GroupState};
use processing::detect::{
    AutoregressionRule, ChangeRule, DetectorRule, FlatLineRule, ForecastRule, HampelRule, LikelihoodRule,
    MethodRule, Observation, RangeRule, RateOfChangeRule, RecursiveRule, SeasonalRule, SpreadRule, StaleRule,
    Suite, SuiteRule, Training, ZScoreRule,
};
use serde_json::{Value, json};
use space_packet::{GenerationTime, TaiTime};

use crate::chance::Chance;
use crate::figures::{print, print_spread};
use crate::timing::{Spread, processor_seconds};

const BENCH: &str = "detect";
const PARAMETERS: usize = 200;
const SAMPLES: usize = 4_000;
/// The load that the issue names.
const WANTED_PER_S: f64 = 250_000.0;

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Detect {
    /// Repetitions of each measurement; odd numbers have a median that was measured.
    pub repetitions: usize,
}

impl Detect {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let methods = [
            MethodRule::Autoregression(AutoregressionRule::default()),
            MethodRule::Change(ChangeRule::default()),
            MethodRule::FlatLine(FlatLineRule::default()),
            MethodRule::Hampel(HampelRule::default()),
            MethodRule::Likelihood(LikelihoodRule::default()),
            MethodRule::Range(RangeRule::default()),
            MethodRule::RateOfChange(RateOfChangeRule::default()),
            MethodRule::Recursive(RecursiveRule::default()),
            MethodRule::Seasonal(SeasonalRule::default()),
            MethodRule::Spread(SpreadRule::default()),
            MethodRule::Stale(StaleRule::default()),
            MethodRule::ZScore(ZScoreRule::default()),
        ];
        for method in methods {
            let detectors = vec![DetectorRule::from(method)];
            let context = json!({ "detector": method.kind().name(), "phase": "judging" });
            self.measure(&SuiteRule { detectors, ..SuiteRule::default() }, None, &context);
        }
        for units in [16, 32, 64] {
            let forecaster = forecaster(units)?;
            let detectors = vec![MethodRule::Forecast(ForecastRule::default()).into()];
            let context = json!({ "detector": "forecast", "units": units, "phase": "judging" });
            self.measure(&SuiteRule { detectors, ..SuiteRule::default() }, Some(&forecaster), &context);
        }
        let default = SuiteRule::default();
        let spread =
            self.measure(&default, None, &json!({ "detector": "default suite", "phase": "judging" }));
        let context = json!({ "detector": "default suite", "phase": "judging", "parameters": PARAMETERS });
        print(BENCH, "samples_per_core_second", 1e9 / spread.median, "samples/s", &context);
        print(BENCH, "cores_for_250000_samples_per_s", WANTED_PER_S * spread.median / 1e9, "cores", &context);
        let learning = Training::BY_HAND;
        let rule = SuiteRule { training: learning, ..default };
        self.measure(&rule, None, &json!({ "detector": "default suite", "phase": "learning" }));
        self.measure_group()?;
        Ok(ExitCode::SUCCESS)
    }

    /// Nanoseconds a sample once everything is learned (or while it never is), with samples of many parameters in
    /// turn, as a station has them.
    fn measure(self, rule: &SuiteRule, forecaster: Option<&Forecaster>, context: &Value) -> Spread {
        let mut suites: Vec<Suite> = (0..PARAMETERS).map(|_| Suite::new(rule.clone())).collect();
        let mut chance = Chance::new(7);
        let mut round = |from: usize, count: usize| {
            let values: Vec<f64> = (0..count * PARAMETERS).map(|_| chance.deviation()).collect();
            let ((), seconds) = processor_seconds(|| feed(&mut suites, forecaster, from, &values));
            seconds * 1e9 / values.len() as f64
        };
        round(0, SAMPLES);
        let spread =
            Spread::of((1..=self.repetitions).map(|turn| round(turn * SAMPLES, SAMPLES)).collect::<Vec<_>>());
        print_spread(BENCH, "sample_nanoseconds", spread, "ns", context);
        let bytes: usize = suites.iter().map(|suite| suite.encode().len()).sum();
        print(BENCH, "bytes_per_parameter", bytes as f64 / PARAMETERS as f64, "bytes", context);
        spread
    }

    fn measure_group(self) -> anyhow::Result<()> {
        const MEMBERS: usize = 8;
        let mut chance = Chance::new(7);
        let mut rows = || (0..MEMBERS * SAMPLES).map(|_| chance.deviation()).collect::<Vec<f64>>();
        let group = CorrelatedGroup::fit(&rows(), MEMBERS, &GroupOptions::default())?.model;
        let mut state = GroupState::default();
        let mut judge = |rows: &[f64]| {
            let work =
                || rows.chunks(MEMBERS).filter(|row| group.next_score(&mut state, row).is_some()).count();
            let (_, seconds) = processor_seconds(work);
            seconds * 1e9 / SAMPLES as f64
        };
        let spread = Spread::of((0..self.repetitions).map(|_| judge(&rows())).collect::<Vec<_>>());
        print_spread(
            BENCH,
            "row_nanoseconds",
            spread,
            "ns",
            &json!({ "detector": "group", "members": MEMBERS }),
        );
        Ok(())
    }
}

/// Values of the parameters in turn, a second apart.
fn feed(suites: &mut [Suite], forecaster: Option<&Forecaster>, from: usize, values: &[f64]) {
    for (place, moment) in values.chunks(suites.len()).enumerate() {
        let time = GenerationTime(TaiTime((from + place) as i64 * 1_000_000_000));
        // A wave that the forecast can learn, and noise.
        let wave = ((from + place) as f64 / 9.0).sin();
        for (suite, noise) in suites.iter_mut().zip(moment) {
            let value = wave + 0.05 * noise;
            let observation = Observation { time, value, inputs: &[], mode: 0, is_flagged: false };
            match forecaster {
                Some(forecaster) => suite.on_sample_with(forecaster, &observation),
                None => suite.on_sample(&observation),
            };
        }
    }
}

/// Learned once over; what it costs does not depend on how well.
fn forecaster(units: usize) -> anyhow::Result<Forecaster> {
    let values: Vec<f64> = (0..1_000).map(|place| (f64::from(place) / 9.0).sin()).collect();
    let options = ForecastOptions { units, epochs: 1, seed: 7 };
    Ok(Forecaster::fit(&values, &[], 0, &options)?.model)
}
