//! Backfill on request, as the router asks for it.

use std::ops::Range;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

use crate::contract::BackfillRequest;
use crate::{LiveMission, ProblemResponse};

/// An answer that takes a look into a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// A span that somebody wants first.
#[derive(Clone, Debug)]
pub struct WantedBackfill {
    /// Name of the node.
    pub node: String,
    /// Which reception times.
    pub span: Range<TaiTime>,
    /// Who wants it.
    pub by: String,
}

fn only_the_hub<'a, T: Send + 'a>() -> Answer<'a, T> {
    let detail = "only the hub asks nodes to send something first; ask it";
    async move { Err(ProblemResponse::unknown_path(detail)) }.boxed()
}

/// Requests for backfill. A server that nodes do not forward to has none.
pub trait Backfill: Send + Sync {
    /// Requests about a mission, newest first, at most 1,000.
    fn requests<'a>(&'a self, _mission: &'a LiveMission) -> Answer<'a, Vec<BackfillRequest>> {
        only_the_hub()
    }

    /// Asks a node of the mission. A request that is open and wants the same is answered as it stands.
    fn ask<'a>(&'a self, _mission: &'a LiveMission, _wanted: WantedBackfill) -> Answer<'a, BackfillRequest> {
        only_the_hub()
    }
}

/// Asks nobody.
pub(crate) struct NoBackfill;

impl Backfill for NoBackfill {}
