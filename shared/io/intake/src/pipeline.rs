//! The pipeline: judges every record, shows what it decodes, and packs batches for the sink. One thread.
//!
//! Judging stands before the sink, so that what was found out about a record is part of it; and beside the tasks
//! that drive sockets, whose acknowledgements it would delay (measured).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::{BatchBuilder, Content, Packer, SampleRecord, Unframed, Verdicts};
use mission_database::DecodedPacket;
use processing::{QUARANTINED, Unseen, Validator, Verdict};
use space_packet::ReceptionTime;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::link::{LinkContext, Queues};
use super::queue::{Next, Stopped};
use super::{
    Continuity, DurableCount, Packed, Producer, Readers, Receipt, Records, RequestPart, Sink, Submission,
    packets,
};

/// A batch this full is sealed at once. Larger ones save little and cost sled memory (measured).
const RECORDS_FULL: usize = 512;
/// What a stopping program gives a full sink to take what was read already.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// What the pipeline works with.
pub struct Pipeline<S> {
    /// Where records come from.
    pub queues: Arc<Queues>,
    /// How missions' records are read.
    pub readers: Arc<dyn Readers>,
    /// Where batches go.
    pub sink: S,
    /// What batches are packed with.
    pub packer: Packer,
    /// For waiting until the sink takes a batch.
    pub runtime: tokio::runtime::Handle,
    /// Intake stops.
    pub stopping: CancellationToken,
}

/// What the pipeline keeps of a link.
struct LinkState {
    context: Arc<LinkContext>,
    validator: Validator,
    /// Of which reading of the mission's dictionary the validator's is.
    documents: u64,
    main: Batch,
    /// Bytes without packets that nobody waits for: they must not cut the packets' batches short.
    aside: Batch,
    seal_at: Option<Instant>,
    /// Samples of the newest submission: the next one will have about as many.
    samples: usize,
}

/// A batch that is being filled.
struct Batch {
    content: Content,
    builder: BatchBuilder,
    producers: Vec<(Arc<DurableCount>, u64)>,
    receipts: Vec<Receipt>,
}

/// A record that was judged.
struct Judged<'a> {
    reception: ReceptionTime,
    verdicts: Verdicts,
    bytes: &'a [u8],
}

impl<S: Sink> Pipeline<S> {
    /// Runs until the queues are closed and empty. Blocks: run it on its own thread.
    pub fn run(mut self) {
        let mut links: HashMap<u64, LinkState> = HashMap::new();
        loop {
            let due = links.values().filter_map(|state| state.seal_at).min();
            let done = match self.queues.next(due) {
                Next::Item { queue, link, item, room } => {
                    let state = links.entry(queue).or_insert_with(|| LinkState::new(link, &*self.readers));
                    let taken = self.take(state, &item);
                    // Only now: what waits for the sink is still the link's to hold.
                    drop(room);
                    taken
                }
                Next::Ended(queue) => {
                    links.remove(&queue).map_or(Ok(()), |mut state| self.seal_all(&mut state))
                }
                Next::Nothing => Ok(()),
                Next::Closed => break,
            };
            let now = Instant::now();
            let mut overdue = links.values_mut().filter(|state| state.seal_at.is_some_and(|at| at <= now));
            let sealed: Result<(), Stopped> =
                done.and_then(|()| overdue.try_for_each(|state| self.seal_all(state)));
            if sealed.is_err() {
                error!("nothing more is taken: records that no producer was told about are given up");
                self.queues.close();
                return;
            }
        }
        for state in links.values_mut() {
            if self.seal_all(state).is_err() {
                warn!("records that no producer was told about are given up");
                return;
            }
        }
    }

    fn take(&mut self, state: &mut LinkState, submission: &Submission) -> Result<(), Stopped> {
        state.read_by(&*self.readers);
        let reception = submission.reception;
        let is_seen = self.sink.wants_samples();
        let mut samples = Vec::with_capacity(if is_seen { state.samples } else { 0 });
        let mut unseen = Unseen::default();
        let mut credit = Credit::new(submission);
        match &submission.records {
            Records::Packets { bytes, ends } => {
                // Reused for all packets of the submission.
                let mut scratch = DecodedPacket::default();
                for packet in packets(bytes, ends) {
                    let validator = &mut state.validator;
                    let verdicts = if is_seen {
                        validator.judge_packet(reception, packet, &mut scratch, &mut samples)
                    } else {
                        validator.judge_packet(reception, packet, &mut scratch, &mut unseen)
                    };
                    let record = Judged { reception, verdicts, bytes: packet };
                    self.push(state, Content::Packets, &record, &mut credit)?;
                }
            }
            Records::Samples(records) => {
                for record in records {
                    let verdicts = state.validator.judge_sample(reception, record, &mut samples);
                    let bytes = SampleRecord::encode(record);
                    let record = Judged { reception, verdicts, bytes: &bytes };
                    self.push(state, Content::Samples, &record, &mut credit)?;
                }
            }
            Records::Unframed { cause, bytes } => {
                let verdicts = Verdict::NotAPacket.into();
                let bytes = Unframed { cause, bytes }.encode();
                self.push(
                    state,
                    Content::Unframed,
                    &Judged { reception, verdicts, bytes: &bytes },
                    &mut credit,
                )?;
            }
        }
        credit.settle(state);
        state.seal_at = state.seal_at.or_else(|| Some(Instant::now() + self.sink.linger()));
        if is_seen {
            state.samples = samples.len();
            if !samples.is_empty() {
                self.sink.show(state.context.mission, samples);
            }
            return Ok(());
        }
        // Those that came without a packet are made in any case.
        self.sink.on_unseen(unseen.0 + samples.len() as u64);
        Ok(())
    }

    fn push(
        &mut self,
        state: &mut LinkState,
        content: Content,
        record: &Judged<'_>,
        credit: &mut Credit<'_>,
    ) -> Result<(), Stopped> {
        let is_aside = content == Content::Unframed && credit.producer.is_none();
        let batch = if is_aside { &state.aside } else { &state.main };
        let is_full =
            batch.builder.records() >= RECORDS_FULL || !batch.builder.has_room_for(record.bytes.len());
        if is_full || batch.content != content {
            // In order: what came before is durable first.
            credit.settle(state);
            self.seal_all(state)?;
        }
        let is_quarantined = record.verdicts.intersects(QUARANTINED);
        if !record.verdicts.is_empty() {
            state.context.statistics.on_verdicts(record.verdicts, is_quarantined);
        }
        let batch = if is_aside { &mut state.aside } else { &mut state.main };
        if batch.content != content {
            let config = &state.context.statistics.config;
            *batch = Batch::new(content, &config.mission, &config.name);
        }
        batch.builder.push_judged(record.reception, record.verdicts, is_quarantined, record.bytes);
        credit.count(is_quarantined, is_aside);
        Ok(())
    }

    fn seal_all(&mut self, state: &mut LinkState) -> Result<(), Stopped> {
        state.seal_at = None;
        state.context.statistics.on_continuity(state.continuity());
        self.seal(&mut state.main)?;
        self.seal(&mut state.aside)
    }

    fn seal(&mut self, batch: &mut Batch) -> Result<(), Stopped> {
        let Some(body) = batch.builder.pack_with(&mut self.packer) else { return Ok(()) };
        let (producers, receipts) =
            (std::mem::take(&mut batch.producers), std::mem::take(&mut batch.receipts));
        let packed = Packed { body, producers, receipts };
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                appended = self.sink.append(packed) => appended,
                // A full sink makes this wait; what stops waits only a moment longer.
                () = async { self.stopping.cancelled().await; tokio::time::sleep(STOP_WAIT).await } => Err(Stopped),
            }
        })
    }
}

impl LinkState {
    fn new(context: Arc<LinkContext>, readers: &dyn Readers) -> Self {
        let (documents, decoder) = readers.decoder(context.mission);
        let config = &context.statistics.config;
        Self {
            validator: Validator::new(decoder, &config.validation()),
            documents,
            main: Batch::new(Content::Packets, &config.mission, &config.name),
            aside: Batch::new(Content::Unframed, &config.mission, &config.name),
            seal_at: None,
            samples: 0,
            context,
        }
    }

    /// Takes over what the mission is read by since something new came.
    fn read_by(&mut self, readers: &dyn Readers) {
        if readers.documents(self.context.mission) != self.documents {
            let (documents, decoder) = readers.decoder(self.context.mission);
            self.validator.set_decoder(decoder);
            self.documents = documents;
        }
    }

    fn continuity(&self) -> Continuity {
        let mut sum = Continuity { idle: self.validator.idle_packets(), ..Continuity::default() };
        for (_, _, counts) in self.validator.counts() {
            sum.missing += counts.missing;
            sum.gaps += counts.gaps;
            sum.duplicates += counts.duplicates;
            sum.late += counts.late;
            sum.resets += counts.resets;
        }
        sum
    }
}

impl Batch {
    fn new(content: Content, mission: &str, link: &str) -> Self {
        Self {
            content,
            builder: BatchBuilder::of(content, mission, link),
            producers: Vec::new(),
            receipts: Vec::new(),
        }
    }
}

/// Who is told about the records of a submission, batch by batch.
struct Credit<'a> {
    producer: Option<&'a Arc<Producer>>,
    request: Option<RequestPart>,
    is_unframed: bool,
    /// Records in the main batch that is being filled.
    records: u64,
    quarantined: u64,
    /// Records of the submission so far.
    total: u32,
}

impl<'a> Credit<'a> {
    fn new(submission: &'a Submission) -> Self {
        Self {
            producer: submission.producer.as_ref(),
            request: submission.request,
            is_unframed: submission.records.is_unframed(),
            records: 0,
            quarantined: 0,
            total: 0,
        }
    }

    fn count(&mut self, is_quarantined: bool, is_aside: bool) {
        self.records += u64::from(!is_aside);
        self.quarantined += u64::from(is_quarantined);
        self.total += 1;
    }

    /// Writes down who is told when the batches that are being filled are durable.
    fn settle(&mut self, state: &mut LinkState) {
        let records = std::mem::take(&mut self.records);
        if records == 0 {
            return;
        }
        if !self.is_unframed {
            state.main.add(&state.context.statistics.durable, records);
        }
        if let Some(producer) = self.producer {
            // First, so that who is told of a record can ask what became of it.
            producer.add_quarantined(std::mem::take(&mut self.quarantined));
            state.main.add(&producer.durable, records);
        }
        if let Some(request) = self.request {
            let records = request.records_before + self.total;
            state.main.receipts.retain(|receipt| receipt.key != request.key);
            state.main.receipts.push(Receipt { key: request.key, records });
        }
    }
}

impl Batch {
    fn add(&mut self, told: &Arc<DurableCount>, records: u64) {
        match self.producers.iter_mut().find(|(known, _)| Arc::ptr_eq(known, told)) {
            Some((_, count)) => *count += records,
            None => self.producers.push((Arc::clone(told), records)),
        }
    }
}
