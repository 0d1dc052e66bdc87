//! What lies in the ledger and beside it, as the API gives it out.

use cloud_hub::archive::{ApartCause, Evidence};
use delivery::{
    BatchBuilder, BatchSequence, ChainHash, Content, Event, Gap, GapReason, Lane, Position, SealedBatch,
    Severity, Way,
};
use processing::Verdict;
use serde_json::{Value, json};
use space_packet::{ReceptionTime, TaiTime};

use crate::archive::with_open_session;
use crate::served::Served;
use crate::world::{BEGINNING, OpenedLane, SECOND, STORE, World, chain, packet};

const PACKETS: &str = "/api/v1/missions/test/packets";

/// The numbers in listed packets, by their reception time.
fn numbers(packets: &[Value]) -> Vec<i64> {
    let second = |packet: &Value| {
        let time = space_packet::UtcTime::parse(packet["reception_time"].as_str().expect("a time"));
        (time.expect("a time").to_tai().0 - BEGINNING) / SECOND
    };
    packets.iter().map(second).collect()
}

/// One batch with packets of these numbers.
fn batch(of: &[u32], position: &mut Position) -> SealedBatch {
    let mut builder = BatchBuilder::new("test", "link");
    for number in of {
        let (time, packet) = packet(*number);
        builder.push(time, &packet);
    }
    sealed(builder, position)
}

fn sealed(mut builder: BatchBuilder, position: &mut Position) -> SealedBatch {
    let batch = builder.pack().expect("records").seal(Lane::Telemetry, position);
    *position = batch.position();
    batch
}

async fn commit(world: &mut World, lane: &OpenedLane, way: Way, batches: &[SealedBatch]) {
    world.way = way;
    world.commit(lane.key, lane.session, batches).await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_listed_as_they_were_received_whatever_the_page_and_the_way_they_came() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let live = [batch(&[0, 1, 2, 3, 4], &mut position), batch(&[5], &mut position)];
    let late = batch(&[7, 8, 9], &mut position);
    let newest = batch(&[10, 11], &mut position);
    commit(&mut world, &lane, Way::Live, &live).await;
    commit(&mut world, &lane, Way::Live, &[newest]).await;
    commit(&mut world, &lane, Way::Backfill, &[late]).await;
    commit(&mut world, &lane, Way::Live, &chain("apollo", 20, 1, &mut Some(position))).await;
    let served = Served::new(&world, &world.archive().await).await;

    let expected = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11];
    for limit in [1, 2, 3, 5, 11, 100] {
        let packets = served.pages(&format!("{PACKETS}?limit={limit}"), "packets").await;
        assert_eq!(numbers(&packets), expected, "{limit} a page");
    }
    let packets = served.pages(&format!("{PACKETS}?limit=100"), "packets").await;
    assert_eq!(
        packets[6],
        json!({
            "id": format!("{}.1.2.3.0", lane.key.node.simple()),
            "reception_time": "2026-11-22T00:00:07Z", "generation_time": "2026-11-22T00:00:07Z",
            "apid": 7, "sequence_count": 0, "bytes": 18, "node": "station", "link": "link",
            "provenance": "backfilled", "quarantine": null, "verdicts": [],
        })
    );
    let check = async |query: &str, expected: &[i64]| {
        let packets = served.pages(&format!("{PACKETS}?limit=2&{query}"), "packets").await;
        assert_eq!(numbers(&packets), expected, "{query}");
    };
    check("from=2026-11-22T00:00:03Z&to=2026-11-22T00:00:08Z", &[3, 4, 5, 7]).await;
    check("apid=7&node=station&link=link&from=2026-11-22T00:00:10Z", &[10, 11]).await;
    for nothing in ["apid=8", "node=other", "link=other", "quarantined=true", "to=2026-11-22T00:00:00Z"] {
        check(nothing, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_packets_that_cannot_be_are_refused() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    commit(&mut world, &lane, Way::Live, &[batch(&[0, 1], &mut position)]).await;
    let served = Served::new(&world, &world.archive().await).await;
    let cursor = served.json(&format!("{PACKETS}?limit=1")).await["next"].as_str().expect("more").to_owned();
    for (path, status, code) in [
        (format!("{PACKETS}?apid=2048"), 400, "STO-API-BAD-REQUEST"),
        (format!("{PACKETS}?pionts=3"), 400, "STO-API-BAD-REQUEST"),
        (format!("{PACKETS}?from=2026-11-22T00:00:01Z&to=2026-11-22T00:00:01Z"), 400, "not after"),
        (format!("{PACKETS}?cursor=2026-11-22T00:00:01Z"), 400, "not one of this list"),
        (format!("/api/v1/missions/test/events?cursor={cursor}"), 400, "not one of this list"),
        (format!("{PACKETS}/4711"), 400, "names no record"),
        (format!("{PACKETS}/{}.1.2.1.2", lane.key.node.simple()), 404, "STO-API-UNKNOWN-PACKET"),
        (format!("{PACKETS}/{}.4294967295.2.1.0", lane.key.node.simple()), 404, "STO-API-UNKNOWN-PACKET"),
        ("/api/v1/missions/apollo/packets".to_owned(), 404, "STO-API-UNKNOWN-MISSION"),
    ] {
        served.refuses(&path, status, code).await;
    }
    assert_eq!(
        served.json(&format!("{PACKETS}?cursor={cursor}")).await["packets"][0]["id"].as_str(),
        Some(format!("{}.1.2.1.1", lane.key.node.simple()).as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_is_shown_with_its_header_and_the_place_of_every_value() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    commit(&mut world, &lane, Way::Import, &[batch(&[0, 258], &mut position)]).await;
    commit(&mut world, &lane, Way::Live, &chain("apollo", 20, 1, &mut Some(position))).await;
    let served = Served::new(&world, &world.archive().await).await;
    let node = lane.key.node.simple();
    let found = served.json(&format!("{PACKETS}/{node}.1.2.1.1")).await;
    assert_eq!(found["hex"].as_str().expect("text"), "0807c000000b624a0003efd0000000000102");
    assert_eq!(
        found["header"],
        json!({
            "packet_type": "telemetry", "secondary_header": true, "apid": 7,
            "sequence_flags": "unsegmented", "sequence_count": 0, "data_length_field": 11,
        })
    );
    let facts = ["outcome", "container", "dictionary_version", "problem"].map(|name| found[name].clone());
    assert_eq!(facts, [json!("decoded"), json!("/Test/All"), json!(1), Value::Null]);
    assert_eq!(found["summary"]["provenance"], "imported");
    assert_eq!(
        found["values"][3],
        json!({
            "parameter": "/Test/number", "first_bit": 112, "bits": 32, "raw": 258, "engineering": 258,
            "unit": null, "validity": "valid", "monitoring": "not-monitored",
        })
    );
    let other_mission = format!("{PACKETS}/{node}.1.2.2.0");
    served.refuses(&other_mission, 404, "STO-API-UNKNOWN-PACKET").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_in_quarantine_are_listed_with_the_cause() {
    let (mut world, lane) = with_open_session().await;
    let mut builder = BatchBuilder::new("test", "link");
    let (time, good) = packet(0);
    builder.push_judged(time, Verdict::Rate.into(), false, &good);
    builder.push_judged(time, Verdict::NotAPacket.into(), true, &[1, 2, 3]);
    let mut position = Position::start(STORE, Lane::Telemetry);
    let judged = sealed(builder, &mut position);
    commit(&mut world, &lane, Way::Live, &[judged, batch(&[1], &mut position)]).await;
    let served = Served::new(&world, &world.archive().await).await;
    let packets = served.pages(&format!("{PACKETS}?quarantined=true"), "packets").await;
    let [found] = packets.as_slice() else { panic!("one: {packets:?}") };
    let facts = ["quarantine", "verdicts", "apid", "bytes"].map(|name| found[name].clone());
    assert_eq!(facts, [json!("not-a-packet"), json!(["not-a-packet"]), Value::Null, json!(3)]);
    let one = served.json(&format!("{PACKETS}/{}", found["id"].as_str().expect("text"))).await;
    assert_eq!(
        (&one["outcome"], &one["hex"], &one["header"]),
        (&json!("not-a-packet"), &json!("010203"), &Value::Null)
    );
    let all = served.pages(&format!("{PACKETS}?limit=1"), "packets").await;
    let verdicts: Vec<_> = all.iter().map(|packet| packet["verdicts"].clone()).collect();
    assert_eq!(verdicts, [json!(["rate"]), json!(["not-a-packet"]), json!([])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_had_to_say_is_listed_by_time_node_and_code() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let mut builder = BatchBuilder::of(Content::Events, "test", "node");
    for (second, code) in [(1, "STO-A"), (2, "STO-B"), (3, "STO-A")] {
        let at = TaiTime(BEGINNING + second * SECOND);
        let details = vec![("link".to_owned(), "x-band".to_owned())];
        let text = format!("happened at {second}");
        let event = Event { at, code: code.to_owned(), severity: Severity::Warning, text, details };
        builder.push(ReceptionTime(at), &event.encode());
    }
    let events = sealed(builder, &mut position);
    commit(&mut world, &lane, Way::Alarm, &[events, batch(&[9], &mut position)]).await;
    let served = Served::new(&world, &world.archive().await).await;
    let check = async |query: &str, expected: &[&str]| {
        let events = served.pages(&format!("/api/v1/missions/test/events?limit=1{query}"), "events").await;
        let texts: Vec<_> = events.iter().map(|event| event["text"].as_str().expect("text")).collect();
        assert_eq!(texts, expected, "{query}");
    };
    check("", &["happened at 1", "happened at 2", "happened at 3"]).await;
    check("&code=STO-A", &["happened at 1", "happened at 3"]).await;
    check("&node=station&from=2026-11-22T00:00:02Z", &["happened at 2", "happened at 3"]).await;
    check("&node=other", &[]).await;
    let first = &served.json("/api/v1/missions/test/events").await["events"][0];
    assert_eq!(
        *first,
        json!({
            "kind": "node", "author": null,
            "id": format!("{}.1.2.1.0", lane.key.node.simple()), "at": "2026-11-22T00:00:01Z",
            "reception_time": "2026-11-22T00:00:01Z", "node": "station", "code": "STO-A",
            "severity": "warning", "text": "happened at 1", "details": [{ "name": "link", "value": "x-band" }],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_says_between_which_records_it_lies() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let before = batch(&[3, 4], &mut position);
    let declared = |position: &mut Position, last: u64, reason| {
        let last = BatchSequence(last);
        let continues = ChainHash::after_gap(STORE, Lane::Telemetry, last);
        let first = BatchSequence(position.number() + 1);
        let gap = Gap { first, reason, records: 70, continues };
        let noticed = ReceptionTime(TaiTime(BEGINNING + 60 * SECOND));
        let gap = SealedBatch::seal_gap(Lane::Telemetry, position, last, gap, ("test", "link"), noticed);
        *position = gap.position();
        gap
    };
    let evicted = declared(&mut position, 4, GapReason::Evicted);
    let never_issued = declared(&mut position, 6, GapReason::NeverIssued);
    let behind = batch(&[20, 21], &mut position);
    let open_ended = declared(&mut position, 9, GapReason::Damaged);
    commit(&mut world, &lane, Way::Live, &[before, evicted, never_issued, behind, open_ended]).await;
    let served = Served::new(&world, &world.archive().await).await;
    let gaps = served.pages("/api/v1/missions/test/gaps?limit=1", "gaps").await;
    assert_eq!(
        gaps[0],
        json!({
            "node": "station", "epoch": 1, "lane": "telemetry", "first": 2, "last": 4, "reason": "evicted",
            "records": 70, "noticed_at": "2026-11-22T00:01:00Z",
            "received_before": "2026-11-22T00:00:04Z", "received_after": "2026-11-22T00:00:20Z",
        })
    );
    let spans: Vec<_> = gaps
        .iter()
        .map(|gap| {
            (
                gap["first"].as_u64(),
                gap["last"].as_u64(),
                gap["reason"].as_str(),
                gap["received_after"].is_null(),
            )
        })
        .collect();
    assert_eq!(
        spans,
        [
            (Some(2), Some(4), Some("evicted"), false),
            (Some(5), Some(6), Some("never-issued"), false),
            (Some(8), Some(9), Some("damaged"), true),
        ]
    );
    let later = served.pages("/api/v1/missions/test/gaps?from=2026-11-22T00:01:01Z", "gaps").await;
    assert!(later.is_empty(), "{later:?}");
    let packets = served.pages(&format!("{PACKETS}?limit=100"), "packets").await;
    assert_eq!(numbers(&packets), [3, 4, 20, 21], "a gap is no packet");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_refused_and_keeps_apart_is_listed_page_by_page() {
    let (mut world, lane) = with_open_session().await;
    let evidence = Evidence::new(world.database.clone());
    for (code, text) in [("STO-A", "first"), ("STO-B", "second"), ("STO-A", "third")] {
        evidence.record(Some(lane.key.node), code, text).await.expect("written");
    }
    evidence.record(None, "STO-C", "fourth").await.expect("written");
    let batches = chain("test", 0, 2, &mut None);
    for batch in &batches {
        evidence.keep_apart(lane.key, batch, ApartCause::Fork).await.expect("kept");
    }
    commit(&mut world, &lane, Way::Live, &batches).await;
    let served = Served::new(&world, &world.archive().await).await;
    let check = async |query: &str, expected: &[&str]| {
        let events = served.pages(&format!("/api/v1/events?limit=1{query}"), "events").await;
        // How the node and the asker got in stands there too.
        let is_ours = |event: &&Value| !event["code"].as_str().expect("a code").starts_with("STO-ADMIN-");
        let ours = events.iter().filter(is_ours);
        let texts: Vec<_> = ours.map(|event| event["text"].as_str().expect("text")).collect();
        assert_eq!(texts, expected, "{query}");
    };
    check("", &["fourth", "third", "second", "first"]).await;
    check("&code=STO-A&node=station", &["third", "first"]).await;
    check("&to=2020-01-01T00:00:00Z", &[]).await;
    let apart = served.pages("/api/v1/apart?limit=1", "batches").await;
    let told: Vec<_> = apart
        .iter()
        .map(|batch| {
            (
                batch["node"].as_str(),
                batch["lane"].as_str(),
                batch["sequence"].as_u64(),
                batch["cause"].as_str(),
            )
        })
        .collect();
    let expected = |sequence| (Some("station"), Some("telemetry"), Some(sequence), Some("fork"));
    assert_eq!(told, [expected(1), expected(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_post_stands_among_what_nodes_had_to_say_and_is_there_once() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let record = async |world: &mut World, texts: &[&str], position: &mut Position| {
        let mut builder = BatchBuilder::of(Content::Events, "test", "node");
        for text in texts {
            let (at, code) = (service::clock::now(), "STO-A".to_owned());
            let event =
                Event { at, code, severity: Severity::Info, text: (*text).to_owned(), details: Vec::new() };
            builder.push(ReceptionTime(at), &event.encode());
        }
        let events = sealed(builder, position);
        commit(world, &lane, Way::Alarm, &[events]).await;
    };
    record(&mut world, &["first", "second"], &mut position).await;
    let served = Served::new(&world, &world.archive().await).await;
    let path = "/api/v1/missions/test/events";
    let post = async |id: u8, text: &str| {
        let id = format!("{id:032x}");
        served.change("POST", path, &json!({ "id": id, "severity": "warning", "text": text })).await
    };
    for (id, text) in [(1, "antenna stowed"), (2, "wind <b>too</b> high"), (1, "antenna stowed")] {
        let (status, posted) = post(id, text).await;
        assert_eq!((status, &posted["text"]), (200, &json!(text)), "{posted}");
        assert_eq!(posted["at"], posted["reception_time"]);
    }
    record(&mut world, &["third"], &mut position).await;
    let expected = ["first", "second", "antenna stowed", "wind <b>too</b> high", "third"];
    for limit in 1..=6 {
        let events = served.pages(&format!("{path}?limit={limit}"), "events").await;
        let texts: Vec<_> = events.iter().map(|event| event["text"].as_str().expect("text")).collect();
        assert_eq!(texts, expected, "{limit} a page");
        let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().expect("a kind")).collect();
        assert_eq!(kinds, ["node", "node", "posted", "posted", "node"]);
        let posted = ["author", "node", "code", "severity"].map(|name| events[2][name].clone());
        assert_eq!(posted, [json!("operator"), Value::Null, json!("STO-EVENT-POSTED"), json!("warning")]);
        let mut backwards = served.pages(&format!("{path}?order=desc&limit={limit}"), "events").await;
        backwards.reverse();
        assert_eq!(backwards, events, "{limit} a page, the newest first");
    }
    let next = served.json(&format!("{path}?order=desc&limit=1")).await["next"].clone();
    let next = next.as_str().expect("there is more");
    served.refuses(&format!("{path}?limit=1&cursor={next}"), 400, "not one of this list").await;
    let (status, refused) = post(1, "antenna free").await;
    assert_eq!((status, &refused["code"]), (409, &json!("STO-EVENT-ID")), "{refused}");
    for text in ["", "  ", "a\0b", &"x".repeat(2_001)] {
        let (status, refused) = post(7, text).await;
        assert_eq!((status, &refused["code"]), (400, &json!("STO-API-BAD-REQUEST")), "{refused}");
    }
    for (query, count) in [("code=STO-EVENT-POSTED", 2), ("node=station", 3), ("to=2026-01-01T00:00:00Z", 0)]
    {
        assert_eq!(served.pages(&format!("{path}?{query}"), "events").await.len(), count, "{query}");
    }
}
