//! What a detector says becomes entries of alarms' histories: which alarm it belongs to, and what is worth an entry.

use std::collections::BTreeMap;

use space_packet::{GenerationTime, TaiTime};

use super::entry::{AlarmSeverity, Cause, Change, Condition, Entry, Fact, Place, Terms};
use super::furthest::Further;
use super::history::{CONDITIONS_MAX, History};
use super::identity::{AlarmId, Subject};
use super::state::AlarmState;

/// What a detector says of a parameter. Saying the same again changes nothing, so that after a restart it is simply
/// said once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it is about.
    pub subject: Subject,
    /// How bad it is, as the rule has it; `None`: all is well.
    pub severity: Option<AlarmSeverity>,
    /// Generation time of the sample.
    pub generation: GenerationTime,
    /// Whether the sample came as it happened. One that is older than what the alarm knows never counts as live.
    pub live: bool,
    /// What the rule says of alarms.
    pub terms: Terms,
    /// What speaks for it.
    pub cause: Cause,
}

/// An entry that was made, to be stored and forwarded before anybody is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Of which alarm.
    pub alarm: AlarmId,
    /// What that is about.
    pub subject: Subject,
    /// Generation time of its first occurrence.
    pub first: GenerationTime,
    /// The entry.
    pub entry: Entry,
}

/// The newest alarm of each subject at one place, as long as it is not over, and who writes into it.
///
/// An alarm that is open takes all that happens to its subject; a closed one is not taken up again. Where an alarm has
/// [`CONDITIONS_MAX`] conditions it is ended and goes on as another one: the first stays open until somebody has
/// acknowledged it, in the caller's store.
#[derive(Debug)]
pub struct Board {
    place: Place,
    tracks: BTreeMap<Subject, Track>,
}

impl Board {
    /// One without alarms, at the hub or a node.
    pub fn new(place: Place) -> Self {
        Self { place, tracks: BTreeMap::new() }
    }

    /// Takes a stored alarm up again after a restart, open or closed. Of several about one subject the newest counts.
    pub fn restore(&mut self, history: History) {
        let track = self.tracks.entry(history.subject().clone()).or_default();
        if track.last.is_none_or(|last| last <= history.first()) {
            track.last = Some(history.first());
            let shown = Shown::of(&history, true);
            (track.newest, track.level) = (track.newest.max(shown.newest), shown.severity);
            track.live = Some(history);
        }
    }

    /// Takes what a detector says.
    pub fn on_observation(&mut self, seen: &Observation, now: TaiTime) -> Vec<Written> {
        let is_known = self.tracks.contains_key(&seen.subject);
        if !is_known && seen.severity.is_none() {
            return Vec::new();
        }
        let track = self.tracks.entry(seen.subject.clone()).or_default();
        let mut writer = Writer { place: self.place, now, written: Vec::new() };
        if seen.live && track.newest.is_none_or(|newest| newest <= seen.generation) {
            track.on_live(seen, &mut writer);
        } else {
            track.on_late(seen, &mut writer);
        }
        writer.written
    }

    /// Generation time of the newest change of a subject's live alarm: what is older counts as late. Whoever reads samples
    /// again that were judged before a restart passes over what this knows already.
    pub fn newest(&self, subject: &Subject) -> Option<GenerationTime> {
        self.tracks.get(subject)?.newest
    }

    /// Takes what is known of an alarm elsewhere, or was done by people here, if the alarm is on the board.
    pub fn on_history(&mut self, history: &History) {
        if let Some(track) = self.tracks.get_mut(history.subject())
            && let Some(known) = &mut track.live
        {
            track.settled &= !known.merge(history);
        }
    }

    /// The history of an alarm on the board, to act on.
    pub fn alarm_mut(&mut self, alarm: AlarmId) -> Option<&mut History> {
        self.tracks.values_mut().filter_map(|track| track.live.as_mut()).find(|live| live.alarm() == alarm)
    }

    /// The alarms on it; closed ones leave with [`Board::on_time`].
    pub fn alarms(&self) -> impl Iterator<Item = &History> {
        self.tracks.values().filter_map(|track| track.live.as_ref())
    }

    /// Writes what is due by now, alarms that have been better for as long as their rule wants, and forgets those that
    /// are closed.
    pub fn on_time(&mut self, now: TaiTime) -> Vec<Written> {
        let mut writer = Writer { place: self.place, now, written: Vec::new() };
        for track in self.tracks.values_mut() {
            track.settle(&mut writer);
            track.settle_late(&mut writer);
            track.live.take_if(|live| AlarmState::of(live, now).is_closed());
        }
        writer.written
    }

    /// When to call [`Board::on_time`] next, if nothing is observed before.
    pub fn next_wakeup(&self) -> Option<TaiTime> {
        self.tracks.values().filter_map(Track::due).min()
    }
}

/// Makes entries of one moment.
pub(super) struct Writer {
    place: Place,
    now: TaiTime,
    written: Vec<Written>,
}

impl Writer {
    pub(super) fn write(
        &mut self,
        history: &mut History,
        generation: GenerationTime,
        live: bool,
        change: Change,
    ) {
        let last = history.conditions().last().map_or(0, |(_, last)| last.number);
        let number = if change.counts() { last.saturating_add(1) } else { last };
        let condition = Condition { number, generation, live, change };
        let id = condition.id_in(history.alarm());
        let entry = Entry { id, recorded: self.now, place: self.place, fact: Fact::Condition(condition) };
        if history.insert(entry.clone()) == Ok(true) {
            let (alarm, subject, first) = (history.alarm(), history.subject().clone(), history.first());
            self.written.push(Written { alarm, subject, first, entry });
        }
    }
}

/// A level below the one that an alarm shows, until it has lasted.
#[derive(Debug)]
struct Below {
    /// When it will have lasted.
    due: TaiTime,
    /// The worst in this time.
    highest: Option<AlarmSeverity>,
}

/// An alarm in late data.
#[derive(Debug)]
struct Late {
    history: History,
    /// When the condition was over, and when to write that.
    over: Option<(GenerationTime, TaiTime)>,
    further: Option<Further>,
}

/// What the board knows of one subject.
#[derive(Debug, Default)]
struct Track {
    live: Option<History>,
    /// First occurrence of the newest alarm there was: another one needs another, or it would have the same id.
    last: Option<GenerationTime>,
    /// Generation time of the newest change: what is older is late.
    newest: Option<GenerationTime>,
    /// What the detector said last.
    level: Option<AlarmSeverity>,
    /// Whether the alarm shows that level, unless one below it is to last first: not so where others wrote into it.
    settled: bool,
    below: Option<Below>,
    further: Option<Further>,
    recurrences: u32,
    late: Option<Late>,
}

/// What a history's conditions come to, of the live or the late ones.
struct Shown {
    severity: Option<AlarmSeverity>,
    /// The worst of the occurrence.
    worst: Option<AlarmSeverity>,
    newest: Option<GenerationTime>,
    terms: Terms,
    conditions: usize,
}

impl Shown {
    /// Whether one more step up leaves no room for the steps down to the end: five at most.
    fn is_full(&self) -> bool {
        self.conditions + 6 > CONDITIONS_MAX
    }

    fn of(history: &History, live: bool) -> Self {
        let conditions = history.conditions();
        let mut shown = Self {
            severity: None,
            worst: None,
            newest: None,
            terms: Terms::default(),
            conditions: conditions.len(),
        };
        for (_, condition) in conditions.into_iter().filter(|(_, condition)| condition.live == live) {
            shown.newest = shown.newest.max(Some(condition.generation));
            shown.severity = condition.change.severity();
            shown.worst =
                shown.severity.map(|severity| shown.worst.map_or(severity, |worst| worst.max(severity)));
            if let Change::Raised { terms, .. } = &condition.change {
                shown.terms = terms.clone();
            }
        }
        shown
    }
}

impl Track {
    fn on_live(&mut self, seen: &Observation, writer: &mut Writer) {
        // Most say the same as the one before.
        if !self.settled || self.below.is_some() || self.level != seen.severity {
            self.on_level(seen, writer);
        }
        if let Some(live) = self.live.as_ref().filter(|_| seen.severity.is_some()) {
            Further::note(&mut self.further, live, (seen.generation, &seen.cause), writer.now);
        }
        self.settle(writer);
    }

    fn on_level(&mut self, seen: &Observation, writer: &mut Writer) {
        self.settled = true;
        let before = std::mem::replace(&mut self.level, seen.severity);
        if before != seen.severity {
            self.newest = Some(seen.generation);
        }
        let Some(live) = self.live.as_mut().filter(|live| !AlarmState::of(live, writer.now).is_closed())
        else {
            return self.begin(seen, writer);
        };
        let shown = Shown::of(live, true);
        match (shown.severity, seen.severity) {
            (None, None) => {}
            (_, Some(_)) if shown.is_full() => self.go_on_as_another(seen, writer),
            (None, Some(severity)) => writer.write(live, seen.generation, true, seen.raised(severity)),
            (Some(from), level) if level < Some(from) => {
                let due = writer.now.plus_nanos(shown.terms.merge_window_nanos());
                let below = self.below.get_or_insert(Below { due, highest: None });
                below.highest = below.highest.max(level);
                self.recurrences += u32::from(before.is_none() && level.is_some());
            }
            (Some(from), level) => {
                let came_back = self.below.take().is_some() && before.is_none();
                self.recurrences += u32::from(came_back);
                if let Some(to) = level.filter(|_| shown.worst < level) {
                    writer.write(live, seen.generation, true, seen.worsened(to));
                } else if let Some(to) = level.filter(|to| from < *to) {
                    writer.write(live, seen.generation, true, Change::Moved { severity: to });
                }
            }
        }
    }

    /// Begins an alarm, if there is something to begin one for.
    fn begin(&mut self, seen: &Observation, writer: &mut Writer) {
        (self.below, self.further, self.recurrences, self.live) = (None, None, 0, None);
        let Some(severity) = seen.severity else { return };
        // A stuck clock would name the next alarm as the one before, which somebody may have acknowledged.
        let after_last = self.last.map(|last| GenerationTime(last.0.plus_nanos(1)));
        let first = after_last.map_or(seen.generation, |after_last| after_last.max(seen.generation));
        let mut history = History::new(seen.subject.clone(), first);
        writer.write(&mut history, seen.generation, true, seen.raised(severity));
        (self.last, self.live) = (Some(first), Some(history));
    }

    fn go_on_as_another(&mut self, seen: &Observation, writer: &mut Writer) {
        if let Some(mut full) = self.live.take() {
            if let Some(further) = self.further.take() {
                further.write(&mut full, true, writer);
            }
            let shown = Shown::of(&full, true);
            if shown.severity.is_some() {
                let change = Change::Cleared { latched: shown.terms.latch, recurrences: self.recurrences };
                writer.write(&mut full, seen.generation, true, change);
            }
        }
        self.begin(seen, writer);
    }

    /// Lets the alarm show a lower level, or its end, when that has lasted, and the worst value when that has waited.
    fn settle(&mut self, writer: &mut Writer) {
        let is_over = self.below.as_ref().is_some_and(|below| below.due <= writer.now);
        if let Some(live) = self.live.as_mut()
            && let Some(further) = self.further.take_if(|further| is_over || further.is_due(writer.now))
        {
            further.write(live, true, writer);
        }
        while let Some(live) = self.live.as_mut()
            && let Some(below) = self.below.take_if(|below| below.due <= writer.now)
        {
            let terms = Shown::of(live, true).terms;
            let generation = self.newest.unwrap_or(live.first());
            let Some(severity) = below.highest else {
                let recurrences = std::mem::take(&mut self.recurrences);
                let change = Change::Cleared { latched: terms.latch, recurrences };
                return writer.write(live, generation, true, change);
            };
            writer.write(live, generation, true, Change::Moved { severity });
            if self.level < Some(severity) {
                let due = writer.now.plus_nanos(terms.merge_window_nanos());
                self.below = Some(Below { due, highest: self.level });
            }
        }
    }

    fn on_late(&mut self, seen: &Observation, writer: &mut Writer) {
        let window = seen.terms.merge_window_nanos();
        let Some(late) = self.late.as_mut() else { return self.begin_late(seen, writer) };
        let Some(severity) = seen.severity else {
            late.over.get_or_insert((seen.generation, writer.now.plus_nanos(window)));
            return;
        };
        let is_same = |over: GenerationTime| seen.generation.0.0.abs_diff(over.0.0) <= window.unsigned_abs();
        let shown = Shown::of(&late.history, false);
        if late.over.is_some_and(|(over, _)| !is_same(over)) || shown.is_full() {
            let (over, _) = late.over.unwrap_or((seen.generation, writer.now));
            late.end(over, writer);
            return self.begin_late(seen, writer);
        }
        late.over = None;
        if shown.worst < Some(severity) {
            writer.write(&mut late.history, seen.generation, false, seen.worsened(severity));
        }
        Further::note(&mut late.further, &late.history, (seen.generation, &seen.cause), writer.now);
    }

    fn begin_late(&mut self, seen: &Observation, writer: &mut Writer) {
        let Some(severity) = seen.severity else { return };
        let mut history = History::new(seen.subject.clone(), seen.generation);
        writer.write(&mut history, seen.generation, false, seen.raised(severity));
        self.late = Some(Late { history, over: None, further: None });
    }

    fn settle_late(&mut self, writer: &mut Writer) {
        if let Some(mut late) = self.late.take_if(|late| late.over.is_some_and(|(_, due)| due <= writer.now))
            && let Some((over, _)) = late.over
        {
            late.end(over, writer);
        }
    }

    fn due(&self) -> Option<TaiTime> {
        let live = self.below.as_ref().map(|below| below.due);
        let further = self.further.as_ref().and_then(|further| further.due);
        let late = self.late.as_ref().and_then(|late| late.over).map(|(_, due)| due);
        live.into_iter().chain(further).chain(late).min()
    }
}

impl Late {
    fn end(&mut self, over: GenerationTime, writer: &mut Writer) {
        if let Some(further) = self.further.take() {
            further.write(&mut self.history, false, writer);
        }
        let change = Change::Cleared { latched: false, recurrences: 0 };
        writer.write(&mut self.history, over, false, change);
    }
}

impl Observation {
    fn raised(&self, severity: AlarmSeverity) -> Change {
        Change::Raised { severity, terms: self.terms.clone(), cause: self.cause.clone().finite() }
    }

    fn worsened(&self, severity: AlarmSeverity) -> Change {
        Change::Worsened { severity, cause: self.cause.clone().finite() }
    }
}
