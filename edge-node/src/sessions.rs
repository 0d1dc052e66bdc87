//! Codes and sessions of the local page, in a file that only the node's user can read.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dashboard::access::{
    CODE_DURATION, SecretHash, SessionStore, StoreUnavailable, StoredSession, hash, new_code,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

/// Sessions kept; the oldest ones go first.
const SESSIONS_MAX: usize = 256;

/// Who gets in with a code made on this machine.
const LOCAL_OPERATOR: &str = "local operator";

#[derive(Default, Deserialize, Serialize)]
struct Stored {
    /// Hash and end of each session.
    sessions: Vec<(SecretHash, TaiTime)>,
}

/// The store: sessions in one file, each unused code in a file of its own that `edge-node console` writes.
pub struct FileSessions {
    directory: PathBuf,
    sessions: Mutex<HashMap<SecretHash, TaiTime>>,
}

impl FileSessions {
    /// Opens the store in the data directory.
    pub fn open(data_directory: &Path) -> std::io::Result<Self> {
        let directory = data_directory.join("access");
        std::fs::create_dir_all(directory.join("codes"))?;
        // Sessions that cannot be read only mean another login.
        let stored: Stored = std::fs::read(directory.join("sessions.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Ok(Self { directory, sessions: Mutex::new(stored.sessions.into_iter().collect()) })
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<SecretHash, TaiTime>)) -> Result<(), StoreUnavailable> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut sessions);
        let now = service::clock::now();
        sessions.retain(|_, expires| *expires > now);
        let mut stored = Stored { sessions: sessions.iter().map(|(id, expires)| (*id, *expires)).collect() };
        stored.sessions.sort_by_key(|(_, expires)| std::cmp::Reverse(*expires));
        stored.sessions.truncate(SESSIONS_MAX);
        write_private(&self.directory.join("sessions.json"), &serde_json::to_vec(&stored).unwrap_or_default())
            .map_err(|error| StoreUnavailable(error.to_string()))
    }
}

/// Makes a code that the running node will accept once.
pub fn make_code(data_directory: &Path) -> std::io::Result<String> {
    let codes = data_directory.join("access").join("codes");
    std::fs::create_dir_all(&codes)?;
    let code = new_code();
    let expires = service::clock::now().plus_nanos(CODE_DURATION.as_nanos() as i64);
    write_private(&codes.join(file_name(hash(&code))), expires.0.to_string().as_bytes())?;
    Ok(code)
}

fn file_name(hash: SecretHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only this user can read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

impl SessionStore for FileSessions {
    fn redeem_code(
        &self,
        code: SecretHash,
        now: TaiTime,
    ) -> BoxFuture<'_, Result<Option<String>, StoreUnavailable>> {
        let file = self.directory.join("codes").join(file_name(code));
        let expires = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()).map(TaiTime);
        // Of two logins with one code only one removes the file, and only that one counts.
        let taken = std::fs::remove_file(&file).is_ok();
        let valid = taken && expires.is_some_and(|expires| expires > now);
        async move { Ok(valid.then(|| LOCAL_OPERATOR.to_owned())) }.boxed()
    }

    fn insert(&self, id: SecretHash, session: StoredSession) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        let result = self.change(|sessions| {
            sessions.insert(id, session.expires);
        });
        async move { result }.boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<StoredSession>, StoreUnavailable>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            sessions.get(&id).map(|&expires| StoredSession { principal: LOCAL_OPERATOR.to_owned(), expires });
        async move { Ok(found) }.boxed()
    }

    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        let result = self.change(|sessions| {
            sessions.remove(&id);
        });
        async move { result }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use dashboard::access::Gate;

    use super::*;

    #[tokio::test]
    async fn a_code_works_once_and_its_session_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a directory");
        let now = service::clock::now();
        let code = make_code(folder.path()).expect("made");
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        let cookie = gate.log_in(&code, now).await.expect("logged in");
        assert!(gate.log_in(&code, now).await.is_err());
        drop(gate);
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        assert!(gate.principal(&cookie, now).await.expect("answers").is_some());
        assert!(gate.principal("something else", now).await.expect("answers").is_none());
        gate.log_out(&cookie).await.expect("logged out");
        assert!(gate.principal(&cookie, now).await.expect("answers").is_none());
    }

    #[tokio::test]
    async fn a_code_is_good_for_an_hour() {
        let folder = tempfile::tempdir().expect("a directory");
        let code = make_code(folder.path()).expect("made");
        let later = service::clock::now().plus_nanos(2 * CODE_DURATION.as_nanos() as i64);
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        assert!(gate.log_in(&code, later).await.is_err());
    }
}
