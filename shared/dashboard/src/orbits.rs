//! Places of sites and elements of spacecraft, as the router asks for them. What follows from them (passes, tracks) is
//! computed here; the server that brings them only keeps them.

mod imported;
mod spacecraft;
mod visibility;

use std::ops::Range;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

use crate::ProblemResponse;
use crate::contract::{PassReceived, SitePlace};

pub(crate) use imported::TEXT_BYTES_MAX;
pub use imported::{check_place, read_elements};
pub use spacecraft::{Spacecraft, Version};
pub(crate) use visibility::{Heard, Listener, Visibility, pair_of, pass_of};

type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// A site whose place somebody has said.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedSite {
    /// Its name.
    pub site: String,
    /// Where it is.
    pub place: SitePlace,
    /// When that was said.
    pub set_at: TaiTime,
    /// Who said so.
    pub set_by: String,
}

/// Elements of one spacecraft that can be propagated, not kept yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewElements {
    /// Name of the spacecraft in the mission.
    pub spacecraft: String,
    /// The moment at which they hold best.
    pub epoch: TaiTime,
    /// As they were written.
    pub text: String,
}

/// Elements of one spacecraft, as they are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredElements {
    /// What was imported.
    pub elements: NewElements,
    /// When.
    pub imported_at: TaiTime,
    /// By whom.
    pub imported_by: String,
    /// How many versions of this spacecraft's elements are kept.
    pub versions: u64,
}

/// A time in which a node may have received something.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceptionWindow {
    /// Name of the node.
    pub node: String,
    /// Reception times.
    pub span: Range<TaiTime>,
}

fn none<'a, T: Send + 'a>() -> Answer<'a, T> {
    let detail = "places and elements are kept at the hub, which computes passes and tracks; ask it";
    async move { Err(ProblemResponse::no_orbits(detail)) }.boxed()
}

/// Where a server keeps places and elements. One that does not answers that the hub does.
pub trait Orbits: Send + Sync {
    /// All sites that have a place, by name.
    fn places(&self) -> Answer<'_, Vec<PlacedSite>> {
        none()
    }

    /// Says where a site is; the place before is forgotten.
    fn put_place<'a>(&'a self, _site: &'a str, _place: SitePlace, _by: &'a str) -> Answer<'a, ()> {
        none()
    }

    /// The elements of a mission's spacecraft that count at some moment of a span: of each version from its epoch to the next
    /// one's, of the first also before. By spacecraft, then epoch, then import.
    fn elements<'a>(&'a self, _mission: &'a str, _span: Range<TaiTime>) -> Answer<'a, Vec<StoredElements>> {
        none()
    }

    /// Keeps new versions, all or none; what is there already stays as it is.
    fn put_elements<'a>(&'a self, _mission: &'a str, _new: Vec<NewElements>, _by: &'a str) -> Answer<'a, ()> {
        none()
    }

    /// What nodes received of a mission in each of some windows.
    fn received<'a>(
        &'a self,
        _mission: &'a str,
        _windows: Vec<ReceptionWindow>,
    ) -> Answer<'a, Vec<PassReceived>> {
        none()
    }
}

/// Has nothing of it.
pub(crate) struct NoOrbits;

impl Orbits for NoOrbits {}
