//! What the hub brings to the router of what lies in the ledger and beside it.

use std::ops::Range;
use std::sync::Arc;

use dashboard::contract::{ApartBatch, DeclaredGap, HubEvent, NodeEvent, Order, PacketSummary};
use dashboard::records::{
    EventFilter, ExportBody, Exported, FoundPacket, PacketFilter, Page, PostedEvent, RecordId, Records, Slice,
};
use dashboard::{LiveMission, ProblemResponse};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use service::logging::chain;
use space_packet::TaiTime;
use tokio::sync::Semaphore;
use tracing::warn;

use crate::archive::{Archive, ArchiveError, Database, Evidence, Posting};
use crate::exports::{EXPORTS_MAX, PacketParts, SampleParts, SamplesWanted, stream};

type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// The ledger as dashboards see it.
pub(crate) struct HubRecords {
    archive: Arc<Archive>,
    database: Database,
    evidence: Evidence,
    exports: Arc<Semaphore>,
}

impl HubRecords {
    pub(crate) fn new(archive: Arc<Archive>, database: Database) -> Self {
        let evidence = Evidence::new(database.clone());
        Self { archive, database, evidence, exports: Arc::new(Semaphore::new(EXPORTS_MAX)) }
    }

    fn index(&self, mission: &LiveMission) -> Result<usize, ProblemResponse> {
        let mut missions = self.archive.missions().iter();
        let index = missions.position(|archived| archived.live.name() == mission.name());
        index.ok_or_else(|| ProblemResponse::unknown_mission("the mission is not configured"))
    }
}

fn unavailable(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "question about the ledger could not be answered");
    ProblemResponse::unavailable(format!("{error}; nothing is lost, try again in a few seconds"))
}

impl Records for HubRecords {
    fn packets<'a>(
        &'a self,
        mission: &'a LiveMission,
        slice: Slice,
        filter: PacketFilter,
    ) -> Answer<'a, Page<PacketSummary>> {
        async move {
            let mission = self.index(mission)?;
            let page = self.archive.packets(&self.database, mission, slice, filter).await;
            page.map_err(|error| unavailable(&error))
        }
        .boxed()
    }

    fn packet<'a>(&'a self, mission: &'a LiveMission, id: RecordId) -> Answer<'a, Option<FoundPacket>> {
        async move {
            let mission = self.index(mission)?;
            self.archive.packet(&self.database, mission, id).await.map_err(|error| unavailable(&error))
        }
        .boxed()
    }

    fn node_events<'a>(
        &'a self,
        mission: &'a LiveMission,
        slice: Slice,
        order: Order,
        filter: EventFilter,
    ) -> Answer<'a, Page<NodeEvent>> {
        async move {
            let mission = self.index(mission)?;
            let page = self.archive.events(&self.database, mission, (slice, order), filter).await;
            page.map_err(|error| unavailable(&error))
        }
        .boxed()
    }

    fn post_event<'a>(&'a self, mission: &'a LiveMission, posted: PostedEvent) -> Answer<'a, NodeEvent> {
        async move {
            let mission = self.index(mission)?;
            let posting = self.archive.post_event(&self.database, mission, &posted).await;
            match posting.map_err(|error| unavailable(&error))? {
                Posting::Kept(event) => Ok(event),
                Posting::Taken => Err(ProblemResponse::event_id(
                    "another event of the mission has this id; make a new one at random, nothing was posted",
                )),
            }
        }
        .boxed()
    }

    fn gaps<'a>(&'a self, mission: &'a LiveMission, slice: Slice) -> Answer<'a, Page<DeclaredGap>> {
        async move {
            let mission = self.index(mission)?;
            let page = self.archive.gaps(&self.database, mission, &slice).await;
            page.map_err(|error| unavailable(&error))
        }
        .boxed()
    }

    fn hub_events(&self, slice: Slice, filter: EventFilter) -> Answer<'_, Page<HubEvent>> {
        async move { self.evidence.event_page(&slice, &filter).await.map_err(|error| unavailable(&error)) }
            .boxed()
    }

    fn apart(&self, slice: Slice) -> Answer<'_, Page<ApartBatch>> {
        async move { self.evidence.apart_page(&slice).await.map_err(|error| unavailable(&error)) }.boxed()
    }

    fn export<'a>(
        &'a self,
        mission: &'a LiveMission,
        span: Range<TaiTime>,
        exported: Exported,
    ) -> Answer<'a, ExportBody> {
        async move {
            let index = self.index(mission)?;
            let place = Arc::clone(&self.exports).try_acquire_owned().map_err(|_| {
                let detail = format!("{EXPORTS_MAX} exports are being made; try again when one has ended");
                ProblemResponse::exports_busy(detail)
            })?;
            let failed = |error| {
                warn!(error = chain(&error), "export could not begin");
                ProblemResponse::unavailable(format!("{error}; nothing is lost, try again in a few seconds"))
            };
            let (archive, database) = (Arc::clone(&self.archive), self.database.clone());
            match exported {
                Exported::Packets(filter) => {
                    let packets = self.archive.raw_packets(index, span, filter);
                    stream(PacketParts::new(database, packets), place).await.map_err(failed)
                }
                Exported::Samples { format, parameters, reading } => {
                    let wanted = SamplesWanted { mission: index, format, span, parameters, reading };
                    let parts = SampleParts::new(archive, database, wanted).map_err(failed)?;
                    stream(parts, place).await.map_err(failed)
                }
            }
        }
        .boxed()
    }
}
