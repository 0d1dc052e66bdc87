//! Alarms as people deal with them: the books of what is known, where entries become durable, and what else a server
//! has of alarms.

mod book;
mod climb;
mod described;
mod memory;
mod rules;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use processing::alarm::{AlarmId, History, Piece};
use processing::watch::DetectionRules;
use service::documents::Watching;
use space_packet::GenerationTime;

use crate::contract::{AlarmDelivery, DetectionModel, RulesVersion};
use crate::records::{Page, Slice};
use crate::{ProblemResponse, rfc3339};

pub use book::{ActError, AlarmBook, AlarmPage, Asked};
pub use climb::climb_of;
pub use described::grouped;
pub(crate) use described::{Describer, severity_word, state_word};
pub use memory::{CLOSED_MAX, Known, MEMORY_BYTES_MAX};
pub use rules::{RulesKind, RulesText, WantedRules, problems};

/// An answer that takes a look into a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// An alarm's place in a list: generation time of its first occurrence, then its id.
pub type AlarmPlace = (GenerationTime, AlarmId);

/// Where entries become durable.
pub trait Keeper: Send + Sync {
    /// Keeps entries, and sees to it that they are forwarded. They are durable when this returns.
    fn keep(&self, piece: Piece) -> Answer<'_, ()>;

    /// All that is stored of an alarm; `None`: nothing.
    fn kept<'a>(&'a self, mission: &'a str, alarm: AlarmId) -> Answer<'a, Option<History>>;

    /// Closed alarms before a place, newest first, at most so many. One that is not closed any more may be among them.
    fn closed_before<'a>(
        &'a self,
        mission: &'a str,
        before: AlarmPlace,
        count: usize,
    ) -> Answer<'a, Vec<History>>;
}

fn only_the_hub<'a, T: Send + 'a>(what: &'static str) -> Answer<'a, T> {
    let detail = format!("only the hub {what}; ask it");
    async move { Err(ProblemResponse::alarms_elsewhere(detail)) }.boxed()
}

/// What a server has of alarms. One that does not have something answers that the hub does.
pub trait Alarms: Send + Sync {
    /// The alarms of a mission; `None` when this server looks after none of it.
    fn book(&self, _mission: &str) -> Option<Arc<AlarmBook>> {
        None
    }

    /// Detection rules of a mission that count here. Alarm rules that count are its book's.
    fn detection_rules(&self, _mission: &str) -> Arc<DetectionRules> {
        Arc::default()
    }

    /// All versions of a mission's rules document, newest first.
    fn rules<'a>(&'a self, _mission: &'a str, _kind: RulesKind) -> Answer<'a, Vec<RulesVersion>> {
        async { Ok(Vec::new()) }.boxed()
    }

    /// One version with its text; `None` when there is none of this number.
    fn rules_text<'a>(
        &'a self,
        _mission: &'a str,
        _kind: RulesKind,
        _number: u32,
    ) -> Answer<'a, Option<RulesText>> {
        async { Ok(None) }.boxed()
    }

    /// Brings a new version of a rules document into force, for the hub and all nodes of the mission.
    fn put_rules<'a>(&'a self, _mission: &'a str, _wanted: WantedRules) -> Answer<'a, RulesVersion> {
        only_the_hub("takes new rules, and its nodes get them from it")
    }

    /// Messages about a mission's alarms, or about one, by when they were due, newest first.
    fn deliveries<'a>(
        &'a self,
        _mission: &'a str,
        _alarm: Option<AlarmId>,
        _slice: Slice,
    ) -> Answer<'a, Page<AlarmDelivery>> {
        only_the_hub("sends messages")
    }

    /// Sends a message that says it is a test to a contact of the rules in force, at once; what came of it.
    fn send_test<'a>(
        &'a self,
        _mission: &'a str,
        _contact: &'a str,
        _by: &'a str,
    ) -> Answer<'a, AlarmDelivery> {
        only_the_hub("sends messages")
    }

    /// Models in force for a mission.
    fn models<'a>(&'a self, _mission: &'a str) -> Answer<'a, Vec<DetectionModel>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

/// A mission's models as answers have them.
pub fn models_in_force(watching: &Watching) -> Vec<DetectionModel> {
    let described = watching.models.iter().map(|model| DetectionModel {
        kind: model.model.kind().to_owned(),
        number: model.number,
        parameters: model.channels.clone(),
        trained_at: watching.models_since.get(&model.number).map(|since| rfc3339(*since)).unwrap_or_default(),
        trained_on: model.data.description.clone(),
    });
    described.collect()
}

/// Has nothing of it.
pub(crate) struct NoAlarms;

impl Alarms for NoAlarms {}
