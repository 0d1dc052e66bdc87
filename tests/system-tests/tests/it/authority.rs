//! A hub gets another authority, and its nodes follow without a visit: signed lists, over real processes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use testkit::configuration::Mission;
use testkit::process::{output, until};

use crate::world::{NODE, SOON, World};

/// Nothing listens there: a list that names nothing else must shut nobody out.
const NOBODY: &str = "127.0.0.1:9";

/// Runs one of the hub's commands beside the running hub.
async fn hub_command(world: &World, words: &[&str]) -> anyhow::Result<String> {
    let mut arguments: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    arguments.extend(["--config".to_owned(), world.ground.hub_config().to_string_lossy().into_owned()]);
    output("cloud-hub", &arguments, SOON).await
}

/// An authority as another hub makes it at its first start.
async fn other_authority() -> anyhow::Result<(World, PathBuf)> {
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    world.ground.start_hub().await?;
    world.stop_hub().await?;
    let directory = world.ground.hub_file().data_directory.join("authority");
    Ok((world, directory))
}

/// Waits until the node keeps so many lists of a kind, newest last.
async fn lists(folder: &Path, kind: &str, count: usize) -> anyhow::Result<Vec<PathBuf>> {
    until(&format!("{count} lists of {kind} at the node"), SOON, async || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_list = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with(kind) && name.ends_with(".json")
        };
        let mut found: Vec<PathBuf> = entries.filter(is_list).collect();
        found.sort();
        Ok((found.len() >= count).then_some(found))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_follows_its_hub_to_another_authority_and_uses_no_list_that_was_altered() -> anyhow::Result<()>
{
    let (other, next) = other_authority().await?;
    let mut world = World::start(Mission::load()).await?;
    world.hub_says("the node connected", NODE, |node| node["state"] == "connected").await?;
    let kept = world.ground.node_file(NODE)?.data_directory.join("hub-lists");

    let next_certificate = next.join("certificate.pem").to_string_lossy().into_owned();
    let added = hub_command(&world, &["trust", "add", &next_certificate]).await?;
    ensure!(added.contains("of 2 authorities is made and signed"), "{added}");
    lists(&kept, "trust", 1).await?;

    world.stop_hub().await?;
    let authority = world.ground.hub_file().data_directory.join("authority");
    let before = authority.with_file_name("authority-before");
    fs::rename(&authority, &before)?;
    fs::rename(&next, &authority)?;
    world.ground.start_hub().await?;
    let before = before.join("certificate.pem").to_string_lossy().into_owned();
    hub_command(&world, &["trust", "add", &before]).await?;
    world.hub_says("the node connected to it", NODE, |node| node["state"] == "connected").await?;
    lists(&kept, "trust", 2).await?;

    hub_command(&world, &["endpoints", "set", &format!("nobody={NOBODY}")]).await?;
    let endpoints = lists(&kept, "endpoints", 1).await?;
    world.stop_node(NODE).await?;
    world.ground.start_node(NODE).await?;
    world.hub_says("the node connected", NODE, |node| node["state"] == "connected").await?;

    world.stop_node(NODE).await?;
    let file = endpoints.first().context("one was found")?;
    fs::write(file, fs::read_to_string(file)?.replace(NOBODY, "127.0.0.1:7"))?;
    world.ground.start_node(NODE).await?;
    // It is sent again as soon as the hub hears that the node does not hold it.
    until("the list as it was signed", SOON, async || {
        Ok(fs::read_to_string(file)?.contains(NOBODY).then_some(()))
    })
    .await?;
    let trusted = hub_command(&world, &["trust", "ls", "--json"]).await?;
    let trusted: serde_json::Value = serde_json::from_str(&trusted)?;
    ensure!(trusted["authorities"].as_array().map(Vec::len) == Some(2), "{trusted}");
    other.finish().await?;
    world.finish().await
}
