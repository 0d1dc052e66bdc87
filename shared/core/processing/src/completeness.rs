//! What came of what there was: records received live or later, in quarantine or twice, packets that did not come,
//! batches that are lost or never were, for each node, link, APID and hour.
//!
//! The account is the same whatever order the batches come in. Counts are sums. What sequence counts say is judged in
//! the order of the journal: batches that lie side by side are joined to runs, and only where two runs meet do the
//! packets at their edges say something new. What waits at a node is therefore never called missing.

mod run;
mod sequence;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{AddAssign, Range};

use delivery::{BatchHeader, Content, Epoch, GapReason, Lane, NodeId, OpenBatch, SealedBatch, Verdicts, Way};
use serde::{Deserialize, Serialize};
use space_packet::{Apid, PacketType, PrimaryHeader, ReceptionTime, TaiTime, UtcTime};

use crate::{QUARANTINED, Verdict};
use run::{Change, Run};
use sequence::{Finding, Heard};

pub use run::LaneState;

const SECONDS_PER_HOUR: i64 = 3_600;
/// Findings that say that a packet's header is not to be trusted.
const DAMAGED: Verdicts = Verdicts(
    1 << Verdict::CrcMismatch as u32 | 1 << Verdict::LengthMismatch as u32 | 1 << Verdict::NotAPacket as u32,
);

/// An hour of UTC, counted from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Hour(pub i32);

impl Hour {
    /// The hour a moment lies in. Every moment that TAI nanoseconds can say has one.
    pub fn of(time: TaiTime) -> Self {
        Self(time.to_utc().unix_seconds.div_euclid(SECONDS_PER_HOUR) as i32)
    }

    /// The hours that a span of time touches, its end excluded; `None` when it is empty.
    pub fn span(from: TaiTime, to: TaiTime) -> Option<Range<Self>> {
        (from < to).then(|| Self::of(from)..Self(Self::of(to.plus_nanos(-1)).0 + 1))
    }

    /// Its first moment.
    pub fn start(self) -> TaiTime {
        let unix_seconds = i64::from(self.0) * SECONDS_PER_HOUR;
        UtcTime { unix_seconds, is_leap_second: false, nanoseconds: 0 }.to_tai()
    }
}

/// A link of a node that brings a mission's records.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Feed {
    /// The mission.
    pub mission: String,
    /// The link.
    pub link: String,
}

/// What a row of the account is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct AccountKey {
    /// The node.
    pub node: NodeId,
    /// Its link.
    pub feed: Feed,
    /// Who made the packets; absent of records that are no packets, and of lost batches.
    pub apid: Option<Apid>,
    /// When they were received, or in place of what was not, the packet behind it; of lost batches when it was noticed.
    pub hour: Hour,
}

/// A row of the account, or what changes of one: numbers of records unless they say otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Forwarded as they came.
    pub received_live: i64,
    /// Forwarded later or carried by hand.
    pub backfilled: i64,
    /// Of both, how many are in quarantine.
    pub quarantined: i64,
    /// Of both, how many have the sequence count of one shortly before them.
    pub duplicates: i64,
    /// Packets that were skipped by sequence counts: they did not come to the station.
    pub not_received: i64,
    /// Lost at the station: they could not be read any more.
    pub damaged: i64,
    /// Lost at the station: they were given up for new ones.
    pub evicted: i64,
    /// Lost at the hub, which was set back to an older state when the station held them no longer.
    pub forgotten: i64,
    /// Batch numbers, not records, that were set aside and never given to a batch.
    pub never_issued: i64,
}

impl Counts {
    /// Whether nothing is counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Records that are here.
    pub fn received(&self) -> i64 {
        self.received_live.saturating_add(self.backfilled)
    }

    /// Of what was ever sent, how much is here, in percent, when `waiting` records are still to come: copies count once.
    /// Absent when nothing is known to have been sent.
    pub fn percent(&self, waiting: i64) -> Option<f64> {
        let here = self.received().saturating_sub(self.duplicates).max(0) as f64;
        let due =
            here + (self.lost().max(0) as f64) + (self.not_received.max(0) as f64) + (waiting.max(0) as f64);
        (due > 0.0).then(|| here / due * 100.0)
    }

    /// Records that were at the station and are not here.
    pub fn lost(&self) -> i64 {
        self.damaged.saturating_add(self.evicted).saturating_add(self.forgotten)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let add = |mine: &mut i64, theirs: i64| *mine = mine.saturating_add(theirs);
        add(&mut self.received_live, other.received_live);
        add(&mut self.backfilled, other.backfilled);
        add(&mut self.quarantined, other.quarantined);
        add(&mut self.duplicates, other.duplicates);
        add(&mut self.not_received, other.not_received);
        add(&mut self.damaged, other.damaged);
        add(&mut self.evicted, other.evicted);
        add(&mut self.forgotten, other.forgotten);
        add(&mut self.never_issued, other.never_issued);
    }
}

/// A lane of a journal.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct JournalLane {
    /// Whose journal.
    pub node: NodeId,
    /// Which of its journals.
    pub epoch: Epoch,
    /// Which lane.
    pub lane: Lane,
}

/// Rows of one link, by APID and hour.
type RowsOfFeed = BTreeMap<(Option<Apid>, Hour), Counts>;

/// What one batch brings to the account. Making it is the work; taking it in is short.
#[derive(Debug)]
pub struct Receipt {
    lane: JournalLane,
    feed: Feed,
    counts: RowsOfFeed,
    run: Run,
}

impl Receipt {
    /// Reads a committed batch, and its records where they could be unpacked.
    pub fn of(
        (node, epoch, way): (NodeId, Epoch, Way),
        batch: &SealedBatch,
        open: Option<&OpenBatch>,
    ) -> Self {
        let header = &batch.header;
        let feed = Feed { mission: header.mission.clone(), link: header.link.clone() };
        let lane = JournalLane { node, epoch, lane: header.lane };
        let mut counts = BTreeMap::new();
        let run = match (header.gap, open) {
            (None, Some(open)) => records(header, way, open, &feed, &mut counts),
            (None, None) => unread(header, way, &mut counts),
            (Some(gap), _) => {
                let hour = Hour::of(header.first_reception.0);
                let (first, last) = (gap.first.0, header.sequence.0);
                let counted = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                let lost = match gap.reason {
                    GapReason::Damaged => Counts { damaged: counted(gap.records), ..Counts::default() },
                    GapReason::Evicted => Counts { evicted: counted(gap.records), ..Counts::default() },
                    GapReason::Forgotten => Counts { forgotten: counted(gap.records), ..Counts::default() },
                    GapReason::NeverIssued => {
                        Counts { never_issued: counted(last - first + 1), ..Counts::default() }
                    }
                };
                counts.insert((None, hour), lost);
                Run::without_packets((first, last), gap.reason != GapReason::NeverIssued)
            }
        };
        Self { lane, feed, counts, run }
    }
}

fn arrived(way: Way, records: i64) -> Counts {
    match way {
        Way::Alarm | Way::Live => Counts { received_live: records, ..Counts::default() },
        Way::Backfill | Way::Bulk | Way::Import => Counts { backfilled: records, ..Counts::default() },
    }
}

/// A batch that does not open: what its header says, and nothing of sequences.
fn unread(header: &BatchHeader, way: Way, counts: &mut RowsOfFeed) -> Run {
    let quarantined = i64::from(header.quarantined);
    let arrived = Counts { quarantined, ..arrived(way, i64::from(header.records)) };
    counts.insert((None, Hour::of(header.first_reception.0)), arrived);
    Run::without_packets((header.sequence.0, header.sequence.0), true)
}

fn records(header: &BatchHeader, way: Way, open: &OpenBatch, feed: &Feed, counts: &mut RowsOfFeed) -> Run {
    let first_hour = Hour::of(header.first_reception.0);
    let is_one_hour = first_hour == Hour::of(header.last_reception.0);
    let hour_of = |time: ReceptionTime| if is_one_hour { first_hour } else { Hour::of(time.0) };
    let mut packets: BTreeMap<u16, Vec<Heard>> = BTreeMap::new();
    for record in open.records() {
        let hour = hour_of(record.reception);
        let is_trusted = open.content() == Content::Packets && !record.verdicts.intersects(DAMAGED);
        let packet = if is_trusted { PrimaryHeader::parse(record.bytes).ok() } else { None };
        let is_quarantined = record.verdicts.intersects(QUARANTINED);
        let quarantined = i64::from(is_quarantined);
        *counts.entry((packet.map(|packet| packet.apid), hour)).or_default() +=
            Counts { quarantined, ..arrived(way, 1) };
        // Telecommands may carry a name in place of the count, idle packets need none.
        if let Some(packet) = packet
            && packet.packet_type == PacketType::Telemetry
            && packet.apid != Apid::IDLE
        {
            let heard = Heard { count: packet.sequence_count.value(), hour };
            packets.entry(packet.apid.value()).or_default().push(heard);
        }
    }
    Run::of_packets(header.sequence.0, feed, &packets, |change| {
        *counts.entry((apid(change.apid), change.hour)).or_default() += change.counts();
    })
}

fn apid(number: u16) -> Option<Apid> {
    Apid::try_from(number).ok()
}

impl Change<'_> {
    fn counts(&self) -> Counts {
        let sign = if self.is_withdrawn { -1 } else { 1 };
        match self.finding {
            Finding::Duplicate => Counts { duplicates: sign, ..Counts::default() },
            Finding::Missing(packets) => {
                Counts { not_received: sign * i64::from(packets), ..Counts::default() }
            }
        }
    }
}

/// What changed since the last time: to be added to the rows, and to be kept in place of what was kept of the lanes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountChanges {
    /// To be added; a number may be negative, where what seemed missing came late.
    pub rows: BTreeMap<AccountKey, Counts>,
    /// How the lanes stand that changed.
    pub lanes: BTreeMap<JournalLane, LaneState>,
}

/// Takes receipts in, in any order, each once.
///
/// Memory: the rows since [`Account::take`], which are at most as many as records; and of each lane and APID the edges of
/// its runs, usually one run and less than 20 bytes, at most 4,096 APIDs of links and 64 runs.
#[derive(Debug, Default)]
pub struct Account {
    rows: BTreeMap<(NodeId, Feed), RowsOfFeed>,
    /// How many there are.
    row_count: usize,
    lanes: BTreeMap<JournalLane, LaneState>,
    changed: BTreeSet<JournalLane>,
}

impl Account {
    /// An account that goes on from how lanes were kept.
    pub fn restore(lanes: impl IntoIterator<Item = (JournalLane, LaneState)>) -> Self {
        Self { lanes: lanes.into_iter().collect(), ..Self::default() }
    }

    /// Takes a receipt in.
    pub fn add(&mut self, receipt: Receipt) {
        let Receipt { lane, feed, counts, run } = receipt;
        let mut changes: BTreeMap<(Feed, u16, Hour), Counts> = BTreeMap::new();
        self.lanes.entry(lane).or_default().insert(run, |change| {
            let key = (change.feed.clone(), change.apid, change.hour);
            *changes.entry(key).or_default() += change.counts();
        });
        self.changed.insert(lane);
        self.count((lane.node, feed), counts);
        for ((feed, number, hour), counts) in changes {
            self.count((lane.node, feed), [((apid(number), hour), counts)]);
        }
    }

    fn count(
        &mut self,
        of: (NodeId, Feed),
        counts: impl IntoIterator<Item = ((Option<Apid>, Hour), Counts)>,
    ) {
        let rows = self.rows.entry(of).or_default();
        let before = rows.len();
        counts.into_iter().for_each(|(key, counts)| *rows.entry(key).or_default() += counts);
        self.row_count += rows.len() - before;
    }

    /// How many rows changed since the last time.
    pub fn rows(&self) -> usize {
        self.row_count
    }

    /// Those of a mission in some hours.
    pub fn rows_of(&self, mission: &str, hours: &Range<Hour>) -> Vec<(AccountKey, Counts)> {
        let feeds = self.rows.iter().filter(|((_, feed), _)| feed.mission == mission);
        let rows = feeds.flat_map(|((node, feed), rows)| {
            let asked = rows.iter().filter(|((_, hour), _)| hours.contains(hour));
            asked.map(|(&(apid, hour), &counts)| {
                (AccountKey { node: *node, feed: feed.clone(), apid, hour }, counts)
            })
        });
        rows.collect()
    }

    /// What changed since the last time.
    pub fn take(&mut self) -> AccountChanges {
        self.row_count = 0;
        let rows = std::mem::take(&mut self.rows).into_iter().flat_map(|((node, feed), rows)| {
            rows.into_iter().map(move |((apid, hour), counts)| {
                (AccountKey { node, feed: feed.clone(), apid, hour }, counts)
            })
        });
        let lanes = std::mem::take(&mut self.changed).into_iter();
        AccountChanges {
            rows: rows.filter(|(_, counts)| !counts.is_zero()).collect(),
            lanes: lanes.map(|lane| (lane, self.lanes[&lane].clone())).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
