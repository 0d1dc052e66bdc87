//! Live subscriptions that are taken up again at a cursor.

use processing::Raw;

use super::subscriptions::{Seen, event, events, parameters, sample, stream};
use super::*;
use crate::contract::{LiveEvent, LiveSubject};
use crate::live::LiveStream;

/// Reads until the newest value is there.
async fn until(stream: &mut LiveStream, newest: i64) -> Seen {
    let mut seen = Seen::default();
    loop {
        while let Some(update) = stream.next_update() {
            seen.add(update.into_event());
        }
        if seen.values.last() == Some(&newest) {
            return seen;
        }
        let changed = tokio::time::timeout(Duration::from_secs(10), stream.changed());
        changed.await.expect("something comes");
    }
}

/// Opens a subscription at a cursor and reads until the newest value is there.
async fn resumed(backend: &Arc<Fixture>, cursor: &str, newest: i64) -> Seen {
    let mut stream = stream(backend);
    stream.open("again", parameters(None), Some(cursor)).expect("opened");
    until(&mut stream, newest).await
}

async fn cursor_behind(backend: &Arc<Fixture>, position: i64) -> String {
    let mut stream = stream(backend);
    stream.open("a", parameters(None), None).expect("opened");
    events(&mut stream);
    backend.commit(position);
    Seen::of(events(&mut stream)).cursor.expect("a cursor")
}

#[tokio::test]
async fn who_comes_back_with_a_cursor_gets_what_it_missed_without_hole_or_double() {
    let backend = backend();
    (1..=5).for_each(|position| backend.commit(position));
    let cursor = cursor_behind(&backend, 6).await;
    (7..=40).for_each(|position| backend.commit(position));
    let mut stream = stream(&backend);
    stream.open("again", parameters(None), Some(&cursor)).expect("opened");
    // While the archive is read, more comes.
    (41..=50).for_each(|position| backend.commit(position));
    let seen = until(&mut stream, 50).await;
    assert_eq!(seen.values, (7..=50).collect::<Vec<_>>());
    assert_eq!((seen.resumed, seen.dropped), (Some(true), 0));

    let again = seen.cursor.expect("a cursor");
    backend.commit(51);
    assert_eq!(resumed(&backend, &again, 51).await.values, [51]);
}

#[tokio::test]
async fn a_cursor_that_nothing_came_behind_is_resumed_without_the_archive() {
    let backend = backend();
    let cursor = cursor_behind(&backend, 1).await;
    backend.ledger.lock().expect("not poisoned").clear();
    let mut stream = stream(&backend);
    stream.open("again", parameters(None), Some(&cursor)).expect("opened");
    let seen = Seen::of(events(&mut stream));
    assert_eq!((seen.resumed, seen.values), (Some(true), Vec::new()));
    backend.commit(2);
    assert_eq!(Seen::of(events(&mut stream)).values, [2]);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_resumed_brings_a_snapshot_and_the_reason() {
    let check = async |prepare: &dyn Fn(&Fixture), cursor: Option<&str>, expected: &str| {
        let backend = backend();
        let given = cursor_behind(&backend, 1).await;
        prepare(&backend);
        backend.commit(1_000_000);
        let seen = resumed(&backend, cursor.unwrap_or(&given), 1_000_000).await;
        assert_eq!((seen.resumed, &seen.values[..]), (Some(false), &[1_000_000][..]), "{expected}");
        let reason = seen.reason.expect("a reason");
        assert!(reason.contains(expected), "{reason}");
    };
    let nothing = |_: &Fixture| {};
    let elsewhere = crate::live::cursor_of([2; 8], "demo", 1);
    let ahead = crate::live::cursor_of([1; 8], "demo", 2_000_000);
    let near = crate::live::cursor_of([1; 8], "demo", 999_000);
    check(&nothing, Some("what is this"), "not the characters of a cursor").await;
    check(&nothing, Some(&elsewhere), "another server").await;
    check(&nothing, Some(&ahead), "ahead").await;
    check(&nothing, None, "more than 100000 batches").await;
    let long_ago = |backend: &Fixture| {
        backend.commit_at(999_500, service::clock::now().plus_nanos(-61_000_000_000));
    };
    check(&long_ago, Some(&near), "more than 60 s").await;
    let far_too_many = |backend: &Fixture| {
        let samples = vec![sample(0, Raw::Unsigned(1)); 100_001];
        let batch = LiveBatch { source: 0, position: Some(999_500), samples, records: None };
        backend.ledger.lock().expect("not poisoned").push((service::clock::now(), batch));
    };
    check(&far_too_many, Some(&near), "records were missed").await;
}

#[tokio::test]
async fn the_servers_events_are_taken_up_again_while_they_are_in_memory() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("a", LiveSubject::Events { mission: None }, None).expect("opened");
    events(&mut stream);
    (1..=3).for_each(|position| backend.events.publish(event(position, "seen")));
    let Some(LiveEvent::Events { cursor: Some(cursor), .. }) = events(&mut stream).pop() else { panic!() };
    let mut check = |missed: std::ops::RangeInclusive<i64>, resumes: bool, texts: usize| {
        missed.for_each(|position| backend.events.publish(event(position, "missed")));
        stream.open("a", LiveSubject::Events { mission: None }, Some(&cursor)).expect("opened");
        let all = events(&mut stream);
        let [LiveEvent::Opened { resumed, .. }, LiveEvent::Events { events, .. }] = &all[..] else {
            panic!("{all:?}")
        };
        assert_eq!((*resumed, events.len()), (resumes, texts));
    };
    check(4..=5, true, 2);
    check(6..=300, false, 256);
}
