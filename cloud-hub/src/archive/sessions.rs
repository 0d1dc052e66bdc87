//! Codes and sessions of the dashboard. Sessions that were found stay in memory, so that a database that is away does
//! not throw anybody out.

use std::sync::Arc;

use dashboard::access::{
    CODE_DURATION, Grant, KnownPrincipal, MissionScope, Principal, SecretHash, SessionStore,
    StoreUnavailable, hash, new_code,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::evidence::record_in;
use super::remembered::Remembered;
use super::{ApiTokens, ArchiveError, Database};

/// When a session was last used is written down this often.
const USED_NANOS: i64 = 60_000_000_000;
/// The event that a code was made, or sessions were ended.
const EVENT: &str = "STO-ADMIN-LOGIN";

/// The store in PostgreSQL. Clones share what they remember.
#[derive(Clone)]
pub struct PostgresSessions {
    database: Database,
    tokens: Arc<ApiTokens>,
    known: Arc<Remembered>,
}

/// A one-time code that was made.
pub struct NewCode {
    /// The code, a secret.
    pub code: String,
    /// Until when it can be used.
    pub expires: TaiTime,
}

/// A login session, or a code to begin one with, without its secret.
#[derive(Clone, Debug)]
pub struct LoginRow {
    /// Whose it is.
    pub principal: Principal,
    /// Until when.
    pub expires: TaiTime,
    /// What it is.
    pub kind: LoginKind,
}

/// What a row of those who may come in is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoginKind {
    /// A one-time code that was not used yet.
    Code,
    /// A session.
    Session {
        /// Since when, if that was written down.
        since: Option<TaiTime>,
        /// When it was last used, right within a minute.
        last_used: Option<TaiTime>,
    },
}

impl PostgresSessions {
    /// The store of a database.
    pub fn new(database: Database) -> Self {
        Self { tokens: Arc::new(ApiTokens::new(database.clone())), database, known: Arc::default() }
    }

    /// Tokens of programs, as this store finds them.
    pub fn tokens(&self) -> &ApiTokens {
        &self.tokens
    }

    /// Makes a code for a principal.
    pub async fn make_code(&self, principal: &Principal, by: &str) -> Result<NewCode, ArchiveError> {
        let (code, now) = (new_code(), service::clock::now());
        let expires = now.plus_nanos(CODE_DURATION.as_nanos() as i64);
        let (name, Grant { role, missions }) = (&principal.name, &principal.grant);
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        transaction.execute("DELETE FROM login_code WHERE expires < $1", &[&now.0]).await?;
        transaction
            .execute(
                "INSERT INTO login_code (code_hash, principal, expires, role, missions)
                 VALUES ($1, $2, $3, $4, $5)",
                &[&hash(&code).as_slice(), name, &expires.0, &role.word(), &missions.names()],
            )
            .await?;
        let text = format!("{by} made a one-time code for {name:?}, {} of {missions}", role.word());
        record_in(&*transaction, None, EVENT, &text).await?;
        transaction.commit().await?;
        Ok(NewCode { code, expires })
    }

    /// Sessions and unused codes that are not over, newest first, at most so many.
    pub async fn list(&self, limit: i64) -> Result<Vec<LoginRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let now = service::clock::now();
        let rows = client
            .query(
                "SELECT principal, role, missions, expires, true AS is_session, since, last_used FROM web_session
                 WHERE expires > $1
                 UNION ALL
                 SELECT principal, role, missions, expires, false, NULL, NULL FROM login_code WHERE expires > $1
                 ORDER BY expires DESC, principal LIMIT $2",
                &[&now.0, &limit],
            )
            .await?;
        rows.iter().map(login_row).collect()
    }

    /// Ends all sessions of a name and its unused codes; how many there were. Other hubs know within seconds.
    pub async fn end_all_of(&self, name: &str, by: &str) -> Result<u64, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let sessions = transaction.execute("DELETE FROM web_session WHERE principal = $1", &[&name]).await?;
        let codes = transaction.execute("DELETE FROM login_code WHERE principal = $1", &[&name]).await?;
        if sessions + codes > 0 {
            let text = format!("{by} ended {sessions} sessions and {codes} codes of {name:?}");
            record_in(&*transaction, None, EVENT, &text).await?;
        }
        transaction.commit().await?;
        self.known.forget_all_of(name);
        Ok(sessions + codes)
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
        let now = service::clock::now();
        client.execute("DELETE FROM web_session WHERE expires < $1", &[&now.0]).await?;
        client
            .execute(
                "INSERT INTO web_session (id_hash, principal, expires, role, missions, since, last_used)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)",
                &[
                    &id.as_slice(),
                    &session.principal.name,
                    &session.expires.0,
                    &session.principal.grant.role.word(),
                    &session.principal.grant.missions.names(),
                    &now.0,
                ],
            )
            .await?;
        Ok(())
    }

    async fn find_session(&self, id: SecretHash) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT principal, expires, role, missions, last_used FROM web_session WHERE id_hash = $1",
                &[&id.as_slice()],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let now = service::clock::now();
        if row.get::<_, Option<i64>>("last_used").is_none_or(|used| now.0 - used >= USED_NANOS) {
            let statement = "UPDATE web_session SET last_used = $2 WHERE id_hash = $1";
            client.execute(statement, &[&id.as_slice(), &now.0]).await?;
        }
        Ok(Some(KnownPrincipal { principal: principal(&row)?, expires: TaiTime(row.get("expires")) }))
    }

    async fn remove_session(&self, id: SecretHash) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("DELETE FROM web_session WHERE id_hash = $1", &[&id.as_slice()]).await?;
        Ok(())
    }
}

fn login_row(row: &Row) -> Result<LoginRow, ArchiveError> {
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(TaiTime);
    let kind = if row.get("is_session") {
        LoginKind::Session { since: time("since"), last_used: time("last_used") }
    } else {
        LoginKind::Code
    };
    Ok(LoginRow { principal: principal(row)?, expires: TaiTime(row.get("expires")), kind })
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
            self.known.insert(id, session);
            Ok(())
        }
        .boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        async move { Ok(self.known.find(id, self.find_session(id)).await?) }.boxed()
    }

    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        async move {
            self.known.forget(id);
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
