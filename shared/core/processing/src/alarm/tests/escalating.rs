//! Whom to tell and when; and what belongs together.

use proptest::prelude::*;

use super::*;

use AlarmSeverity::{Critical, Severe, Warning};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn rules() -> AlarmRules {
    let text = r#"
version = 1
utc_offset = "+01:00"
[[contact]]
name = "kari"
email = "kari@station.example"
[[contact]]
name = "tom"
email = "tom@station.example"
[[contact]]
name = "room"
slack = "control-room"
[[on_call]]
name = "ops"
shifts = [{ when = "Mon-Fri 08:00-18:00", contacts = ["kari"] }]
otherwise = ["tom"]
[[ladder]]
name = "usual"
at_least = "warning"
steps = [{ to = ["room"] }, { after = "10 min", to = ["on-call:ops", "room"] }]
quiet = [{ when = "22:00-06:00", below = "critical" }]
[[ladder]]
name = "urgent"
at_least = "critical"
steps = [{ to = ["on-call:ops"] }, { after = "5 min", to = ["tom"] }]
repeat_every = "30 min"
repeat_times = 4
"#;
    let rules = AlarmRules::parse("alarms.toml", text);
    assert_eq!(rules.problems, []);
    rules
}

/// 12:00 UTC is 13:00 there.
fn trigger(severity: AlarmSeverity, since: i64) -> Trigger {
    Trigger { alarm: AlarmId([1; 16]), notice: EntryId([2; 16]), severity, since: at(since) }
}

fn climb(trigger: &Trigger) -> Climb<'static> {
    Climb { trigger: *trigger, named: None, hastened: Vec::new() }
}

/// What is due as `step.round contact minute`, and the minute of the next.
fn told(trigger: &Trigger, named: Option<&str>, now: i64) -> (Vec<String>, Option<i64>) {
    climbed(&Climb { named, ..climb(trigger) }, now)
}

fn climbed(climb: &Climb<'_>, now: i64) -> (Vec<String>, Option<i64>) {
    let due = rules().escalation.due(climb, at(now));
    let minute = |time: TaiTime| (time.0 - at(0).0) / SECOND / MINUTE;
    let show = |step: &DueStep| format!("{}.{} {} {}", step.step, step.round, step.contact, minute(step.due));
    (due.steps.iter().map(show).collect(), due.next.map(minute))
}

#[test]
fn a_ladder_is_climbed_step_by_step() {
    let trigger = trigger(Warning, 0);
    assert_eq!(told(&trigger, None, 0), (vec!["1.0 room 0".to_owned()], Some(10)));
    assert_eq!(told(&trigger, None, 10 * MINUTE - 1).1, Some(10));
    let all = ["1.0 room 0", "2.0 kari 10", "2.0 room 10"].map(str::to_owned).to_vec();
    assert_eq!(told(&trigger, None, 10 * MINUTE), (all, None));
}

#[test]
fn severity_finds_the_ladder_unless_the_rule_names_one() {
    assert_eq!(told(&trigger(Severe, 0), None, 0).0, ["1.0 kari 0"]);
    assert_eq!(told(&trigger(Severe, 0), Some("usual"), 0).0, ["1.0 room 0"]);
    assert_eq!(told(&trigger(AlarmSeverity::Watch, 0), None, 0), (vec![], None), "nobody is told of it");
}

#[test]
fn the_last_step_repeats_and_only_its_newest_round_is_told() {
    let trigger = trigger(Critical, 0);
    assert_eq!(told(&trigger, None, 6 * MINUTE), (vec!["1.0 kari 0".into(), "2.0 tom 5".into()], Some(35)));
    assert_eq!(told(&trigger, None, 70 * MINUTE), (vec!["1.0 kari 0".into(), "2.2 tom 65".into()], Some(95)));
    assert_eq!(told(&trigger, None, 100 * HOUR), (vec!["1.0 kari 0".into(), "2.4 tom 125".into()], None));
}

#[test]
fn whoever_is_on_call_when_a_step_is_due_is_told() {
    // 17:55 there, on a Monday: the first step is still Kari's, and the list changes at 18:00.
    let evening = 4 * HOUR + 55 * MINUTE;
    assert_eq!(told(&trigger(Critical, evening), None, evening).0, ["1.0 kari 295"]);
    assert_eq!(told(&trigger(Critical, 5 * HOUR), None, 5 * HOUR).0, ["1.0 tom 300"]);
    let saturday = 5 * 24 * HOUR;
    assert_eq!(told(&trigger(Critical, saturday), None, saturday).0, ["1.0 tom 7200"]);
}

#[test]
fn in_quiet_hours_what_is_not_urgent_waits_for_their_end_and_the_urgent_does_not() {
    // 23:00 there; the night ends at 06:00, which is 05:00 UTC.
    let night = 10 * HOUR;
    assert_eq!(told(&trigger(Warning, night), None, night), (vec![], Some(17 * 60)));
    let morning = told(&trigger(Warning, night), None, 17 * HOUR).0;
    assert_eq!(morning, ["1.0 room 1020", "2.0 room 1020", "2.0 tom 1020"]);
    assert_eq!(told(&trigger(Critical, night), None, night).0.len(), 1);
    assert_eq!(told(&trigger(Critical, night), Some("usual"), night).0, ["1.0 room 600"]);
}

#[test]
fn a_step_that_somebody_does_not_wait_for_is_due_at_once_and_the_others_keep_their_times() {
    let (trigger, escalation) = (trigger(Critical, 0), rules().escalation);
    let next = |hastened: &[(Rung, i64)], now: i64| {
        let hastened = hastened.iter().map(|(rung, second)| (rung, at(*second))).collect();
        escalation.next(&Climb { hastened, ..climb(&trigger) }, at(now))
    };
    let first = next(&[], MINUTE).expect("tom is told in four minutes");
    assert_eq!((first.due, first.contacts), (at(5 * MINUTE), vec!["tom".to_owned()]));
    let wanted = |rung: &Rung| vec![(rung.clone(), 2 * MINUTE)];
    let hastened: Vec<(Rung, TaiTime)> = vec![(first.rung.clone(), at(2 * MINUTE))];
    let climbing =
        Climb { hastened: hastened.iter().map(|(rung, at)| (rung, *at)).collect(), ..climb(&trigger) };
    assert_eq!(climbed(&climbing, MINUTE).0, ["1.0 kari 0"]);
    assert_eq!(climbed(&climbing, 2 * MINUTE).0, ["1.0 kari 0", "2.0 tom 2"]);
    let ids = |climb: &Climb<'_>| -> Vec<StepId> {
        escalation.due(climb, at(5 * MINUTE)).steps.iter().map(|step| step.id).collect()
    };
    assert_eq!(ids(&climbing), ids(&climb(&trigger)), "and it is not told again at its own time");
    let second = next(&wanted(&first.rung), 2 * MINUTE).expect("the step repeats");
    assert_eq!((second.rung.step, second.rung.round, second.due), (2, 1, at(35 * MINUTE)));
    let of_another = Rung { notice: EntryId([9; 16]), ..first.rung.clone() };
    assert_eq!(next(&wanted(&of_another), 2 * MINUTE).map(|next| next.rung), Ok(first.rung));
    assert_eq!(next(&[], 200 * HOUR), Err(NoStep::AllTold));
    let watch = climb(&Trigger { severity: AlarmSeverity::Watch, ..trigger });
    assert_eq!(escalation.next(&watch, at(0)), Err(NoStep::NoLadder));
}

#[test]
fn whoever_does_not_want_to_wait_is_heard_in_quiet_hours() {
    // 23:00 there.
    let (trigger, escalation) = (trigger(Warning, 10 * HOUR), rules().escalation);
    let next = escalation.next(&climb(&trigger), at(10 * HOUR)).expect("it waits for the morning");
    assert_eq!((next.rung.step, next.due), (1, at(17 * HOUR)));
    let climbing = Climb { hastened: vec![(&next.rung, at(11 * HOUR))], ..climb(&trigger) };
    assert_eq!(climbed(&climbing, 11 * HOUR).0, ["1.0 room 660"]);
}

#[test]
fn escalating_is_an_act_at_the_hub_and_the_same_step_is_wanted_once() {
    let (_, mut history) = raised(Warning);
    let notice = state(&history, 0).unacknowledged[0].entry;
    let rung = Rung { notice, ladder: "usual".to_owned(), step: 2, round: 0 };
    let request = Request::Escalate { rung: Some(rung.clone()) };
    history.act(&request, Some("nobody answers".to_owned()), author("kari", Place::Hub, 1, 1)).expect("done");
    assert_eq!(history.hastened().collect::<Vec<_>>(), [(&rung, at(1))]);
    let again = history.act(&request, None, author("tom", Place::Hub, 2, 2));
    assert!(matches!(again, Err(ActRefused::Pointless(_))), "{again:?}");
    let unknown = history.act(&Request::Escalate { rung: None }, None, author("tom", Place::Hub, 2, 3));
    assert!(matches!(unknown, Err(ActRefused::Pointless(_))), "{unknown:?}");
    let third = Request::Escalate { rung: Some(Rung { step: 3, ..rung }) };
    history.act(&third, None, author("ola", NODE, 3, 4)).expect("it is kept");
    assert_eq!(history.hastened().count(), 1, "and climbs nothing: nodes climb no ladders");
    let acknowledge = Request::Acknowledge { notices: None };
    history.act(&acknowledge, None, author("kari", NODE, 4, 5)).expect("nobody had seen it");
    let silent = history.act(&third, None, author("tom", Place::Hub, 5, 6));
    assert_eq!(silent, Err(ActRefused::NoStep(NoStep::Silent)));
}

#[test]
fn quiet_hours_without_an_end_silence_nobody() {
    let mut escalation = rules().escalation;
    let always = LocalHours { window: "00:00-24:00".parse().expect("all day"), offset_s: 0 };
    escalation.ladders[0].quiet = vec![Quiet { hours: always, below: Severe }];
    assert_eq!(escalation.due(&climb(&trigger(Warning, 0)), at(0)).steps.len(), 1);
}

#[test]
fn an_acknowledged_or_shelved_alarm_starts_no_ladder_and_the_worst_of_a_group_does() {
    let (mut board, _) = raised(Warning);
    let known = |_| at(7);
    let of = |board: &Board, now| {
        let states: Vec<_> = board.alarms().map(|alarm| (alarm.alarm(), state(alarm, now))).collect();
        Trigger::of(states.iter().map(|(alarm, state)| (*alarm, state)), known)
    };
    let first = of(&board, 0).expect("nobody has seen it");
    assert_eq!((first.severity, first.since), (Warning, at(7)));
    let other = Observation { subject: subject("/SAT/OTHER"), ..seen(5, Some(Critical)) };
    board.on_observation(&other, at(5));
    let worst = of(&board, 6).expect("nobody has seen it");
    assert_eq!((worst.severity, worst.alarm), (Critical, subject("/SAT/OTHER").alarm(generation(5))));
    board
        .alarm_mut(worst.alarm)
        .expect("it stands")
        .act(&Request::Shelve { until: at(HOUR) }, None, author("kari", NODE, 7, 1))
        .expect("an hour");
    assert_eq!(of(&board, 8), Some(first));
    let acknowledge = Request::Acknowledge { notices: None };
    let history = board.alarm_mut(first.alarm).expect("it stands");
    history.act(&acknowledge, None, author("kari", NODE, 8, 2)).expect("nobody had seen it");
    assert_eq!(of(&board, 9), None);
    assert_eq!(of(&board, HOUR), Some(worst), "the shelf is over");
}

#[test]
fn an_alarm_that_comes_again_before_anybody_saw_it_does_not_start_its_ladder_anew() {
    let (mut board, history) = raised(Warning);
    let of = |history: &History, now| {
        let found = state(history, now);
        Trigger::of([(history.alarm(), &found)], |_| at(0)).expect("nobody has seen it")
    };
    let first = of(&history, 0);
    board.on_observation(&seen(10, None), at(10));
    board.on_time(at(100));
    board.on_observation(&seen(200, Some(Warning)), at(200));
    assert_eq!(of(board.alarms().next().expect("it stands"), 200), first);
}

fn brief(number: u8, second: i64, related: Option<&str>) -> Brief<'_> {
    Brief {
        alarm: AlarmId([number; 16]),
        generation: generation(second),
        known: at(second),
        severity: Warning,
        related,
    }
}

#[test]
fn related_alarms_are_one_group_that_names_the_first() {
    let alarms = [
        brief(3, 30, Some("power")),
        brief(1, 0, Some("power")),
        brief(2, 10, None),
        brief(4, 100, Some("power")),
    ];
    let found = groups(&alarms, GroupSettings::default());
    let shown: Vec<_> =
        found.iter().map(|group| (&group.kind, group.first_out.0[0], group.members.len())).collect();
    assert_eq!(
        shown,
        [
            (&GroupKind::Related("power".to_owned()), 1, 2),
            (&GroupKind::Alone, 2, 1),
            (&GroupKind::Alone, 4, 1)
        ]
    );
}

#[test]
fn eleven_alarms_in_ten_minutes_are_a_flood_and_ten_are_not() {
    let alarms: Vec<_> = (0..10).map(|number| brief(number, i64::from(number) * 60, None)).collect();
    assert_eq!(groups(&alarms, GroupSettings::default()).len(), 10);
    let eleventh = |second| [&alarms[..], &[brief(10, second, None)]].concat();
    assert_eq!(groups(&eleventh(601), GroupSettings::default()).len(), 11);
    let found = groups(&eleventh(600), GroupSettings::default());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0].kind, found[0].first_out, found[0].members.len()),
        (&GroupKind::Flood, AlarmId([0; 16]), 11)
    );
}

proptest! {
    #[test]
    fn every_alarm_is_in_one_group(
        alarms in prop::collection::vec((0_u8..40, 0_i64..2_000, 0_u8..4), 0..60),
    ) {
        let names = [None, None, Some("power"), Some("link")];
        let briefs: Vec<_> =
            alarms.iter().map(|(number, second, name)| brief(*number, *second, names[usize::from(*name)])).collect();
        let mut grouped: Vec<_> =
            groups(&briefs, GroupSettings::default()).into_iter().flat_map(|group| group.members).collect();
        grouped.sort_unstable();
        let mut expected: Vec<_> = briefs.iter().map(|brief| brief.alarm).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(grouped, expected);
    }

    #[test]
    fn steps_are_the_same_whenever_and_wherever_they_are_computed(
        since in 0_i64..200_000, first in 0_i64..100_000, later in 0_i64..100_000,
        severity in prop::sample::select(AlarmSeverity::ALL.to_vec()),
    ) {
        let (escalation, trigger) = (rules().escalation, trigger(severity, since));
        let (early, late) = (since + first, since + first + later);
        let climb = climb(&trigger);
        let (before, after) = (escalation.due(&climb, at(early)), escalation.due(&climb, at(late)));
        prop_assert_eq!(&before, &escalation.due(&climb, at(early)));
        let ids: std::collections::BTreeSet<_> = after.steps.iter().map(|step| step.id).collect();
        prop_assert_eq!(ids.len(), after.steps.len(), "each message has an id of its own");
        for step in &before.steps {
            // What was due stays due, unless a newer round of it is.
            let same = after.steps.iter().find(|other| other.id == step.id);
            let newer = after.steps.iter().any(|other| other.step == step.step && other.round > step.round);
            prop_assert!(same == Some(step) || newer);
        }
        prop_assert!(before.next.is_none_or(|next| next > at(early)));
        let reached = before.next.is_some_and(|next| next <= at(late));
        prop_assert_eq!(reached, before != Due { next: before.next, steps: after.steps }, "nothing comes unannounced");
    }
}
