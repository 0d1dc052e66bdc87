//! The side of a hub that follows: what the hub that leads hands over waits here until it is its turn.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use service::metric::Metric;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::room::{Entrance, Exit, with_room};
use super::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, FanOut, HandedOver, Lost, Standing};

/// Batches that wait to be decoded; beyond, the ledger has them.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// Whether a Redis that says nothing is still there.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// Batches as the hub that leads hands them over. Dropping it ends the listening.
pub(crate) struct Subscription {
    waiting: Exit<HandedOver>,
    _listening: JoinSet<Infallible>,
}

impl FanOut {
    /// Listens to what the hub that leads publishes, whenever Redis is there.
    pub(crate) fn subscribe(&self) -> Subscription {
        let (entrance, exit) = with_room(WAITING_BYTES_MAX);
        let mut listening = JoinSet::new();
        listening.spawn(listen(self.clone(), entrance));
        Subscription { waiting: exit, _listening: listening }
    }
}

impl Subscription {
    /// Waits for batches; none are missed when it is dropped half-way.
    pub(crate) async fn next(&mut self, batches_max: usize) -> Vec<HandedOver> {
        self.waiting.take(batches_max).await
    }
}

async fn listen(fan_out: FanOut, waiting: Entrance<HandedOver>) -> Infallible {
    let mut standing = Standing::new("to hear what is committed");
    loop {
        let Err(lost) = listen_while_connected(&fan_out, &waiting, &mut standing).await;
        sleep(standing.is_lost(&lost)).await;
    }
}

async fn listen_while_connected(
    fan_out: &FanOut,
    waiting: &Entrance<HandedOver>,
    standing: &mut Standing,
) -> Result<Infallible, Lost> {
    let connection = timeout(CONNECT_TIMEOUT, fan_out.client.get_async_pubsub()).await??;
    let (mut sink, stream) = connection.split();
    timeout(ANSWER_TIMEOUT, sink.subscribe(fan_out.name("committed"))).await??;
    standing.is_back();
    tokio::select! {
        ended = take_in(fan_out, stream, waiting) => ended,
        ended = ping(sink) => ended,
    }
}

/// The connection reads on whether or not we do: nothing may be waited for here.
async fn take_in(
    fan_out: &FanOut,
    mut stream: PubSubStream,
    waiting: &Entrance<HandedOver>,
) -> Result<Infallible, Lost> {
    while let Some(message) = stream.next().await {
        let Some(handed_over) = HandedOver::read(&fan_out.seal, message.get_payload_bytes()) else {
            Metric::HubFanOutRefused.add(1);
            continue;
        };
        if !waiting.offer(HandedOver::bytes(&handed_over.committed), || handed_over) {
            Metric::HubFanOutDropped.add(1);
        }
    }
    Err(Lost::Closed)
}

async fn ping(mut sink: PubSubSink) -> Result<Infallible, Lost> {
    loop {
        sleep(PING_INTERVAL).await;
        timeout(ANSWER_TIMEOUT, sink.ping::<()>()).await??;
    }
}
