//! A fault aboard while the station has no link: found there, dealt with there, and known at the hub when the link is
//! back; and what nobody deals with goes up the ladder to a mail server and a webhook that are not ours.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use simulator::spacecraft::{Fault, Spacecraft};
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::mail::TestMail;
use testkit::process::{output, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval};

use crate::world::{DRAINED_WITHIN, NODE, SOON, World};

const ALARMS: &str = "/api/v1/missions/demo/alarms";
/// What degrades, and what nobody will acknowledge for a while.
const WORN: &str = "/Demo/Power/cell_voltage_3";
const NEGLECTED: &str = "/Demo/Power/battery_voltage";
/// How long the spacecraft was healthy before, so that there is something to learn from, and how long it has not been.
const HEALTHY_S: i64 = 6_300;
const WEARING_S: i64 = 1_200;
const SECRET: &str = "a secret of more than thirty-two bytes";

const DETECTION_RULES: &str = r#"
version = 1

[[watch]]
parameters = ["/Demo/Power/cell_voltage_*"]
severity = "warning"
suite.training = { fit = 1200, calibrate = 0 }

[[watch.suite.detectors]]
method.range = { margin = 0.1, margin_min = 0.05 }
persistence = 3
"#;

const ALARM_RULES: &str = r#"
version = 7

[[contact]]
name = "kari"
email = "kari@station.example"

[[contact]]
name = "duty system"
webhook = "duty"

[[ladder]]
name = "usual"
at_least = "warning"
# An acknowledgement that comes with its alarm may be committed one transaction later.
steps = [{ after = "2 s", to = ["kari"] }, { after = "5 s", to = ["duty system"] }]
"#;

/// What somebody else's program got.
type Posts = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_found_without_a_link_is_one_alarm_with_both_histories_and_a_neglected_one_reaches_people()
-> anyhow::Result<()> {
    let mail = TestMail::start().await?;
    let (receiver, posts) = receive_posts().await?;
    let mut world = World::prepare(Mission::demo(), &[NODE])?;
    let folder = world.folder().to_owned();
    let secret = folder.join("duty.secret");
    fs::write(&secret, SECRET)?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    fs::write(folder.join("detection.toml"), DETECTION_RULES)?;
    fs::write(folder.join("alarms.toml"), ALARM_RULES)?;
    let file = world.ground.hub_file();
    file.notify = Some(notify(mail.address(), receiver, &secret.to_string_lossy()));
    for mission in &mut file.missions {
        mission.alarms = Some(folder.join("alarms.toml"));
        mission.detection = Some(folder.join("detection.toml"));
    }
    world.run().await?;
    let rules = folder.join(NODE).join("data/dictionaries/demo/detection-rules-1.json");
    until("the hub's rules at the node", SOON, async || Ok(rules.exists().then_some(()))).await?;

    world.stop_hub().await?;
    world.node_says("that the hub is away", NODE, |node| node["state"] == "disconnected").await?;
    let flight = tokio::spawn(fly(world.ground.link(NODE)?));
    let node = world.ground.node_client(NODE).await?;
    // Two hours of telemetry are decoded first.
    let found =
        alarm_within(&node, WORN, DRAINED_WITHIN, |alarm| alarm["state"] == "active-unacknowledged").await?;
    ensure!(found["detector"] == "range" && found["is_retrospective"] == false, "{found}");
    let cause = &found["cause"];
    ensure!(cause["seen"].as_f64() < cause["expected"].as_f64(), "it does not say why: {found}");
    let id = found["id"].as_str().context("an alarm has an id")?.to_owned();
    let act = json!({ "act": { "acknowledge": {} }, "note": "cell 3, see WO-12" });
    node.post(&format!("{ALARMS}/{id}/acts"), &act).await?;
    alarm(&node, WORN, |alarm| alarm["state"] == "active-acknowledged").await?;

    world.ground.start_hub().await?;
    let hub = world.ground.hub_client().await?;
    let merged = alarm(&hub, WORN, |alarm| alarm["state"] == "active-acknowledged").await?;
    ensure!(merged["id"] == id.as_str(), "the hub has another alarm: {merged}");
    hub.post(
        &format!("{ALARMS}/{id}/acts"),
        &json!({ "act": { "comment": {} }, "note": "charging is limited" }),
    )
    .await?;
    let both = until("both histories at the node", SOON, async || {
        let history = node.get(&format!("{ALARMS}/{id}")).await?;
        let has_comment = entries(&history).iter().any(|entry| entry["fact"]["kind"] == "commented");
        Ok(has_comment.then_some(history))
    })
    .await?;
    let at_hub = hub.get(&format!("{ALARMS}/{id}")).await?;
    let ids = |history: &Value| {
        entries(history)
            .iter()
            .map(|entry| entry["id"].to_string())
            .collect::<std::collections::BTreeSet<_>>()
    };
    ensure!(ids(&both) == ids(&at_hub), "node {both}\nhub {at_hub}");
    let places: Vec<bool> = entries(&at_hub).iter().map(|entry| entry["node"].is_null()).collect();
    ensure!(places.contains(&true) && places.contains(&false), "not of both places: {at_hub}");
    let listed = hub.get(&format!("{ALARMS}?parameter={WORN}")).await?;
    ensure!(listed["alarms"].as_array().map(Vec::len) == Some(1), "more than one alarm: {listed}");

    neglect(&world).await?;
    let neglected = alarm(&hub, NEGLECTED, |alarm| alarm["rings"] == true).await?;
    let told = |messages: &[String], parameter: &str| messages.iter().any(|text| text.contains(parameter));
    let first = until("a message at the mail server", SOON, async || {
        let messages = mail.messages()?;
        Ok(told(&messages, NEGLECTED).then_some(messages))
    })
    .await?;
    let message = &first[0];
    ensure!(message.contains("kari@station.example") && message.contains("critical"), "{message}");
    let post = until("a post at the webhook", SOON, async || {
        let mut posts = posts.lock().expect("nobody panicked with it");
        Ok((!posts.is_empty()).then(|| posts.remove(0)))
    })
    .await?;
    is_signed_and_about(&post, &neglected)?;
    ensure!(
        !told(&mail.messages()?, WORN),
        "somebody was told of what was acknowledged before the hub knew of it"
    );

    let id = neglected["id"].as_str().context("an alarm has an id")?;
    hub.post(&format!("{ALARMS}/{id}/acts"), &json!({ "act": { "acknowledge": {} } })).await?;
    alarm(&node, NEGLECTED, |alarm| alarm["state"] == "active-acknowledged").await?;
    let deliveries = hub.get("/api/v1/missions/demo/alarm-deliveries").await?;
    let sent = deliveries["deliveries"].as_array().map_or(0, |all| {
        all.iter().filter(|delivery| delivery["alarm"] == id && delivery["state"] == "sent").count()
    });
    ensure!(sent == 2, "the log should have both messages: {deliveries}");
    flight.abort();
    world.finish().await
}

/// How the hub tells people, on this machine.
fn notify(mail: SocketAddr, webhook: SocketAddr, secret: &str) -> String {
    format!(
        "[notify.smtp]\nhost = \"{}\"\nport = {}\nsecurity = \"none\"\nfrom = \"hub@station.example\"\n\n\
         [[notify.webhook]]\nname = \"duty\"\nurl = \"http://{webhook}/hook\"\nsecret_file = \"{secret}\"\nallow_http = true\n\
         allow = [\"127.0.0.0/8\"]\n",
        mail.ip(),
        mail.port()
    )
}

/// Limits that every battery voltage violates.
async fn neglect(world: &World) -> anyhow::Result<()> {
    let file = world.folder().join("limits.csv");
    fs::write(&file, format!("parameter,critical_low\n{NEGLECTED},1000\n"))?;
    let (config, file) = (world.ground.hub_config(), file.to_string_lossy().into_owned());
    let (config, why) = (config.to_string_lossy().into_owned(), ["--author", "test", "--reason", "test"]);
    let words = ["limits", "import", "--config", &config, "demo", &file, "--bounds", "good"];
    let arguments: Vec<String> = words.iter().chain(&why).map(|word| (*word).to_owned()).collect();
    output("cloud-hub", &arguments, SOON).await.map(drop)
}

/// The spacecraft, in real time after its past, whose last minutes have a weak cell.
async fn fly(link: SocketAddr) -> anyhow::Result<()> {
    let (mut read, mut write) = TcpStream::connect(link).await?.into_split();
    // The node says what is safe; who does not read that is not sent more.
    let reading = tokio::spawn(async move { while read.read_u64().await.is_ok() {} });
    let now = simulator::clock::now();
    let fault = now.plus_nanos(-WEARING_S * 1_000_000_000);
    let mut spacecraft = Spacecraft::new(7, fault.plus_nanos(-HEALTHY_S * 1_000_000_000));
    spacecraft.inject(Fault::BatteryCell, fault);
    let mut rounds = interval(Duration::from_millis(50));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        for packet in spacecraft.telemetry_due(simulator::clock::now()) {
            write.write_all(&packet.bytes).await?;
        }
        ensure!(!reading.is_finished(), "the node hung up");
    }
}

/// Waits for the newest alarm of a parameter to be as wished.
async fn alarm(client: &Client, parameter: &str, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    alarm_within(client, parameter, SOON, is_it).await
}

/// The same of one that takes longer.
async fn alarm_within(
    client: &Client,
    parameter: &str,
    patience: Duration,
    is_it: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let found = until("an alarm", patience, async || {
        last = client.get(&format!("{ALARMS}?parameter={parameter}")).await?;
        let newest = last["alarms"].get(0).filter(|alarm| is_it(alarm)).cloned();
        Ok(newest)
    });
    found.await.with_context(|| format!("{} says {last}", client.server()))
}

fn entries(history: &Value) -> &[Value] {
    history["entries"].as_array().map_or(&[][..], Vec::as_slice)
}

async fn receive_posts() -> anyhow::Result<(SocketAddr, Posts)> {
    let posts = Posts::default();
    let kept = Arc::clone(&posts);
    let take = axum::routing::post(move |headers: HeaderMap, body: Bytes| async move {
        kept.lock().expect("nobody panicked with it").push((headers, body));
        "taken"
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = axum::Router::new().route("/hook", take);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, posts))
}

fn is_signed_and_about((headers, body): &(HeaderMap, Bytes), alarm: &Value) -> anyhow::Result<()> {
    let signature = headers.get("sto-signature").context("it is not signed")?.to_str()?;
    let time = signature.split(',').find_map(|part| part.strip_prefix("t=")).context("no time")?;
    let expected = notify::signature(SECRET.as_bytes(), "1", time.parse()?, body);
    ensure!(signature == expected, "signed with another secret: {signature}");
    let told: Value = serde_json::from_slice(body)?;
    ensure!(told["alarm"] == alarm["id"] && told["severity"] == "critical", "{told}");
    ensure!(told["ladder"]["step"] == 2 && told["test"] == false, "{told}");
    Ok(())
}
