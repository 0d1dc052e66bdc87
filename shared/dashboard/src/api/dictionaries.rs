//! The routes of a mission's dictionaries: its versions, the text of one, and bringing a new one.

use std::sync::Arc;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use service::documents::DOCUMENT_BYTES_MAX;
use utoipa::IntoParams;

use super::asking::{Asked, announced_bytes, in_time};
use super::{LoggedIn, Shared, refusals, time};
use crate::ProblemResponse;
use crate::access::{Action, Resource};
use crate::administration::NewDictionary;
use crate::contract::{DictionaryDocuments, DictionaryImport};

const FILE_NAME: &str = "dictionary.xml";
const FILE_NAME_BYTES_MAX: usize = 255;
const REASON_BYTES_MAX: usize = 4 * 1_024;

/// All versions of a mission's dictionary, newest first. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/dictionary", params(("mission" = String, Path)),
    responses((status = 200, body = DictionaryDocuments), refusals::OfHub))]
pub(super) async fn dictionaries(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<DictionaryDocuments>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let versions = in_time(app.backend.administration().dictionaries(&name)).await?;
    Ok(Json(DictionaryDocuments { versions }))
}

/// The text of one version, as a file. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/dictionary/{number}",
    params(("mission" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), refusals::OfHub))]
pub(super) async fn dictionary(
    State(app): State<Shared>,
    Path((name, number)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Response, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let unknown = || {
        let detail = format!("mission {name} has no version {number:?} of its dictionary");
        ProblemResponse::unknown_dictionary(detail)
    };
    let wanted = number.parse().map_err(|_| unknown())?;
    let found = in_time(app.backend.administration().dictionary(&name, wanted)).await?.ok_or_else(unknown)?;
    // Somebody else's XML, from the page's own host: never to be shown as a document of it.
    let kept = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_DISPOSITION, attachment(&name, wanted)?),
    ];
    Ok((kept, found.text).into_response())
}

/// A name made of the mission's, which is letters and digits: the file's own may be anything.
fn attachment(mission: &str, number: u32) -> Result<HeaderValue, ProblemResponse> {
    HeaderValue::from_str(&format!("attachment; filename=\"{mission}-dictionary-{number}.xml\""))
        .map_err(|_| ProblemResponse::internal("the mission's name is no file name; report this"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// Only to say what it would change; nothing is imported.
    #[serde(default)]
    dry_run: bool,
    /// From which generation time on it is to be in force; from now on when absent, the first one from the beginning.
    effective_from: Option<String>,
    /// What errors call it, 1 to 255 bytes; `dictionary.xml` when absent.
    file_name: Option<String>,
    /// Why, at most 4,096 bytes.
    reason: Option<String>,
}

/// Imports a version of a mission's dictionary, XTCE of at most 64 MiB, or says with `dry_run` what it would change. What
/// is wrong with it is told with line and column. Only at the hub, only for operators of all missions.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/dictionary",
    request_body(content = String, content_type = "text/xml"), params(("mission" = String, Path), ImportQuery),
    responses((status = 200, body = DictionaryImport), refusals::OfImport))]
pub(super) async fn import(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    Asked(query): Asked<ImportQuery>,
    request: Request,
) -> Result<Json<DictionaryImport>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    who.may(Action::Administer, Resource::Server)?;
    let reason = query.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let file_name = query.file_name.unwrap_or_else(|| FILE_NAME.to_owned());
    let can_be_shown =
        |text: &str, most| (1..=most).contains(&text.len()) && !text.chars().any(char::is_control);
    if !can_be_shown(&file_name, FILE_NAME_BYTES_MAX)
        || reason.as_ref().is_some_and(|reason| !can_be_shown(reason, REASON_BYTES_MAX))
    {
        let detail = format!(
            "`file_name` has 1 to {FILE_NAME_BYTES_MAX} bytes, `reason` at most {REASON_BYTES_MAX}, both without control characters; nothing was changed"
        );
        return Err(ProblemResponse::admin_text(detail));
    }
    let effective_from = query.effective_from.as_deref().map(time).transpose()?;
    // Before its body is read: several of them at once would be memory without bound.
    let turn = Arc::clone(&app.imports).try_acquire_owned().map_err(|_| {
        ProblemResponse::imports_busy("nothing was changed; try again when the other import has ended")
    })?;
    let new = NewDictionary {
        file_name,
        text: text(request).await?,
        effective_from,
        author: who.principal.name,
        reason,
        is_dry_run: query.dry_run,
    };
    // It goes on when nobody waits for it any more, and the turn is over with it.
    let import = tokio::spawn(async move {
        let _turn = turn;
        app.backend.administration().import_dictionary(&name, new).await
    });
    let ended = |_| ProblemResponse::internal("the import ended unexpectedly; report this");
    Ok(Json(import.await.map_err(ended)??))
}

async fn text(request: Request) -> Result<String, ProblemResponse> {
    let too_large = || {
        let detail = format!(
            "a dictionary has at most {DOCUMENT_BYTES_MAX} bytes; nothing was changed. Leave out what telemetry does not need"
        );
        ProblemResponse::too_large(detail)
    };
    if announced_bytes(request.headers()).is_some_and(|bytes| bytes > DOCUMENT_BYTES_MAX) {
        return Err(too_large());
    }
    let bytes = to_bytes(request.into_body(), DOCUMENT_BYTES_MAX).await.map_err(|_| too_large())?;
    String::from_utf8(bytes.into())
        .map_err(|_| ProblemResponse::dictionary("the body is no text in UTF-8; nothing was changed"))
}
