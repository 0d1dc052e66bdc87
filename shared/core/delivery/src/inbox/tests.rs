//! Outbox and inbox against each other, over a link that loses, repeats and cuts.

use proptest::prelude::*;
use space_packet::{ReceptionTime, TaiTime};

use super::*;
use crate::{
    BatchBuilder, Epoch, HelloOk, LanePosition, Outbox, Position, ResumeError, SessionNumber, StoreId,
};

const STORE: StoreId = StoreId([3; 16]);

struct World {
    journal: Vec<SealedBatch>,
    outbox: Outbox,
    hub: Vec<SealedBatch>,
    inbox: Option<Inbox>,
    acknowledged: Vec<Ack>,
}

impl World {
    fn new() -> Self {
        let start = Position::start(STORE, Lane::Telemetry);
        Self {
            journal: Vec::new(),
            outbox: Outbox::new(STORE, Lane::Telemetry, start, None),
            hub: Vec::new(),
            inbox: None,
            acknowledged: Vec::new(),
        }
    }

    fn produce(&mut self) {
        let previous =
            self.journal.last().map_or(Position::start(STORE, Lane::Telemetry), SealedBatch::position);
        let mut builder = BatchBuilder::new("demo", "antenna");
        builder.push(ReceptionTime(TaiTime(self.journal.len() as i64)), &[self.journal.len() as u8; 20]);
        let batch = builder.pack().expect("one record").seal(Lane::Telemetry, &previous);
        self.outbox.on_appended(batch.position());
        self.journal.push(batch);
    }

    fn connect(&mut self) -> Result<(), ResumeError> {
        let watermark = self.hub.last().map(|batch| batch.header.sequence);
        let hash = self.hub.last().map_or(ChainHash::of_store(STORE, Lane::Telemetry), |batch| batch.hash);
        self.inbox = Some(Inbox::new(Lane::Telemetry, watermark, hash));
        let position =
            LanePosition { lane: Lane::Telemetry, watermark, safe: watermark, hash, credit_bytes: 600 };
        let ok = HelloOk {
            epoch: Epoch(1),
            session: SessionNumber(1),
            lanes: vec![position],
            hub_time: TaiTime(0),
        };
        self.outbox.on_hello_ok(&ok).map(|_| ())
    }

    fn disconnect(&mut self) {
        self.outbox.on_session_lost();
        self.inbox = None;
        self.acknowledged.clear();
    }

    fn send_one(&mut self) -> bool {
        let Some(sequence) = self.outbox.next_batch() else { return false };
        let batch = self.journal[sequence.0 as usize - 1].clone();
        self.outbox.on_sent(&batch.header, batch.bytes().len() as u64);
        let inbox = self.inbox.as_mut().expect("connected");
        assert_eq!(inbox.on_batch(&batch), InboxVerdict::Commit);
        self.hub.push(batch);
        self.acknowledged.push(inbox.on_committed(sequence));
        true
    }

    fn deliver_acknowledgements(&mut self) {
        self.acknowledged.drain(..).for_each(|ack| self.outbox.on_acknowledged(ack));
    }

    fn run_until_idle(&mut self) {
        while self.send_one() {
            self.deliver_acknowledgements();
        }
    }
}

#[test]
fn nothing_is_sent_beyond_the_credit_until_something_is_acknowledged() {
    let mut world = World::new();
    (0..50).for_each(|_| world.produce());
    world.connect().expect("resumes");
    while world.send_one() {}
    let sent = world.hub.len();
    assert!(sent > 0 && sent < 50, "{sent} batches within 600 bytes of credit");
    world.deliver_acknowledgements();
    assert!(world.send_one());
}

#[test]
fn a_hub_that_holds_more_than_the_journal_is_a_fork_and_not_a_resume() {
    let mut world = World::new();
    (0..3).for_each(|_| world.produce());
    world.connect().expect("resumes");
    world.run_until_idle();
    world.outbox = Outbox::new(STORE, Lane::Telemetry, world.journal[0].position(), None);
    assert_eq!(world.connect(), Err(ResumeError::HubAhead { watermark: 3, head: 1 }));
}

#[test]
fn a_batch_that_does_not_continue_the_chain_is_a_fork() {
    let mut world = World::new();
    world.produce();
    let mut inbox = Inbox::new(Lane::Telemetry, None, ChainHash([9; 16]));
    assert_eq!(inbox.on_batch(&world.journal[0]), InboxVerdict::Fork);
}

#[test]
fn a_repeated_batch_is_a_duplicate_and_a_skipped_one_is_out_of_order() {
    let mut world = World::new();
    (0..3).for_each(|_| world.produce());
    world.connect().expect("resumes");
    world.send_one();
    let inbox = world.inbox.as_mut().expect("connected");
    assert_eq!(inbox.on_batch(&world.journal[0]), InboxVerdict::Duplicate);
    let expected = BatchSequence(2);
    assert_eq!(inbox.on_batch(&world.journal[2]), InboxVerdict::OutOfOrder { expected });
}

proptest! {
    #[test]
    fn whatever_the_link_does_every_batch_arrives_once_and_in_order(
        events in proptest::collection::vec(0u8..6, 1..200),
    ) {
        let mut world = World::new();
        for event in events {
            match event {
                0 | 1 => world.produce(),
                2 if world.inbox.is_none() => world.connect().expect("resumes"),
                3 => world.disconnect(),
                4 if world.inbox.is_some() => { world.send_one(); }
                5 => world.deliver_acknowledgements(),
                _ => {}
            }
            prop_assert!(world.outbox.acknowledged() <= world.hub.len() as u64);
            prop_assert!(world.outbox.safe() <= world.outbox.acknowledged());
        }
        world.disconnect();
        world.connect().expect("resumes");
        world.run_until_idle();
        prop_assert_eq!(&world.hub, &world.journal);
        prop_assert_eq!(world.outbox.acknowledged(), world.journal.len() as u64);
    }
}
