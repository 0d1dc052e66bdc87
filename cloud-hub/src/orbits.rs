//! What the hub brings to the router of places and elements.

use std::ops::Range;

use dashboard::ProblemResponse;
use dashboard::contract::{PassReceived, SitePlace};
use dashboard::orbits::{NewElements, Orbits, PlacedSite, ReceptionWindow, StoredElements};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use service::logging::chain;
use space_packet::TaiTime;
use tracing::{info, warn};

use crate::archive::problem;
use crate::archive::{ArchiveError, Database, OrbitTable};

type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// Places and elements as dashboards see them.
pub(crate) struct HubOrbits(OrbitTable);

impl HubOrbits {
    pub(crate) fn new(database: Database) -> Self {
        Self(OrbitTable::new(database))
    }
}

fn told(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "places or elements could not be read or kept");
    problem(error)
}

impl Orbits for HubOrbits {
    fn places(&self) -> Answer<'_, Vec<PlacedSite>> {
        async move { self.0.places().await.map_err(|error| told(&error)) }.boxed()
    }

    fn put_place<'a>(&'a self, site: &'a str, place: SitePlace, by: &'a str) -> Answer<'a, ()> {
        let (site, set_by) = (site.to_owned(), by.to_owned());
        let placed = PlacedSite { site, place, set_at: service::clock::now(), set_by };
        async move {
            self.0.put_place(&placed).await.map_err(|error| told(&error))?;
            info!(site = placed.site, by, "place of a site was said");
            Ok(())
        }
        .boxed()
    }

    fn elements<'a>(&'a self, mission: &'a str, span: Range<TaiTime>) -> Answer<'a, Vec<StoredElements>> {
        async move {
            let found = self.0.elements(mission, span).await.map_err(|error| told(&error))?;
            if found.len() as i64 > OrbitTable::VERSIONS_MAX {
                let most = OrbitTable::VERSIONS_MAX;
                let detail = format!(
                    "more than {most} versions of elements count in this span; ask for a shorter one"
                );
                return Err(ProblemResponse::bad_request(detail));
            }
            Ok(found)
        }
        .boxed()
    }

    fn put_elements<'a>(&'a self, mission: &'a str, new: Vec<NewElements>, by: &'a str) -> Answer<'a, ()> {
        async move {
            let kept = self.0.put_elements(mission, &new, by).await.map_err(|error| told(&error))?;
            info!(mission, sets = new.len(), new = kept, by, "elements were imported");
            Ok(())
        }
        .boxed()
    }

    fn received<'a>(
        &'a self,
        mission: &'a str,
        windows: Vec<ReceptionWindow>,
    ) -> Answer<'a, Vec<PassReceived>> {
        async move { self.0.received(mission, &windows).await.map_err(|error| told(&error)) }.boxed()
    }
}
