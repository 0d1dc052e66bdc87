//! The roles the hub works as, and those of people who read the database themselves.
//!
//! Roles belong to a whole cluster: databases share them, and a dump of one does not hold them. So they are made beside
//! the schema's migrations, each time, where they are missing.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{ArchiveError, ConnectFailure};

/// Short statements of the hub. COPY does not go through row-level security, so this role is above it.
pub(super) const INGEST: &str = "sto_ingest";
/// Questions: reads what `sto.mission` names.
pub(super) const INTERACTIVE: &str = "sto_interactive";
/// What every reader may look at, of its missions.
pub(super) const READER: &str = "sto_reader";

const WANTED: [(&str, &str); 3] =
    [(INGEST, "NOLOGIN BYPASSRLS"), (INTERACTIVE, "NOLOGIN"), (READER, "NOLOGIN")];

/// Makes the roles that are missing, and sees to it that this connection's user may work as them and owns the ledger
/// above row-level security.
pub(super) async fn prepare(client: &Client) -> Result<(), ConnectFailure> {
    let (user, is_above): (String, bool) = {
        let sql = "SELECT rolname::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
        let row = client.query_one(sql, &[]).await.map_err(ArchiveError::from)?;
        (row.get(0), row.get(1))
    };
    let refused = |lacks: &str| ConnectFailure::Roles { user: user.clone(), lacks: lacks.to_owned() };
    create(client).await.map_err(|failed| if_refused(failed, || refused("may not make roles")))?;
    for role in [INGEST, INTERACTIVE] {
        let may_be = client.batch_execute(&format!("SET ROLE {role}; RESET ROLE")).await;
        if may_be.is_err_and(|failed| failed.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)) {
            let granted = client.batch_execute(&format!("GRANT {role} TO CURRENT_USER")).await;
            unless_there(granted)
                .map_err(|failed| if_refused(failed, || refused(&format!("may not work as {role}"))))?;
        }
    }
    let sql = "SELECT rolbypassrls FROM pg_roles WHERE rolname = $1";
    let row = client.query_one(sql, &[&INGEST]).await.map_err(ArchiveError::from)?;
    if !(is_above && row.get::<_, bool>(0)) {
        return Err(refused("or sto_ingest has no BYPASSRLS, without which nothing can be copied in"));
    }
    Ok(())
}

/// Makes the roles that are missing. Another database's hub may do it at the same time.
pub(super) async fn create(client: &Client) -> Result<(), tokio_postgres::Error> {
    for (role, attributes) in WANTED {
        if !exists(client, role).await? {
            unless_there(client.batch_execute(&format!("CREATE ROLE {role} {attributes}")).await)?;
        }
    }
    Ok(())
}

/// Whether there is a role of this name.
pub(super) async fn exists(client: &Client, role: &str) -> Result<bool, tokio_postgres::Error> {
    let row = client.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role]).await?;
    Ok(row.is_some())
}

/// That somebody else was quicker is as good.
pub(super) fn unless_there(done: Result<(), tokio_postgres::Error>) -> Result<(), tokio_postgres::Error> {
    let quicker = [SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION];
    done.or_else(|failed| match failed.code() {
        Some(code) if quicker.contains(code) => Ok(()),
        _ => Err(failed),
    })
}

fn if_refused(failed: tokio_postgres::Error, refused: impl Fn() -> ConnectFailure) -> ConnectFailure {
    if failed.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return refused();
    }
    ConnectFailure::Archive(failed.into())
}
