//! A node that makes packets of its own and forwards them by the rules of real ones, coming back whenever it is cut off.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use dashboard::contract::{LinkReport, NodeReport};
use dashboard::{node_report_json, rfc3339};
use delivery::{Backoff, Frame, Lane, LogRole, Next, Outbox, Wanted};
use simulator::load;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{MemoryJournal, NodeClient, OpenSession, new_store};

const LINK: &str = "antenna";
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Reports between two questions for the time.
const REPORTS_PER_TIME_ASK: u64 = 10;
/// What nobody waits for.
const NEVER: Duration = Duration::from_secs(86_400);

/// How much a node has to say.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often it seals a batch; absent: never.
    pub batch_every: Option<Duration>,
    /// Packets of a batch.
    pub packets: u64,
    /// Bytes of a packet.
    pub packet_bytes: usize,
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum NodeEvent {
    /// HELLO_OK was read.
    Opened,
    /// More of its batches are committed.
    Acknowledged {
        /// Whether the hub has everything and keeps it safely.
        is_drained: bool,
    },
    /// A session ended, or none began.
    Ended(String),
    /// It makes no more packets until its pace changes.
    Silent {
        /// Packets made so far.
        made: u64,
        /// As above.
        is_drained: bool,
    },
}

/// A node and what it has not yet delivered.
pub struct Forwarding {
    node: NodeClient,
    journal: MemoryJournal,
    outbox: Outbox,
    mission: String,
    run_id: u32,
    next_serial: u64,
    began: Instant,
}

/// What wakes a session.
enum Woken {
    Answer(Option<Box<Frame>>),
    Batch,
    Pace,
    Report,
    Stop,
    Time,
}

impl Forwarding {
    /// A node that has made nothing yet; its packets are those of the simulator's load, by `run_id`.
    pub fn new(node: NodeClient, mission: &str, run_id: u32) -> Self {
        let journal = MemoryJournal::new(new_store(), Lane::Telemetry);
        let mut outbox = Outbox::default();
        outbox.add_log(journal.store(), journal.lane(), LogRole::Current, None, None);
        let (mission, began) = (mission.to_owned(), Instant::now());
        Self { node, journal, outbox, mission, run_id, next_serial: 0, began }
    }

    /// Packets made so far.
    pub fn made(&self) -> u64 {
        self.next_serial
    }

    /// Whether the hub has everything and keeps it safely.
    pub fn is_drained(&self) -> bool {
        self.outbox.is_drained(self.journal.store())
    }

    /// Forwards until `stop`; what happens meanwhile is told to `on`.
    pub async fn run(
        &mut self,
        mut pace: watch::Receiver<Pace>,
        on: impl Fn(NodeEvent),
        stop: &CancellationToken,
    ) {
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let reason = match self.session(&mut pace, &on, &mut backoff, stop).await {
                Ok(reason) => reason,
                Err(error) => format!("{error:#}"),
            };
            self.outbox.on_session_lost();
            on(NodeEvent::Ended(reason));
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(backoff.next_wait(rand::random())) => {}
            }
        }
    }

    async fn session(
        &mut self,
        pace: &mut watch::Receiver<Pace>,
        on: &impl Fn(NodeEvent),
        backoff: &mut Backoff,
        stop: &CancellationToken,
    ) -> anyhow::Result<String> {
        let mut session = self.open().await?;
        on(NodeEvent::Opened);
        let mut batches = self.ticks(pace, on);
        let mut reports = every(REPORT_EVERY);
        let mut reported = 0;
        loop {
            let until = self.forward(&mut session).await?;
            let woken = tokio::select! {
                () = stop.cancelled() => Woken::Stop,
                frame = session.next() => Woken::Answer(frame?.map(Box::new)),
                changed = pace.changed() => changed.map_or(Woken::Stop, |()| Woken::Pace),
                _ = batches.tick() => Woken::Batch,
                _ = reports.tick() => Woken::Report,
                () = sleep_until(until) => Woken::Time,
            };
            match woken {
                Woken::Answer(Some(frame)) => {
                    if let Some(end) = self.on_frame(*frame, on, backoff) {
                        return Ok(end);
                    }
                }
                Woken::Answer(None) => bail!("the hub ended the stream"),
                Woken::Batch => self.make(*pace.borrow()),
                Woken::Pace => batches = self.ticks(pace, on),
                Woken::Report => {
                    session.send(&Frame::Report(node_report_json(&self.report()))).await?;
                    if reported % REPORTS_PER_TIME_ASK == 0 {
                        session.send(&Frame::TimeAsk(simulator::clock::now())).await?;
                    }
                    reported += 1;
                }
                Woken::Stop => {
                    session.close();
                    return Ok("the node stops".to_owned());
                }
                Woken::Time => {}
            }
        }
    }

    async fn open(&mut self) -> anyhow::Result<OpenSession> {
        let hello = self.node.hello(vec![self.journal.head()]);
        let session = self.node.open(hello).await?;
        let now = self.began.elapsed();
        for proof in self.outbox.on_hello_ok(&session.ok, now)? {
            let number = proof.sequence.map_or(0, |sequence| sequence.0);
            let ours = self.journal.chain_at(number);
            ensure!(ours.is_none_or(|ours| ours == proof.hash), "the hub has another batch {number}");
        }
        Ok(session)
    }

    /// Sends what the outbox wants; returns when it must be asked again at the latest.
    async fn forward(&mut self, session: &mut OpenSession) -> anyhow::Result<Instant> {
        self.outbox.on_round_trip(session.connection.rtt());
        loop {
            let Wanted { log, first, way, .. } = match self.outbox.next(self.began.elapsed()) {
                Next::Send(wanted) => {
                    self.outbox.on_sent(&wanted, wanted.first, self.bytes_of(&wanted)?, self.began.elapsed());
                    wanted
                }
                Next::At(moment) => return Ok(self.began + moment),
                Next::Nothing => return Ok(Instant::now() + NEVER),
            };
            let batch = self.journal.batch(first).context("what is not at the hub is here")?;
            session.send_batch(log, way, batch.bytes()).await?;
        }
    }

    fn bytes_of(&self, wanted: &Wanted) -> anyhow::Result<u64> {
        let batch = self.journal.batch(wanted.first).context("what is not at the hub is here")?;
        Ok(batch.bytes().len() as u64)
    }

    /// Returns why the hub ends the session, if it does.
    fn on_frame(&mut self, frame: Frame, on: &impl Fn(NodeEvent), backoff: &mut Backoff) -> Option<String> {
        match frame {
            Frame::Ack(ack) if self.outbox.on_ack(&ack, self.began.elapsed()) => {
                backoff.succeeded();
                self.journal.forget(self.outbox.safe(self.journal.store()));
                on(NodeEvent::Acknowledged { is_drained: self.is_drained() });
            }
            Frame::Credit(credit) => self.outbox.on_credit(credit),
            Frame::Goodbye(goodbye) => {
                backoff.not_before(Duration::from_millis(u64::from(goodbye.retry_after_ms)));
                return Some(goodbye.reason);
            }
            Frame::Forked(_) => return Some("the hub calls it a fork".to_owned()),
            _ => {}
        }
        None
    }

    fn ticks(&self, pace: &mut watch::Receiver<Pace>, on: &impl Fn(NodeEvent)) -> Interval {
        let batch_every = pace.borrow_and_update().batch_every;
        if batch_every.is_none() {
            on(NodeEvent::Silent { made: self.made(), is_drained: self.is_drained() });
        }
        every(batch_every.unwrap_or(NEVER))
    }

    fn make(&mut self, pace: Pace) {
        let now = simulator::clock::now();
        let serials = self.next_serial..self.next_serial + pace.packets;
        self.next_serial = serials.end;
        let packets: Vec<Vec<u8>> =
            serials.map(|serial| load::packet(self.run_id, serial, pace.packet_bytes, now)).collect();
        self.journal.append(&self.mission, LINK, now, packets.iter().map(Vec::as_slice));
        self.outbox.on_appended(self.journal.store(), self.journal.newest());
    }

    fn report(&self) -> NodeReport {
        let link = LinkReport {
            name: LINK.to_owned(),
            mission: self.mission.clone(),
            door: "tcp".to_owned(),
            packets: self.next_serial,
            durable: self.next_serial,
            ..LinkReport::default()
        };
        NodeReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: rfc3339(simulator::clock::now()),
            packets_received: self.next_serial,
            links: vec![link],
            certificate_days: Some(90),
            ..NodeReport::default()
        }
    }
}

/// Ticks that begin somewhere within the first period, so that a fleet does not move in step.
fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period.mul_f64(rand::random()), period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
