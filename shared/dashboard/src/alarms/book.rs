//! The book of a mission's alarms: what is known of them, and the acts of people.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use data_encoding::HEXLOWER;
use processing::alarm::{ActRefused, AlarmId, AlarmRules, Author, EntryId, Piece, Place, Request, Rung};
use space_packet::{GenerationTime, TaiTime};
use tokio::sync::broadcast;
use tracing::info;

use super::described::Grouping;
use super::memory::{Known, Memory};
use super::{AlarmPlace, Keeper};
use crate::ProblemResponse;
use crate::access::random_id;

/// Changes that a subscriber may lag behind; one that missed some looks at all alarms again.
const CHANGES_MAX: usize = 1_024;
const FIRST_PLACE: AlarmPlace = (GenerationTime(TaiTime(i64::MIN)), AlarmId([0; 16]));
const LAST_PLACE: AlarmPlace = (GenerationTime(TaiTime(i64::MAX)), AlarmId([0xFF; 16]));

/// What is known of the alarms of one mission, in memory: all that are open, and the newest [`CLOSED_MAX`] closed ones,
/// within [`MEMORY_BYTES_MAX`]. What has left is read from the [`Keeper`].
///
/// [`CLOSED_MAX`]: super::CLOSED_MAX
/// [`MEMORY_BYTES_MAX`]: super::MEMORY_BYTES_MAX
pub struct AlarmBook {
    mission: String,
    place: Place,
    keeper: Arc<dyn Keeper>,
    memory: Mutex<Memory>,
    rules: RwLock<Arc<AlarmRules>>,
    grouped: Mutex<Option<Grouped>>,
    changes: broadcast::Sender<AlarmId>,
}

/// Which alarms belong together, and what that was made of.
struct Grouped {
    version: u64,
    rules: Arc<AlarmRules>,
    grouping: Arc<Grouping>,
}

/// Some alarms of a list.
#[derive(Clone, Debug)]
pub struct AlarmPage {
    /// The alarms, newest first.
    pub alarms: Vec<Arc<Known>>,
    /// Where it goes on, if there may be more.
    pub next: Option<AlarmPlace>,
}

/// What somebody asks for, of one alarm.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The act.
    pub request: Request,
    /// What they note beside it.
    pub note: Option<String>,
    /// The random id that they gave it: sent again, it is the same act. Absent: one is made here.
    pub id: Option<EntryId>,
}

/// Why an act was not done. Nothing was changed, as far as is known here.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The id belongs to something else in the alarm's history.
    #[error("another entry of the alarm has this id; nothing was changed, send the act with a new random id")]
    IdTaken,
    /// It could not be kept, or the alarm could not be looked up.
    #[error("{}", .0.detail())]
    Kept(ProblemResponse),
    /// The alarm does not take it.
    #[error(transparent)]
    Refused(#[from] ActRefused),
    /// There is no such alarm.
    #[error("there is no alarm of this id in the mission; ids are in the list of alarms")]
    Unknown,
}

impl From<ActError> for ProblemResponse {
    fn from(error: ActError) -> Self {
        let text = error.to_string();
        let refused = match error {
            ActError::IdTaken => return Self::alarm_id(text),
            ActError::Kept(problem) => return problem,
            ActError::Unknown => return Self::unknown_alarm(text),
            ActError::Refused(refused) => refused,
        };
        // The code stands beside the text here.
        let detail = text.split_once(": ").map_or(&*text, |(_, detail)| detail);
        match refused {
            ActRefused::Full => Self::alarm_full(detail),
            ActRefused::NoNote => Self::alarm_note(detail),
            ActRefused::NoStep(_) | ActRefused::Pointless(_) => Self::alarm_act(detail),
            ActRefused::Shelf => Self::alarm_shelf(detail),
            ActRefused::Suppression => Self::alarm_suppression(detail),
            ActRefused::Text(_) => Self::alarm_text(detail),
        }
    }
}

impl AlarmBook {
    /// An empty one, at the hub or at a node.
    pub fn new(mission: &str, place: Place, keeper: Arc<dyn Keeper>) -> Arc<Self> {
        Arc::new(Self {
            mission: mission.to_owned(),
            place,
            keeper,
            memory: Mutex::default(),
            rules: RwLock::new(Arc::new(AlarmRules::built_in())),
            grouped: Mutex::default(),
            changes: broadcast::channel(CHANGES_MAX).0,
        })
    }

    /// The mission's name.
    pub fn mission(&self) -> &str {
        &self.mission
    }

    /// Where it is kept.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Takes entries that are durable; whether they changed anything. `known` is when this server first stored them.
    ///
    /// An alarm that is not in memory is taken to be new: this is for what is restored, whole alarms in any order, and
    /// for what was raised here. Entries from elsewhere are for [`AlarmBook::merge`]. A piece of another mission
    /// changes nothing.
    pub fn take(&self, piece: &Piece, known: TaiTime) -> bool {
        let changed = piece.subject.mission == self.mission && self.memory().take(piece, known);
        if changed {
            self.tell(piece.alarm());
        }
        changed
    }

    /// Takes durable entries from elsewhere; whether they changed anything. They may be of an alarm that has left
    /// memory, with acknowledgements that these entries do not show: it is then looked up first.
    ///
    /// # Errors
    /// The alarm could not be looked up. Nothing was taken; the entries are durable, so call it again.
    pub async fn merge(&self, piece: &Piece, known: TaiTime) -> Result<bool, ProblemResponse> {
        let alarm = piece.alarm();
        if piece.subject.mission != self.mission {
            return Ok(false);
        }
        if self.known(alarm).is_none()
            && let Some(history) = self.keeper.kept(&self.mission, alarm).await?
        {
            self.memory().put(Known::new(history, known), known);
            self.tell(alarm);
            return Ok(true);
        }
        Ok(self.take(piece, known))
    }

    /// Does what somebody asks for: checks it, keeps it durably, and then shows it. Returns the alarm as it is then.
    ///
    /// It goes on when whoever waits for it goes away. Two acts on one alarm at the same time both stand, as they would
    /// at two places.
    pub async fn act(
        self: &Arc<Self>,
        alarm: AlarmId,
        asked: Asked,
        by: &str,
        now: TaiTime,
    ) -> Result<Arc<Known>, ActError> {
        let (book, by) = (Arc::clone(self), by.to_owned());
        let acting = tokio::spawn(async move { book.do_act(alarm, asked, by, now).await });
        acting.await.unwrap_or_else(|_| {
            let detail =
                "the act ended unexpectedly; look whether it is in the alarm's history, and report this";
            Err(ActError::Kept(ProblemResponse::internal(detail)))
        })
    }

    async fn do_act(
        &self,
        alarm: AlarmId,
        asked: Asked,
        by: String,
        now: TaiTime,
    ) -> Result<Arc<Known>, ActError> {
        let known = self.find(alarm, now).await.map_err(ActError::Kept)?.ok_or(ActError::Unknown)?;
        let id = asked.id.unwrap_or_else(|| EntryId(random_id()));
        if let Some(done) = known.history.entry(id) {
            let is_theirs = done.act().is_some_and(|act| act.by == by);
            return if is_theirs { Ok(known) } else { Err(ActError::IdTaken) };
        }
        let mut known = Known::clone(&known);
        let request = match asked.request {
            Request::Escalate { rung } => Request::Escalate { rung: Some(self.rung(&known, rung, now)?) },
            request => request,
        };
        let author = Author { by: by.clone(), place: self.place, at: now, id };
        let entry = known.history.act(&request, asked.note, author)?;
        let (subject, first) = (known.history.subject().clone(), known.history.first());
        self.keeper.keep(Piece { subject, first, entries: vec![entry] }).await.map_err(ActError::Kept)?;
        if let Request::Escalate { rung: Some(Rung { ladder, step, round, .. }) } = request {
            let (mission, alarm) = (&self.mission, HEXLOWER.encode(&alarm.0));
            info!(mission, alarm, by, ladder, step, round, "a step of a ladder was asked for at once");
        }
        let known = {
            let mut memory = self.memory();
            memory.put(known.clone(), now);
            memory.get(alarm).unwrap_or_else(|| Arc::new(known))
        };
        self.tell(alarm);
        Ok(known)
    }

    /// The step that an alarm is escalated to: the next, which is the one that was shown.
    fn rung(&self, known: &Known, shown: Option<Rung>, now: TaiTime) -> Result<Rung, ActError> {
        if self.place != Place::Hub {
            let detail =
                "only the hub climbs ladders and sends messages; nothing was changed, escalate there";
            return Err(ActError::Kept(ProblemResponse::alarms_elsewhere(detail)));
        }
        let next = self.next_step(known, now).map_err(ActRefused::NoStep)?.rung;
        if shown.is_some_and(|shown| shown != next) {
            return Err(ActRefused::Pointless("the step that was shown is not the next one any more").into());
        }
        Ok(next)
    }

    /// An alarm that is in memory.
    pub fn known(&self, alarm: AlarmId) -> Option<Arc<Known>> {
        self.memory().get(alarm)
    }

    /// An alarm, from memory or from where it is kept. What left memory counts as known since now.
    pub async fn find(&self, alarm: AlarmId, now: TaiTime) -> Result<Option<Arc<Known>>, ProblemResponse> {
        if let Some(known) = self.known(alarm) {
            return Ok(Some(known));
        }
        let kept = self.keeper.kept(&self.mission, alarm).await?;
        Ok(kept.map(|history| Arc::new(Known::new(history, now))))
    }

    /// All open alarms, the oldest first.
    pub fn open(&self) -> Vec<Arc<Known>> {
        self.memory().open()
    }

    /// A page of a list, newest first, behind a place: `limit` alarms that are wanted, fewer where the rest is not.
    /// Without closed ones nothing is looked up.
    pub async fn page(
        &self,
        before: Option<AlarmPlace>,
        limit: usize,
        with_closed: bool,
        wanted: impl Fn(&Known) -> bool,
    ) -> Result<AlarmPage, ProblemResponse> {
        let before = before.unwrap_or(LAST_PLACE);
        let (mut alarms, floor) = {
            let memory = self.memory();
            if with_closed {
                (memory.all(), memory.oldest_closed().unwrap_or(LAST_PLACE).min(before))
            } else {
                (memory.open(), FIRST_PLACE)
            }
        };
        alarms.retain(|known| known.place() < before && wanted(known));
        alarms.sort_by_key(|known| Reverse(known.place()));
        let mut end = None;
        if alarms.iter().take_while(|known| known.place() >= floor).count() <= limit && with_closed {
            let kept = self.keeper.closed_before(&self.mission, floor, limit).await?;
            // What lies behind the last of a full page may be behind closed alarms that were not read.
            end = kept.last().filter(|_| kept.len() >= limit).map(|last| (last.first(), last.alarm()));
            alarms.retain(|known| end.is_none_or(|end| known.place() >= end));
            let older = kept.into_iter().map(|history| Arc::new(Known { history, known: BTreeMap::new() }));
            let older: Vec<_> = older.filter(|known| wanted(known)).collect();
            let memory: BTreeSet<AlarmPlace> = alarms.iter().map(|known| known.place()).collect();
            alarms.extend(older.into_iter().filter(|known| !memory.contains(&known.place())));
            alarms.sort_by_key(|known| Reverse(known.place()));
        }
        if alarms.len() > limit {
            alarms.truncate(limit);
            end = alarms.last().map(|last| last.place());
        }
        Ok(AlarmPage { alarms, next: end })
    }

    /// How many open alarms had to leave memory since the start, for lack of room.
    pub fn left_out(&self) -> u64 {
        self.memory().left_out()
    }

    /// Which open alarms belong together. It is looked up once for everybody who asks before something changes.
    pub(super) fn grouping(&self) -> Arc<Grouping> {
        let (version, open) = {
            let memory = self.memory();
            (memory.version(), memory.open())
        };
        let rules = self.rules();
        let mut grouped = self.grouped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*grouped
            && known.version == version
            && Arc::ptr_eq(&known.rules, &rules)
        {
            return Arc::clone(&known.grouping);
        }
        let grouping = Arc::new(Grouping::of(&open, &rules));
        *grouped = Some(Grouped { version, rules, grouping: Arc::clone(&grouping) });
        grouping
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<AlarmRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings other rules into force.
    pub fn set_rules(&self, rules: Arc<AlarmRules>) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Hears of each alarm of which something changed. Who lags too far behind looks at all of them again.
    pub fn subscribe(&self) -> broadcast::Receiver<AlarmId> {
        self.changes.subscribe()
    }

    /// Time went by: tells of alarms whose shelving or suppression is over. Call it every second.
    pub fn on_time(&self, now: TaiTime) {
        let changed = self.memory().on_time(now);
        changed.into_iter().for_each(|alarm| self.tell(alarm));
    }

    fn tell(&self, alarm: AlarmId) {
        // Fails only when nobody listens.
        let _ = self.changes.send(alarm);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
