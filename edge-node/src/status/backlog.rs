//! What waits for the hub at this node: gathers what journal and session say, and has it judged.

use std::time::Duration;

use dashboard::contract::{Backlog, BacklogRates, Drain};
use dashboard::rfc3339;
use delivery::{BacklogMeter, Flow, Lane, Position, StoreId, Totals, Waiting};
use service::metric::Metric;
use space_packet::{ReceptionTime, TaiTime};

/// A session says every second how far the hub is. What is read in between has a new head and an old acknowledgement;
/// only when no session speaks for longer than this is it measured too.
const SILENCE: Duration = Duration::from_millis(1_500);

/// The backlog of the journal that is written.
pub(super) struct NodeBacklog {
    journal: Option<StoreId>,
    head: Position,
    acknowledged: Position,
    oldest: Option<TaiTime>,
    room_bytes: Option<u64>,
    older_journals: u64,
    meter: BacklogMeter,
    measured_at: Duration,
}

impl NodeBacklog {
    pub(super) fn new(head: Position, acknowledged: Position) -> Self {
        Self {
            journal: None,
            head,
            acknowledged,
            oldest: None,
            room_bytes: None,
            older_journals: 0,
            meter: BacklogMeter::default(),
            measured_at: Duration::ZERO,
        }
    }

    pub(super) fn archived_packets(&self) -> u64 {
        self.acknowledged.records
    }

    pub(super) fn on_journal(&mut self, store: StoreId) {
        if self.journal.replace(store).is_some_and(|before| before != store) {
            self.acknowledged = Position::start(store, Lane::Telemetry);
            self.oldest = None;
            self.meter.on_journal_replaced();
        }
    }

    pub(super) fn on_head(&mut self, now: Duration, head: Position) {
        self.head = head;
        if now.saturating_sub(self.measured_at) >= SILENCE {
            self.measure(now);
        }
    }

    pub(super) fn on_acknowledged(&mut self, now: Duration, acknowledged: Position, oldest: Option<TaiTime>) {
        (self.acknowledged, self.oldest) = (acknowledged, oldest);
        self.measure(now);
    }

    pub(super) fn on_flow(&mut self, now: Duration, flow: Flow) {
        if flow == self.meter.flow() {
            return;
        }
        self.meter.on_flow(now, flow);
        // A session that begins may say that the hub has more than was known here. That was not delivered just now.
        self.measured_at = now;
    }

    pub(super) fn on_room(&mut self, bytes: u64) {
        self.room_bytes = Some(bytes);
    }

    pub(super) fn on_older_journals(&mut self, count: usize) {
        self.older_journals = count as u64;
    }

    fn measure(&mut self, now: Duration) {
        let totals = |position: &Position| Totals { records: position.records, bytes: position.bytes };
        self.meter.on_progress(now, totals(&self.head), totals(&self.acknowledged));
        self.measured_at = now;
    }

    pub(super) fn tell(&self) -> Backlog {
        let (head, acknowledged) = (&self.head, &self.acknowledged);
        let batches = head.number().saturating_sub(acknowledged.number());
        let backlog = self.meter.backlog(Waiting {
            batches,
            records: head.records.saturating_sub(acknowledged.records),
            bytes: head.bytes.saturating_sub(acknowledged.bytes),
            oldest: self.oldest.filter(|_| batches > 0).map(ReceptionTime),
            room_bytes: self.room_bytes,
        });
        let told = of_core(&backlog, self.older_journals);
        set_metrics(&told);
        told
    }
}

fn of_core(backlog: &delivery::Backlog, older_journals: u64) -> Backlog {
    let waiting = &backlog.waiting;
    Backlog {
        batches: waiting.batches,
        packets: waiting.records,
        bytes: waiting.bytes,
        oldest: waiting.oldest.map(|oldest| rfc3339(oldest.0)),
        rates: backlog.rates.map(|rates| BacklogRates {
            packets_in_per_s: rates.incoming.records_per_s,
            bytes_in_per_s: rates.incoming.bytes_per_s,
            packets_out_per_s: rates.outgoing.records_per_s,
            bytes_out_per_s: rates.outgoing.bytes_per_s,
        }),
        drain: match backlog.drain {
            delivery::Drain::After { seconds } => Drain::After { seconds },
            delivery::Drain::Disconnected => Drain::Disconnected,
            delivery::Drain::Empty => Drain::Empty,
            delivery::Drain::KeepsUp => Drain::KeepsUp,
            delivery::Drain::Never => Drain::Never,
            delivery::Drain::Paused => Drain::Paused,
            delivery::Drain::Unknown => Drain::Unknown,
        },
        room_bytes: waiting.room_bytes,
        full_in_s: backlog.full_in_s,
        older_journals,
    }
}

/// What is not known is not a number there, and what never comes is infinitely far.
fn set_metrics(backlog: &Backlog) {
    Metric::EdgeJournalBacklogBytes.set(backlog.bytes as f64);
    Metric::EdgeJournalBacklogPackets.set(backlog.packets as f64);
    Metric::EdgeJournalBacklogDrainSeconds.set(match backlog.drain {
        Drain::After { seconds } => seconds,
        Drain::Disconnected | Drain::Never | Drain::Paused => f64::INFINITY,
        Drain::Empty | Drain::KeepsUp => 0.0,
        Drain::Unknown => f64::NAN,
    });
    let rate = |of: fn(&BacklogRates) -> f64| backlog.rates.as_ref().map_or(f64::NAN, of);
    Metric::EdgeJournalBacklogInBytes.set(rate(|rates| rates.bytes_in_per_s));
    Metric::EdgeJournalBacklogInPackets.set(rate(|rates| rates.packets_in_per_s));
    Metric::EdgeJournalBacklogOutBytes.set(rate(|rates| rates.bytes_out_per_s));
    Metric::EdgeJournalBacklogOutPackets.set(rate(|rates| rates.packets_out_per_s));
    let is_measured = backlog.rates.is_some();
    let unless_full = if is_measured { f64::INFINITY } else { f64::NAN };
    Metric::EdgeJournalFullSeconds.set(backlog.full_in_s.unwrap_or(unless_full));
    Metric::EdgeJournalOlder.set(backlog.older_journals as f64);
    Metric::EdgeJournalRoomBytes.set(backlog.room_bytes.map_or(f64::NAN, |bytes| bytes as f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId([1; 16]);

    fn at(number: u64) -> Position {
        let start = Position::start(STORE, Lane::Telemetry);
        let sequence = Some(delivery::BatchSequence(number)).filter(|sequence| sequence.0 > 0);
        Position { sequence, records: number * 10, bytes: number * 1_000, ..start }
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A backlog of 1,000 batches that a session makes less by 90 a second, while 40 a second come in.
    fn draining(until: u32) -> NodeBacklog {
        let mut backlog = NodeBacklog::new(at(0), at(0));
        backlog.on_journal(STORE);
        backlog.on_room(6_000_000);
        backlog.on_flow(seconds(0.0), Flow::Running);
        for second in 1..=until {
            let (now, second) = (f64::from(second), u64::from(second));
            backlog.on_head(seconds(now), at(1_000 + 40 * second));
            backlog.on_acknowledged(seconds(now), at(90 * second), Some(TaiTime(0)));
            // The task that writes the status file reads the head between two words of the session.
            backlog.on_head(seconds(now + 0.9), at(1_036 + 40 * second));
            backlog.on_head(seconds(now + 0.9), at(1_000 + 40 * second));
        }
        backlog
    }

    #[test]
    fn a_session_that_sends_more_than_comes_in_drains_the_backlog() {
        let told = draining(10).tell();
        assert_eq!((told.batches, told.packets, told.bytes), (500, 5_000, 500_000));
        assert_eq!(told.drain, Drain::After { seconds: 10.0 });
        let rates = told.rates.expect("measured");
        assert_eq!((rates.packets_in_per_s, rates.packets_out_per_s), (400.0, 900.0));
        assert_eq!((told.full_in_s, told.room_bytes), (None, Some(6_000_000)));
        assert!(told.oldest.is_some());
    }

    #[test]
    fn without_a_session_the_time_until_the_journal_is_full_is_measured_from_what_comes_in() {
        let mut backlog = draining(10);
        backlog.on_flow(seconds(10.0), Flow::Disconnected);
        for second in 12..40_u32 {
            backlog.on_head(seconds(f64::from(second)), at(1_000 + 40 * u64::from(second)));
        }
        let told = backlog.tell();
        assert_eq!((told.drain, told.full_in_s), (Drain::Disconnected, Some(150.0)));
    }

    #[test]
    fn what_the_hub_already_had_when_a_session_began_counts_into_no_rate() {
        let mut backlog = NodeBacklog::new(at(5_000), at(0));
        backlog.on_flow(seconds(20.0), Flow::Running);
        backlog.on_head(seconds(20.5), at(5_000));
        for second in 21..=24_u32 {
            let delivered = at(4_000 + 10 * u64::from(second - 21));
            backlog.on_acknowledged(seconds(f64::from(second)), delivered, Some(TaiTime(0)));
        }
        assert_eq!(backlog.tell().rates.expect("measured").packets_out_per_s, 100.0);
    }

    #[test]
    fn what_the_hub_has_of_a_lost_journal_is_not_taken_for_the_new_one() {
        let mut backlog = draining(10);
        backlog.on_journal(STORE);
        assert_eq!(backlog.tell().batches, 500, "it is the same one");
        backlog.on_journal(StoreId([2; 16]));
        backlog.on_head(seconds(11.0), at(3));
        let told = backlog.tell();
        assert_eq!((told.batches, told.packets, told.drain), (3, 30, Drain::Unknown));
        assert_eq!((told.rates, told.oldest), (None, None));
    }

    #[test]
    fn older_journals_are_counted_apart() {
        let mut backlog = NodeBacklog::new(at(5), at(5));
        backlog.on_older_journals(2);
        let told = backlog.tell();
        assert_eq!((told.older_journals, told.batches, told.drain), (2, 0, Drain::Empty));
    }
}
