use proptest::prelude::*;
use space_packet::UtcTime;

use super::*;

fn at(text: &str) -> TaiTime {
    UtcTime::parse(text).unwrap().to_tai()
}

fn kbit(number: u64) -> Option<BitRate> {
    Some(BitRate { bits_per_s: number * 1_000 })
}

fn daily(window: &str, rate: Option<BitRate>) -> DailyCap {
    DailyCap { window: window.parse().unwrap(), rate }
}

fn office_hours() -> RateSchedule {
    RateSchedule {
        default: kbit(2_000),
        daily: vec![daily("Mon-Fri 08:00-18:00", kbit(256)), daily("22:00-06:00", None)],
        ..RateSchedule::default()
    }
}

#[test]
fn the_time_of_day_and_the_day_of_the_week_decide() {
    let schedule = office_hours();
    // 2026-11-20 is a Friday.
    for (moment, rate, until) in [
        ("2026-11-20T07:59:59.999999999Z", kbit(2_000), "2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00:00Z", kbit(256), "2026-11-20T18:00:00Z"),
        ("2026-11-20T17:59:59.999Z", kbit(256), "2026-11-20T18:00:00Z"),
        ("2026-11-20T18:00:00Z", kbit(2_000), "2026-11-20T22:00:00Z"),
        ("2026-11-20T23:00:00Z", None, "2026-11-21T06:00:00Z"),
        ("2026-11-21T05:59:59Z", None, "2026-11-21T06:00:00Z"),
        ("2026-11-21T12:00:00Z", kbit(2_000), "2026-11-21T22:00:00Z"),
    ] {
        assert_eq!(schedule.cap_at(at(moment)), Cap { rate, until: Some(at(until)) }, "{moment}");
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_began() {
    let window: DayWindow = "Sun 22:00-06:00".parse().unwrap();
    // 2026-11-22 is a Sunday.
    for (moment, expected) in [
        ("2026-11-22T05:00:00Z", false),
        ("2026-11-22T22:00:00Z", true),
        ("2026-11-23T05:59:59Z", true),
        ("2026-11-23T06:00:00Z", false),
        ("2026-11-23T22:00:00Z", false),
    ] {
        assert_eq!(window.covers(at(moment)), expected, "{moment}");
    }
}

#[test]
fn a_leap_second_belongs_to_what_was_before_it() {
    let schedule = RateSchedule { daily: vec![daily("12:00-24:00", kbit(1))], ..RateSchedule::default() };
    let midnight = at("2017-01-01T00:00:00Z");
    assert_eq!(schedule.cap_at(at("2016-12-31T23:59:60.5Z")), Cap { rate: kbit(1), until: Some(midnight) });
    assert_eq!(schedule.cap_at(midnight).rate, None);
}

#[test]
fn a_pass_counts_before_the_time_of_day_and_nothing_may_be_sent_between_passes() {
    let pass =
        PassCap { from: at("2026-11-20T09:10:00Z"), to: at("2026-11-20T09:22:00Z"), rate: kbit(10_000) };
    let nothing = Some(BitRate { bits_per_s: 0 });
    let mut schedule = RateSchedule { passes: vec![pass], only_in_passes: true, ..office_hours() };
    assert_eq!(schedule.cap_at(at("2026-11-20T09:00:00Z")), Cap { rate: nothing, until: Some(pass.from) });
    assert_eq!(schedule.cap_at(pass.from), Cap { rate: kbit(10_000), until: Some(pass.to) });
    assert_eq!(schedule.cap_at(pass.to).rate, nothing);
    schedule.only_in_passes = false;
    assert_eq!(schedule.cap_at(pass.to).rate, kbit(256));
}

#[test]
fn one_cap_for_ever_says_so() {
    let schedule = RateSchedule { default: kbit(64), ..RateSchedule::default() };
    assert_eq!(schedule.cap_at(TaiTime(0)), Cap { rate: kbit(64), until: None });
}

#[test]
fn windows_are_read_as_people_write_them_and_written_in_one_form() {
    for (text, written) in [
        ("08:00-18:00", "08:00-18:00"),
        ("Mon-Sun 00:00-24:00", "00:00-24:00"),
        (" fri-mon 22:00-06:00 ", "Mon,Fri,Sat,Sun 22:00-06:00"),
        ("Sat,Tue-Wed 09:30-09:30", "Tue,Wed,Sat 09:30-09:30"),
    ] {
        assert_eq!(text.parse::<DayWindow>().unwrap().to_string(), written);
        assert_eq!(written.parse::<DayWindow>().unwrap().to_string(), written);
    }
}

#[test]
fn what_is_not_a_window_is_refused() {
    for text in [
        "",
        "8:00-18:00",
        "08:00",
        "24:00-06:00",
        "08:00-24:01",
        "08:60-09:00",
        "08:00 - 18:00",
        "Mon- 08:00-18:00",
        "Noday 08:00-18:00",
        "+8:00-18:00",
    ] {
        assert_eq!(text.parse::<DayWindow>(), Err(DayWindowError { found: text.to_owned() }), "{text}");
    }
}

fn any_rate() -> impl Strategy<Value = Option<BitRate>> {
    prop::option::of((0u64..4).prop_map(|bits_per_s| BitRate { bits_per_s }))
}

fn any_window() -> impl Strategy<Value = DayWindow> {
    (0u16..1_440, 0u16..=1_440, 1u8..128).prop_map(|(from, to, days)| {
        let name = |day: usize| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][day];
        let days: Vec<_> = (0..7).filter(|day| days >> day & 1 == 1).map(name).collect();
        let times = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60);
        format!("{} {times}", days.join(",")).parse().unwrap()
    })
}

/// Around the leap second at the end of 2016, which must not open a hole.
fn any_moment() -> impl Strategy<Value = TaiTime> {
    let middle = at("2017-01-01T00:00:00Z").0;
    let days = 9 * 86_400 * 1_000_000_000;
    prop_oneof![middle - days..middle + days, middle - 3_000_000_000..middle + 3_000_000_000]
        .prop_map(TaiTime)
}

prop_compose! {
    fn any_schedule()(
        default in any_rate(),
        daily in prop::collection::vec((any_window(), any_rate()), 0..4),
        passes in prop::collection::vec((any_moment(), any_moment(), any_rate()), 0..4),
        only_in_passes: bool,
    ) -> RateSchedule {
        let daily = daily.into_iter().map(|(window, rate)| DailyCap { window, rate }).collect();
        let passes = passes.into_iter().map(|(from, to, rate)| PassCap { from, to, rate }).collect();
        RateSchedule { default, daily, passes, only_in_passes }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_answer_stays_the_same_until_the_moment_it_names(
        schedule in any_schedule(),
        now in any_moment(),
        later in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let cap = schedule.cap_at(now);
        let until = cap.until.unwrap_or_else(|| now.plus_nanos(30 * 86_400 * 1_000_000_000));
        prop_assert!(until > now);
        let last = until.plus_nanos(-1);
        let between = later.into_iter().map(|index| now.plus_nanos(index.index((until.0 - now.0) as usize) as i64));
        for moment in between.chain([last]) {
            prop_assert_eq!(schedule.cap_at(moment), cap, "at {}", moment);
        }
    }

    #[test]
    fn times_at_the_ends_of_the_range_are_answered(schedule in any_schedule(), nanos: i64) {
        for moment in [TaiTime(nanos), TaiTime(i64::MIN), TaiTime(i64::MAX)] {
            prop_assert!(schedule.cap_at(moment).until.is_none_or(|until| until > moment));
        }
    }
}
