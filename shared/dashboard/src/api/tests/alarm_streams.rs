//! Alarms over the live stream and gRPC.

use std::collections::BTreeMap;

use processing::alarm::AlarmSeverity;
use proto::v1::alarms_client::AlarmsClient;
use proto::v1::{
    self, ActOnAlarmRequest, CommentAct, GetAlarmRequest, ListAlarmsRequest, SuppressAct, WatchAlarmsRequest,
};
use tonic::transport::Channel;

use super::alarms::{first_alarm, first_piece};
use super::live::{Served, served};
use super::subscriptions::{events, stream};
use super::*;
use crate::alarms::tests::{acknowledge, at, raised};
use crate::contract::{LiveEvent, LiveSubject};
use crate::live::LiveUpdate;

fn alarms_of(mission: &str) -> LiveSubject {
    LiveSubject::Alarms { mission: mission.to_owned() }
}

#[tokio::test]
async fn a_subscription_begins_with_all_open_alarms_and_tells_of_each_that_changes() {
    let backend = backend();
    for second in 1..=600 {
        backend.alarms.put(&raised("/Demo/Q", second, AlarmSeverity::Watch, true));
    }
    let mut stream = stream(&backend);
    stream.open("a", alarms_of("demo"), Some("a cursor")).expect("opened");
    let told = events(&mut stream);
    let [LiveEvent::Opened { resumed: false, reason: Some(_), .. }, snapshot @ ..] = &told[..] else {
        panic!("{told:?}")
    };
    let parts = snapshot.iter().map(|event| match event {
        LiveEvent::AlarmsSnapshot { alarms, is_first, more, dropped: 0, .. } => {
            (alarms.len(), *is_first, *more)
        }
        other => panic!("{other:?}"),
    });
    let mut expected = vec![(100, false, true); 7];
    (expected[0], expected[6]) = ((100, true, true), (1, false, false));
    assert_eq!(parts.collect::<Vec<_>>(), expected);
    let book = &backend.alarms.books[0];
    book.act(first_piece().alarm(), acknowledge(1), "kari", at(1)).await.expect("done");
    let told = events(&mut stream);
    let [LiveEvent::Alarms { alarms, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((alarms.len(), alarms[0].state), (1, crate::contract::AlarmState::ActiveAcknowledged));
    assert!(events(&mut stream).is_empty(), "once");
    for second in 1_001..=1_250 {
        backend.alarms.put(&raised("/Demo/Q", second, AlarmSeverity::Watch, true));
    }
    let mut told = BTreeMap::new();
    while told.len() < 250 {
        stream.changed().await;
        for event in std::iter::from_fn(|| stream.next_update().map(LiveUpdate::into_event)) {
            let LiveEvent::Alarms { alarms, .. } = event else { panic!("{event:?}") };
            assert!((1..=100).contains(&alarms.len()), "{}", alarms.len());
            told.extend(alarms.into_iter().map(|alarm| (alarm.id.clone(), alarm)));
        }
    }
}

#[tokio::test]
async fn whoever_lags_behind_is_told_all_open_alarms_anew_and_how_much_it_missed() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("a", alarms_of("demo"), None).expect("opened");
    events(&mut stream);
    for second in 1..=1_500 {
        backend.alarms.put(&raised("/Demo/Q", second, AlarmSeverity::Watch, true));
    }
    let (mut open, mut missed) = (BTreeMap::new(), 0);
    while open.len() < 1_501 {
        for event in events(&mut stream) {
            let (alarms, dropped) = match event {
                LiveEvent::AlarmsSnapshot { alarms, dropped, .. } => (alarms, dropped),
                LiveEvent::Alarms { alarms, .. } => (alarms, 0),
                other => panic!("{other:?}"),
            };
            missed += dropped;
            open.extend(alarms.into_iter().map(|alarm| (alarm.id.clone(), alarm)));
        }
        tokio::task::yield_now().await;
    }
    assert!((1..=1_500).contains(&missed), "{missed}");
}

async fn client(served: &Served) -> AlarmsClient<Channel> {
    AlarmsClient::new(super::grpc::channel(served).await)
}

fn call<T>(served: &Served, role: Role, mission: &str, message: T) -> tonic::Request<T> {
    let token = served.backend.store.token(somebody(role, Some(mission)));
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("text"));
    request
}

fn acting(act: v1::act_on_alarm_request::Act) -> ActOnAlarmRequest {
    ActOnAlarmRequest {
        mission: "demo".to_owned(),
        alarm: first_alarm(),
        id: String::new(),
        note: "by a program".to_owned(),
        act: Some(act),
    }
}

#[tokio::test]
async fn a_program_lists_reads_watches_and_acts_by_the_same_rights() {
    use v1::act_on_alarm_request::Act;
    let served = served().await;
    let mut client = client(&served).await;
    let (operator, viewer) = (Role::Operator, Role::Viewer);
    let list = ListAlarmsRequest { mission: "demo".to_owned(), ..ListAlarmsRequest::default() };
    let listed =
        client.list_alarms(call(&served, viewer, "demo", list.clone())).await.expect("answers").into_inner();
    assert_eq!((listed.alarms.len(), &*listed.alarms[0].id), (1, &*first_alarm()));
    assert_eq!(listed.alarms[0].worst(), v1::AlarmSeverity::Warning);
    let severe =
        ListAlarmsRequest { at_least: v1::AlarmSeverity::Severe.into(), closed_too: true, ..list.clone() };
    let listed =
        client.list_alarms(call(&served, viewer, "demo", severe)).await.expect("answers").into_inner();
    assert!(listed.alarms.is_empty());

    let watch = WatchAlarmsRequest { mission: "demo".to_owned() };
    let watched = client.watch_alarms(call(&served, viewer, "demo", watch.clone())).await;
    let mut updates = watched.expect("answers").into_inner();
    let first = updates.message().await.expect("goes on").expect("an update");
    assert_eq!((first.alarms.len(), first.is_snapshot, first.is_first, first.more), (1, true, true, false));

    let acknowledge =
        acting(Act::Acknowledge(v1::AcknowledgeAct { notices: first.alarms[0].unacknowledged.clone() }));
    let refused =
        client.act_on_alarm(call(&served, viewer, "demo", acknowledge.clone())).await.expect_err("reads");
    assert_eq!(super::grpc::code(&refused), (tonic::Code::PermissionDenied, Some("STO-API-NOT-ALLOWED")));
    let done = client
        .act_on_alarm(call(&served, operator, "demo", acknowledge.clone()))
        .await
        .expect("done")
        .into_inner();
    assert_eq!(done.alarm.expect("an alarm").state(), v1::AlarmState::ActiveAcknowledged);
    let refused =
        client.act_on_alarm(call(&served, operator, "demo", acknowledge)).await.expect_err("nothing is left");
    assert_eq!(super::grpc::code(&refused), (tonic::Code::FailedPrecondition, Some("STO-ALARM-ACT")));
    let changed = updates.message().await.expect("goes on").expect("an update");
    assert_eq!((changed.is_snapshot, changed.alarms[0].state()), (false, v1::AlarmState::ActiveAcknowledged));

    let soon = service::clock::now().plus_nanos(3_000_000_000_000).to_unix_nanos() / 1_000_000_000;
    let until = || prost_types::Timestamp { seconds: soon, nanos: 0 };
    let out = SuppressAct { by_design: false, until: Some(until()), order: "WO-12".to_owned() };
    for (act, state) in [
        (Act::Comment(CommentAct {}), v1::AlarmState::ActiveAcknowledged),
        (Act::Assign("ola".to_owned()), v1::AlarmState::ActiveAcknowledged),
        (Act::Judge("known".to_owned()), v1::AlarmState::ActiveAcknowledged),
        (Act::ShelveUntil(until()), v1::AlarmState::Shelved),
        (Act::Unshelve(v1::UnshelveAct {}), v1::AlarmState::ActiveAcknowledged),
        (Act::Suppress(out), v1::AlarmState::OutOfService),
        (Act::Restore(v1::RestoreAct {}), v1::AlarmState::ActiveAcknowledged),
    ] {
        let done = client.act_on_alarm(call(&served, operator, "demo", acting(act.clone()))).await;
        let found = done.unwrap_or_else(|status| panic!("{act:?}: {status}")).into_inner();
        assert_eq!(found.alarm.expect("an alarm").state(), state, "{act:?}");
    }
    let rung = v1::AlarmRung { notice: "aa".repeat(16), ladder: "usual".to_owned(), step: 2, round: 0 };
    for rung in [None, Some(rung)] {
        let escalate = acting(Act::Escalate(v1::EscalateAct { rung }));
        let refused = client.act_on_alarm(call(&served, operator, "demo", escalate)).await;
        let refused = refused.expect_err("it is acknowledged");
        assert_eq!(super::grpc::code(&refused), (tonic::Code::FailedPrecondition, Some("STO-ALARM-ACT")));
    }
    let get = GetAlarmRequest { mission: "demo".to_owned(), alarm: first_alarm() };
    let found =
        client.get_alarm(call(&served, viewer, "demo", get.clone())).await.expect("answers").into_inner();
    assert_eq!(found.entries_json.len(), 9);
    for status in [
        client.get_alarm(call(&served, operator, "luna", get)).await.map(drop),
        client.list_alarms(call(&served, operator, "luna", list)).await.map(drop),
        client.watch_alarms(call(&served, operator, "luna", watch)).await.map(drop),
        client
            .act_on_alarm(call(&served, operator, "luna", acting(Act::Reset(v1::ResetAct {}))))
            .await
            .map(drop),
    ] {
        let refused = status.expect_err("of another mission");
        assert_eq!(super::grpc::code(&refused), (tonic::Code::NotFound, Some("STO-API-UNKNOWN-MISSION")));
    }
    let refused = client.list_alarms(ListAlarmsRequest::default()).await.expect_err("nobody");
    assert_eq!(super::grpc::code(&refused).0, tonic::Code::Unauthenticated);
    for wrong in [
        Act::Judge("maybe".to_owned()),
        Act::Acknowledge(v1::AcknowledgeAct { notices: vec!["x".to_owned()] }),
    ] {
        let refused =
            client.act_on_alarm(call(&served, operator, "demo", acting(wrong))).await.expect_err("refused");
        assert_eq!(super::grpc::code(&refused), (tonic::Code::InvalidArgument, Some("STO-API-BAD-REQUEST")));
    }
}
