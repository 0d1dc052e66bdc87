use proptest::prelude::*;

use super::*;
use crate::UtcTime;

fn utc(text: &str) -> TaiTime {
    UtcTime::parse(text).expect("a time").to_tai()
}

fn rate(ticks_per_second: u64) -> NonZeroU64 {
    NonZeroU64::new(ticks_per_second).expect("not 0")
}

fn point(ticks: u64, time: TaiTime) -> ReferencePoint {
    ReferencePoint { ticks, time }
}

fn correlation(points: &[ReferencePoint], ticks_per_second: u64, limits: Limits) -> Correlation {
    Correlation::new(points, rate(ticks_per_second), limits).expect("a line")
}

#[test]
fn a_clock_reads_as_seconds_and_ticks_of_its_own_rate() {
    let check = |coarse, fine, per_second, bytes: &[u8], expected| {
        let clock = Clock::new(coarse, fine, NonZeroU64::new(per_second)).expect("a clock");
        assert_eq!(clock.ticks(bytes), expected, "{bytes:02x?}");
    };
    check(4, 0, 0, &[0, 0, 1, 2], Ok(258));
    check(4, 2, 0, &[0, 0, 0, 1, 0, 5], Ok(65_541));
    check(4, 2, 50_000, &[0, 0, 0, 2, 0, 5], Ok(100_005));
    check(4, 4, 0, &[0xFF; 8], Ok(u64::MAX));
    check(1, 7, 0, &[0xFF; 9], Ok(u64::MAX));
    let too_many = ClockError::FineOutOfRange { fine: 50_000, ticks_per_second: rate(50_000) };
    check(4, 2, 50_000, &[0, 0, 0, 2, 0xC3, 0x50], Err(too_many));
    check(4, 2, 0, &[0; 5], Err(ClockError::Truncated { found_bytes: 5, wanted_bytes: 6 }));
}

#[test]
fn a_clock_that_cannot_be_is_refused() {
    for (coarse_bytes, fine_bytes) in [(0, 0), (8, 0), (4, 5), (255, 255)] {
        let refused = ClockError::LayoutOutOfRange { coarse_bytes, fine_bytes };
        assert_eq!(Clock::new(coarse_bytes, fine_bytes, None), Err(refused));
    }
    let refused = ClockError::RateOutOfRange { fine_bytes: 1, ticks_per_second: rate(257) };
    assert_eq!(Clock::new(4, 1, Some(rate(257))), Err(refused));
}

#[test]
fn one_point_and_the_nominal_rate_lead_to_every_time_exactly() {
    let epoch = utc("2010-01-01T00:00:00Z");
    let line = correlation(&[point(0, epoch)], 3, Limits::default());
    let check = |ticks, nanos| {
        let expected = CorrelatedTime { ticks, time: epoch.plus_nanos(nanos), quality: Quality::Good };
        assert_eq!(line.time_of(ticks), expected);
    };
    check(0, 0);
    check(1, 333_333_333);
    check(3 * 473_385_600 + 2, 473_385_600_666_666_666);
}

#[test]
fn a_clock_that_drifts_is_followed_to_the_nanosecond_over_years() {
    let epoch = utc("2026-01-01T00:00:00Z");
    // 20 ppm slow: each of its seconds takes 1.00002 s.
    let at = |second: u64| point(second << 16, epoch.plus_nanos(second as i64 * 1_000_020_000));
    let line =
        correlation(&[at(0), at(7 * 86_400), at(90 * 86_400), at(400 * 86_400)], 65_536, Limits::default());
    assert_eq!(line.residual(), Duration::ZERO);
    for second in [1, 86_399, 200 * 86_400, 3_000 * 86_400] {
        assert_eq!(line.time_of(second << 16).time, at(second).time, "after {second} s");
    }
}

#[test]
fn the_line_is_the_one_of_least_squares_and_its_worst_point_is_known() {
    let epoch = utc("2026-01-01T00:00:00Z");
    let at = |second: u64, off| point(second, epoch.plus_nanos(second as i64 * NANOS_PER_SECOND + off));
    let points = [at(100, 0), at(101, 300), at(102, 0)];
    let limits = Limits { residual_max: Some(Duration::from_nanos(150)), ..Limits::default() };
    let line = correlation(&points, 1, limits);
    assert_eq!(line.time_of(101).time, epoch.plus_nanos(101 * NANOS_PER_SECOND + 100));
    let residual = Duration::from_nanos(200);
    assert_eq!(line.time_of(101).quality, Quality::Inaccurate { residual });
}

#[test]
fn a_time_too_far_from_the_points_is_marked_as_extrapolated() {
    let epoch = utc("2026-01-01T00:00:00Z");
    let points = [point(1_000, epoch), point(2_000, epoch.plus_nanos(1_000 * NANOS_PER_SECOND))];
    let limits = Limits { extrapolation_max: Some(Duration::from_secs(60)), ..Limits::default() };
    let line = correlation(&points, 1, limits);
    let extrapolated = |seconds| Quality::Extrapolated { by: Duration::from_secs(seconds) };
    for (ticks, quality) in [
        (939, extrapolated(61)),
        (940, Quality::Good),
        (1_500, Quality::Good),
        (2_060, Quality::Good),
        (2_100, extrapolated(100)),
    ] {
        assert_eq!(line.time_of(ticks).quality, quality, "{ticks}");
    }
}

#[test]
fn a_clock_that_says_1970_is_marked_as_implausible_and_kept() {
    let plausible = Some(utc("2020-01-01T00:00:00Z")..=utc("2040-01-01T00:00:00Z"));
    let limits = Limits { plausible, ..Limits::default() };
    let line = correlation(&[point(1_700_000_000, utc("2023-11-14T22:13:20Z"))], 1, limits);
    let early = line.time_of(5);
    assert_eq!((early.ticks, early.quality), (5, Quality::Implausible));
    assert!(early.time.to_string().starts_with("1970-01-01T"), "{}", early.time);
    assert_eq!(line.time_of(1_800_000_000).quality, Quality::Good);
    assert_eq!(line.time_of(u64::MAX).quality, Quality::Implausible);
}

#[test]
fn points_that_make_no_line_are_refused() {
    let epoch = utc("2026-01-01T00:00:00Z");
    let check = |points: &[ReferencePoint], expected| {
        assert_eq!(Correlation::new(points, rate(1), Limits::default()), Err(expected));
    };
    check(&[], CorrelationError::NoPoints);
    check(&[point(7, epoch), point(7, epoch)], CorrelationError::NoSpan { points: 2, ticks: 7 });
    let earlier = epoch.plus_nanos(-NANOS_PER_SECOND);
    check(&[point(7, epoch), point(9, earlier)], CorrelationError::RunsBackwards);
}

proptest! {
    #[test]
    fn a_line_through_exact_points_gives_the_time_of_every_reading_between_them(
        origin in 0..1_u64 << 40,
        epoch in 0..2_000_000_000_000_000_000_i64,
        drift_ppb in -200_000..200_000_i64,
        seconds in proptest::collection::btree_set(0..400_000_000_u64, 2..20),
        asked in 0..400_000_000_u64,
    ) {
        let at = |second: u64| {
            let nanos = second as i64 * (NANOS_PER_SECOND + drift_ppb);
            point(origin + (second << 16), TaiTime(epoch + nanos))
        };
        let points: Vec<_> = seconds.iter().map(|second| at(*second)).collect();
        prop_assume!(seconds.last().zip(seconds.first()).is_some_and(|(last, first)| last - first > 1_000_000));
        let line = correlation(&points, 65_536, Limits::default());
        let off = line.time_of(at(asked).ticks).time.0 - at(asked).time.0;
        prop_assert!(off.abs() <= 1, "{} ns off", off);
    }

    #[test]
    fn any_points_and_readings_are_a_time_or_an_error(
        points in proptest::collection::vec((any::<u64>(), any::<i64>()), 0..5),
        ticks_per_second in 1..=u64::MAX,
        ticks in any::<u64>(),
    ) {
        let points: Vec<_> = points.iter().map(|&(ticks, nanos)| point(ticks, TaiTime(nanos))).collect();
        if let Ok(line) = Correlation::new(&points, rate(ticks_per_second), Limits::default()) {
            prop_assert_eq!(line.time_of(ticks).ticks, ticks);
        }
    }
}
