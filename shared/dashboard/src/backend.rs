//! What a binary brings to the router.

use std::ops::Range;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use processing::{Hour, RangeAnswer, RangeQuery};

use crate::access::Gate;
use crate::administration::{Administration, NoAdministration};
use crate::alarms::{Alarms, NoAlarms};
use crate::backfill::{Backfill, NoBackfill};
use crate::contract::{Completeness, CompletenessBy, Node, Server};
use crate::dashboards::{DashboardStore, NoDashboards};
use crate::limits::{Limits, LimitsInForce};
use crate::orbits::{NoOrbits, Orbits};
use crate::records::{NoRecords, Records};
use crate::{EventLog, LiveMission, MissedExtent, MissedPage, MissedQuery, ProblemResponse};

const NO_POSITIONS: &str = "this server shows changes before they have a place in an archive";

/// What differs between hub and edge.
pub trait Backend: Send + Sync + 'static {
    /// Who answers.
    fn server(&self) -> Server;
    /// Who may come in.
    fn gate(&self) -> &Gate;
    /// All missions, by name.
    fn missions(&self) -> Vec<Arc<LiveMission>>;
    /// All nodes as last known, by name. Asked every second by every open dashboard, so it comes from memory.
    fn nodes(&self) -> Vec<Node>;
    /// Answers a question about a range.
    fn range<'a>(
        &'a self,
        mission: &'a LiveMission,
        query: RangeQuery,
    ) -> BoxFuture<'a, Result<RangeAnswer, ProblemResponse>>;
    /// Says what came of a mission's records that were received in some hours. A node cannot: it knows only itself.
    fn completeness<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _hours: Range<Hour>,
        _by: CompletenessBy,
    ) -> BoxFuture<'a, Result<Completeness, ProblemResponse>> {
        let at_hub = "only the hub keeps account of what came from where; ask it, or `edge-node status` here";
        async move { Err(ProblemResponse::unknown_path(at_hub)) }.boxed()
    }
    /// What lies in the ledger and beside it. A node has none of it yet.
    fn records(&self) -> &dyn Records {
        &NoRecords
    }
    /// What it administers. A node is administered at the hub.
    fn administration(&self) -> &dyn Administration {
        &NoAdministration
    }
    /// What it has of alarms. A server without any has nothing of it.
    fn alarms(&self) -> &dyn Alarms {
        &NoAlarms
    }
    /// Where it has places of sites and elements of spacecraft. A node has none.
    fn orbits(&self) -> &dyn Orbits {
        &NoOrbits
    }
    /// Dashboards that people keep here. By default there are none.
    fn dashboards(&self) -> &dyn DashboardStore {
        &NoDashboards
    }
    /// What it knows of limits. A node knows what is in force.
    fn limits(&self) -> &dyn Limits {
        &LimitsInForce
    }
    /// Requests for backfill. A node is asked by the hub.
    fn backfill(&self) -> &dyn Backfill {
        &NoBackfill
    }
    /// Names the archive that positions of live changes belong to: another one after the database was restored or
    /// replaced. Absent where changes are shown before they have a position; then nobody can resume.
    fn archive_id(&self) -> Option<[u8; 8]> {
        None
    }
    /// The server's own events; absent where there are none.
    fn server_events(&self) -> Option<&EventLog> {
        None
    }
    /// How much was committed for a mission behind `after`, up to `until`.
    fn missed_extent<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _after: i64,
        _until: i64,
    ) -> BoxFuture<'a, Result<MissedExtent, ProblemResponse>> {
        async { Err(ProblemResponse::not_streamed(NO_POSITIONS)) }.boxed()
    }
    /// The beginning of what was committed for a mission.
    fn missed<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _query: MissedQuery,
    ) -> BoxFuture<'a, Result<MissedPage, ProblemResponse>> {
        async { Err(ProblemResponse::not_streamed(NO_POSITIONS)) }.boxed()
    }
    /// Whether requests can be answered now, else why not.
    fn ready(&self) -> Result<(), String>;
    /// The metrics page.
    fn metrics(&self) -> String;
}
