//! What people may do with dashboards of a mission that they may know of.

use operator_state::{Audience, ChangeError, Content, DashboardDocument, RequestId, Signature};

use super::described::{described, file, is_id, read_change, read_new, summary};
use super::{DASHBOARDS_MAX, DashboardStore, Edited, damaged};
use crate::ProblemResponse;
use crate::access::{MissionScope, Principal, Role};
use crate::contract::{Dashboard, DashboardChange, DashboardFile, DashboardSummary, NewDashboard};

/// Whether somebody may see a dashboard of a mission that they may know of.
fn sees(who: &Principal, audience: Audience, author: &str) -> bool {
    match audience {
        Audience::Author => who.name == author,
        Audience::Operators => who.name == author || who.grant.role == Role::Operator,
        Audience::Everyone => true,
    }
}

/// Whether somebody decides who sees a dashboard, and whether there is one: its author, and who looks after all missions.
fn decides(who: &Principal, author: &str) -> bool {
    who.name == author || who.grant.missions == MissionScope::All
}

fn unknown(mission: &str, id: &str) -> ProblemResponse {
    let id: String = id.chars().take(80).collect();
    ProblemResponse::unknown_dashboard(format!("mission {mission} has no dashboard {id:?} for you here"))
}

/// Reads a document, for whoever may see it.
fn seen(
    document: Option<Vec<u8>>,
    who: &Principal,
    mission: &str,
    id: &str,
) -> Result<DashboardDocument, ProblemResponse> {
    let document = document.ok_or_else(|| unknown(mission, id))?;
    let document = DashboardDocument::load(document).map_err(|error| damaged(&error))?;
    let Content { audience, author, .. } = document.content();
    if sees(who, *audience, author) { Ok(document) } else { Err(unknown(mission, id)) }
}

/// Reading and merging takes milliseconds, which others do not wait for.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ProblemResponse> + Send + 'static,
) -> Result<T, ProblemResponse> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|_| ProblemResponse::internal("a dashboard could not be read; nothing was changed"))?
}

async fn seen_in(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    who: &Principal,
) -> Result<DashboardDocument, ProblemResponse> {
    if !is_id(id) {
        return Err(unknown(mission, id));
    }
    let document = store.find(mission, id).await?;
    let (who, mission, id) = (who.clone(), mission.to_owned(), id.to_owned());
    aside(move || seen(document, &who, &mission, &id)).await
}

pub(crate) async fn list(
    store: &dyn DashboardStore,
    mission: &str,
    who: &Principal,
) -> Result<Vec<DashboardSummary>, ProblemResponse> {
    let mut found = store.list(mission).await?;
    found.retain(|(_, facts)| sees(who, facts.audience, &facts.author));
    found.sort_by(|(id, facts), (other_id, other)| (&facts.title, id).cmp(&(&other.title, other_id)));
    Ok(found.into_iter().map(|(id, facts)| summary(id, facts)).collect())
}

pub(crate) async fn find(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    who: &Principal,
) -> Result<Dashboard, ProblemResponse> {
    Ok(described(id, &seen_in(store, mission, id, who).await?))
}

pub(crate) async fn export(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    who: &Principal,
) -> Result<DashboardFile, ProblemResponse> {
    Ok(file(seen_in(store, mission, id, who).await?.content()))
}

fn signature(who: &Principal) -> Signature {
    Signature { author: who.name.clone(), at: service::clock::now() }
}

/// Why a document was not made or changed, as who asked is told.
fn refused(error: &ChangeError) -> ProblemResponse {
    let detail = error.to_string();
    match error {
        ChangeError::Full(_) => ProblemResponse::dashboard_full(detail),
        ChangeError::RequestId => ProblemResponse::dashboard_id(detail),
        ChangeError::Damaged(_) | ChangeError::Document(_) => ProblemResponse::dashboard_damaged(detail),
    }
}

/// Keeps a new dashboard. The same one sent again is there already.
pub(crate) async fn create(
    store: &dyn DashboardStore,
    mission: &str,
    new: NewDashboard,
    who: &Principal,
) -> Result<Dashboard, ProblemResponse> {
    let (id, new) = read_new(new)?;
    let (by, request) = (signature(who), RequestId::of_name(&id));
    let edit = move |kept: Option<Vec<u8>>, count: usize| {
        if let Some(kept) = kept {
            let kept = DashboardDocument::load(kept).ok();
            let same = kept.filter(|kept| kept.was_created_by(&new, &by, request));
            let taken = "another dashboard has this id; send this one with a new random one";
            return same.map(Edited::Leave).ok_or_else(|| ProblemResponse::dashboard_id(taken));
        }
        if count >= DASHBOARDS_MAX {
            let detail = format!(
                "the mission has {count} dashboards, with those that you may not see, and at most {DASHBOARDS_MAX} are kept"
            );
            return Err(ProblemResponse::dashboard_full(detail));
        }
        let made = DashboardDocument::create(&new, &by, request).map_err(|error| refused(&error))?;
        Ok(Edited::Keep(made))
    };
    kept(store, mission, &id, edit).await
}

/// Merges a change into a dashboard that somebody may see. The same one sent again is in it already.
pub(crate) async fn change(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    change: DashboardChange,
    who: &Principal,
) -> Result<Dashboard, ProblemResponse> {
    if !is_id(id) {
        return Err(unknown(mission, id));
    }
    let (request, base, change) = read_change(change)?;
    let (by, who, place) = (signature(who), who.clone(), (mission.to_owned(), id.to_owned()));
    let edit = move |kept: Option<Vec<u8>>, _| {
        let document = seen(kept, &who, &place.0, &place.1)?;
        let Content { audience, author, .. } = document.content();
        if change.audience().is_some_and(|wanted| wanted != *audience) && !decides(&who, author) {
            let detail =
                format!("who sees it is decided by {author}, who made it, or by an operator of all missions");
            return Err(ProblemResponse::not_allowed(detail));
        }
        let changed = document.changed(&change, &base, &by, request).map_err(|error| refused(&error))?;
        Ok(changed.map_or(Edited::Leave(document), Edited::Keep))
    };
    kept(store, mission, id, edit).await
}

async fn kept(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    edit: impl FnOnce(Option<Vec<u8>>, usize) -> Result<Edited, ProblemResponse> + Send + 'static,
) -> Result<Dashboard, ProblemResponse> {
    let document = store.edit(mission, id, Box::new(edit)).await?;
    document.map(|document| described(id, &document)).ok_or_else(|| unknown(mission, id))
}

/// Forgets a dashboard, also one that cannot be read if who asks looks after all missions.
pub(crate) async fn remove(
    store: &dyn DashboardStore,
    mission: &str,
    id: &str,
    who: &Principal,
) -> Result<(), ProblemResponse> {
    if !is_id(id) {
        return Err(unknown(mission, id));
    }
    let (who, place) = (who.clone(), (mission.to_owned(), id.to_owned()));
    let edit = move |kept: Option<Vec<u8>>, _| {
        let is_damaged = |problem: &ProblemResponse| problem.code() == "STO-DASHBOARD-DAMAGED";
        match seen(kept, &who, &place.0, &place.1) {
            Ok(document) if decides(&who, &document.content().author) => Ok(Edited::Remove),
            Ok(document) => {
                let author = &document.content().author;
                let detail =
                    format!("it is removed by {author}, who made it, or by an operator of all missions");
                Err(ProblemResponse::not_allowed(detail))
            }
            Err(problem) if is_damaged(&problem) && who.grant.missions == MissionScope::All => {
                Ok(Edited::Remove)
            }
            Err(problem) => Err(problem),
        }
    };
    store.edit(mission, id, Box::new(edit)).await.map(drop)
}
