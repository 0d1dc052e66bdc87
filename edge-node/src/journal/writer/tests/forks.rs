//! A journal that the hub knows another one by the name of, and what forwarding asks besides.

use std::sync::atomic::AtomicBool;

use super::*;

/// The packets' numbers in a journal, in order.
fn packets_of(journal: &mut dyn Journal) -> Vec<u64> {
    let numbers = 1..=journal.head().number();
    let batches = numbers.filter_map(|number| match journal.read(BatchSequence(number)).expect("reads") {
        Found::Batch(batch) => Some(batch.open().expect("opens")),
        Found::Absent | Found::Missing { .. } => None,
    });
    let packets = batches.map(|batch| {
        let (_, packet) = batch.packets().next().expect("one packet");
        u64::from_be_bytes(packet.try_into().expect("8 bytes"))
    });
    packets.collect()
}

fn alarms_opener(data: &std::path::Path) -> Opener {
    let data = data.to_owned();
    let options = JournalOptions { segment_bytes: 2_000, ..JournalOptions::of_alarms(None) };
    Box::new(move |opening| open(&data, &options, opening, &mut || STORE))
}

#[tokio::test]
async fn a_journal_that_is_forked_under_load_is_left_without_losing_or_doubling_anything() {
    const AT_ONCE: u64 = 20;
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().expect("a directory");
        let Started { handle, end, mut events } =
            start_with(endless(), opener(folder.path(), engine), limits(folder.path()));
        let next = Arc::new(AtomicU64::new(0));
        let is_enough = Arc::new(AtomicBool::new(false));
        let producers: Vec<_> = (0..4)
            .map(|_| {
                let (handle, next, is_enough) = (handle.clone(), Arc::clone(&next), Arc::clone(&is_enough));
                tokio::spawn(async move {
                    while !is_enough.load(Ordering::Relaxed) {
                        let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                        let packets = (first..first + AT_ONCE).map(body);
                        until(&record(&handle, packets).await, AT_ONCE).await;
                    }
                })
            })
            .collect();
        let mut state = handle.state();
        for round in 1..=3 {
            let store = state.wait_for(|state| state.head.number() >= 10).await.expect("grows").store;
            handle.begin_anew(store).await.expect("begins anew");
            assert_ne!(state.borrow().store, store);
            event_of(&mut events, "STO-JOURNAL-FORKED").await;
            let left = state.borrow().store;
            handle.begin_anew(store).await.expect("it was done already");
            assert_eq!((state.borrow().store, handle.salvaged().borrow().len()), (left, round));
        }
        is_enough.store(true, Ordering::Relaxed);
        for producer in producers {
            producer.await.expect("everything is acknowledged");
        }
        let known = handle.salvaged().borrow().clone();
        drop(handle);
        end.await.expect("ends").expect("without an error");
        let mut reopened = opener(folder.path(), engine)(Opening::Again).expect("opens");
        assert_eq!(reopened.salvaged, known, "a restart finds them again");
        let mut packets = packets_of(&mut *reopened.journal);
        for older in known {
            assert!(older.is_forked);
            packets
                .extend(packets_of(&mut *super::super::super::open_older(&older.path, None).expect("opens")));
        }
        packets.sort_unstable();
        assert_eq!(packets, (0..next.load(Ordering::Relaxed)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_forked_journal_that_cannot_be_moved_goes_on_recording() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut inner = opener(folder.path(), Engine::Segments);
    let opener: Opener = Box::new(move |opening| match opening {
        Opening::Forked => Err(JournalError::io("set the journal aside")(std::io::Error::other("no"))),
        other => inner(other),
    });
    let Started { handle, .. } = start_with(endless(), opener, limits(folder.path()));
    until(&record(&handle, (0..3).map(body)).await, 3).await;
    let store = handle.state().borrow().store;
    handle.begin_anew(store).await.expect_err("it stays where it is");
    until(&record(&handle, (3..5).map(body)).await, 2).await;
    assert_eq!(here(&handle, 1).await.len(), 5);
    assert_eq!(handle.state().borrow().store, store);
}

#[tokio::test]
async fn the_first_batch_from_a_number_on_is_found_behind_gaps_and_what_was_pruned() {
    let folder = tempfile::tempdir().expect("a directory");
    let evicting = JournalLimits {
        retained_bytes_max: 3_000,
        when_full: WhenFull::EvictOldest,
        ..limits(folder.path())
    };
    let Started { handle, .. } = start_with(endless(), opener(folder.path(), Engine::Segments), evicting);
    until(&record(&handle, (0..100).map(body)).await, 100).await;
    let [gap] = handle.gaps().await.expect("answers")[..] else { panic!("one gap") };
    let first = async |number| {
        let header = handle.first_from(number).await.expect("answers");
        header.map(|header| (header.sequence.0, header.records_before))
    };
    let tail = gap.last.0 + 1;
    assert_eq!(first(0).await, Some((tail, tail - 1)));
    assert_eq!(first(gap.last.0).await, Some((tail, tail - 1)));
    assert_eq!(first(99).await, Some((99, 98)));
    assert_eq!(first(101).await, None);
}

#[tokio::test]
async fn of_the_alarm_lane_what_the_hub_has_goes_first_then_the_oldest_and_nobody_waits() {
    let folder = tempfile::tempdir().expect("a directory");
    let small = JournalLimits {
        retained_bytes_max: 20_000,
        acknowledged_bytes_max: 10_000,
        ..JournalLimits::of_alarms(folder.path())
    };
    let Started { handle, mut events, .. } = start_with(endless(), alarms_opener(folder.path()), small);
    assert_eq!(handle.lane(), Lane::Alarm);
    until(&record(&handle, (0..60).map(body)).await, 60).await;
    let state = *handle.state().borrow();
    let newest = state.head.sequence.expect("not empty");
    handle.acknowledged(state.store, newest, newest).await.expect("heard");
    until(&record(&handle, (60..130).map(body)).await, 70).await;
    assert!(handle.gaps().await.expect("answers").is_empty(), "only what the hub has was forgotten");
    assert!(handle.state().borrow().tail > Some(BatchSequence::FIRST));
    until(&record(&handle, (130..600).map(body)).await, 470).await;
    let event = event_of(&mut events, "STO-JOURNAL-EVICTED").await;
    assert!(event.details.contains(&("journal".to_owned(), "journal-alarm".to_owned())));
    let gaps = handle.gaps().await.expect("answers");
    assert!(gaps.iter().all(|gap| gap.reason == GapReason::Evicted && gap.first > newest), "{gaps:?}");
    assert!(!handle.state().borrow().is_full);
}

#[tokio::test]
async fn what_waits_for_space_goes_into_the_journal_that_begins_in_place_of_a_forked_one() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().expect("a directory");
        let failing = failing(folder.path(), engine, &[None, Some(no_space), Some(no_space)]);
        let Started { handle, mut events, .. } = start_with(endless(), failing, limits(folder.path()));
        until(&record(&handle, std::iter::once(body(0))).await, 1).await;
        let waiting = record(&handle, std::iter::once(body(1))).await;
        event_of(&mut events, "STO-JOURNAL-FULL").await;
        let store = handle.state().borrow().store;
        handle.begin_anew(store).await.expect("begins anew");
        until(&waiting, 1).await;
        until(&record(&handle, std::iter::once(body(2))).await, 1).await;
        let packets = here(&handle, 1).await.len();
        let forked = handle.salvaged().borrow()[0].path.clone();
        let mut older = super::super::super::open_older(&forked, None).expect("opens");
        assert_eq!((packets_of(&mut *older), packets), (vec![0], 2));
    }
}
