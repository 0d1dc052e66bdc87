//! Limits as the router asks for them: what is in force, versions of the document beside a dictionary, changes, trials.

mod described;

use std::ops::Range;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mission_database::EffectiveSpan;
use space_packet::TaiTime;

use crate::contract::{
    LimitBounds, LimitsChange, LimitsDocument, LimitsFormat, LimitsTrial, LimitsVersion, ParameterTrial,
};
use crate::{LiveMission, ProblemResponse, rfc3339};

pub use described::described_rows;
pub(crate) use described::{bounds_now, in_force};

/// An answer that takes a look into a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// Limits that somebody wants.
#[derive(Clone, Debug)]
pub struct WantedLimits {
    /// Number of the newest version that whoever wants them knew; `None`: there was none.
    pub based_on: Option<u32>,
    /// When they are to be in force, in generation time; from now on where no beginning is said.
    pub effective: EffectiveSpan,
    /// Who wants them.
    pub author: String,
    /// Why.
    pub note: String,
    /// What they are.
    pub content: WantedContent,
}

/// What limits are to be.
#[derive(Clone, Debug)]
pub enum WantedContent {
    /// As those in force then, but for some parameters.
    Changes(Vec<LimitsChange>),
    /// A whole document.
    Document {
        /// Its text, of at most 1 MiB.
        text: String,
        /// How it is written.
        format: LimitsFormat,
        /// What a value is that equals a bound, where the text does not say it.
        bounds: Option<LimitBounds>,
    },
}

fn only_the_hub<'a, T: Send + 'a>(what: &'static str) -> Answer<'a, T> {
    let detail = format!("only the hub {what}; ask it. What is in force here stays as it is");
    async move { Err(ProblemResponse::unknown_path(detail)) }.boxed()
}

/// What a server knows of limits beside what is in force. A node knows its versions, and the hub the rest.
pub trait Limits: Send + Sync {
    /// All versions of a mission's limits, newest first.
    fn versions<'a>(&'a self, mission: &'a LiveMission) -> Answer<'a, Vec<LimitsVersion>> {
        let database = mission.database();
        let time = |time: Option<TaiTime>| time.map(rfc3339);
        let versions = database.limits().iter().rev().map(|version| LimitsVersion {
            number: version.number,
            effective_from: time(version.effective.from),
            effective_to: time(version.effective.to),
            imported_at: None,
            author: None,
            note: None,
        });
        let versions = versions.collect();
        async move { Ok(versions) }.boxed()
    }

    /// One version with its text; `None` when there is none of this number.
    fn document<'a>(&'a self, _mission: &'a LiveMission, _number: u32) -> Answer<'a, Option<LimitsDocument>> {
        only_the_hub("has the texts of limits")
    }

    /// Makes the next version.
    fn put<'a>(&'a self, _mission: &'a LiveMission, _wanted: WantedLimits) -> Answer<'a, LimitsVersion> {
        only_the_hub("takes new limits, and its nodes get them from it")
    }

    /// What changes would have made of the samples of a span of generation time, and what the limits in force would.
    fn trial<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _changes: Vec<LimitsChange>,
        _span: Range<TaiTime>,
    ) -> Answer<'a, LimitsTrial> {
        only_the_hub("tries limits")
    }
}

/// Knows what is in force only.
pub(crate) struct LimitsInForce;

impl Limits for LimitsInForce {}

/// An answer about changes that were tried: it is cut where one of them is.
pub fn trial_of(span: &Range<TaiTime>, parameters: Vec<ParameterTrial>) -> LimitsTrial {
    LimitsTrial {
        from: rfc3339(span.start),
        to: rfc3339(span.end),
        is_cut: parameters.iter().any(|trial| trial.judged_until.is_some()),
        parameters,
    }
}
