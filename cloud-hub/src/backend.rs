//! What the hub brings to the dashboard's router.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashboard::access::Gate;
use dashboard::administration::{Administration, NoAdministration};
use dashboard::alarms::Alarms;
use dashboard::backfill::Backfill;
use dashboard::contract::{Completeness, CompletenessBy, Node, Server, ServerKind};
use dashboard::dashboards::DashboardStore;
use dashboard::limits::Limits;
use dashboard::orbits::Orbits;
use dashboard::records::Records;
use dashboard::{Backend, EventLog, LiveMission, MissedExtent, MissedPage, MissedQuery, ProblemResponse};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use processing::{Hour, RangeAnswer, RangeQuery};
use service::logging::chain;
use service::metric::MetricsPage;
use tracing::warn;

use crate::administration::HubAdministration;
use crate::alarms::HubAlarms;
use crate::archive::{Archive, ArchiveError, DashboardTable, Database, PostgresSessions, problem, stations};
use crate::backfill::HubBackfill;
use crate::completeness::{self, Asked, ROWS_MAX};
use crate::fleet::Fleet;
use crate::limits::HubLimits;
use crate::orbits::HubOrbits;
use crate::records::HubRecords;
use crate::role::HubRole;

/// The hub as dashboards see it.
pub struct HubBackend {
    archive: Arc<Archive>,
    database: Database,
    records: HubRecords,
    limits: HubLimits,
    backfill: HubBackfill,
    orbits: HubOrbits,
    fleet: Arc<Fleet>,
    gate: Gate,
    sessions: PostgresSessions,
    administration: Option<HubAdministration>,
    alarms: Arc<HubAlarms>,
    dashboards: DashboardTable,
    metrics: MetricsPage,
    boot_id: String,
    archive_id: [u8; 8],
    server_events: Arc<EventLog>,
    database_answers: Arc<AtomicBool>,
    role: HubRole,
}

impl HubBackend {
    /// Answers from an archive and a fleet. Whether the database answers and the role are kept up to
    /// date by somebody else.
    pub fn new(
        archive: Arc<Archive>,
        database: Database,
        fleet: Arc<Fleet>,
        metrics: MetricsPage,
        (database_answers, role): (Arc<AtomicBool>, HubRole),
    ) -> Self {
        let sessions = PostgresSessions::new(database.clone());
        let gate = Gate::new(sessions.clone());
        let boot_id = uuid::Uuid::new_v4().to_string();
        let records = HubRecords::new(Arc::clone(&archive), database.clone());
        let limits = HubLimits::new(Arc::clone(&archive), database.clone());
        let backfill = HubBackfill::new(database.clone(), Arc::clone(&fleet));
        let orbits = HubOrbits::new(database.clone());
        let alarms = Arc::new(HubAlarms::new(&database, std::iter::empty()));
        let dashboards = DashboardTable::new(database.clone());
        let (archive_id, server_events) = Default::default();
        Self {
            archive,
            database,
            records,
            limits,
            backfill,
            orbits,
            fleet,
            gate,
            sessions,
            administration: None,
            alarms,
            dashboards,
            metrics,
            boot_id,
            archive_id,
            server_events,
            database_answers,
            role,
        }
    }

    /// Says whose ledger live positions belong to, and where the hub's own events are told.
    #[must_use]
    pub fn with_live(self, archive_id: [u8; 8], server_events: Arc<EventLog>) -> Self {
        Self { archive_id, server_events, ..self }
    }

    /// Who is logged in, as this backend finds them.
    pub fn sessions(&self) -> &PostgresSessions {
        &self.sessions
    }

    /// Says what it administers with; without, nothing is administered.
    #[must_use]
    pub fn with_administration(self, administration: HubAdministration) -> Self {
        Self { administration: Some(administration), ..self }
    }

    /// Says where alarms are.
    #[must_use]
    pub fn with_alarms(self, alarms: Arc<HubAlarms>) -> Self {
        Self { alarms, ..self }
    }
}

impl HubBackend {
    /// Place of a mission in the archive.
    fn index_of(&self, mission: &LiveMission) -> Result<usize, ProblemResponse> {
        let missions = self.archive.missions();
        let index = missions.iter().position(|archived| archived.live.name() == mission.name());
        index.ok_or_else(|| ProblemResponse::unknown_mission("the mission is not configured"))
    }

    async fn account(&self, asked: &Asked<'_>) -> Result<Completeness, ArchiveError> {
        let (hours, width) = (asked.hours.clone(), completeness::width(asked.by));
        let account = self.archive.account(&self.database, asked.mission, hours, width, ROWS_MAX + 1).await?;
        let question = self.database.borrow_for_question(asked.mission).await?;
        let stations = stations(&*question).await?;
        question.finish().await?;
        Ok(completeness::describe(asked, &account, &stations))
    }
}

fn not_resumed(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "what a live client missed could not be read");
    ProblemResponse::unavailable(format!("{error}; nothing is lost"))
}

impl Backend for HubBackend {
    fn server(&self) -> Server {
        Server {
            kind: ServerKind::Hub,
            name: "hub".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: self.boot_id.clone(),
            role: Some(self.role.described()),
        }
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn missions(&self) -> Vec<Arc<LiveMission>> {
        self.archive.missions().iter().map(|mission| Arc::clone(&mission.live)).collect()
    }

    fn nodes(&self) -> Vec<Node> {
        self.fleet.describe()
    }

    fn range<'a>(
        &'a self,
        mission: &'a LiveMission,
        query: RangeQuery,
    ) -> BoxFuture<'a, Result<RangeAnswer, ProblemResponse>> {
        async move {
            let index = self.index_of(mission)?;
            self.archive.range(&self.database, index, query).await.map_err(|error| {
                warn!(error = chain(&error), "range could not be answered");
                problem(&error)
            })
        }
        .boxed()
    }

    fn completeness<'a>(
        &'a self,
        mission: &'a LiveMission,
        hours: Range<Hour>,
        by: CompletenessBy,
    ) -> BoxFuture<'a, Result<Completeness, ProblemResponse>> {
        let asked = Asked { mission: mission.name(), hours, by };
        async move {
            let answer = self.account(&asked).await.map_err(|error| {
                warn!(error = chain(&error), "completeness could not be told");
                problem(&error)
            })?;
            if answer.rows.len() > ROWS_MAX {
                let detail =
                    format!("that makes more than {ROWS_MAX} rows; ask for a shorter span, or by day");
                return Err(ProblemResponse::bad_request(detail));
            }
            Ok(answer)
        }
        .boxed()
    }

    fn administration(&self) -> &dyn Administration {
        match &self.administration {
            Some(administration) => administration,
            None => &NoAdministration,
        }
    }

    fn alarms(&self) -> &dyn Alarms {
        &*self.alarms
    }

    fn limits(&self) -> &dyn Limits {
        &self.limits
    }

    fn backfill(&self) -> &dyn Backfill {
        &self.backfill
    }

    fn dashboards(&self) -> &dyn DashboardStore {
        &self.dashboards
    }

    fn records(&self) -> &dyn Records {
        &self.records
    }

    fn orbits(&self) -> &dyn Orbits {
        &self.orbits
    }

    fn archive_id(&self) -> Option<[u8; 8]> {
        Some(self.archive_id)
    }

    fn server_events(&self) -> Option<&EventLog> {
        Some(&self.server_events)
    }

    fn missed_extent<'a>(
        &'a self,
        mission: &'a LiveMission,
        after: i64,
        until: i64,
    ) -> BoxFuture<'a, Result<MissedExtent, ProblemResponse>> {
        async move {
            let extent = self.archive.missed_extent(&self.database, mission.name(), after, until).await;
            extent.map_err(|error| not_resumed(&error))
        }
        .boxed()
    }

    fn missed<'a>(
        &'a self,
        mission: &'a LiveMission,
        query: MissedQuery,
    ) -> BoxFuture<'a, Result<MissedPage, ProblemResponse>> {
        async move {
            let index = self.index_of(mission)?;
            self.archive.missed(&self.database, index, query).await.map_err(|error| not_resumed(&error))
        }
        .boxed()
    }

    fn ready(&self) -> Result<(), String> {
        if self.database_answers.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err("the database does not answer".to_owned())
        }
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }
}
