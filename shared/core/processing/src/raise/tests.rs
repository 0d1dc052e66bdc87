use mission_database::MonitoringResult::{Critical, Normal, NotMonitored, Severe, Warning, Watch};
use proptest::prelude::*;
use space_packet::TaiTime;

use super::*;

const AT_ONCE: AlarmRule = AlarmRule { persistence: 1, hysteresis: 0.0, deadband: 0.0 };

fn sample(second: i64, monitoring: MonitoringResult) -> JudgedSample {
    let generation = GenerationTime(TaiTime(second * 1_000_000_000));
    JudgedSample { generation, monitoring, within: monitoring, number: None }
}

/// A sample judged by two ranges that are good up to 10 (warning) and 20 (critical).
fn measured(second: i64, number: f64, rule: &AlarmRule) -> JudgedSample {
    let judge = |margin: f64| match number {
        number if number > 20.0 - margin => Critical,
        number if number > 10.0 - margin => Warning,
        _ => Normal,
    };
    let (monitoring, within) = (judge(0.0), judge(rule.hysteresis));
    JudgedSample { monitoring, within, number: Some(number), ..sample(second, monitoring) }
}

/// Feeds numbers, one a second; the alarms after each as `severity`, in brackets while it is only pending.
fn measured_in_turn(rule: AlarmRule, numbers: &[f64]) -> String {
    let mut alarm = AlarmRaising::default();
    let shown = numbers.iter().zip(0..).map(|(number, second)| {
        match alarm.on_sample(&measured(second, *number, &rule), &rule) {
            AlarmStanding::Calm => "-".to_owned(),
            AlarmStanding::Pending { severity, .. } => format!("({severity:?})"),
            AlarmStanding::Raised { severity, .. } => format!("{severity:?}"),
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_alarm_is_raised_with_the_third_successive_violation_and_over_with_the_first_good_value() {
    let rule = AlarmRule { persistence: 3, ..AT_ONCE };
    let mut alarm = AlarmRaising::default();
    let cases = [
        (Normal, 0, false),
        (Critical, 1, false),
        (Critical, 2, false),
        (Normal, 0, false),
        (Critical, 1, false),
        (Watch, 2, false),
        (Severe, 3, true),
        (Critical, 4, true),
        (Normal, 0, false),
        (Critical, 1, false),
    ];
    for ((monitoring, violations, raised), second) in cases.into_iter().zip(0..) {
        let standing = alarm.on_sample(&sample(second, monitoring), &rule);
        assert_eq!((standing.violations(), standing.is_raised()), (violations, raised), "second {second}");
        assert_eq!(standing.severity(), monitoring, "without hysteresis the newest sample says it");
        assert_eq!(standing, alarm.standing());
    }
}

#[test]
fn an_alarm_gets_better_only_as_far_as_the_hysteresis_allows() {
    let rule = AlarmRule { hysteresis: 2.0, ..AT_ONCE };
    let numbers = [9.0, 11.0, 9.0, 8.0, 9.0, 21.0, 19.0, 17.0, 19.0, 9.0, 21.0, 7.0];
    let expected = "- Warning Warning - - Critical Critical Warning Warning Warning Critical -";
    assert_eq!(measured_in_turn(rule, &numbers), expected);
}

#[test]
fn what_is_not_raised_yet_is_not_held_by_the_hysteresis() {
    let rule = AlarmRule { persistence: 2, hysteresis: 2.0, deadband: 0.0 };
    let numbers = [11.0, 9.0, 11.0, 9.0, 11.0, 11.0, 9.0, 8.0];
    let expected = "(Warning) - (Warning) - (Warning) Warning Warning -";
    assert_eq!(measured_in_turn(rule, &numbers), expected);
}

#[test]
fn a_value_that_moves_less_than_the_deadband_counts_as_the_last_one_judged() {
    let rule = AlarmRule { persistence: 3, hysteresis: 0.0, deadband: 1.0 };
    let trembling = [9.8, 10.2, 10.5, 10.9, 10.1, 9.95, 9.8];
    assert_eq!(measured_in_turn(rule, &trembling), "- - - (Warning) (Warning) Warning -");
    let slow = [9.4, 9.8, 10.2, 10.5, 10.6];
    assert_eq!(measured_in_turn(AlarmRule { persistence: 1, ..rule }, &slow), "- - - Warning Warning");
}

#[test]
fn a_value_that_stays_is_judged_by_the_limits_of_now() {
    let rule = AlarmRule { deadband: 1.0, ..AT_ONCE };
    let mut alarm = AlarmRaising::default();
    alarm.on_sample(&JudgedSample { number: Some(5.0), ..sample(0, Normal) }, &rule);
    let same = JudgedSample { number: Some(5.0), ..sample(1, Critical) };
    assert!(alarm.on_sample(&same, &rule).is_raised(), "the context changed");
    let near = JudgedSample { number: Some(5.1), ..sample(2, Normal) };
    assert!(alarm.on_sample(&near, &rule).is_raised());
    alarm.on_limits_changed();
    assert!(alarm.standing().is_raised());
    assert!(!alarm.on_sample(&near, &rule).is_raised(), "the limits changed");
}

#[test]
fn samples_that_are_late_or_not_monitored_change_nothing() {
    let rule = AlarmRule { persistence: 2, ..AT_ONCE };
    let mut alarm = AlarmRaising::default();
    alarm.on_sample(&sample(10, Critical), &rule);
    let pending = alarm.standing();
    assert_eq!(alarm.on_sample(&sample(9, Critical), &rule), pending);
    assert_eq!(alarm.on_sample(&sample(9, Normal), &rule), pending);
    assert_eq!(alarm.on_sample(&sample(99, NotMonitored), &rule), pending);
    assert!(alarm.on_sample(&sample(10, Critical), &rule).is_raised(), "of one moment is not late");
    assert!(alarm.on_sample(&sample(9, Normal), &rule).is_raised());
    assert!(!alarm.on_sample(&sample(11, Normal), &rule).is_raised());
}

fn results() -> impl Strategy<Value = Vec<MonitoringResult>> {
    prop::collection::vec(prop::sample::select(MonitoringResult::ALL.to_vec()), 0..60)
}

proptest! {
    #[test]
    fn nothing_is_raised_before_as_many_successive_violations_as_the_rule_wants(
        numbers in prop::collection::vec(0.0..30.0_f64, 0..60),
        persistence in 1_u32..6,
        hysteresis in 0.0..5.0_f64,
    ) {
        let rule = AlarmRule { persistence, hysteresis, deadband: 0.0 };
        let (mut alarm, mut successive) = (AlarmRaising::default(), 0);
        for (number, second) in numbers.into_iter().zip(0..) {
            let judged = measured(second, number, &rule);
            let before = alarm.standing();
            let standing = alarm.on_sample(&judged, &rule);
            successive = if judged.monitoring.is_violation() { successive + 1 } else { 0 };
            if !before.is_raised() {
                prop_assert_eq!(standing.is_raised(), successive >= persistence);
            }
            prop_assert!(standing.severity() >= judged.monitoring, "an alarm hides nothing");
            prop_assert!(judged.within.is_violation() || standing == AlarmStanding::Calm);
        }
    }

    #[test]
    fn without_persistence_hysteresis_and_deadband_what_violates_is_raised(results in results()) {
        let mut alarm = AlarmRaising::default();
        let monitored = results.into_iter().filter(|result| *result != NotMonitored);
        for (result, second) in monitored.zip(0..) {
            let standing = alarm.on_sample(&sample(second, result), &AT_ONCE);
            prop_assert_eq!(standing.is_raised(), result.is_violation());
            prop_assert_eq!(standing.severity(), result);
        }
    }

    #[test]
    fn a_value_that_trembles_within_the_hysteresis_changes_the_alarm_at_most_once(
        start in prop::sample::select(vec![5.0, 15.0]),
        numbers in prop::collection::vec(8.001..12.0_f64, 0..60),
        persistence in 1_u32..6,
    ) {
        let rule = AlarmRule { persistence, hysteresis: 2.0, deadband: 0.0 };
        let mut alarm = AlarmRaising::default();
        for second in 0..10 {
            alarm.on_sample(&measured(second, start, &rule), &rule);
        }
        let (mut changes, mut raised) = (0, alarm.standing().is_raised());
        for (number, second) in numbers.into_iter().zip(10..) {
            let is_raised = alarm.on_sample(&measured(second, number, &rule), &rule).is_raised();
            changes += u32::from(is_raised != raised);
            raised = is_raised;
        }
        prop_assert!(changes <= 1);
    }

    #[test]
    fn late_samples_make_no_difference(
        live in results(),
        late in prop::collection::vec((0_usize..60, 1_i64..100, prop::sample::select(MonitoringResult::ALL.to_vec())), 0..30),
        persistence in 1_u32..4,
    ) {
        let rule = AlarmRule { persistence, ..AT_ONCE };
        let (mut alone, mut disturbed) = (AlarmRaising::default(), AlarmRaising::default());
        let monitored = live.into_iter().filter(|result| *result != NotMonitored);
        for ((result, second), place) in monitored.zip(0..).zip(0..) {
            let expected = alone.on_sample(&sample(second, result), &rule);
            prop_assert_eq!(disturbed.on_sample(&sample(second, result), &rule), expected);
            for (_, age, result) in late.iter().filter(|(at, _, _)| *at == place) {
                prop_assert_eq!(disturbed.on_sample(&sample(second - age, *result), &rule), expected);
            }
        }
    }
}
