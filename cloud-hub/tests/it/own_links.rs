//! Alarms of what comes to the hub's own links.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::process::until;

use crate::direct_world::{HubWorld, link};

const SOON: Duration = Duration::from_secs(60);

async fn send(world: &HubWorld, volts: u8) {
    let url = format!("http://{}/api/v1/ingest/demo", world.address("web"));
    let sample = json!([{"parameter": "volts", "raw": volts}]);
    let answer = reqwest::Client::new().post(url).json(&sample).send().await.expect("answered");
    assert_eq!(answer.status().as_u16(), 200);
}

/// The alarms of the mission, once they are as wanted; meanwhile a value comes in again and again.
async fn alarms(world: &HubWorld, volts: u8, is_wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let client = world.client().await;
    until("alarms as wanted", SOON, async || {
        send(world, volts).await;
        let answer = client.get("/api/v1/missions/demo/alarms").await?;
        let found = answer["alarms"].as_array().cloned().unwrap_or_default();
        Ok(is_wanted(&found).then_some(found))
    })
    .await
    .expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_on_a_link_of_the_hub_is_one_alarm_also_over_a_kill() {
    let mut world = HubWorld::start(&link("web", "http", "")).await;
    let limits = "# bounds: good\nparameter,yellow_high,red_high,persistence\n/D/volts,50,200,1\n";
    let file = world.write("limits.csv", limits);
    let import = ["limits", "import", "demo", &file, "--author", "test", "--reason", "test"];
    world.command(&import).await.expect("imported");
    let found = alarms(&world, 77, |found| !found.is_empty()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let alarm = &found[0];
    assert_eq!(
        (&alarm["parameter"], &alarm["detector"], &alarm["severity"]),
        (&json!("/D/volts"), &json!("limits"), &json!("warning"))
    );
    assert_eq!(alarm["state"], json!("active-unacknowledged"));

    world.kill_and_start().await;
    send(&world, 77).await;
    let found = alarms(&world, 250, |found| found.iter().any(|alarm| alarm["worst"] == "critical")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["id"], &found[0]["occurrences"]), (&alarm["id"], &json!(1)), "it went on");
    let path = format!("/api/v1/missions/demo/alarms/{}", alarm["id"].as_str().expect("an id"));
    let history = world.client().await.get(&path).await.expect("answers");
    let kinds: Vec<_> = history["entries"].as_array().into_iter().flatten().collect();
    let kinds: Vec<_> = kinds.into_iter().map(|entry| (&entry["fact"]["kind"], &entry["node"])).collect();
    assert_eq!(kinds, [(&json!("raised"), &Value::Null), (&json!("worsened"), &Value::Null)]);
}
