//! Contacts that cannot be reached, as alarms: one is raised when a message to a contact was given up, and is over when one
//! is delivered again. It follows from the table of messages, so that neither a restart nor another leader loses it.

use std::collections::BTreeMap;

use dashboard::alarms::AlarmBook;
use processing::alarm::{
    AlarmRules, AlarmSeverity, Board, Cause, DueStep, History, Observation, Piece, Place, Subject, Written,
};
use space_packet::{GenerationTime, TaiTime};

use crate::archive::{AlarmTable, ArchiveError, NoticeTable};

/// What these alarms are detected by; their parameter is the contact.
const DETECTOR: &str = "delivery";

/// A mission's alarms about contacts.
pub(super) struct Undelivered {
    board: Board,
    /// What was raised and is not in the database yet.
    unkept: Vec<Piece>,
}

/// Whether a message is to the contact that the alarm is about, under whichever name: it would only fail as well.
pub(super) fn is_about(subject: &Subject, step: &DueStep, rules: &AlarmRules) -> bool {
    let failed = rules.escalation.contacts.get(&subject.parameter);
    subject.detector == DETECTOR && (step.contact == subject.parameter || failed == Some(&step.address))
}

impl Undelivered {
    /// Those that are open in a book.
    pub(super) fn of(book: &AlarmBook) -> Self {
        let mut board = Board::new(Place::Hub);
        let is_ours = |subject: &Subject| subject.detector == DETECTOR && subject.node.is_none();
        for known in book.open().iter().filter(|known| is_ours(known.history.subject())) {
            board.restore(known.history.clone());
        }
        Self { board, unkept: Vec::new() }
    }

    /// Raises and clears by what the newest message to each contact came to; when to look again.
    pub(super) async fn look(
        &mut self,
        book: &AlarmBook,
        rules: &AlarmRules,
        (alarms, notices): (&AlarmTable, &NoticeTable),
        now: TaiTime,
    ) -> Result<Option<TaiTime>, ArchiveError> {
        let standing: Vec<_> = self.board.alarms().map(History::alarm).collect();
        for known in standing.into_iter().filter_map(|alarm| book.known(alarm)) {
            self.board.on_history(&known.history);
        }
        let mut written = Vec::new();
        for (contact, is_reached) in self.reached(book, rules, notices).await? {
            let resolved = rules.resolve(&contact, DETECTOR, AlarmSeverity::Critical);
            let seen = Observation {
                subject: Subject {
                    mission: book.mission().to_owned(),
                    node: None,
                    detector: DETECTOR.to_owned(),
                    parameter: contact,
                },
                severity: (!is_reached).then_some(resolved.severity),
                generation: GenerationTime(now),
                live: true,
                terms: resolved.terms,
                cause: Cause::default(),
            };
            written.extend(self.board.on_observation(&seen, now));
        }
        written.extend(self.board.on_time(now));
        self.unkept.extend(written.into_iter().map(|Written { subject, first, entry, .. }| Piece {
            subject,
            first,
            entries: vec![entry],
        }));
        while let Some(piece) = self.unkept.first() {
            alarms.keep(piece, now).await?;
            book.take(piece, now);
            self.unkept.remove(0);
        }
        Ok(self.board.next_wakeup())
    }

    /// Which contacts were reached last, of those that were told anything. One that the rules have no more has nothing
    /// wrong with it.
    async fn reached(
        &self,
        book: &AlarmBook,
        rules: &AlarmRules,
        notices: &NoticeTable,
    ) -> Result<BTreeMap<String, bool>, ArchiveError> {
        let contacts = &rules.escalation.contacts;
        let asked: Vec<&str> = contacts.keys().map(String::as_str).collect();
        let found = notices.last_outcomes(book.mission(), &asked).await?;
        let gone = self.board.alarms().map(|history| history.subject().parameter.clone());
        let gone = gone.filter(|contact| !contacts.contains_key(contact)).map(|contact| (contact, true));
        Ok(found.into_iter().map(|(contact, last)| (contact, last.is_delivered)).chain(gone).collect())
    }
}
