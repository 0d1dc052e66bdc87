//! A node that has sealed its batches beforehand, so that making them costs the machine nothing while the hub is
//! measured; or seals them as they come, at a steady rate.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use delivery::{BatchBuilder, BatchSequence, Frame, Lane, LogHead, LogRole, Next, Outbox};
use space_packet::TaiTime;
use testkit::node_client::{MemoryJournal, NodeClient, OpenSession, new_store};
use tokio_util::sync::CancellationToken;

use super::MISSION;
use super::telemetry::Source;

const LINK: &str = "antenna";
/// As many as a node's batch holds.
const PACKETS_A_BATCH: usize = 512;
/// How often a steady feed looks at what is due.
const TICK: Duration = Duration::from_millis(10);
/// What nobody waits for.
const NEVER: Duration = Duration::from_secs(86_400);
/// Sessions that may end before everything is delivered.
const SESSIONS_MAX: u32 = 5;

/// Packets on their way into a batch.
struct Sealing {
    builder: BatchBuilder,
    packet: Vec<u8>,
    in_batch: usize,
}

/// A node, its journal in memory, and what the hub has of it.
pub(crate) struct Feed {
    node: NodeClient,
    journal: MemoryJournal,
    outbox: Outbox,
    /// Newest batch that the outbox knows of: the others are not there yet, and so live when they come.
    told: u64,
    began: Instant,
    sealing: Sealing,
}

/// A session, and how far batches have been handed to it.
struct Sending {
    session: OpenSession,
    sent: u64,
}

impl Feed {
    pub(crate) fn new(node: NodeClient) -> Self {
        let journal = MemoryJournal::new(new_store(), Lane::Telemetry);
        let mut outbox = Outbox::default();
        outbox.add_log(journal.store(), journal.lane(), LogRole::Current, None, None);
        let sealing = Sealing { builder: builder(), packet: Vec::new(), in_batch: 0 };
        Self { node, journal, outbox, told: 0, began: Instant::now(), sealing }
    }

    /// Takes a source's packet of now into the batch that is being filled, as received right after it was made.
    pub(crate) fn push(&mut self, source: &Source, planned: TaiTime) {
        let sealing = &mut self.sealing;
        source.write_packet(planned, &mut sealing.packet);
        if !sealing.builder.has_room_for(sealing.packet.len()) {
            self.seal();
        }
        let sealing = &mut self.sealing;
        sealing.builder.push(source.reception(planned), &sealing.packet);
        sealing.in_batch += 1;
        if sealing.in_batch == PACKETS_A_BATCH {
            self.seal();
        }
    }

    /// Seals what was taken so far.
    pub(crate) fn seal(&mut self) {
        let built = std::mem::replace(&mut self.sealing.builder, builder());
        self.sealing.in_batch = 0;
        self.journal.seal(built);
    }

    /// Sends everything that is sealed; returns when the hub has committed it, and how many sessions it took.
    pub(crate) async fn deliver(&mut self) -> anyhow::Result<u32> {
        let mut failures = Vec::new();
        while self.committed() < self.newest() {
            let ended = match self.open().await {
                Ok(mut sending) => {
                    let delivered = self.deliver_in(&mut sending).await;
                    sending.session.close();
                    delivered
                }
                Err(error) => Err(error),
            };
            self.outbox.on_session_lost();
            if let Err(error) = ended {
                failures.push(format!("{error:#}"));
                ensure!(failures.len() < SESSIONS_MAX as usize, "sessions ended:\n{}", failures.join("\n"));
            }
        }
        Ok(failures.len() as u32 + 1)
    }

    async fn deliver_in(&mut self, sending: &mut Sending) -> anyhow::Result<()> {
        while self.committed() < self.newest() {
            let until = self.forward(sending).await?;
            tokio::select! {
                frame = sending.session.next() => self.on_frame(frame?)?,
                () = tokio::time::sleep_until(until.into()) => {}
            }
        }
        Ok(())
    }

    /// Makes and sends so many packets a second, of all sources in turn, until it is stopped; returns when the hub
    /// has committed all of them.
    pub(crate) async fn stream(
        &mut self,
        sources: &mut [Source],
        packets_per_s: f64,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut sending = self.open().await?;
        let mut ticks = tokio::time::interval(TICK);
        let (began, began_at, mut made) = (Instant::now(), simulator::clock::now(), 0_usize);
        while !stop.is_cancelled() {
            let until = self.forward(&mut sending).await?;
            tokio::select! {
                () = stop.cancelled() => {}
                frame = sending.session.next() => self.on_frame(frame?)?,
                () = tokio::time::sleep_until(until.into()) => {}
                _ = ticks.tick() => {
                    let due = (began.elapsed().as_secs_f64() * packets_per_s) as usize;
                    for number in made..due {
                        let place = number % sources.len();
                        sources[place].go_on();
                        let nanos = (number as f64 * 1e9 / packets_per_s) as i64;
                        self.push(&sources[place], began_at.plus_nanos(nanos));
                    }
                    made = made.max(due);
                    self.seal();
                }
            }
        }
        self.deliver_in(&mut sending).await?;
        sending.session.close();
        self.outbox.on_session_lost();
        Ok(())
    }

    /// Number of the newest batch that is committed with all before it.
    fn committed(&self) -> u64 {
        self.outbox.watermark(self.journal.store())
    }

    fn newest(&self) -> u64 {
        self.journal.newest().map_or(0, |sequence| sequence.0)
    }

    async fn open(&mut self) -> anyhow::Result<Sending> {
        let head = (self.told > 0).then_some(BatchSequence(self.told));
        let log = LogHead { head, ..self.journal.head() };
        let session = self.node.open(self.node.hello(vec![log])).await?;
        for proof in self.outbox.on_hello_ok(&session.ok, self.began.elapsed())? {
            let number = proof.sequence.map_or(0, |sequence| sequence.0);
            let ours = self.journal.chain_at(number);
            ensure!(ours.is_none_or(|ours| ours == proof.hash), "the hub has another batch {number}");
        }
        Ok(Sending { session, sent: self.told })
    }

    /// Sends what the outbox wants; it hears of one more batch each time it has sent all it knows of, so that live data
    /// never lag. Returns when it must be asked again.
    async fn forward(&mut self, sending: &mut Sending) -> anyhow::Result<Instant> {
        loop {
            match self.outbox.next(self.began.elapsed()) {
                Next::Send(wanted) => {
                    let batch = self.journal.batch(wanted.first).context("what is not at the hub is here")?;
                    let bytes = batch.bytes().len() as u64;
                    self.outbox.on_sent(&wanted, wanted.first, bytes, self.began.elapsed());
                    sending.sent = sending.sent.max(wanted.first.0);
                    sending.session.send_batch(wanted.log, wanted.way, batch.bytes()).await?;
                }
                Next::At(moment) => return Ok(self.began + moment),
                Next::Nothing if self.told <= sending.sent && self.told < self.newest() => {
                    self.told += 1;
                    self.outbox.on_appended(self.journal.store(), Some(BatchSequence(self.told)));
                }
                Next::Nothing => return Ok(Instant::now() + NEVER),
            }
        }
    }

    fn on_frame(&mut self, frame: Option<Frame>) -> anyhow::Result<()> {
        match frame.context("the hub ended the stream")? {
            Frame::Ack(ack) if self.outbox.on_ack(&ack, self.began.elapsed()) => {
                self.journal.forget(self.outbox.safe(self.journal.store()));
            }
            Frame::Credit(credit) => self.outbox.on_credit(credit),
            Frame::Goodbye(goodbye) => bail!("the hub said goodbye: {}", goodbye.reason),
            Frame::Forked(_) => bail!("the hub calls it a fork"),
            _ => {}
        }
        Ok(())
    }
}

fn builder() -> BatchBuilder {
    BatchBuilder::new(MISSION, LINK)
}
