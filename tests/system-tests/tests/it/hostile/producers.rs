//! Two producers that behave, and how long each of their packets takes from being due to being known as durable.
//!
//! They have a thread and a runtime of their own, so that the stopwatch does not wait for the attackers' tasks. Time
//! counts from when a packet was due, not from when there was time to send it: a pause is felt by all it delays.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use simulator::load::packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, interval_at, timeout};

use crate::world::SOON;

const PACKET_BYTES: usize = 92;
/// 500 packets a second.
const PACKET_EVERY: Duration = Duration::from_millis(2);
/// 20 requests a second, of clients that each have a connection: one late answer does not make the next ones late.
const CLIENTS: u32 = 4;
const REQUEST_EVERY: Duration = Duration::from_millis(200);
const PACKETS_PER_REQUEST: u64 = 10;
const FRAMED_RUN: u32 = 0x484f_5354;
const REQUESTS_RUN: u32 = 0x4854_5450;

/// What happens meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Attack,
    Calm,
    Over,
}

/// What became of a producer's packets.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Packets sent; every one was acknowledged.
    pub(crate) packets: u64,
    calm: Vec<Duration>,
    attack: Vec<Duration>,
}

impl Measured {
    fn note(&mut self, phase: Phase, due: Instant) {
        let delays = if phase == Phase::Calm { &mut self.calm } else { &mut self.attack };
        delays.push(due.elapsed());
    }

    /// Prints how long acknowledgements took, and returns the 99th percentiles of calm and attack.
    pub(crate) fn p99(&mut self, producer: &str) -> (Duration, Duration) {
        let mut percentiles = [Duration::ZERO; 2];
        let phases = [("calm", &mut self.calm), ("attack", &mut self.attack)];
        for (p99, (phase, delays)) in percentiles.iter_mut().zip(phases) {
            delays.sort_unstable();
            let part =
                |hundredths: usize| delays.get(delays.len() * hundredths / 100).copied().unwrap_or_default();
            let longest = delays.last().copied().unwrap_or_default();
            *p99 = part(99);
            println!(
                "{producer}, {phase}: {} acknowledgements, p50 {:?}, p99 {p99:?}, longest {longest:?}",
                delays.len(),
                part(50)
            );
        }
        percentiles.into()
    }
}

/// Both producers at work.
pub(crate) struct Producers {
    phase: watch::Sender<Phase>,
    thread: JoinHandle<anyhow::Result<(Measured, Measured)>>,
}

impl Producers {
    /// One on a link of length-prefixed packets, one that makes requests of `ingest`.
    pub(crate) fn start(framed: SocketAddr, ingest: String) -> anyhow::Result<Self> {
        let (phase, phases) = watch::channel(Phase::Calm);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::try_join!(stream(framed, phases.clone()), requests(ingest, phases))
            })
        });
        Ok(Self { phase, thread })
    }

    /// What happens from now on.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Ends both, and waits for their last acknowledgements.
    pub(crate) async fn finish(self) -> anyhow::Result<(Measured, Measured)> {
        self.enter(Phase::Over);
        let ended = tokio::task::spawn_blocking(|| self.thread.join()).await?;
        ended.map_err(|_| anyhow::anyhow!("a producer panicked"))?
    }
}

async fn stream(link: SocketAddr, phases: watch::Receiver<Phase>) -> anyhow::Result<Measured> {
    let stream = TcpStream::connect(link).await?;
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.into_split();
    // Unbounded: what is not acknowledged is what is measured.
    let (sent, mut waiting) = mpsc::unbounded_channel::<(Phase, Instant)>();
    let acknowledged = tokio::spawn(async move {
        let (mut measured, mut durable) = (Measured::default(), 0);
        while let Some((phase, due)) = waiting.recv().await {
            while durable <= measured.packets {
                durable = read.read_u64().await.context("the framed link closed")?;
            }
            measured.packets += 1;
            measured.note(phase, due);
        }
        anyhow::Ok(measured)
    });
    let mut ticks = interval(PACKET_EVERY);
    for serial in 0.. {
        let due = ticks.tick().await;
        let phase = *phases.borrow();
        if phase == Phase::Over {
            break;
        }
        let packet = packet(FRAMED_RUN, serial, PACKET_BYTES, simulator::clock::now());
        let framed = [&(packet.len() as u32).to_be_bytes()[..], &packet].concat();
        write.write_all(&framed).await.context("the framed link closed")?;
        sent.send((phase, due)).ok().context("acknowledgements ended")?;
    }
    drop(sent);
    timeout(SOON, acknowledged).await.context("the last packets were not acknowledged")??
}

/// All clients, one after the other by equal parts of the interval.
async fn requests(ingest: String, phases: watch::Receiver<Phase>) -> anyhow::Result<Measured> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let begin = Instant::now() + REQUEST_EVERY * client / CLIENTS;
        clients.spawn(post(ingest.clone(), REQUESTS_RUN + client, begin, phases.clone()));
    }
    let mut all = Measured::default();
    while let Some(measured) = clients.join_next().await {
        let measured = measured??;
        all.packets += measured.packets;
        all.calm.extend(measured.calm);
        all.attack.extend(measured.attack);
    }
    Ok(all)
}

/// A client; `run_id` tells its packets from those of the others.
async fn post(
    ingest: String,
    run_id: u32,
    begin: Instant,
    phases: watch::Receiver<Phase>,
) -> anyhow::Result<Measured> {
    let client = reqwest::Client::builder().timeout(SOON).build()?;
    let mut measured = Measured::default();
    let mut ticks = interval_at(begin, REQUEST_EVERY);
    loop {
        let due = ticks.tick().await;
        let phase = *phases.borrow();
        if phase == Phase::Over {
            return Ok(measured);
        }
        let serials = measured.packets..measured.packets + PACKETS_PER_REQUEST;
        let body: Vec<u8> = serials
            .flat_map(|serial| packet(run_id, serial, PACKET_BYTES, simulator::clock::now()))
            .collect();
        let request = client.post(&ingest).header("content-type", "application/octet-stream").body(body);
        let answer = request.send().await?;
        let status = answer.status();
        let answer: Value = answer.json().await.with_context(|| format!("answered {status}"))?;
        ensure!(answer["accepted"] == PACKETS_PER_REQUEST, "a good request was answered {status}: {answer}");
        measured.packets += PACKETS_PER_REQUEST;
        measured.note(phase, due);
    }
}
