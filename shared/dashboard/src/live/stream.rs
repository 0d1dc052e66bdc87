//! What one connection is subscribed to, whatever it speaks: says what to send next, and waits for what comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;
use tokio::sync::broadcast;

use super::ParameterSet;
use super::alarms_feed::AlarmsFeed;
use super::cursor::Cursor;
use super::event_log::LoggedEvent;
use super::mission_feed::{Announcement, MissionFeed, Subject};
use super::update::{LiveUpdate, UpdateBody};
use crate::ProblemResponse;
use crate::access::{Action, Decision, Principal, Resource, authorize};
use crate::api::alarms;
use crate::app::App;
use crate::contract::LiveSubject;

/// Subscriptions of one connection.
const SUBSCRIPTIONS_MAX: usize = 16;
/// Parameters of all of them.
const PARAMETERS_MAX: usize = 10_000;
const ID_BYTES_MAX: usize = 64;
/// APIDs have 11 bits.
const APIDS_MAX: usize = 2_048;
/// Of a subscription that wants it slow, or as fast as screens are.
const RATES_PER_S: std::ops::RangeInclusive<f64> = 0.01..=100.0;

/// The subscriptions of one connection.
pub(crate) struct LiveStream {
    app: Arc<App>,
    principal: Principal,
    subscriptions: Vec<Subscription>,
    /// Whose turn it is: a busy subscription must not silence the others.
    turn: usize,
}

struct Subscription {
    /// Absent for the one that is replaced by every `subscribe`.
    id: Option<String>,
    feed: Feed,
}

enum Feed {
    Alarms(Box<AlarmsFeed>),
    Mission(Box<MissionFeed>),
    Nodes(NodesFeed),
    Server(ServerFeed),
}

impl LiveStream {
    pub(crate) fn new(app: Arc<App>, principal: Principal) -> Self {
        Self { app, principal, subscriptions: Vec::new(), turn: 0 }
    }

    /// Replaces the subscription without a name.
    pub(crate) fn subscribe(&mut self, mission: &str, parameters: &[String]) -> Result<(), ProblemResponse> {
        let subject = self.samples(mission, parameters, None)?;
        let mission = self.app.mission(&self.principal, mission)?;
        let feed = MissionFeed::new(Arc::clone(&self.app), mission, subject, None);
        self.put(None, Feed::Mission(Box::new(feed)))
    }

    /// Opens a subscription, or replaces the one of this name.
    pub(crate) fn open(
        &mut self,
        id: &str,
        of: LiveSubject,
        resume: Option<&str>,
    ) -> Result<(), ProblemResponse> {
        if !(1..=ID_BYTES_MAX).contains(&id.len()) {
            let detail = format!("the id has {} bytes; 1 to {ID_BYTES_MAX} are taken", id.len());
            return Err(ProblemResponse::bad_request(detail));
        }
        let feed = match of {
            LiveSubject::Alarms { mission } => {
                let book = alarms::book(&self.app, &self.principal, &mission)?;
                Feed::Alarms(Box::new(AlarmsFeed::new(book, resume)))
            }
            LiveSubject::Events { mission: None } => Feed::Server(self.server_events(resume)?),
            LiveSubject::Events { mission: Some(mission) } => {
                self.records(&mission, Subject::events(), resume)?
            }
            LiveSubject::Nodes => {
                self.may(Action::ReadNodes)?;
                Feed::Nodes(NodesFeed {
                    announcement: Some(Announcement::default()),
                    is_due: true,
                    last: None,
                })
            }
            LiveSubject::Packets { mission, apids } => {
                if apids.as_ref().is_some_and(|apids| apids.len() > APIDS_MAX) {
                    return Err(ProblemResponse::bad_request(format!("there are {APIDS_MAX} APIDs")));
                }
                self.records(&mission, Subject::packets(apids), resume)?
            }
            LiveSubject::Parameters { mission, parameters, rate_max_per_s } => {
                let interval = rate_max_per_s.map(interval).transpose()?;
                let subject = self.samples(&mission, &parameters, interval)?;
                self.mission_feed(&mission, subject, resume)?
            }
        };
        self.put(Some(id), feed)
    }

    /// Ends a subscription, if it is there.
    pub(crate) fn close(&mut self, id: &str) {
        self.subscriptions.retain(|known| known.id.as_deref() != Some(id));
    }

    fn put(&mut self, id: Option<&str>, feed: Feed) -> Result<(), ProblemResponse> {
        let others = self.subscriptions.iter().filter(|known| known.id.as_deref() != id);
        let parameters: usize = others.clone().map(|other| other.feed.parameters()).sum();
        if parameters + feed.parameters() > PARAMETERS_MAX {
            let detail = format!("a connection subscribes to {PARAMETERS_MAX} parameters at most");
            return Err(ProblemResponse::bad_request(detail));
        }
        if others.count() >= SUBSCRIPTIONS_MAX {
            let detail = format!("a connection has {SUBSCRIPTIONS_MAX} subscriptions at most; close one");
            return Err(ProblemResponse::bad_request(detail));
        }
        let new = Subscription { id: id.map(str::to_owned), feed };
        match self.subscriptions.iter_mut().find(|known| known.id.as_deref() == id) {
            Some(known) => *known = new,
            None => self.subscriptions.push(new),
        }
        Ok(())
    }

    fn may(&self, action: Action) -> Result<(), ProblemResponse> {
        match authorize(&self.principal, action, Resource::Server) {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(ProblemResponse::not_allowed("your role does not include this")),
        }
    }

    fn samples(
        &self,
        mission: &str,
        parameters: &[String],
        interval: Option<Duration>,
    ) -> Result<Subject, ProblemResponse> {
        if parameters.len() > PARAMETERS_MAX {
            let detail = format!("{} parameters are more than {PARAMETERS_MAX}", parameters.len());
            return Err(ProblemResponse::bad_request(detail));
        }
        let mission = self.app.mission(&self.principal, mission)?;
        let database = mission.database();
        let wanted = parameters.iter().map(|parameter| {
            database.find(parameter).ok_or_else(|| {
                let detail = format!("{parameter:?} is not a parameter of mission {}", mission.name());
                ProblemResponse::unknown_parameter(detail)
            })
        });
        Ok(Subject::samples(wanted.collect::<Result<ParameterSet, _>>()?, interval))
    }

    /// A subscription to records themselves: a node shows samples before their records are sealed, and has no others.
    fn records(
        &self,
        mission: &str,
        subject: Subject,
        resume: Option<&str>,
    ) -> Result<Feed, ProblemResponse> {
        let feed = self.mission_feed(mission, subject, resume)?;
        if self.app.backend.archive_id().is_none() {
            let detail = "packets and events are streamed by the hub; a node streams parameters and nodes";
            return Err(ProblemResponse::not_streamed(detail));
        }
        Ok(feed)
    }

    fn mission_feed(
        &self,
        mission: &str,
        subject: Subject,
        resume: Option<&str>,
    ) -> Result<Feed, ProblemResponse> {
        let mission = self.app.mission(&self.principal, mission)?;
        let announcement = Some(Announcement::default());
        let mut feed = MissionFeed::new(Arc::clone(&self.app), mission, subject, announcement);
        if let Some(cursor) = resume {
            feed.resume(cursor);
        }
        Ok(Feed::Mission(Box::new(feed)))
    }

    fn server_events(&self, resume: Option<&str>) -> Result<ServerFeed, ProblemResponse> {
        self.may(Action::ReadEvidence)?;
        ServerFeed::new(&self.app, resume)
            .ok_or_else(|| ProblemResponse::not_streamed("only the hub has events of its own"))
    }

    /// A second went by.
    pub(crate) fn on_second(&mut self) {
        for subscription in &mut self.subscriptions {
            if let Feed::Nodes(feed) = &mut subscription.feed {
                feed.is_due = true;
            }
        }
    }

    /// The next thing to send.
    pub(crate) fn next_update(&mut self) -> Option<LiveUpdate> {
        let count = self.subscriptions.len();
        (0..count).find_map(|step| {
            let place = (self.turn + step) % count;
            let update = self.subscriptions[place].next(&self.app, &self.principal)?;
            self.turn = (place + 1) % count;
            Some(update)
        })
    }

    /// Takes in what comes; returns when there may be something to send. It may be dropped half-way.
    pub(crate) async fn changed(&mut self) {
        if self.subscriptions.is_empty() {
            return std::future::pending().await;
        }
        select_all(self.subscriptions.iter_mut().map(|known| known.feed.changed().boxed())).await;
    }
}

fn interval(rate_max_per_s: f64) -> Result<Duration, ProblemResponse> {
    if !RATES_PER_S.contains(&rate_max_per_s) {
        let (least, most) = (RATES_PER_S.start(), RATES_PER_S.end());
        let detail = format!("a rate of {rate_max_per_s} a second is not between {least} and {most}");
        return Err(ProblemResponse::bad_request(detail));
    }
    Ok(Duration::from_secs_f64(1.0 / rate_max_per_s))
}

impl Subscription {
    fn next(&mut self, app: &App, principal: &Principal) -> Option<LiveUpdate> {
        let id = self.id.as_deref();
        match &mut self.feed {
            Feed::Alarms(feed) => feed.next(id?),
            Feed::Mission(feed) => feed.next(id),
            Feed::Nodes(feed) => feed.next(app, principal, id?),
            Feed::Server(feed) => feed.next(id?),
        }
    }
}

pub(super) fn opened(announcement: &mut Option<Announcement>, id: &str) -> Option<LiveUpdate> {
    let Announcement { resumed, reason } = announcement.take()?;
    let body = UpdateBody::Opened { resumed, reason };
    Some(LiveUpdate { id: Some(id.to_owned()), body, dropped: 0, cursor: None })
}

impl Feed {
    fn parameters(&self) -> usize {
        match self {
            Self::Mission(feed) => feed.parameters(),
            Self::Alarms(_) | Self::Nodes(_) | Self::Server(_) => 0,
        }
    }

    async fn changed(&mut self) {
        match self {
            Self::Mission(feed) => feed.changed().await,
            Self::Server(feed) => feed.changed().await,
            Self::Alarms(feed) => feed.changed().await,
            Self::Nodes(_) => std::future::pending().await,
        }
    }
}

/// How the nodes stand, told when it changed.
struct NodesFeed {
    announcement: Option<Announcement>,
    is_due: bool,
    last: Option<String>,
}

impl NodesFeed {
    fn next(&mut self, app: &App, principal: &Principal, id: &str) -> Option<LiveUpdate> {
        if let Some(update) = opened(&mut self.announcement, id) {
            return Some(update);
        }
        if !std::mem::take(&mut self.is_due) {
            return None;
        }
        let nodes = app.nodes(principal);
        let text = serde_json::to_string(&nodes).expect("nodes hold only numbers and text");
        if self.last.as_ref() == Some(&text) {
            return None;
        }
        self.last = Some(text);
        let (id, body) = (Some(id.to_owned()), UpdateBody::Nodes(nodes));
        Some(LiveUpdate { id, body, dropped: 0, cursor: None })
    }
}

/// Events of the server itself. There are few, and the newest are in memory.
struct ServerFeed {
    announcement: Option<Announcement>,
    archive: [u8; 8],
    changes: broadcast::Receiver<Arc<LoggedEvent>>,
    waiting: VecDeque<Arc<LoggedEvent>>,
    /// Something is to be sent, even when nothing waits.
    is_due: bool,
    dropped: u64,
    position: i64,
}

impl ServerFeed {
    fn new(app: &App, resume: Option<&str>) -> Option<Self> {
        let (archive, log) = (app.backend.archive_id()?, app.backend.server_events()?);
        let joined = log.join();
        let mut feed = Self {
            announcement: Some(Announcement::default()),
            archive,
            changes: joined.changes,
            waiting: joined.events.into(),
            is_due: true,
            dropped: 0,
            position: 0,
        };
        if let Some(cursor) = resume {
            feed.announcement = Some(match feed.resume(cursor) {
                Ok(()) => Announcement { resumed: true, reason: None },
                Err(reason) => Announcement { resumed: false, reason: Some(reason) },
            });
        }
        Some(feed)
    }

    fn resume(&mut self, cursor: &str) -> Result<(), String> {
        let after = Cursor::position_in(cursor, self.archive, "").map_err(|error| error.to_string())?;
        let known = self.waiting.front().zip(self.waiting.back());
        if !known.is_some_and(|(first, last)| (first.position..=last.position).contains(&after)) {
            return Err("the events behind the cursor are not in memory any more".to_owned());
        }
        self.waiting.retain(|event| event.position > after);
        self.position = after;
        self.is_due = false;
        Ok(())
    }

    fn next(&mut self, id: &str) -> Option<LiveUpdate> {
        if self.announcement.is_some() {
            return opened(&mut self.announcement, id);
        }
        if !std::mem::take(&mut self.is_due) && self.waiting.is_empty() {
            return None;
        }
        let taken = std::mem::take(&mut self.waiting);
        self.position = taken.back().map_or(self.position, |newest| newest.position);
        let body = UpdateBody::Events(taken.iter().map(|event| event.entry.clone()).collect());
        let cursor = Some(Cursor::new(self.archive, "", self.position).encode());
        Some(LiveUpdate { id: Some(id.to_owned()), body, dropped: std::mem::take(&mut self.dropped), cursor })
    }

    async fn changed(&mut self) {
        // As many as are kept anyway: an event that waits is shared with the log.
        const WAITING_MAX: usize = 256;
        match self.changes.recv().await {
            Ok(event) => self.waiting.push_back(event),
            Err(broadcast::error::RecvError::Lagged(events)) => self.dropped += events,
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
            self.dropped += 1;
        }
    }
}
