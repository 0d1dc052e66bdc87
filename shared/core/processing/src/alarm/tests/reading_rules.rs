//! Rules documents: what they say, and what is told of those that are wrong.

use proptest::prelude::*;

use super::*;

use AlarmSeverity::{Critical, Severe, Warning, Watch};

/// The document of `docs/alarms.md`, so that what people copy from there is right.
pub(super) fn documented() -> String {
    let handbook = include_str!("../../../../../../docs/alarms.md");
    let (_, from) = handbook.split_once("```toml\n").expect("the handbook shows a document");
    let (document, _) = from.split_once("```").expect("it ends");
    document.to_owned()
}

fn problems(text: &str) -> Vec<String> {
    AlarmRules::parse("alarms.toml", text).problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = problems(&format!("version = 1\n{text}"));
    assert!(found.len() == 1 && found[0].starts_with(expected), "{text}\n{found:#?}\n{expected}");
}

#[test]
fn the_document_of_the_handbook_is_read_without_a_word() {
    let rules = AlarmRules::parse("alarms.toml", &documented());
    assert_eq!(rules.problems, []);
    assert_eq!((rules.version, rules.groups.flood_alarms), (3, 10));
    let battery = rules.resolve("/Demo/Power/battery_voltage", "limits", Warning);
    assert_eq!((battery.severity, battery.related, battery.ladder), (Critical, Some("power"), Some("power")));
    assert!(battery.terms.latch);
    assert_eq!((battery.terms.version, battery.terms.merge_window_s), (3, 120));
    assert_eq!(rules.names().count(), 2);
    assert_eq!(rules.escalation.ladders.len(), 2);
}

#[test]
fn the_first_rule_that_fits_counts_and_without_one_the_detection_stands_as_it_is() {
    let text = "version = 2\n\
        [[rule]]\nname = 'a'\nparameters = ['/SAT/*/T']\nat_least = 'warning'\nseverity = 'severe'\n\
        [[rule]]\nname = 'b'\ndetectors = ['rate']\nmerge_window = '0 s'\n";
    let rules = AlarmRules::parse("alarms.toml", text);
    assert_eq!(rules.problems, []);
    let check = |parameter, detector, severity, expected: (&str, AlarmSeverity, u32)| {
        let found = rules.resolve(parameter, detector, severity);
        let found = (found.terms.rule.as_str(), found.severity, found.terms.merge_window_s);
        assert_eq!(found, expected, "{parameter} {detector} {severity:?}");
    };
    check("/SAT/EPS/T", "rate", Warning, ("a", Severe, 60));
    check("/SAT/EPS/T", "rate", Watch, ("b", Watch, 0));
    check("/SAT/EPS/V", "rate", Warning, ("b", Warning, 0));
    check("/SAT/EPS/V", "limits", Warning, ("", Warning, 60));
}

#[test]
fn a_ladder_is_found_by_the_rule_that_raised_an_alarm_whatever_severity_the_rule_gave_it() {
    let text = "version = 2\n\
        [[rule]]\nname = 'mild'\nat_least = 'critical'\nseverity = 'watch'\nladder = 'room'\n\
        [[contact]]\nname = 'c'\nslack = 'c'\n\
        [[ladder]]\nname = 'room'\nsteps = [{ to = ['c'] }]\n";
    let rules = AlarmRules::parse("alarms.toml", text);
    assert_eq!(rules.problems, []);
    let raised = rules.resolve("/SAT/V", "limits", Critical);
    assert_eq!((raised.severity, raised.terms.rule.as_str()), (Watch, "mild"));
    assert_eq!(rules.resolve("/SAT/V", "limits", raised.severity).ladder, None);
    assert_eq!(rules.ladder_of(&raised.terms.rule), Some("room"));
    assert_eq!((rules.ladder_of("gone"), rules.ladder_of("")), (None, None));
}

#[test]
fn a_name_with_control_characters_is_refused() {
    check(
        "[[contact]]\nname = \"a\\u0000b\"\nslack = 'c'\n",
        "alarms.toml:3:8: `name` is not a text of 1 to 256 bytes without control characters",
    );
}

#[test]
fn patterns_stand_for_runs_of_characters() {
    let rule = |pattern: &str| format!("version = 1\n[[rule]]\nname = 'a'\nparameters = ['{pattern}']\n");
    let check = |pattern, name, expected| {
        let rules = AlarmRules::parse("", &rule(pattern));
        let fits = !rules.resolve(name, "limits", Watch).terms.rule.is_empty();
        assert_eq!(fits, expected, "{pattern} {name}");
    };
    check("/SAT/A", "/SAT/A", true);
    check("/SAT/A", "/SAT/AB", false);
    check("*", "", true);
    check("/SAT/*", "/SAT/A/B", true);
    check("/SAT/*/T", "/SAT/T", false);
    check("*a*b*", "xxaxxbxx", true);
    check("*ab", "abab", true);
    check("a*a", "a", false);
}

#[test]
fn what_is_wrong_is_told_with_line_column_and_what_was_expected() {
    check("[[rule]]\nlatch = true\n", "alarms.toml:2:1: `name` is missing");
    check("[[rule]]\nname = 'a'\nlatch = 'yes'\n", "alarms.toml:4:9: `latch` is not true or false");
    check(
        "[[rule]]\nname = 'a'\nseverity = 'bad'\n",
        "alarms.toml:4:12: `severity` is not a severity; expected one of",
    );
    check(
        "[[rule]]\nname = 'a'\nlach = true\n",
        "alarms.toml:4:1: unknown key \"lach\"; expected one of name, ",
    );
    check(
        "[[rule]]\nname = 'a'\nmerge_window = 60\n",
        "alarms.toml:4:16: `merge_window` is not a length of time",
    );
    check("[[rule]]\nname = 'ä'\n[[rule]]\nname = 'ä'\n", "alarms.toml:4:1: \"ä\" is there already");
    check("[[rule]]\nname = 'a'\nladder = 'x'\n", "alarms.toml:4:10: there is no ladder \"x\"");
    check("[[rules]]\nname = 'a'\n", "alarms.toml:2:3: unknown key \"rules\"; expected one of version, ");
    check("utc_offset = '+1'\n", "alarms.toml:2:14: `utc_offset` is not an offset; expected \"+01:00\"");
    check(
        "[[contact]]\nname = 'a'\n",
        "alarms.toml:2:1: expected exactly one of `email`, `slack` and `webhook`",
    );
    check("[[contact]]\nname = 'a'\nemail = 'a@b c'\n", "alarms.toml:4:9: `email` is not an address");
    check(
        "[[contact]]\nname = 'a'\nemail = \"a@b\\nBcc: c@d\"\n",
        "alarms.toml:4:9: `email` is not a text of 1 to 256 bytes without control",
    );
    check(
        "[[ladder]]\nname = 'a'\nsteps = [{to = ['x']}]\n",
        "alarms.toml:4:17: there is no \"x\"; expected a contact",
    );
    check("[[on_call]]\nname = 'a'\n", "alarms.toml:2:1: `otherwise` is missing");
    check(
        "flood = { alarms = 0, window = '10 min' }\n",
        "alarms.toml:2:20: `alarms` is not a whole number from 1",
    );
    let found = problems("[[rule]]\nname = 'a'\n");
    assert_eq!(found, ["alarms.toml:1:1: `version` is missing"]);
}

#[test]
fn steps_come_by_time_and_repeat_with_both_words() {
    let ladder =
        |rest: &str| format!("[[contact]]\nname = 'x'\nslack = 'ops'\n[[ladder]]\nname = 'a'\n{rest}");
    let steps = "steps = [{after = '2 min', to = ['x']}, {after = '1 min', to = ['x']}]\n";
    check(&ladder(steps), "alarms.toml:7:41: the step comes before the one above it");
    let steps = "steps = [{to = ['x']}]\n";
    check(&ladder(&format!("{steps}repeat_times = 3\n")), "alarms.toml:5:1: expected `repeat_every`");
    let quiet = "quiet = [{when = 'at night', below = 'critical'}]\n";
    check(&ladder(&format!("{steps}{quiet}")), "alarms.toml:8:18: `when` is not hours of the day");
}

#[test]
fn a_bad_rule_does_not_take_the_good_ones_down() {
    let good = "[[rule]]\nname = 'first'\n\n[[rule]]\nname = 'second'\n\n[[rule]]\nname = 'third'\n";
    for bad in ["latch = 3", "what = 1", "latch = ", "= 3", "latch true", "name = 'again'", "severity = 'x"] {
        let text = format!("version = 1\n{}", good.replace("'second'\n", &format!("'second'\n{bad}\n")));
        let rules = AlarmRules::parse("alarms.toml", &text);
        assert_eq!(rules.names().collect::<Vec<_>>(), ["first", "third"], "{bad}: {:?}", rules.problems);
        assert!(
            rules.problems.iter().all(|problem| (5..=8).contains(&problem.line)),
            "{bad}: {:?}",
            rules.problems
        );
        assert!(!rules.problems.is_empty(), "{bad}");
    }
}

#[test]
fn a_document_that_is_too_large_leaves_the_built_in_rules() {
    let rules = AlarmRules::parse("alarms.toml", &"#".repeat(1024 * 1024 + 1));
    assert_eq!((rules.names().count(), rules.problems.len()), (0, 1));
    let rules = AlarmRules::parse("alarms.toml", &"[".repeat(100_001));
    assert_eq!((rules.names().count(), rules.problems.len()), (0, 1));
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(\\PC|\n){0,200}") {
        let rules = AlarmRules::parse("alarms.toml", &text);
        let lines = text.matches('\n').count() as u32 + 1;
        prop_assert!(rules.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
    }

    #[test]
    fn no_change_of_a_good_document_makes_reading_panic(
        at in any::<prop::sample::Index>(), length in 0_usize..40, with in "(\\PC|[\\[\\]{}=\"'\n]){0,20}",
    ) {
        let good = documented();
        let start = good.floor_char_boundary(at.index(good.len()));
        let end = good.floor_char_boundary((start + length).min(good.len()));
        let text = format!("{}{with}{}", &good[..start], &good[end..]);
        let rules = AlarmRules::parse("alarms.toml", &text);
        // Whatever is left: every step of every ladder still leads to somebody.
        for ladder in &rules.escalation.ladders {
            let trigger = Trigger {
                alarm: AlarmId([0; 16]),
                notice: EntryId([0; 16]),
                severity: Severe,
                since: at_start(),
            };
            let due = rules.escalation.due(&Climb { trigger, named: Some(&ladder.name), hastened: Vec::new() }, at_start().plus_nanos(i64::MAX / 4));
            let told: std::collections::BTreeSet<u32> = due.steps.iter().map(|step| step.step).collect();
            prop_assert_eq!(told.len(), ladder.steps.len());
        }
    }
}

fn at_start() -> TaiTime {
    at(0)
}
