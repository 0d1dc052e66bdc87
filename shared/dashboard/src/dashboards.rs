//! Dashboards that people keep: who may see and change which, and where a server keeps them.

mod acts;
mod described;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use operator_state::{DashboardDocument, Facts, LoadError};

use crate::ProblemResponse;

pub(crate) use acts::{change, create, export, find, list, remove};

/// Dashboards of a mission.
pub const DASHBOARDS_MAX: usize = 200;

/// An answer that takes a look into a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// What is decided about a dashboard while nobody else changes it, from its document as it is kept, if it is, and from
/// how many dashboards its mission has. It may take as long as a merge does: a store runs it where it holds up nothing.
pub type Edit = Box<dyn FnOnce(Option<Vec<u8>>, usize) -> Result<Edited, ProblemResponse> + Send>;

/// What becomes of a dashboard.
#[derive(Debug)]
pub enum Edited {
    /// It is kept so.
    Keep(DashboardDocument),
    /// It stays as it is, which is this.
    Leave(DashboardDocument),
    /// It is forgotten.
    Remove,
}

/// Where dashboards are kept. It knows nothing of who asks: that is decided here. By default a server keeps none.
pub trait DashboardStore: Send + Sync {
    /// Id and facts of each dashboard of a mission, in any order.
    fn list<'a>(&'a self, _mission: &'a str) -> Answer<'a, Vec<(String, Facts)>> {
        keeps_none()
    }

    /// The document of one; `None`: there is none.
    fn find<'a>(&'a self, _mission: &'a str, _id: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        keeps_none()
    }

    /// Does something about one, and nothing else meanwhile. What is to be kept is durable when this returns. Returns
    /// it as it is then; `None`: it is gone.
    fn edit<'a>(
        &'a self,
        _mission: &'a str,
        _id: &'a str,
        _edit: Edit,
    ) -> Answer<'a, Option<DashboardDocument>> {
        keeps_none()
    }
}

fn keeps_none<'a, T: Send + 'a>() -> Answer<'a, T> {
    async { Err(ProblemResponse::unknown_dashboard("this server keeps no dashboards")) }.boxed()
}

/// Keeps none.
pub struct NoDashboards;

impl DashboardStore for NoDashboards {}

/// What who asked is told of a document that cannot be read.
pub fn damaged(error: &LoadError) -> ProblemResponse {
    let detail = format!("{error}; it is left as it is, and other dashboards are not touched by it");
    ProblemResponse::dashboard_damaged(detail)
}
