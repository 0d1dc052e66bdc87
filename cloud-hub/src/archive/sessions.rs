//! Codes and sessions of the dashboard. Sessions found once stay in memory, so that a database that is away does
//! not throw anybody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dashboard::access::{
    CODE_DURATION, SecretHash, SessionStore, StoreUnavailable, StoredSession, hash, new_code,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

use super::{ArchiveError, Database};

/// Sessions remembered; beyond, they are asked for again.
const REMEMBERED_MAX: usize = 10_000;

/// The store in PostgreSQL.
pub struct PostgresSessions {
    database: Database,
    known: Mutex<HashMap<SecretHash, StoredSession>>,
}

impl PostgresSessions {
    /// The store of a database.
    pub fn new(database: Database) -> Self {
        Self { database, known: Mutex::default() }
    }

    /// Makes a code for a principal.
    pub async fn make_code(&self, principal: &str) -> Result<String, ArchiveError> {
        let code = new_code();
        let expires = service::clock::now().plus_nanos(CODE_DURATION.as_nanos() as i64);
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM login_code WHERE expires < $1", &[&service::clock::now().0]).await?;
        client
            .execute(
                "INSERT INTO login_code (code_hash, principal, expires) VALUES ($1, $2, $3)",
                &[&hash(&code).as_slice(), &principal, &expires.0],
            )
            .await?;
        Ok(code)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SecretHash, StoredSession>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_code(&self, code: SecretHash, now: TaiTime) -> Result<Option<String>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "DELETE FROM login_code WHERE code_hash = $1 AND expires > $2 RETURNING principal",
                &[&code.as_slice(), &now.0],
            )
            .await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn insert_session(&self, id: SecretHash, session: &StoredSession) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM web_session WHERE expires < $1", &[&service::clock::now().0]).await?;
        client
            .execute(
                "INSERT INTO web_session (id_hash, principal, expires) VALUES ($1, $2, $3)",
                &[&id.as_slice(), &session.principal, &session.expires.0],
            )
            .await?;
        Ok(())
    }

    async fn find_session(&self, id: SecretHash) -> Result<Option<StoredSession>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt("SELECT principal, expires FROM web_session WHERE id_hash = $1", &[&id.as_slice()])
            .await?;
        Ok(row.map(|row| StoredSession { principal: row.get(0), expires: TaiTime(row.get(1)) }))
    }

    async fn remove_session(&self, id: SecretHash) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM web_session WHERE id_hash = $1", &[&id.as_slice()]).await?;
        Ok(())
    }
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
    ) -> BoxFuture<'_, Result<Option<String>, StoreUnavailable>> {
        async move { Ok(self.take_code(code, now).await?) }.boxed()
    }

    fn insert(&self, id: SecretHash, session: StoredSession) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        async move {
            self.insert_session(id, &session).await?;
            self.known().insert(id, session);
            Ok(())
        }
        .boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<StoredSession>, StoreUnavailable>> {
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
}
