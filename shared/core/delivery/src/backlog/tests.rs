use proptest::prelude::*;

use super::*;

const RECORD_BYTES: u64 = 100;

fn totals(records: u64) -> Totals {
    Totals { records, bytes: records * RECORD_BYTES }
}

fn waiting(records: u64) -> Waiting {
    Waiting { batches: 1, records, bytes: records * RECORD_BYTES, ..Waiting::default() }
}

/// A session that saw constant rates, in records a second, once a second.
fn metered(incoming: u64, outgoing: u64, seconds: u64) -> BacklogMeter {
    let mut meter = BacklogMeter::default();
    meter.on_flow(Duration::ZERO, Flow::Running);
    for second in 0..=seconds {
        let (appended, delivered) = (totals(incoming * second), totals(outgoing * second));
        meter.on_progress(Duration::from_secs(second), appended, delivered);
    }
    meter
}

/// Longer is later; what has no time is later than anything that has.
fn lateness(drain: Drain) -> f64 {
    match drain {
        Drain::Empty | Drain::KeepsUp => 0.0,
        Drain::After { seconds } => seconds,
        Drain::Disconnected | Drain::Never | Drain::Paused => f64::INFINITY,
        Drain::Unknown => panic!("everything here was measured"),
    }
}

#[test]
fn nothing_is_said_of_rates_before_three_seconds_were_seen() {
    for seconds in 0..3 {
        let backlog = metered(10, 1_000, seconds).backlog(waiting(1_000_000));
        assert_eq!((backlog.rates, backlog.drain, backlog.full_in_s), (None, Drain::Unknown, None));
    }
    let backlog = metered(10, 1_000, 3).backlog(waiting(990_000));
    assert_eq!(backlog.drain, Drain::After { seconds: 1_000.0 });
    let rates = backlog.rates.expect("measured");
    assert_eq!((rates.incoming.records_per_s, rates.outgoing.records_per_s), (10.0, 1_000.0));
    assert_eq!((rates.incoming.bytes_per_s, rates.outgoing.bytes_per_s), (1_000.0, 100_000.0));
}

#[test]
fn a_backlog_that_gets_no_less_never_drains_and_one_that_grows_fills_the_room() {
    let room = |records: u64| Waiting { room_bytes: Some(500 * RECORD_BYTES), ..waiting(records) };
    let same = metered(400, 400, 30).backlog(room(10_000));
    assert_eq!((same.drain, same.full_in_s), (Drain::Never, None));
    let grows = metered(400, 350, 30).backlog(room(10_000));
    assert_eq!((grows.drain, grows.full_in_s), (Drain::Never, Some(10.0)));
    let unknown_room = metered(400, 350, 30).backlog(waiting(10_000));
    assert_eq!((unknown_room.drain, unknown_room.full_in_s), (Drain::Never, None));
    let is_full = metered(400, 350, 30).backlog(Waiting { room_bytes: Some(0), ..waiting(10_000) });
    assert_eq!(is_full.full_in_s, Some(0.0));
}

#[test]
fn what_came_in_within_the_last_seconds_is_on_its_way() {
    let meter = metered(400, 400, 30);
    assert_eq!(meter.backlog(waiting(2_000)).drain, Drain::KeepsUp);
    assert_eq!(meter.backlog(waiting(2_001)).drain, Drain::Never);
    assert_eq!(meter.backlog(Waiting::default()).drain, Drain::Empty);
}

#[test]
fn without_a_session_nothing_drains_and_what_comes_in_fills_the_room() {
    let mut meter = metered(400, 900, 30);
    meter.on_flow(Duration::from_secs(30), Flow::Disconnected);
    let backlog = meter.backlog(Waiting { room_bytes: Some(4_000 * RECORD_BYTES), ..waiting(10_000) });
    assert_eq!((backlog.drain, backlog.full_in_s), (Drain::Disconnected, Some(10.0)));
    assert_eq!(backlog.rates.expect("measured").outgoing, Rate::default());
}

#[test]
fn an_outage_of_three_seconds_begins_a_new_measurement_and_a_shorter_one_counts_into_it() {
    for (outage_ms, drain) in [(2_999, Drain::After { seconds: 11.0 }), (3_000, Drain::Unknown)] {
        let mut meter = metered(0, 1_000, 10);
        meter.on_flow(Duration::from_secs(10), Flow::Disconnected);
        meter.on_flow(Duration::from_millis(10_000 + outage_ms), Flow::Running);
        meter.on_progress(Duration::from_secs(13), totals(0), totals(13_000));
        assert_eq!(meter.backlog(waiting(11_000)).drain, drain);
    }
}

#[test]
fn a_pause_holds_the_backlog_and_its_end_begins_a_new_measurement() {
    let mut meter = metered(400, 900, 30);
    meter.on_flow(Duration::from_secs(30), Flow::Paused);
    let told = meter.backlog(waiting(10_000));
    assert_eq!((told.drain, told.rates), (Drain::Paused, None));
    // Live data goes on; it is not taken for the backlog.
    for second in 30..=34 {
        meter.on_progress(Duration::from_secs(second), totals(second * 400), totals(27_000 + second * 300));
    }
    let told = meter.backlog(Waiting { room_bytes: Some(600 * RECORD_BYTES), ..waiting(10_000) });
    assert_eq!((told.drain, told.full_in_s), (Drain::Paused, Some(6.0)));
    meter.on_flow(Duration::from_secs(34), Flow::Running);
    assert_eq!(meter.backlog(waiting(10_000)).drain, Drain::Unknown);
}

#[test]
fn a_total_that_steps_back_and_another_journal_begin_a_new_measurement() {
    const AT: Duration = Duration::from_secs(31);
    let rolled_back = |meter: &mut BacklogMeter| meter.on_progress(AT, totals(31 * 400), totals(20_000));
    let restored = |meter: &mut BacklogMeter| meter.on_progress(AT, totals(7), totals(27_900));
    let replaced = |meter: &mut BacklogMeter| {
        meter.on_journal_replaced();
        meter.on_progress(AT, totals(1_000_000), totals(900_000));
    };
    for happen in [rolled_back as fn(&mut _), restored, replaced] {
        let mut meter = metered(400, 900, 30);
        happen(&mut meter);
        let told = meter.backlog(waiting(10_000));
        assert_eq!((told.rates, told.drain), (None, Drain::Unknown));
    }
}

#[test]
fn a_rate_of_half_a_minute_ago_is_forgotten() {
    let mut meter = metered(0, 1_000, 30);
    for second in 31..=60 {
        meter.on_progress(Duration::from_secs(second), totals(0), totals(30_000 + (second - 30) * 10));
    }
    assert_eq!(meter.backlog(waiting(100)).drain, Drain::After { seconds: 10.0 });
    meter.on_progress(Duration::from_secs(200), totals(0), totals(40_000));
    assert_eq!(meter.backlog(waiting(100)).drain, Drain::Unknown, "nothing was seen in between");
}

#[test]
fn points_are_bounded_however_often_progress_is_told() {
    let mut meter = BacklogMeter::default();
    let mut most = 0;
    for millisecond in 0..100_000 {
        meter.on_progress(Duration::from_millis(millisecond), totals(millisecond), totals(0));
        most = most.max(meter.points.len());
    }
    assert_eq!(most, 61);
}

/// Draining, told once a second, with acknowledgements in bursts; says how long it took from the 30th second on, and
/// what was said then.
fn simulated(incoming: u64, outgoing: u64, backlog: u64, burst_ticks: u64) -> (f64, Drain) {
    const TICKS_PER_S: u64 = 10;
    let mut meter = BacklogMeter::default();
    meter.on_flow(Duration::ZERO, Flow::Running);
    let (mut delivered, mut said) = (0, Drain::Unknown);
    for tick in 0.. {
        let appended = backlog + incoming * tick / TICKS_PER_S;
        if tick % burst_ticks == 0 {
            delivered = (outgoing * tick / TICKS_PER_S).min(appended);
        }
        let at = Duration::from_millis(tick * 1_000 / TICKS_PER_S);
        if tick <= 30 * TICKS_PER_S && tick % TICKS_PER_S == 0 {
            meter.on_progress(at, totals(appended), totals(delivered));
            said = meter.backlog(waiting(appended - delivered)).drain;
        }
        if tick > 30 * TICKS_PER_S && appended - delivered <= incoming * burst_ticks / TICKS_PER_S {
            return (at.as_secs_f64() - 30.0, said);
        }
    }
    unreachable!("it drains")
}

/// Mostly one that lets a measurement grow.
fn any_flow() -> impl Strategy<Value = Flow> {
    prop_oneof![10 => Just(Flow::Running), 1 => Just(Flow::Disconnected), 1 => Just(Flow::Paused)]
}

proptest! {
    #[test]
    fn constant_rates_give_the_quotient(
        incoming in 0_u64..1_000_000,
        more in 1_u64..1_000_000,
        seconds in 3_u64..40,
        records in 0_u64..1_000_000_000_000,
    ) {
        // More than what came in within the last 5 seconds, which is on its way.
        let records = records + incoming * 5 + 1;
        let backlog = metered(incoming, incoming + more, seconds).backlog(waiting(records));
        let expected = records as f64 / more as f64;
        let Drain::After { seconds } = backlog.drain else { panic!("{backlog:?}") };
        prop_assert!((seconds - expected).abs() <= expected * 1e-9, "{seconds} for {expected}");
        prop_assert_eq!(backlog.full_in_s, None);
    }

    #[test]
    fn there_is_no_drain_time_unless_more_goes_out_than_comes_in(
        outgoing in 0_u64..1_000_000,
        more in 0_u64..1_000_000,
        seconds in 0_u64..40,
        records in any::<u32>(),
        room in any::<u64>(),
    ) {
        let waiting = Waiting { room_bytes: Some(room), ..waiting(u64::from(records)) };
        let backlog = metered(outgoing + more, outgoing, seconds).backlog(waiting);
        prop_assert!(!matches!(backlog.drain, Drain::After { .. }), "{backlog:?}");
        let is_behind = backlog.drain == Drain::Never;
        prop_assert_eq!(backlog.full_in_s.is_some(), is_behind && more > 0);
    }

    #[test]
    fn the_more_waits_the_later_it_is_drained_and_the_less_room_the_sooner_it_is_full(
        incoming in 0_u64..1_000,
        outgoing in 0_u64..1_000,
        fewer in 0_u64..1_000_000,
        more in 0_u64..1_000_000,
    ) {
        let meter = metered(incoming, outgoing, 30);
        let of = |records| meter.backlog(Waiting { room_bytes: Some(records), ..waiting(records) });
        let (less, greater) = (of(fewer), of(fewer + more));
        prop_assert!(lateness(less.drain) <= lateness(greater.drain), "{less:?} {greater:?}");
        if let (Some(sooner), Some(later)) = (less.full_in_s, greater.full_in_s) {
            prop_assert!(sooner <= later);
        }
    }

    #[test]
    fn draining_takes_what_was_said(
        incoming in 0_u64..2_000,
        share in 3_u64..20,
        minutes in 2_u64..30,
        burst_ticks in 1_u64..=10,
    ) {
        let outgoing = (incoming * share).max(1_000);
        let (took, said) = simulated(incoming, outgoing, (outgoing - incoming) * minutes * 60, burst_ticks);
        let Drain::After { seconds } = said else { panic!("{said:?}") };
        prop_assert!((seconds - took).abs() <= took / 10.0, "{seconds} s were said, it took {took} s");
    }

    #[test]
    fn whatever_is_told_every_number_is_finite(
        mut numbers in proptest::collection::vec(any::<[u64; 5]>(), 0..40),
        flows in proptest::collection::vec(any_flow(), 40),
        is_in_order in any::<bool>(),
        (batches, records, bytes, room) in any::<(u64, u64, u64, Option<u64>)>(),
    ) {
        if is_in_order {
            for column in 0..5 {
                let mut sorted: Vec<u64> = numbers.iter().map(|row| row[column]).collect();
                sorted.sort_unstable();
                numbers.iter_mut().zip(sorted).for_each(|(row, number)| row[column] = number);
            }
        }
        let mut meter = BacklogMeter::default();
        for (row, flow) in numbers.into_iter().zip(flows) {
            // All within 61 s, so that some lie in one window.
            let at = Duration::from_nanos(if is_in_order { row[0] / 300_000_000 } else { row[0] });
            let appended = Totals { records: row[1], bytes: row[2] };
            let delivered = Totals { records: row[3], bytes: row[4] };
            meter.on_flow(at, flow);
            meter.on_progress(at, appended, delivered);
            let waiting = Waiting { batches, records, bytes, oldest: None, room_bytes: room };
            let backlog = meter.backlog(waiting);
            let mut numbers = vec![backlog.full_in_s.unwrap_or(0.0)];
            if let Drain::After { seconds } = backlog.drain {
                numbers.push(seconds);
            }
            for rate in backlog.rates.iter().flat_map(|rates| [rates.incoming, rates.outgoing]) {
                numbers.extend([rate.records_per_s, rate.bytes_per_s]);
            }
            prop_assert!(numbers.iter().all(|number| number.is_finite() && *number >= 0.0), "{backlog:?}");
            prop_assert_eq!(backlog.waiting, waiting);
        }
    }
}
