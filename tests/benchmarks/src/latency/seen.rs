//! What a WebSocket client sees of one parameter that counts the packets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use space_packet::{TaiTime, UtcTime};
use testkit::client::Client;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Latencies, Planned};

const MISSION: &str = "load";
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What is committed is shown sooner or later.
const SHOWN_WITHIN: Duration = Duration::from_secs(120);

/// Messages as they came, with their moments. They are read when the load is over: reading them takes processor time,
/// and what is not received at once would look as if it had come late.
type Messages = Arc<Mutex<Vec<(TaiTime, Utf8Bytes)>>>;

/// A client that listens.
pub(super) struct Seen {
    messages: Messages,
    receiving: JoinHandle<()>,
}

/// What it heard.
pub(super) struct Heard {
    pub(super) latencies: Latencies,
    /// Samples that came; the stream leaves some out of a burst.
    pub(super) samples: u64,
    /// Times the stream left out more, because the client was slow.
    pub(super) snapshots: u64,
}

/// What is read of an event; the rest is skipped.
#[derive(Deserialize)]
struct Event<'a> {
    kind: &'a str,
    #[serde(borrow, default)]
    samples: Vec<Told<'a>>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    generation_time: Option<&'a str>,
    raw: Option<u64>,
}

impl Seen {
    /// Subscribes to the parameter of a short name; returns when the stream stands.
    pub(super) async fn subscribe(client: &Client, parameter: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{}/api/v1/live", client.server()).into_client_request()?;
        request.headers_mut().insert("cookie", client.cookie().parse()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        let parameters = client.get(&format!("/api/v1/missions/{MISSION}/parameters")).await?;
        let name = parameters["parameters"]
            .as_array()
            .and_then(|list| list.iter().find(|each| each["short_name"] == parameter))
            .and_then(|each| each["name"].as_str())
            .with_context(|| format!("the mission has no parameter {parameter}"))?;
        let subscribe = json!({ "kind": "subscribe", "mission": MISSION, "parameters": [name] });
        socket.send(Message::text(subscribe.to_string())).await?;
        let messages = Messages::default();
        let kept = Arc::clone(&messages);
        let receiving = tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                let now = simulator::clock::now();
                if let Message::Text(text) = message {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push((now, text));
                }
            }
        });
        Ok(Self { messages, receiving })
    }

    /// Waits for the last packet, and says how long each took.
    pub(super) async fn finish(self, planned: Planned) -> anyhow::Result<Heard> {
        let mut heard = Heard { latencies: Latencies::new()?, samples: 0, snapshots: 0 };
        let (mut next, deadline) = (0, Instant::now() + SHOWN_WITHIN);
        while next < planned.packets {
            let messages = std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner));
            if messages.is_empty() {
                ensure!(!self.receiving.is_finished(), "the live stream ended");
                ensure!(
                    Instant::now() < deadline,
                    "the stream stands at packet {next} of {}",
                    planned.packets
                );
                tokio::time::sleep(LOOK_EVERY).await;
            }
            for (at, text) in messages {
                next = heard.read(&text, at, next, planned)?;
            }
        }
        self.receiving.abort();
        Ok(heard)
    }
}

impl Heard {
    /// Takes a message; returns the first serial that has not been heard of.
    fn read(&mut self, text: &str, at: TaiTime, next: u64, planned: Planned) -> anyhow::Result<u64> {
        let event: Event<'_> =
            serde_json::from_str(text).with_context(|| format!("the live stream said {text}"))?;
        if event.kind == "snapshot" {
            self.snapshots += 1;
        }
        let mut next = next;
        for told in event.samples {
            let (Some(serial), Some(made)) = (told.raw, told.generation_time) else { continue };
            self.samples += 1;
            let made = UtcTime::parse(made)?.to_tai();
            // Those that were left out in between were there by now.
            for each in next.max(planned.first)..=serial {
                self.latencies.record(planned.due(each, (serial, made)), at);
            }
            next = next.max(serial + 1);
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> Heard {
        Heard { latencies: Latencies::new().expect("bounds are sound"), samples: 0, snapshots: 0 }
    }

    #[test]
    fn packets_that_a_burst_leaves_out_count_by_the_next_one_that_came() -> anyhow::Result<()> {
        let planned = Planned { packets_per_s: 1_000.0, first: 2, packets: 10 };
        let made = UtcTime::parse("2026-11-22T20:52:48.009Z")?.to_tai();
        let text = r#"{"kind":"values","samples":[{"raw":9,"generation_time":"2026-11-22T20:52:48.009Z"}]}"#;
        let mut heard = heard();
        let next = heard.read(text, made.plus_nanos(5_000_000), 0, planned)?;
        assert_eq!((next, heard.samples), (10, 1));
        // Serials 2 to 9 were due a millisecond apart, the newest 5 ms before it came.
        assert_eq!(heard.latencies.0.len(), 8);
        assert_eq!((heard.latencies.0.min() / 100, heard.latencies.0.max() / 100), (50, 120));
        Ok(())
    }

    #[test]
    fn a_packet_that_is_told_twice_counts_once() -> anyhow::Result<()> {
        let planned = Planned { packets_per_s: 1_000.0, first: 0, packets: 10 };
        let text = r#"{"kind":"snapshot","samples":[{"raw":0,"generation_time":"2026-11-22T20:52:48Z"}]}"#;
        let mut heard = heard();
        let at = UtcTime::parse("2026-11-22T20:52:48.001Z")?.to_tai();
        let next = heard.read(text, at, 0, planned)?;
        assert_eq!(heard.read(text, at, next, planned)?, 1);
        assert_eq!((heard.latencies.0.len(), heard.snapshots), (1, 2));
        Ok(())
    }
}
