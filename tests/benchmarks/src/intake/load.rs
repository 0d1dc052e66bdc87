//! Load on one link: as much as is acknowledged, or at a steady rate.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use space_packet::Apid;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::door::{DoorKind, Shape};
use super::producer::{HttpProducer, Producer, TcpProducer, WebSocketProducer, durable_in_time};
use super::ring::Ring;

/// APIDs from here on, each for one connection only: every one is in sequence.
const FIRST_APID: u64 = 100;
const APIDS: u64 = 1_900;
/// A timer wakes up to a millisecond late; what is later than this waited.
const TIMER_LATENESS: Duration = Duration::from_millis(1);

/// Producers at work on one link.
pub(super) struct Load {
    connections: JoinSet<anyhow::Result<Histogram<u64>>>,
    durable: Arc<AtomicU64>,
    stop: CancellationToken,
}

/// How often producers send.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// As often as acknowledgements allow.
    Saturating,
    /// So many packets a second, all connections together.
    Steady(f64),
}

/// A ring for a connection that never was.
pub(super) fn next_ring(door: DoorKind, shape: Shape) -> anyhow::Result<Ring> {
    static USED: AtomicU64 = AtomicU64::new(0);
    let number = FIRST_APID + USED.fetch_add(1, Ordering::Relaxed) % APIDS;
    let apid = Apid::try_from(number as u16)?;
    Ring::new(apid, door.is_prefixed(), shape.messages, simulator::clock::now())
}

impl Load {
    /// Connects, and sends until it is stopped.
    pub(super) async fn start(
        door: DoorKind,
        address: SocketAddr,
        shape: Shape,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let mut load =
            Self { connections: JoinSet::new(), durable: Arc::default(), stop: CancellationToken::new() };
        for number in 0..shape.connections {
            let work = Work {
                ring: next_ring(door, shape)?,
                shape,
                durable: Arc::clone(&load.durable),
                stop: load.stop.clone(),
            };
            match door {
                DoorKind::Http => load.spawn(HttpProducer::connect(address).await?, work, pace, number),
                DoorKind::Tcp | DoorKind::TcpPrefixed => {
                    load.spawn(TcpProducer::connect(address).await?, work, pace, number);
                }
                DoorKind::Websocket => {
                    load.spawn(WebSocketProducer::connect(address).await?, work, pace, number);
                }
                DoorKind::Udp => anyhow::bail!("nobody acknowledges datagrams"),
            }
        }
        Ok(load)
    }

    fn spawn(&mut self, producer: impl Producer, work: Work, pace: Pace, number: usize) {
        match pace {
            Pace::Saturating => self.connections.spawn(work.saturate(producer)),
            Pace::Steady(rate) => self.connections.spawn(work.keep_pace(producer, rate, number)),
        };
    }

    /// Packets acknowledged so far.
    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Sends no more and waits for what is under way; microseconds from sending to acknowledgement, of steady loads.
    pub(super) async fn stop(mut self) -> anyhow::Result<Histogram<u64>> {
        self.stop.cancel();
        let mut all = Histogram::new(3)?;
        while let Some(ended) = self.connections.join_next().await {
            all.add(ended??)?;
        }
        Ok(all)
    }

    /// Waits, but ends at once when a connection does.
    pub(super) async fn run_for(&mut self, time: Duration) -> anyhow::Result<()> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            ended = self.connections.join_next() => {
                ended.context("there is no connection")???;
                anyhow::bail!("a connection ended before it should")
            }
        }
    }
}

/// What one connection works with.
struct Work {
    ring: Ring,
    shape: Shape,
    durable: Arc<AtomicU64>,
    stop: CancellationToken,
}

impl Work {
    async fn saturate(self, mut producer: impl Producer) -> anyhow::Result<Histogram<u64>> {
        let messages = self.shape.messages;
        let window = (messages * self.shape.in_flight) as u64;
        let (mut sent, mut durable) = (0, 0);
        loop {
            while sent - durable < window && !self.stop.is_cancelled() {
                producer.send(self.ring.request(sent, messages), messages).await?;
                sent += messages as u64;
            }
            if sent == durable {
                return Ok(Histogram::new(3)?);
            }
            let told = durable_in_time(&mut producer).await?;
            self.durable.fetch_add(told - durable, Ordering::AcqRel);
            durable = told;
        }
    }

    async fn keep_pace(
        self,
        mut producer: impl Producer,
        rate: f64,
        number: usize,
    ) -> anyhow::Result<Histogram<u64>> {
        let (messages, connections) = (self.shape.messages, self.shape.connections);
        let period = Duration::from_secs_f64((messages * connections) as f64 / rate);
        // Connections take turns.
        let mut ticks = interval_at(Instant::now() + period * number as u32 / connections as u32, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut histogram = Histogram::new(3)?;
        let mut waiting = VecDeque::new();
        let (mut sent, mut durable) = (0, 0);
        while !(self.stop.is_cancelled() && waiting.is_empty()) {
            tokio::select! {
                told = durable_in_time(&mut producer), if !waiting.is_empty() => {
                    let told = told?;
                    self.durable.fetch_add(told - durable, Ordering::AcqRel);
                    durable = told;
                    while let Some(&(_, at)) = waiting.front().filter(|(upto, _)| *upto <= durable) {
                        histogram.record(Instant::now().duration_since(at).as_micros() as u64)?;
                        waiting.pop_front();
                    }
                }
                due = ticks.tick(), if !self.stop.is_cancelled() => {
                    let at = Instant::now().min(due + TIMER_LATENESS);
                    producer.send(self.ring.request(sent, messages), messages).await?;
                    sent += messages as u64;
                    waiting.push_back((sent, at));
                }
            }
        }
        Ok(histogram)
    }
}
