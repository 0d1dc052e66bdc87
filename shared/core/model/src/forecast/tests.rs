use super::training::Inputs;
use super::*;
use crate::document::TrainingError;
use crate::random::Random;

/// A wave that a command shifts, one command input.
fn series(samples: usize) -> (Vec<f64>, Vec<f64>) {
    let commands: Vec<f64> = (0..samples).map(|place| f64::from(u8::from(place % 90 >= 60))).collect();
    let wave = |(place, command): (usize, &f64)| 20.0 + 3.0 * (place as f64 * 0.4).sin() + 2.0 * command;
    (commands.iter().enumerate().map(wave).collect(), commands)
}

fn options(units: usize, epochs: usize) -> ForecastOptions {
    ForecastOptions { units, epochs, seed: 7 }
}

#[test]
fn the_slopes_are_those_of_finite_differences() {
    let mut random = Random::new(3);
    let (inputs, units) = (2, 16);
    let weights = (0..parameters(inputs, units)).map(|_| random.within(0.4)).collect();
    let scale = Scale { mean: 0.0, deviation: 1.0 };
    let model = Forecaster { units: units as u16, target: scale, commands: vec![scale], parameters: weights };
    let seen = Inputs { width: inputs, numbers: (0..inputs * 9).map(|_| random.within(1.5)).collect() };
    let begin = Memory {
        hidden: (0..units).map(|_| random.within(0.5)).collect(),
        cell: (0..units).map(|_| random.within(0.5)).collect(),
    };
    let loss = |parameters: &[f64]| {
        let model = Forecaster { parameters: parameters.to_vec(), ..model.clone() };
        let mut unused = vec![0.0; parameters.len()];
        model.slopes(&seen, 0, 8, &mut begin.clone(), &mut unused)
    };
    let mut gradient = vec![0.0; model.parameters.len()];
    model.slopes(&seen, 0, 8, &mut begin.clone(), &mut gradient);
    for place in 0..gradient.len() {
        let (mut above, mut below) = (model.parameters.clone(), model.parameters.clone());
        above[place] += 1e-5;
        below[place] -= 1e-5;
        let slope = (loss(&above) - loss(&below)) / 2e-5;
        assert!((slope - gradient[place]).abs() < 1e-7, "{place}: {slope}, not {}", gradient[place]);
    }
    assert!(gradient.iter().all(|slope| *slope != 0.0));
}

#[test]
fn a_wave_is_forecast_better_than_that_nothing_changes() {
    let (values, commands) = series(1_200);
    let trained = Forecaster::fit(&values, &commands, 1, &options(16, 12)).unwrap();
    let report = &trained.report;
    assert_eq!((report.learnt_from, report.kept_apart), (960, 240));
    assert!(report.error < 0.5 * report.error_of_no_change, "{report:?}");
}

#[test]
fn the_streamed_forecast_is_the_one_that_was_measured() {
    let (values, commands) = series(400);
    let trained = Forecaster::fit(&values, &commands, 1, &options(16, 2)).unwrap();
    let (mut state, mut squares, mut forecast) = (ForecastState::default(), 0.0, None::<f64>);
    for (place, value) in values.iter().enumerate() {
        if place >= trained.report.learnt_from {
            squares += (forecast.unwrap() - value).powi(2);
        }
        forecast = trained.model.next_forecast(&mut state, *value, &commands[place..=place]);
    }
    let error = (squares / trained.report.kept_apart as f64).sqrt();
    assert!((error - trained.report.error).abs() < 1e-9, "{error} {:?}", trained.report);
}

#[test]
fn the_same_seed_gives_the_same_forecaster_and_another_another() {
    let (values, _) = series(200);
    let fit = |seed| Forecaster::fit(&values, &[], 0, &ForecastOptions { seed, ..options(16, 2) }).unwrap();
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1).model, fit(2).model);
}

#[test]
fn what_is_not_finite_is_passed_over_and_a_jump_has_a_finite_forecast() {
    let (values, commands) = series(200);
    let model = Forecaster::fit(&values, &commands, 1, &options(16, 1)).unwrap().model;
    let mut state = ForecastState::default();
    model.next_forecast(&mut state, 20.0, &[0.0]).unwrap();
    let before = state.clone();
    for (value, commands) in
        [(f64::NAN, &[0.0][..]), (20.0, &[f64::INFINITY]), (20.0, &[]), (20.0, &[0.0, 0.0])]
    {
        assert_eq!(model.next_forecast(&mut state, value, commands), None);
    }
    assert_eq!(state, before);
    for jump in [1e6, f64::MAX, f64::MIN] {
        assert!(model.next_forecast(&mut state, jump, &[1.0]).unwrap().is_finite());
    }
}

#[test]
fn a_command_that_never_came_while_learning_changes_no_forecast() {
    let (values, _) = series(200);
    let model = Forecaster::fit(&values, &[0.0; 200], 1, &options(16, 1)).unwrap().model;
    let forecast = |command| model.next_forecast(&mut ForecastState::default(), 21.0, &[command]).unwrap();
    assert!((forecast(1.0) - forecast(0.0)).abs() < 1e-9);
}

#[test]
fn a_memory_of_another_model_counts_as_none() {
    let (values, _) = series(200);
    let model = Forecaster::fit(&values, &[], 0, &options(16, 1)).unwrap().model;
    let broken = Memory { hidden: vec![f64::NAN; 16], cell: vec![0.0; 16] };
    for memory in [Memory::new(20), broken] {
        let found = model.next_forecast(&mut ForecastState { memory }, 21.0, &[]);
        assert_eq!(found, model.next_forecast(&mut ForecastState::default(), 21.0, &[]));
    }
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let (values, commands) = series(200);
    let check = |values: &[f64], commands: &[f64], inputs, units, expected| {
        let refused = Forecaster::fit(values, commands, inputs, &options(units, 1)).unwrap_err();
        assert_eq!(refused, expected);
    };
    let amount = |given, least, most| TrainingError::Amount { given, least, most };
    check(&values[..99], &[], 0, 16, amount(99, 100, FORECAST_SAMPLES_MAX));
    check(&values, &[], 0, 15, amount(15, 16, 64));
    check(&values, &[], 65, 16, amount(65, 0, 64));
    check(&values, &commands[1..], 1, 16, TrainingError::Shape { given: 199, wanted: 200 });
    check(&[4.0; 200], &[], 0, 16, TrainingError::Constant);
    let mut broken = values.clone();
    broken[5] = f64::NAN;
    check(&broken, &[], 0, 16, TrainingError::NotFinite { index: 5 });
}
