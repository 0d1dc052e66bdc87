//! Dictionaries and limits that are imported at the hub: in force at every node within seconds, and there to stay.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use reqwest::header::COOKIE;
use serde_json::Value;
use space_packet::TaiTime;
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::process::{output, until};

use crate::world::{NODE, RunningLoad, SOON, World};

const MISSION: &str = "load";
const RUN: u32 = 0x4449_4354;
const PACKETS_PER_SECOND: f64 = 200.0;
/// What the second version calls a parameter of the first.
const RENAMED: (&str, &str) = ("\"measurement_1\"", "\"bus_voltage\"");
const NEW_PARAMETER: &str = "/Load/bus_voltage";
/// Every value of it is above.
const LIMITS: &str = "parameter,critical_high\n/Load/bus_voltage,-1\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_dictionary_is_in_force_at_the_node_and_stays_without_the_hub() -> anyhow::Result<()> {
    let mut world = World::start(Mission::load()).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    kept(&world, &["dictionary-1"]).await?;

    let first = fs::read_to_string(Mission::load().dictionary)?;
    // Later than the hub takes it on a busy machine.
    let effective_from = simulator::clock::now().plus_nanos(10_000_000_000);
    let second = first.replace(RENAMED.0, RENAMED.1) + &filler();
    let second = write(&world, "second.xml", &second)?;
    let from = effective_from.to_utc().to_string();
    import(&world, "dictionary", &second, &["--effective-from", &from]).await?;
    let node = world.ground.node_client(NODE).await?;
    is_in_force(&node, 2, None).await?;
    let sample = latest(&node, |sample| sample["dictionary_version"] == 2).await?;
    ensure!(crate::archive::generation_time(&sample)? >= effective_from, "too early: {sample}");
    the_first_version_read_what_was_before(&world, effective_from).await?;

    let limits = write(&world, "limits.csv", LIMITS)?;
    let why = ["--author", "test", "--reason", "test", "--bounds", "good"];
    import(&world, "limits", &limits, &why).await?;
    is_in_force(&node, 2, Some(1)).await?;
    latest(&node, |sample| sample["monitoring"] == "critical").await?;

    let broken = write(&world, "broken.xml", &first[..first.len() / 2])?;
    let refused = import(&world, "dictionary", &broken, &[]).await.expect_err("it is broken").to_string();
    ensure!(refused.contains("STO-DICTIONARY") && refused.contains("broken.xml:"), "{refused}");
    for client in [&node, &world.ground.hub_client().await?] {
        is_in_force(client, 2, Some(1)).await?;
    }
    let all = ["dictionary-1", "dictionary-2", "limits-1"];
    kept(&world, &all).await?;
    let sent = hub_metric(&world, "hub_documents_sent_total").await?;
    ensure!(sent == Some(3.0), "three documents were due, and the node was sent {sent:?}");

    world.ground.hub_process()?.kill()?;
    world.ground.node_process(NODE)?.kill()?;
    world.ground.start_node(NODE).await?;
    let node = world.ground.node_client(NODE).await?;
    is_in_force(&node, 2, Some(1)).await?;
    let restarted = simulator::clock::now();
    let is_new = |sample: &Value| crate::archive::generation_time(sample).is_ok_and(|time| time > restarted);
    let sample = latest(&node, is_new).await?;
    ensure!(sample["dictionary_version"] == 2 && sample["monitoring"] == "critical", "{sample}");

    world.ground.start_hub().await?;
    load.stop().await?;
    world.drained(NODE).await?;
    let sent = hub_metric(&world, "hub_documents_sent_total").await?;
    ensure!(sent.is_none(), "the node has all documents, and was sent {sent:?}");
    kept(&world, &all).await?;
    world.finish().await
}

/// A comment that hardly shrinks, so that the document travels in several parts.
fn filler() -> String {
    let mut chance = SmallRng::seed_from_u64(7);
    let digits: String = (0..30_000).map(|_| format!("{:016x}", chance.random::<u64>())).collect();
    format!("<!-- {digits} -->\n")
}

fn write(world: &World, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = world.folder().join(name);
    fs::write(&path, text)?;
    Ok(path)
}

async fn import(world: &World, kind: &str, file: &Path, options: &[&str]) -> anyhow::Result<()> {
    let (config, file) = (world.ground.hub_config(), file.to_string_lossy().into_owned());
    let config = config.to_string_lossy();
    let words = [kind, "import", "--config", &*config, MISSION, &file];
    let arguments: Vec<String> = words.iter().chain(options).map(|word| (*word).to_owned()).collect();
    output("cloud-hub", &arguments, SOON).await.map(drop)
}

/// Waits until the node keeps exactly these documents.
async fn kept(world: &World, expected: &[&str]) -> anyhow::Result<()> {
    let folder = world.folder().join(NODE).join("data/dictionaries").join(MISSION);
    let mut found = Vec::new();
    let kept = until("documents at the node", SOON, async || {
        let paths = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let heads = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        found = heads.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
        found.sort_unstable();
        Ok((found == expected).then_some(()))
    });
    kept.await.with_context(|| format!("{} holds {found:?}", folder.display()))
}

/// Waits until these versions are in force, with nothing wrong.
async fn is_in_force(client: &Client, dictionary: u32, limits: Option<u32>) -> anyhow::Result<()> {
    let mut last = Value::Null;
    let in_force = until("versions in force", SOON, async || {
        last = client.get("/api/v1/missions").await?["missions"][0].take();
        let is_so = last["dictionary_version"] == dictionary && last["limits_version"] == Value::from(limits);
        Ok((is_so && last["dictionary_problem"].is_null()).then_some(()))
    });
    in_force.await.with_context(|| format!("{} says {last}", client.server()))
}

/// Waits for a newest sample of the parameter that only the second version has.
async fn latest(client: &Client, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let found = until("a sample of the new parameter", SOON, async || {
        let answer = client.get(&format!("/api/v1/missions/{MISSION}/latest")).await?;
        let values = answer["values"].as_array().map_or(&[][..], Vec::as_slice);
        last = values.iter().find(|sample| sample["parameter"] == NEW_PARAMETER).cloned().unwrap_or_default();
        Ok((!last.is_null() && is_it(&last)).then(|| last.clone()))
    });
    found.await.with_context(|| format!("the last was {last}"))
}

/// At the hub, the old name has samples up to the moment, the new one from it on.
async fn the_first_version_read_what_was_before(world: &World, moment: TaiTime) -> anyhow::Result<()> {
    let hub = world.ground.hub_client().await?;
    latest(&hub, |_| true).await?;
    let hour = 3_600_000_000_000;
    let (from, to) = (moment.plus_nanos(-hour), moment.plus_nanos(hour));
    let count =
        async |parameter: &str, from, to| crate::archive::count(&hub, MISSION, parameter, from, to).await;
    let old = "/Load/measurement_1";
    let (before, after) = (count(old, from, moment).await?, count(old, moment, to).await?);
    ensure!(before > 0 && after == 0, "the old name has {before} samples before, {after} after");
    let (before, after) =
        (count(NEW_PARAMETER, from, moment).await?, count(NEW_PARAMETER, moment, to).await?);
    ensure!(before == 0 && after > 0, "the new name has {before} samples before, {after} after");
    Ok(())
}

/// A metric of the hub; absent when it never counted anything.
async fn hub_metric(world: &World, name: &str) -> anyhow::Result<Option<f64>> {
    let client = world.ground.hub_client().await?;
    let asked = reqwest::Client::new().get(format!("http://{}/metrics", client.server()));
    let answer = asked.header(COOKIE, client.cookie()).timeout(Duration::from_secs(10)).send().await?;
    let page = answer.error_for_status()?.text().await?;
    Ok(page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()))
}
