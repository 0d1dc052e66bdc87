use proptest::prelude::*;
use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use super::*;
use crate::Raw;

fn sample(parameter: u32, time: i64, number: f64, monitoring: MonitoringResult) -> Sample {
    Sample {
        parameter: ParameterIndex(parameter),
        generation: GenerationTime(TaiTime(time)),
        reception: ReceptionTime::default(),
        raw: Raw::Float(number),
        converted: None,
        validity: Default::default(),
        monitoring,
        version: Default::default(),
        provenance: Default::default(),
    }
}

/// Everything that must be the same, with NaN equal to itself.
fn shown(rollup: &RollUp) -> String {
    format!("{rollup:?}")
}

#[test]
fn a_roll_up_counts_keeps_extremes_and_both_ends_and_remembers_the_worst() {
    let mut rollups = RollUps::new(Resolution::Second);
    for (time, number, monitoring) in [
        (5, 2.0, MonitoringResult::Normal),
        (1, 3.0, MonitoringResult::Warning),
        (9, f64::NAN, MonitoringResult::NotMonitored),
        (7, -1.0, MonitoringResult::Watch),
    ] {
        rollups.on_sample(&sample(4, time, number, monitoring));
    }
    let taken = rollups.take();
    let (parameter, found) = &taken[0];
    assert_eq!((taken.len(), *parameter, rollups.is_empty()), (1, ParameterIndex(4), true));
    assert_eq!((found.count, found.without_number, found.violations), (4, 1, 2));
    assert_eq!((found.worst, found.first_at, found.last_at), (MonitoringResult::Warning, 1, 9));
    assert_eq!((found.first, found.minimum, found.maximum, found.sum), (3.0, -1.0, 3.0, 4.0));
    assert!(found.last.is_nan(), "the last one was no number");
}

#[test]
fn live_and_replayed_samples_by_turns_make_two_buckets_and_not_one_a_turn() {
    let mut rollups = RollUps::new(Resolution::Minute);
    for turn in 0..100 {
        rollups.on_sample(&sample(0, turn, 1.0, MonitoringResult::Normal));
        rollups.on_sample(&sample(0, turn + 86_400 * NANOS_PER_SECOND, 1.0, MonitoringResult::Normal));
    }
    assert_eq!((rollups.len(), rollups.of(ParameterIndex(0)).count()), (2, 2));
    assert_eq!(rollups.of(ParameterIndex(1)).count(), 0);
}

#[test]
fn the_ends_of_time_are_times() {
    let mut rollups = RollUps::new(Resolution::Hour);
    for time in [i64::MIN, -1, 0, i64::MAX] {
        rollups.on_sample(&sample(0, time, 1.0, MonitoringResult::Normal));
    }
    assert_eq!(rollups.take().len(), 4);
}

#[test]
fn a_bucket_in_memory_is_small() {
    assert!(size_of::<Open>() < 100, "{} bytes", size_of::<Open>());
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let number =
        prop_oneof![(-50i32..50).prop_map(f64::from), Just(f64::NAN), Just(-0.0), Just(f64::INFINITY)];
    let one =
        (0u32..3, -9_000i64..9_000, number, 0u8..7).prop_map(|(parameter, seconds, number, monitoring)| {
            let monitoring = MonitoringResult::from_number(monitoring).unwrap_or_default();
            sample(parameter, seconds * NANOS_PER_SECOND / 2, number, monitoring)
        });
    proptest::collection::vec(one, 1..200)
}

fn roll_up(resolution: Resolution, samples: &[Sample]) -> Vec<(ParameterIndex, RollUp)> {
    let mut rollups = RollUps::new(resolution);
    samples.iter().for_each(|sample| rollups.on_sample(sample));
    rollups.take()
}

proptest! {
    #[test]
    fn any_order_and_any_split_of_samples_gives_the_same_roll_up(
        (all, shuffled) in samples().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        for resolution in Resolution::ALL {
            let whole = roll_up(resolution, &all);
            let mut merged = RollUps::new(resolution);
            let mut finer = RollUps::new(Resolution::Second);
            let mut from = 0;
            let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(shuffled.len())).collect();
            cuts.sort_unstable();
            for cut in cuts.into_iter().chain([shuffled.len()]) {
                for (parameter, rollup) in roll_up(Resolution::Second, &shuffled[from..cut]) {
                    finer.add(parameter, &rollup);
                }
                from = cut;
            }
            for (parameter, rollup) in finer.take() {
                merged.add(parameter, &rollup);
            }
            let merged = merged.take();
            prop_assert_eq!(whole.len(), merged.len());
            for (one, other) in whole.iter().zip(&merged) {
                prop_assert_eq!(one.0, other.0);
                prop_assert_eq!(shown(&one.1), shown(&other.1));
            }
        }
    }
}
