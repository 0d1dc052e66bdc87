//! Codes and sessions of the dashboard. Sessions found once stay in memory, so that a database that is away does
//! not throw anybody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dashboard::access::{
    CODE_DURATION, Grant, KnownPrincipal, MissionScope, Principal, SecretHash, SessionStore,
    StoreUnavailable, hash, new_code,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::{ApiTokens, ArchiveError, Database};

/// Sessions remembered; beyond, they are asked for again.
const REMEMBERED_MAX: usize = 10_000;

/// The store in PostgreSQL.
pub struct PostgresSessions {
    database: Database,
    tokens: ApiTokens,
    known: Mutex<HashMap<SecretHash, KnownPrincipal>>,
}

impl PostgresSessions {
    /// The store of a database.
    pub fn new(database: Database) -> Self {
        Self { tokens: ApiTokens::new(database.clone()), database, known: Mutex::default() }
    }

    /// Makes a code for a principal.
    pub async fn make_code(&self, principal: &Principal) -> Result<String, ArchiveError> {
        let code = new_code();
        let expires = service::clock::now().plus_nanos(CODE_DURATION.as_nanos() as i64);
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM login_code WHERE expires < $1", &[&service::clock::now().0]).await?;
        client
            .execute(
                "INSERT INTO login_code (code_hash, principal, expires, role, missions)
                 VALUES ($1, $2, $3, $4, $5)",
                &[
                    &hash(&code).as_slice(),
                    &principal.name,
                    &expires.0,
                    &principal.grant.role.word(),
                    &principal.grant.missions.names(),
                ],
            )
            .await?;
        Ok(code)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SecretHash, KnownPrincipal>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_code(&self, code: SecretHash, now: TaiTime) -> Result<Option<Principal>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "DELETE FROM login_code WHERE code_hash = $1 AND expires > $2
                 RETURNING principal, role, missions",
                &[&code.as_slice(), &now.0],
            )
            .await?;
        row.as_ref().map(principal).transpose()
    }

    async fn insert_session(&self, id: SecretHash, session: &KnownPrincipal) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM web_session WHERE expires < $1", &[&service::clock::now().0]).await?;
        client
            .execute(
                "INSERT INTO web_session (id_hash, principal, expires, role, missions)
                 VALUES ($1, $2, $3, $4, $5)",
                &[
                    &id.as_slice(),
                    &session.principal.name,
                    &session.expires.0,
                    &session.principal.grant.role.word(),
                    &session.principal.grant.missions.names(),
                ],
            )
            .await?;
        Ok(())
    }

    async fn find_session(&self, id: SecretHash) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT principal, expires, role, missions FROM web_session WHERE id_hash = $1",
                &[&id.as_slice()],
            )
            .await?;
        row.map(|row| {
            Ok(KnownPrincipal { principal: principal(&row)?, expires: TaiTime(row.get("expires")) })
        })
        .transpose()
    }

    async fn remove_session(&self, id: SecretHash) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM web_session WHERE id_hash = $1", &[&id.as_slice()]).await?;
        Ok(())
    }
}

fn principal(row: &Row) -> Result<Principal, ArchiveError> {
    Ok(Principal { name: row.get("principal"), grant: grant(row)? })
}

/// The grant in a row's `role` and `missions`.
pub(super) fn grant(row: &Row) -> Result<Grant, ArchiveError> {
    let role = row.get::<_, &str>("role").parse();
    let role = role.map_err(|error| ArchiveError::Damaged { what: "role", source: Box::new(error) })?;
    let missions: Option<Vec<String>> = row.get("missions");
    Ok(Grant { role, missions: MissionScope::from(missions.map(|names| names.into_iter().collect())) })
}

impl From<ArchiveError> for StoreUnavailable {
    fn from(error: ArchiveError) -> Self {
        Self(error.to_string())
    }
}

impl SessionStore for PostgresSessions {
    fn redeem_code(
        &self,
        code: SecretHash,
        now: TaiTime,
    ) -> BoxFuture<'_, Result<Option<Principal>, StoreUnavailable>> {
        async move { Ok(self.take_code(code, now).await?) }.boxed()
    }

    fn insert(&self, id: SecretHash, session: KnownPrincipal) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        async move {
            self.insert_session(id, &session).await?;
            self.known().insert(id, session);
            Ok(())
        }
        .boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        async move {
            if let Some(session) = self.known().get(&id) {
                return Ok(Some(session.clone()));
            }
            let found = self.find_session(id).await?;
            if let Some(session) = &found {
                let mut known = self.known();
                if known.len() >= REMEMBERED_MAX {
                    known.clear();
                }
                known.insert(id, session.clone());
            }
            Ok(found)
        }
        .boxed()
    }

    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        async move {
            self.known().remove(&id);
            Ok(self.remove_session(id).await?)
        }
        .boxed()
    }

    fn find_token(
        &self,
        token: SecretHash,
    ) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        async move { Ok(self.tokens.find(token).await?) }.boxed()
    }
}
