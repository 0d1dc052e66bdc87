//! Who may forward: tokens that work once, nodes that are revoked, and that recording never depends on it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use testkit::configuration::Mission;
use testkit::process::output;

use crate::archive::load_in_ledger;
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x5452_5553;
const PACKETS_PER_SECOND: f64 = 2_000.0;
const OTHER: &str = "tromso";

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// A new token for a node, in a file.
async fn token(world: &World, node: &str, file: &str) -> anyhow::Result<PathBuf> {
    let (config, file) = (path(&world.ground.hub_config()), world.folder().join(file));
    let create = ["token", "create", "--config", &config, "--node", node, "--site", "a site", "--output"];
    let mut create = words(create);
    create.push(path(&file));
    output("cloud-hub", &create, SOON).await?;
    Ok(file)
}

/// `edge-node enroll` on the machine of a node.
async fn enroll(world: &mut World, machine: &str, token: &Path, more: &[&str]) -> anyhow::Result<String> {
    let config = world.ground.node_config(machine);
    fs::write(&config, world.ground.node_file(machine)?.to_toml())?;
    let mut arguments = words(["enroll", "--config", &path(&config), "--token-file", &path(token)]);
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    output("edge-node", &arguments, SOON).await
}

/// The text of a failure, with every cause.
fn failure<T>(outcome: anyhow::Result<T>) -> anyhow::Result<String> {
    match outcome {
        Ok(_) => anyhow::bail!("it succeeded, and should have been refused"),
        Err(failed) => Ok(format!("{failed:#}")),
    }
}

/// Minutes, as messages for people show them.
fn minute() -> String {
    simulator::clock::now().to_utc().to_string().replace('T', " ")[..16].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_token_says_by_whom_and_when_and_a_token_in_the_arguments_is_refused() -> anyhow::Result<()> {
    let mut world = World::prepare(Mission::load(), &[NODE, OTHER])?;
    world.ground.start_hub().await?;
    let token = token(&world, NODE, "token").await?;
    let text = fs::read_to_string(&token)?.trim().to_owned();
    ensure!(text.starts_with("STO1-"), "a token: {text}");

    let config = path(&world.ground.node_config(NODE));
    for option in ["--token", "--token=", ""] {
        let mut arguments = words(["enroll", "--config", &config]);
        match option {
            "--token" => arguments.extend([option.to_owned(), text.clone()]),
            _ => arguments.push(format!("{option}{text}")),
        }
        let refused = failure(output("edge-node", &arguments, SOON).await)?;
        ensure!(refused.contains("exit status: 2"), "arguments are at fault: {refused}");
        ensure!(refused.contains("unexpected argument"), "{refused}");
    }

    let before = minute();
    let enrolled = enroll(&mut world, NODE, &token, &[]).await?;
    ensure!(enrolled.contains(&format!("enrolled as {NODE:?}")), "{enrolled}");
    let after = minute();

    let refused = failure(enroll(&mut world, OTHER, &token, &[]).await)?;
    println!("{refused}");
    ensure!(refused.contains("exit status: 6"), "the hub refused: {refused}");
    ensure!(refused.contains("error[STO-TOKEN-USED]"), "{refused}");
    ensure!(refused.contains(&format!("by node {NODE:?}")), "{refused}");
    ensure!(refused.contains(&before) || refused.contains(&after), "used at {before} or {after}: {refused}");
    ensure!(!refused.contains(&text), "a secret is never shown");
    let identity = world.ground.node_file(OTHER)?.data_directory.join("identity");
    ensure!(!identity.exists(), "{} should not be there", identity.display());
    // The machine it was used on has its identity still, and is let in.
    world.ground.start_node(NODE).await?;
    world.hub_says("the first machine connected", NODE, |node| node["state"] == "connected").await?;
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_node_is_thrown_out_and_goes_on_recording_until_it_is_enrolled_again() -> anyhow::Result<()>
{
    let mut world = World::start(Mission::load()).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    let archived = |more: u64| move |node: &Value| node["archived_packets"].as_u64() > Some(more);
    world.hub_says("packets archived", NODE, archived(2_000)).await?;

    let hub_config = path(&world.ground.hub_config());
    output("cloud-hub", &words(["node", "revoke", NODE, "--config", &hub_config]), SOON).await?;
    world.hub_says("the node revoked", NODE, |node| node["state"] == "revoked").await?;
    let says_revoked = |node: &Value| {
        let problem = node["problem"].as_str().unwrap_or_default();
        node["state"] != "connected" && problem.contains("STO-NODE-REVOKED")
    };
    world.node_says("that it is revoked, and why", NODE, says_revoked).await?;
    // The code stands only in what the hub says to one that comes back.
    let refused = |node: &Value| {
        let problem = node["problem"].as_str().unwrap_or_default();
        node["state"] == "revoked" && problem.contains("STO-NODE-REVOKED")
    };
    world.hub_says("the node refused when it came back", NODE, refused).await?;

    let reported = |node: &Value, pointer: &str| node.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let (received, waiting) = ("/report/packets_received", "/report/backlog/packets");
    let first = world.node_says("its figures", NODE, |_| true).await?;
    let grown = |node: &Value| {
        let more = |pointer| reported(node, pointer) > reported(&first, pointer) + 4_000;
        more(received) && more(waiting)
    };
    world.node_says("more received and more waiting", NODE, grown).await?;
    // By now what had arrived before it was thrown out is committed too.
    let node = world.hub_says("the node refused", NODE, refused).await?;
    let archived_then = node["archived_packets"].as_u64().context("packets are counted")?;

    // A process that starts anew shows its certificate in full: there is no session of TLS to resume.
    world.stop_node(NODE).await?;
    world.ground.start_node(NODE).await?;
    world.node_says("that it is still revoked", NODE, says_revoked).await?;
    let recording = |node: &Value| reported(node, received) > 2_000;
    world.node_says("packets received after the restart", NODE, recording).await?;
    let node = world.hub_says("the node still revoked", NODE, refused).await?;
    ensure!(node["archived_packets"] == archived_then, "{archived_then} packets before: {node}");

    let token = token(&world, NODE, "second-token").await?;
    let already = failure(enroll(&mut world, NODE, &token, &[]).await)?;
    ensure!(already.contains("STO-ALREADY-ENROLLED"), "an identity is not given up by mistake: {already}");
    world.stop_node(NODE).await?;
    enroll(&mut world, NODE, &token, &["--replace"]).await?;
    world.ground.start_node(NODE).await?;
    world.hub_says("the node connected again", NODE, |node| node["state"] == "connected").await?;
    let report = load.stop().await?;
    world.drained(NODE).await?;
    let archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    println!(
        "load: {} acknowledged, {archived_then} archived before it was revoked, {} in the end",
        report.acknowledged_packets(),
        serials.len()
    );
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    world.finish().await
}
