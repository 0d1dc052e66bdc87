//! Everything of a span, as a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Version, header};
use clap::Parser;
use cloud_hub::archive::{Address, AlarmTable};
use cloud_hub::commands::export::{ExportArguments, run};
use cloud_hub::commands::model::ModelCommand;
use cloud_hub::config::HubConfig;
use cloud_hub::run::Ready;
use delivery::{BatchBuilder, Lane, Position};
use processing::Verdict;
use processing::alarm::{self, AlarmSeverity, History, Place, Usefulness};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::alarms::{act, at, said, subject};
use crate::archive::{cut, with_open_session};
use crate::served::Served;
use crate::world::{STORE, World, chain, packet, take_in};

const SPAN: &str = "from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z";

/// 50 numbers in segments and 30 more in memory.
async fn world_with_a_seam() -> (World, Arc<cloud_hub::archive::Archive>) {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    archive.on_node(lane.key.node, "station");
    let mut position = None;
    let committed = world.commit(lane.key, lane.session, &chain("test", 0, 50, &mut position)).await;
    take_in(&archive, &committed.expect("committed"));
    cut(&world, &archive).await;
    let committed = world.commit(lane.key, lane.session, &chain("test", 50, 30, &mut position)).await;
    take_in(&archive, &committed.expect("committed"));
    (world, archive)
}

fn export(rest: &str) -> String {
    format!("/api/v1/missions/test/export?{SPAN}&{rest}")
}

fn lines(body: &[u8]) -> Vec<&str> {
    std::str::from_utf8(body).expect("text").lines().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_is_in_segments_and_in_memory_once_and_in_order() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let (status, headers, body) =
        served.get(&export("format=csv&parameter=/Test/number&parameter=/Test/rest")).await;
    assert!(status.is_success());
    assert_eq!(headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(
        headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"test_20261122T000000Z_20261123T000000Z.csv\""
    );
    let lines = lines(&body);
    assert_eq!(lines.len(), 1 + 80 + 80);
    for (number, line) in lines[1..81].iter().enumerate() {
        let time = format!("2026-11-22T00:{:02}:{:02}Z", number / 60, number % 60);
        assert_eq!(
            *line,
            format!("{time},{time},/Test/number,{number},{number},valid,not-monitored,station,1,live")
        );
    }
    assert!(lines[81..].iter().all(|line| line.contains(",/Test/rest,")));
    let (_, _, body) = served
        .get("/api/v1/missions/test/export?from=2026-11-22T00:00:49Z&to=2026-11-22T00:00:51Z&format=csv&parameter=/Test/number")
        .await;
    assert_eq!(body.iter().filter(|byte| **byte == b'\n').count(), 3, "the end is excluded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_an_export_is_the_sample_that_a_page_has() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let (_, _, body) = served.get(&export("format=jsonl&parameter=/Test/number")).await;
    let exported: Vec<Value> =
        lines(&body).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let path = format!("/api/v1/missions/test/samples?{SPAN}&parameter=/Test/number");
    let mut page = served.json(&path).await["samples"].as_array().expect("samples").clone();
    for sample in &mut page {
        sample.as_object_mut().expect("an object").remove("interval_ms");
    }
    assert_eq!((exported.len(), &exported), (80, &page));
}

/// Browsers ask for it so, and what packs a body asks for more once it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_packed_on_its_way_is_whole() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let asked = Request::get(export("format=csv&parameter=/Test/number"))
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Body::empty());
    let answer = served.ask(asked.expect("a request")).await;
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
    let packed = axum::body::to_bytes(answer.into_body(), 1_000_000).await.expect("all of it");
    // The last four bytes say how long it is unpacked.
    let length = packed.last_chunk().map(|last| u32::from_le_bytes(*last)).expect("a gzip file");
    let (_, _, plain) = served.get(&export("format=csv&parameter=/Test/number")).await;
    assert_eq!(length as usize, plain.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_files_are_whole_and_nothing_is_a_file_too() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let (_, headers, body) = served.get(&export("format=parquet&parameter=/Test/number")).await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/vnd.apache.parquet");
    assert!(body.starts_with(b"PAR1") && body.ends_with(b"PAR1"), "{} bytes", body.len());
    let nothing = "from=1990-01-01T00:00:00Z&to=2020-01-01T00:00:00Z&parameter=/Test/number";
    let ask = async |format: &str| {
        let path = format!("/api/v1/missions/test/export?{nothing}&format={format}");
        served.get(&path).await.2
    };
    assert_eq!(lines(&ask("csv").await).len(), 1);
    assert!(ask("jsonl").await.is_empty());
    assert!(ask("parquet").await.ends_with(b"PAR1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_exported_as_they_were_received_without_what_would_lose_a_reader_its_place() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let packets: Vec<_> = (0..100).map(packet).collect();
    let batches: Vec<_> = packets
        .chunks(7)
        .map(|some| {
            let mut builder = BatchBuilder::new("test", "link");
            for (time, packet) in some {
                builder.push(*time, packet);
                builder.push_judged(*time, Verdict::NotAPacket.into(), true, &[0xFF, 1, 2]);
            }
            let batch = builder.pack().expect("records").seal(Lane::Telemetry, &position);
            position = batch.position();
            batch
        })
        .collect();
    world.commit(lane.key, lane.session, &batches).await.expect("committed");
    let served = Served::new(&world, &world.archive().await).await;
    let sent = |of: std::ops::Range<usize>| {
        packets[of].iter().flat_map(|(_, packet)| packet.clone()).collect::<Vec<u8>>()
    };
    assert_eq!(served.get(&export("format=packets")).await.2, sent(0..100));
    assert!(served.get(&export("format=packets&apid=8")).await.2.is_empty());
    let path =
        "/api/v1/missions/test/export?from=2026-11-22T00:00:10Z&to=2026-11-22T00:00:20Z&format=packets";
    assert_eq!(served.get(&format!("{path}&node=station&link=link&apid=7")).await.2, sent(10..20));
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_that_cannot_be_are_refused() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    for (rest, status, code) in [
        ("format=csv", 400, "say `parameter`"),
        ("format=xlsx&parameter=/Test/number", 400, "say `format`"),
        ("parameter=/Test/number", 400, "say `format`"),
        ("format=csv&parameter=/Test/nothing", 404, "STO-API-UNKNOWN-PARAMETER"),
        ("format=csv&parameter=/Test/number&pionts=7", 400, "pionts"),
        ("format=csv&parameter=/Test/number&format=jsonl", 400, "twice"),
        ("format=csv&parameter=/Test/number&reading=first", 400, "not a number"),
        ("format=csv&parameter=/Test/number&node=station", 400, "choose packets"),
        ("format=packets&parameter=/Test/number", 400, "about samples"),
        ("format=packets&apid=2048", 400, "11 bits"),
    ] {
        served.refuses(&export(rest), status, code).await;
    }
    let many = export("format=csv") + &"&parameter=/Test/number".repeat(1_001);
    served.refuses(&many, 400, "1000 at most").await;
    let backwards =
        "/api/v1/missions/test/export?format=packets&from=2026-11-22T00:00:01Z&to=2026-11-22T00:00:00Z";
    served.refuses(backwards, 400, "not after").await;
    served.refuses("/api/v1/missions/test/export?format=packets", 400, "say `from` and `to`").await;
    served
        .refuses(&format!("/api/v1/missions/apollo/export?{SPAN}&format=packets"), 404, "UNKNOWN-MISSION")
        .await;
    let old = Request::get(export("format=packets")).version(Version::HTTP_10);
    assert_eq!(served.ask(old.body(Body::empty()).expect("a request")).await.status().as_u16(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_exports_are_made_at_once_and_who_goes_leaves_the_place_to_others() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let path = export("format=csv&parameter=/Test/number");
    let mut untaken = Vec::new();
    for _ in 0..4 {
        let answer = served.begin(&path).await;
        assert!(answer.status().is_success());
        untaken.push(answer);
    }
    served.refuses(&path, 429, "STO-API-EXPORTS-BUSY").await;
    drop(untaken);
    testkit::process::until("there is room again", Duration::from_secs(10), async || {
        Ok(served.begin(&path).await.status().is_success().then_some(()))
    })
    .await
    .expect("the places are free");
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    export: ExportArguments,
}

async fn command(config: &HubConfig, output: &Path, words: &[&str]) -> Result<(), String> {
    let span = ["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z"];
    let output = ["--output", output.to_str().expect("text")];
    let line = [&["export", "test"], words, &span, &output].concat();
    let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
    run(config, line.export).await.map_err(|error| format!("{error:#}"))
}

/// Somebody says something of an alarm of `/Test/number` that stands since a second.
async fn judge(world: &World, second: i64, usefulness: Usefulness) {
    let table = AlarmTable::new(world.database.clone());
    let about = subject("test", "/Test/number");
    let raised = said(Place::Hub, &about, &[(second, Some(AlarmSeverity::Warning))]).remove(0);
    let mut history = History::try_from(raised.clone()).expect("one history");
    let judged = act(&mut history, Place::Hub, &alarm::Request::Judge { usefulness }, second);
    for piece in [raised, judged] {
        table.keep(&piece, at(second)).await.expect("kept");
    }
}

fn anomalous_in(document: &Path) -> u64 {
    let bytes = std::fs::read(document).expect("is there");
    model::ModelDocument::decode(&bytes).expect("a model").data.anomalous
}

#[derive(Parser)]
struct ModelLine {
    #[command(subcommand)]
    command: ModelCommand,
}

async fn train(config: &Path, output: &Path, words: &[&str]) -> Result<(), String> {
    let span = ["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z"];
    let files = ["--config", config.to_str().expect("text"), "--output", output.to_str().expect("text")];
    let line = [&["model", "train", "--mission", "test"], words, &span, &files].concat();
    let line = ModelLine::try_parse_from(line).map_err(|error| error.to_string())?;
    line.command.run().await.map_err(|error| format!("{error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_what_the_running_hub_gives_out_and_replaces_nothing() {
    let (world, archive) = world_with_a_seam().await;
    let served = Served::new(&world, &archive).await;
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("hub.toml");
    std::fs::write(home.path().join("test.xml"), crate::world::XTCE).expect("written");
    let text = format!(
        "data_directory = \".\"\n[database]\nurl = \"{}\"\n[[mission]]\nname = \"test\"\ndictionary = \"test.xml\"\n",
        world.connection_string()
    );
    std::fs::write(&file, text).expect("written");
    let config = HubConfig::read(&file).expect("reads");
    let output = home.path().join("out.csv");
    let words = ["--parameter", "/Test/number"];
    let refused = command(&config, &output, &words).await.expect_err("no hub runs");
    assert!(refused.contains("STO-HUB-NOT-RUNNING"), "{refused}");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let ready = Ready {
        http: listener.local_addr().expect("an address").to_string(),
        reception: Some("127.0.0.1:1".to_owned()),
        links: Default::default(),
        pid: 0,
        database: Address::Yours,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(service::http::serve(listener, served.router.clone(), stop.clone()));
    std::fs::write(home.path().join("ready.json"), serde_json::to_vec(&ready).expect("encodes"))
        .expect("written");

    command(&config, &output, &words).await.expect("exports");
    let written = std::fs::read(&output).expect("is there");
    assert_eq!(written, served.get(&export("format=csv&parameter=/Test/number")).await.2);
    let refused = command(&config, &output, &words).await.expect_err("is there already");
    assert!(refused.contains("never replaced"), "{refused}");
    assert_eq!(std::fs::read(&output).expect("is there"), written);
    let packets = home.path().join("packets.bin");
    command(&config, &packets, &["--packets", "--apid", "7"]).await.expect("exports");
    assert_eq!(std::fs::read(&packets).expect("is there").len(), 80 * 18);
    let refused = command(&config, &home.path().join("none"), &["--parameter", "/Test/x"]).await;
    assert!(refused.expect_err("is none").contains("STO-API-UNKNOWN-PARAMETER"));
    let refused = command(&config, &home.path().join("none"), &["--packets", "--format", "csv"]).await;
    assert!(refused.expect_err("not both").contains("cannot be used with"));
    let model = home.path().join("test.model");
    let two = ["--parameter", "/Test/number", "--parameter", "/Test/rest"];
    train(&file, &model, &[&two[..], &["--segment-samples", "2"]].concat()).await.expect("learns");
    assert!(std::fs::read(&model).expect("is there").starts_with(b"STOMODEL"));
    assert_eq!(anomalous_in(&model), 0, "nobody said anything");
    judge(&world, 50, Usefulness::True).await;
    train(&file, &model, &[&two[..], &["--segment-samples", "2"]].concat()).await.expect("learns");
    assert_eq!(anomalous_in(&model), 15, "seconds 50 to 79 of one parameter, two in each segment");
    judge(&world, 50, Usefulness::Known).await;
    train(&file, &model, &[&two[..], &["--segment-samples", "2"]].concat()).await.expect("learns");
    assert_eq!(anomalous_in(&model), 0, "where people disagree nobody learns");
    let refused = train(&file, &model, &two).await.expect_err("a forecaster is of one");
    assert!(refused.contains("STO-MODEL-TRAINING"), "{refused}");
    let refused = train(&file, &model, &two[..2]).await.expect_err("80 samples are too few");
    assert!(refused.contains("STO-MODEL-TRAINING") && refused.contains("80 to learn from"), "{refused}");
    let mut left: Vec<_> = std::fs::read_dir(home.path())
        .expect("reads")
        .map(|entry| entry.expect("reads").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["hub.toml", "out.csv", "packets.bin", "ready.json", "test.model", "test.xml"]);
    stop.cancel();
    serving.await.expect("ends").expect("without an error");
}
