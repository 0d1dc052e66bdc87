//! One subscription to a mission: what was there first, then each change, without a seam.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::catch_up::{self, CatchUp};
use super::cursor::Cursor;
use super::pace::Pace;
use super::update::{LiveUpdate, SeenPacket, UpdateBody};
use super::waiting::{TakenSamples, WAITING_BYTES_MAX, WaitingItems, WaitingSamples};
use super::{Change, DescriptionChanges, Interest, LiveBatch, MissedQuery, ParameterSet, entry};
use crate::LiveMission;
use crate::app::App;
use crate::contract::EventEntry;

/// Batches taken in before anything is sent again.
const BATCHES_AT_ONCE: usize = 64;

/// What of a mission is subscribed to, and what of it waits.
pub(super) enum Subject {
    Events(WaitingItems<EventEntry>),
    Packets { apids: Option<Vec<u16>>, waiting: WaitingItems<SeenPacket> },
    Samples { wanted: ParameterSet, waiting: WaitingSamples, pace: Option<Pace> },
}

impl Subject {
    pub(super) fn events() -> Self {
        Self::Events(WaitingItems::default())
    }

    pub(super) fn packets(apids: Option<Vec<u16>>) -> Self {
        Self::Packets { apids, waiting: WaitingItems::default() }
    }

    pub(super) fn samples(wanted: ParameterSet, interval: Option<Duration>) -> Self {
        let pace = interval.map(Pace::new);
        Self::Samples { wanted, waiting: WaitingSamples::new(pace.is_some()), pace }
    }

    fn interest(&self) -> Interest<'_> {
        match self {
            Self::Events(_) => Interest::Events,
            Self::Packets { .. } => Interest::Packets,
            Self::Samples { wanted, .. } => Interest::Samples(wanted),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Events(waiting) => waiting.is_empty(),
            Self::Packets { waiting, .. } => waiting.is_empty(),
            Self::Samples { waiting, .. } => waiting.is_empty(),
        }
    }

    fn take_in(&mut self, batch: &LiveBatch, mission: &LiveMission, bytes_max: usize) {
        match self {
            Self::Events(waiting) => {
                let node = mission.source_name(batch.source);
                entry::events_of(batch, &node).into_iter().for_each(|event| waiting.push(event, bytes_max));
            }
            Self::Packets { apids, waiting } => {
                let node = mission.source_name(batch.source);
                let packets = entry::packets_of(batch, &node, apids.as_deref());
                packets.for_each(|packet| waiting.push(packet, bytes_max));
            }
            Self::Samples { wanted, waiting, .. } => {
                waiting.extend(batch.source, &batch.samples, wanted, bytes_max);
            }
        }
    }

    fn take_in_posted(&mut self, event: &EventEntry) {
        if let Self::Events(waiting) = self {
            waiting.push(event.clone(), WAITING_BYTES_MAX);
        }
    }

    /// Forgets what waits: a snapshot takes its place.
    fn clear(&mut self) {
        match self {
            Self::Events(waiting) => drop(waiting.take()),
            Self::Packets { waiting, .. } => drop(waiting.take()),
            Self::Samples { waiting, .. } => drop(waiting.take()),
        }
    }
}

/// Where changes come from.
struct Tail {
    changes: broadcast::Receiver<Arc<Change>>,
    _records: Option<Arc<()>>,
}

enum Stage {
    /// Reads what was missed up to where the tail begins; how many records are still to come, once that is known.
    CatchingUp {
        told: mpsc::Receiver<CatchUp>,
        remaining: Option<u64>,
        tail: Tail,
    },
    Running(Tail),
    /// A snapshot is due; so much was left out before it.
    Starting {
        dropped: u64,
    },
}

/// That the subscription stands: told once, before anything else of it.
#[derive(Default)]
pub(super) struct Announcement {
    pub(super) resumed: bool,
    pub(super) reason: Option<String>,
}

/// A subscription to a mission.
pub(super) struct MissionFeed {
    app: Arc<App>,
    mission: Arc<LiveMission>,
    subject: Subject,
    stage: Stage,
    /// Absent once told, and for the subscription without a name.
    announcement: Option<Announcement>,
    descriptions: DescriptionChanges,
    is_described_anew: bool,
    /// Everything up to here was taken in.
    position: Option<i64>,
}

impl MissionFeed {
    pub(super) fn new(
        app: Arc<App>,
        mission: Arc<LiveMission>,
        subject: Subject,
        announcement: Option<Announcement>,
    ) -> Self {
        let descriptions = mission.subscribe_descriptions();
        let stage = Stage::Starting { dropped: 0 };
        Self {
            app,
            mission,
            subject,
            stage,
            announcement,
            descriptions,
            is_described_anew: false,
            position: None,
        }
    }

    /// How many parameters it is about.
    pub(super) fn parameters(&self) -> usize {
        match &self.subject {
            Subject::Samples { wanted, .. } => wanted.len(),
            Subject::Events(_) | Subject::Packets { .. } => 0,
        }
    }

    /// Goes on behind a cursor, or says why a snapshot comes instead.
    pub(super) fn resume(&mut self, cursor: &str) {
        if let Err(reason) = self.try_resume(cursor) {
            self.announcement = Some(Announcement { resumed: false, reason: Some(reason) });
        }
    }

    fn try_resume(&mut self, cursor: &str) -> Result<(), String> {
        if matches!(self.subject, Subject::Samples { pace: Some(_), .. }) {
            return Err("a subscription with a rate begins with the newest values".to_owned());
        }
        let archive = self.app.backend.archive_id().ok_or("only the hub can go on at a cursor")?;
        let after =
            Cursor::position_in(cursor, archive, self.mission.name()).map_err(|error| error.to_string())?;
        let interest = match &self.subject {
            Subject::Samples { .. } => Interest::Samples(&ParameterSet::default()),
            subject @ (Subject::Events(_) | Subject::Packets { .. }) => subject.interest(),
        };
        let joined = self.mission.join(interest);
        let until = joined.position.ok_or("the server has not read its archive yet")?;
        if after > until {
            return Err("the cursor is ahead of what this server has read".to_owned());
        }
        let tail = Tail { changes: joined.changes, _records: joined.records };
        self.position = Some(after);
        if after == until {
            self.announcement = Some(Announcement { resumed: true, reason: None });
            self.stage = Stage::Running(tail);
            return Ok(());
        }
        let (parameters, records) = match &self.subject {
            Subject::Samples { wanted, .. } => (wanted.clone(), false),
            Subject::Events(_) | Subject::Packets { .. } => (ParameterSet::default(), true),
        };
        let query = MissedQuery { after, until, parameters, records };
        let told = catch_up::start(Arc::clone(&self.app), Arc::clone(&self.mission), query);
        // What comes is told when it is known.
        self.announcement = None;
        self.stage = Stage::CatchingUp { told, remaining: None, tail };
        Ok(())
    }

    /// The next thing to send.
    pub(super) fn next(&mut self, id: Option<&str>) -> Option<LiveUpdate> {
        let announcement = self.announcement.take().filter(|_| id.is_some());
        let (body, dropped) = if let Some(Announcement { resumed, reason }) = announcement {
            (UpdateBody::Opened { resumed, reason }, 0)
        } else if let Stage::Starting { dropped } = self.stage {
            (self.start(), dropped)
        } else if std::mem::take(&mut self.is_described_anew) {
            let version = self.mission.database().at(service::clock::now()).version.0;
            (UpdateBody::Dictionary(Arc::clone(&self.mission), version), 0)
        } else {
            self.take()?
        };
        Some(LiveUpdate { id: id.map(str::to_owned), body, dropped, cursor: self.cursor() })
    }

    /// Begins with what stands now.
    fn start(&mut self) -> UpdateBody {
        let joined = self.mission.join(self.subject.interest());
        self.subject.clear();
        self.position = joined.position;
        self.stage = Stage::Running(Tail { changes: joined.changes, _records: joined.records });
        let mission = Arc::clone(&self.mission);
        match &self.subject {
            Subject::Events(_) => UpdateBody::Events(joined.events),
            Subject::Packets { .. } => UpdateBody::Packets(mission, Vec::new()),
            Subject::Samples { .. } => UpdateBody::Snapshot(mission, joined.samples),
        }
    }

    /// What waits, and how much was left out.
    fn take(&mut self) -> Option<(UpdateBody, u64)> {
        if self.subject.is_empty() {
            return None;
        }
        let mission = Arc::clone(&self.mission);
        Some(match &mut self.subject {
            Subject::Events(waiting) => {
                let (events, dropped) = waiting.take();
                (UpdateBody::Events(events), dropped)
            }
            Subject::Packets { waiting, .. } => {
                let (packets, dropped) = waiting.take();
                (UpdateBody::Packets(mission, packets), dropped)
            }
            Subject::Samples { waiting, pace, .. } => {
                let has_pace = pace.is_some();
                if let Some(pace) = pace {
                    if !pace.allows() {
                        return None;
                    }
                    pace.begin();
                }
                match waiting.take() {
                    TakenSamples::All(samples, dropped) => {
                        let samples = mission.seen(samples);
                        (UpdateBody::Values(mission, samples), dropped)
                    }
                    TakenSamples::Latest(changed, dropped) => {
                        let samples = mission.latest_seen(|parameter| changed.contains(parameter));
                        let body = if has_pace { UpdateBody::Values } else { UpdateBody::Snapshot };
                        (body(mission, samples), dropped)
                    }
                }
            }
        })
    }

    fn cursor(&self) -> Option<String> {
        let archive = self.app.backend.archive_id()?;
        Some(Cursor::new(archive, self.mission.name(), self.position?).encode())
    }

    /// Takes in what comes; returns when there may be something to send. It may be dropped half-way.
    pub(super) async fn changed(&mut self) {
        let is_empty = self.subject.is_empty();
        match &mut self.stage {
            Stage::Starting { .. } => std::future::pending().await,
            Stage::CatchingUp { told, .. } => {
                // The next page is read when this one is sent.
                if !is_empty || self.announcement.is_some() {
                    return std::future::pending().await;
                }
                let told = told.recv().await;
                self.on_caught_up(told);
            }
            Stage::Running(tail) => {
                let is_described = matches!(self.subject, Subject::Samples { .. });
                let over = async {
                    match &mut self.subject {
                        Subject::Samples { pace: Some(pace), .. } => pace.over().await,
                        _ => std::future::pending().await,
                    }
                };
                let change = tokio::select! {
                    biased;
                    () = self.descriptions.next(), if is_described => {
                        self.is_described_anew = true;
                        return;
                    }
                    () = over => return,
                    change = tail.changes.recv() => change,
                };
                match change {
                    Ok(change) => self.on_change(&change),
                    Err(broadcast::error::RecvError::Lagged(batches)) => self.on_lag(batches),
                    // The mission is gone, and nothing of it will change.
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
                self.take_in_more();
            }
        }
    }

    fn take_in_more(&mut self) {
        for _ in 0..BATCHES_AT_ONCE {
            let Stage::Running(tail) = &mut self.stage else { return };
            match tail.changes.try_recv() {
                Ok(change) => self.on_change(&change),
                Err(broadcast::error::TryRecvError::Lagged(batches)) => self.on_lag(batches),
                Err(_) => return,
            }
        }
    }

    fn on_change(&mut self, change: &Change) {
        match change {
            Change::Batch(batch) => {
                self.subject.take_in(batch, &self.mission, WAITING_BYTES_MAX);
                self.position = self.position.max(batch.position);
            }
            Change::Posted(event) => self.subject.take_in_posted(event),
        }
    }

    fn on_lag(&mut self, batches: u64) {
        self.stage = Stage::Starting { dropped: batches };
    }

    fn on_caught_up(&mut self, told: Option<CatchUp>) {
        let Stage::CatchingUp { remaining, .. } = &mut self.stage else { return };
        match told {
            Some(CatchUp::Begun(records)) => {
                *remaining = Some(records);
                self.announcement = Some(Announcement { resumed: true, reason: None });
            }
            Some(CatchUp::Page(page)) => {
                *remaining = remaining.map(|records| records.saturating_sub(page.records));
                for batch in &page.batches {
                    self.subject.take_in(batch, &self.mission, usize::MAX);
                }
                self.position = Some(page.up_to);
            }
            Some(CatchUp::Refused(reason)) => {
                self.announcement = Some(Announcement { resumed: false, reason: Some(reason) });
                self.stage = Stage::Starting { dropped: 0 };
            }
            None => self.on_catch_up_ended(),
        }
    }

    fn on_catch_up_ended(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Starting { dropped: 0 });
        match stage {
            Stage::CatchingUp { remaining: Some(0), tail, .. } => self.stage = Stage::Running(tail),
            Stage::CatchingUp { remaining: Some(dropped), .. } => self.stage = Stage::Starting { dropped },
            _ => {
                let reason = "the archive did not answer".to_owned();
                self.announcement = Some(Announcement { resumed: false, reason: Some(reason) });
            }
        }
    }
}
