//! A connection that is lent for one question, and taken back whatever becomes of who asked.

use std::ops::Deref;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, Statement};
use tracing::debug;

use super::ArchiveError;

/// How long PostgreSQL may take to end a statement before it is told again.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// How often it is told. Its own time limit has ended the statement by then.
const CANCELS_MAX: usize = 15;

/// A connection in a read-only transaction that sees the rows of one mission.
///
/// [`finish`](Self::finish) it when the answer is there. One that is dropped before (its client went away, a deadline
/// passed, a statement failed) has its statement cancelled at the server, and its connection is closed: nothing tells when
/// the cancelling arrives, and it would end the statement of whoever has the connection next.
#[derive(Debug)]
pub struct Question {
    client: Option<Object>,
}

impl Question {
    /// Begins a question about `scope`: a mission, or `*` for the server.
    pub(super) async fn begin(client: Object, scope: &str) -> Result<Self, ArchiveError> {
        let question = Self { client: Some(client) };
        let begin = format!("BEGIN READ ONLY; SET LOCAL sto.mission = '{}'", scope.replace('\'', "''"));
        question.batch_execute(&begin).await?;
        Ok(question)
    }

    /// A statement that this connection plans once, however often it is asked.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, ArchiveError> {
        let client =
            self.client.as_ref().ok_or_else(|| ArchiveError::Connect("the question is over".into()))?;
        Ok(client.prepare_cached(sql).await?)
    }

    /// Gives the connection back.
    pub async fn finish(mut self) -> Result<(), ArchiveError> {
        self.batch_execute("COMMIT").await?;
        self.client = None;
        Ok(())
    }
}

impl Deref for Question {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("only `finish` and `drop` take it, and they take the question with it")
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(end(client))),
            // Nothing is left that could wait for an answer; a connection that is cut ends its transaction.
            Err(_) => drop(Object::take(client)),
        }
    }
}

/// Ends what a connection is at. It counts as lent until then, so that there are never more at work than the pool has.
async fn end(client: Object) {
    let cancel = client.cancel_token();
    for _ in 0..CANCELS_MAX {
        // One that comes before the statement does nothing, so the answer to the next statement counts.
        let told = timeout(CANCEL_PATIENCE, cancel.cancel_query(NoTls)).await;
        let ended = timeout(CANCEL_PATIENCE, client.batch_execute("ROLLBACK")).await;
        if matches!(ended, Ok(Ok(()))) {
            break;
        }
        debug!(?told, ?ended, "statement of a question that nobody waits for is still at work");
        if client.is_closed() {
            break;
        }
    }
    drop(Object::take(client));
}
