//! Trained forecasters in the place of what a suite learns itself.

use model::{CorrelatedGroup, ForecastOptions, Forecaster, GroupOptions, Model, ModelDocument, TrainingData};

use super::*;

const FORECAST_OF_B: &str = "[[watch]]\nparameters = [\"/S/B\"]\nseverity = \"distress\"\n\
    [watch.suite]\ntraining = { fit = 50, calibrate = 100 }\nmerge_within = 0\nlinger = 0\n\
    [[watch.suite.detectors]]\nmethod.autoregression = { order = 4, residual = { span = 1 } }\n";
const FORECASTER: &str = "forecaster 3";

/// It rises for four seconds and falls for four.
fn wave(second: i64) -> u64 {
    50 + 10 * (second % 8).abs_diff(4)
}

fn forecaster(number: u32, channel: &str, inputs: &[&str]) -> ModelDocument {
    let values: Vec<f64> = (0..400).map(|second| wave(second) as f64).collect();
    let commands: Vec<f64> = (0..values.len() * inputs.len()).map(|place| (place % 2) as f64).collect();
    let options = ForecastOptions { units: 16, epochs: 5, seed: 1 };
    let trained = Forecaster::fit(&values, &commands, inputs.len(), &options).expect("learns");
    document(number, &[channel], inputs, Model::Forecaster(trained.model))
}

fn document(number: u32, channels: &[&str], inputs: &[&str], model: Model) -> ModelDocument {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let data = TrainingData {
        description: "a wave".to_owned(),
        span: None,
        examples: 400,
        anomalous: 0,
        sha256: [0; 32],
    };
    ModelDocument { number, channels: names(channels), inputs: names(inputs), data, seed: 1, model }
}

impl World {
    fn with_models(mut self, models: &[ModelDocument]) -> Self {
        assert_eq!(self.watch.use_models(models, &self.database), []);
        self
    }

    /// Seconds of the wave in which nothing is found.
    fn waves(&mut self, seconds: std::ops::Range<i64>) {
        for second in seconds {
            assert_eq!(self.say("/S/B", second, wave(second)), [""; 0]);
        }
    }

    /// What is said of a value that no wave has: the detector and its model.
    fn jumps(&mut self, second: i64) -> Option<(String, Option<String>)> {
        let seen = self.observe("/S/B", second, 250, Verdicts::NONE);
        assert!(seen.len() < 2, "{seen:?}");
        seen.into_iter().next().map(|seen| (seen.subject.detector, seen.cause.model))
    }

    fn restarted_with(&self, models: &[ModelDocument]) -> Self {
        let (bytes, _) = self.watch.encode(&self.database);
        let mut world = Self::new(FORECAST_OF_B).with_models(models);
        world.watch.restore(&bytes, &world.database).expect("reads");
        world
    }
}

fn by_model() -> Option<(String, Option<String>)> {
    Some(("forecast".to_owned(), Some(FORECASTER.to_owned())))
}

fn by_suite() -> Option<(String, Option<String>)> {
    Some(("autoregression".to_owned(), None))
}

#[test]
fn a_trained_forecaster_takes_the_place_of_the_forecast_that_the_suite_learns_and_is_named() {
    let mut without = World::new(FORECAST_OF_B);
    without.waves(0..300);
    assert_eq!(without.jumps(300), by_suite());
    let mut with = World::new(FORECAST_OF_B).with_models(&[forecaster(3, "/S/B", &[])]);
    with.waves(0..300);
    let seen = with.observe("/S/B", 300, 250, Verdicts::NONE);
    assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["forecast distress @300"]);
    let cause = &seen[0].cause;
    assert_eq!((cause.model.as_deref(), cause.seen), (Some(FORECASTER), Some(250.0)));
    assert!(cause.expected.is_some_and(|expected| (expected - wave(300) as f64).abs() < 60.0), "{cause:?}");
}

#[test]
fn with_a_model_that_is_replaced_or_taken_away_the_suite_learns_anew_and_what_stood_is_over() {
    let model = forecaster(3, "/S/B", &[]);
    let mut world = World::new(FORECAST_OF_B).with_models(&[forecaster(2, "/S/B", &[])]);
    world.waves(0..300);
    assert!(world.jumps(300).is_some());
    let mut world = world.with_models(std::slice::from_ref(&model));
    assert_eq!(world.say("/S/B", 301, wave(301)), ["forecast over @301"]);
    assert_eq!(world.jumps(302), None, "nothing is learned beside this one");
    world.waves(303..600);
    // The same again, as when other rules come: what was learned stays.
    let mut world = world.with_models(&[model]);
    assert_eq!(world.jumps(600), by_model());
    let mut world = world.with_models(&[]);
    assert_eq!(world.say("/S/B", 601, wave(601)), ["forecast over @601"]);
    assert_eq!(world.jumps(602), None);
    world.waves(603..900);
    assert_eq!(world.jumps(900), by_suite());
}

#[test]
fn after_a_restart_a_suite_goes_on_beside_the_same_model_and_learns_anew_beside_another() {
    let model = forecaster(3, "/S/B", &[]);
    let mut world = World::new(FORECAST_OF_B).with_models(std::slice::from_ref(&model));
    world.waves(0..300);
    assert_eq!(world.restarted_with(&[model]).jumps(300), by_model());
    for models in [vec![], vec![forecaster(4, "/S/B", &[])]] {
        let mut world = world.restarted_with(&models);
        assert_eq!(world.jumps(300), None);
    }
    let mut without = World::new(FORECAST_OF_B);
    without.waves(0..300);
    assert_eq!(without.restarted_with(&[]).jumps(300), by_suite());
}

#[test]
fn inputs_are_the_newest_numbers_of_parameters_and_outlast_a_restart() {
    let model = forecaster(3, "/S/B", &["/S/MODE"]);
    let mut unseen = World::new(FORECAST_OF_B).with_models(std::slice::from_ref(&model));
    unseen.waves(0..300);
    assert_eq!(unseen.jumps(300), None, "nothing is forecast from what was never seen");
    let mut world = World::new(FORECAST_OF_B).with_models(std::slice::from_ref(&model));
    world.say("/S/MODE", 0, 1);
    world.waves(1..300);
    let mut again = world.restarted_with(std::slice::from_ref(&model));
    assert_eq!((again.jumps(300), world.jumps(300)), (by_model(), by_model()));
}

#[test]
fn a_model_that_does_not_fit_the_mission_is_told_and_the_suite_runs_as_without_it() {
    let problems = |rules: &str, models: &[ModelDocument]| {
        let mut world = World::new(rules);
        let unused = world.watch.use_models(models, &world.database);
        unused.into_iter().map(|unused| (unused.number, unused.problem)).collect::<Vec<_>>()
    };
    let unknown = || ModelProblem::Input { input: "/S/HEATER".to_owned() };
    let inputs = forecaster(3, "/S/B", &["/S/MODE", "/S/HEATER"]);
    let forged = [forecaster(1, "/S/b", &[]), forecaster(2, "/S/A", &[]), inputs.clone()];
    let expected = [(1, ModelProblem::Channel), (3, unknown()), (2, ModelProblem::NotWatched)];
    assert_eq!(problems(FORECAST_OF_B, &forged), expected);
    assert_eq!(problems(RANGE_OF_B, &[forecaster(3, "/S/B", &[])]), [(3, ModelProblem::NoForecast)]);
    let rows: Vec<f64> = (0..200).map(|place| f64::from(place * place % 17)).collect();
    let group = CorrelatedGroup::fit(&rows, 2, &GroupOptions::default()).expect("learns").model;
    let group = document(5, &["/S/A", "/S/B"], &[], Model::CorrelatedGroup(group));
    assert_eq!(problems(FORECAST_OF_B, &[group]), [], "what is of another kind is not run");
    let mut world = World::new(FORECAST_OF_B);
    assert_eq!(world.watch.use_models(&[inputs], &world.database).len(), 1);
    world.waves(0..300);
    assert_eq!(world.jumps(300), by_suite());
}

#[test]
fn rules_that_come_or_change_while_samples_do_count_from_the_next_one_on() {
    let mut world = World::new("");
    // Watched for its limits.
    world.say("/S/A", 0, 150);
    let rules = |text: &str| Arc::new(DetectionRules::parse("detection.toml", text));
    let range_of = |parameter: &str, fit: u32| {
        RANGE_OF_B.replace("/S/B", parameter).replace("fit = 10", &format!("fit = {fit}"))
    };
    world.watch.use_detection_rules(rules(&range_of("/S/A", 10)), &world.database);
    assert_eq!(world.watch.watched(), 1);
    world.watch.use_detection_rules(rules(&range_of("/S/A", 5)), &world.database);
    for second in 1..6 {
        world.say("/S/A", second, 50);
    }
    assert_eq!(world.say("/S/A", 6, 90), ["range distress @6"]);
}

#[test]
fn a_state_of_before_there_were_models_is_taken() {
    let world = World::taught(RANGE_OF_B);
    let (mut bytes, _) = world.watch.encode(&world.database);
    assert_eq!(bytes.pop(), Some(0), "no inputs");
    let sum = crc32c::crc32c(&bytes[6..]);
    bytes[2..6].copy_from_slice(&sum.to_be_bytes());
    let mut again = World::new(RANGE_OF_B);
    assert_eq!(again.watch.restore(&bytes, &again.database), Ok(()));
    assert_eq!(again.say("/S/B", 10, 90), ["range distress @10"]);
}
