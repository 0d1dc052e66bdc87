//! Codes and sessions of the local page, in a file that only the node's user can read.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dashboard::access::{
    CODE_DURATION, Grant, KnownPrincipal, Principal, Role, SecretHash, SessionStore, StoreUnavailable, hash,
    new_code,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

/// Sessions kept; the oldest ones go first.
const SESSIONS_MAX: usize = 256;

#[derive(Default, Deserialize, Serialize)]
struct Stored {
    /// Hash of each session, and what is known of it.
    sessions: Vec<(SecretHash, Granted)>,
}

/// What a code or a session is good for.
#[derive(Clone, Deserialize, Serialize)]
struct Granted {
    expires: TaiTime,
    grant: Grant,
}

impl Granted {
    fn known(self) -> KnownPrincipal {
        KnownPrincipal { principal: local(self.grant), expires: self.expires }
    }
}

/// Who gets in with a code made on this machine.
fn local(grant: Grant) -> Principal {
    let name = match grant.role {
        Role::Operator => "local operator",
        Role::Viewer => "local viewer",
    };
    Principal { name: name.to_owned(), grant }
}

/// The store: sessions in one file, each unused code in a file of its own that `edge-node console` writes.
pub struct FileSessions {
    directory: PathBuf,
    sessions: Mutex<HashMap<SecretHash, Granted>>,
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

    fn change(&self, change: impl FnOnce(&mut HashMap<SecretHash, Granted>)) -> Result<(), StoreUnavailable> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut sessions);
        let now = service::clock::now();
        sessions.retain(|_, session| session.expires > now);
        let mut stored =
            Stored { sessions: sessions.iter().map(|(id, session)| (*id, session.clone())).collect() };
        stored.sessions.sort_by_key(|(_, session)| std::cmp::Reverse(session.expires));
        stored.sessions.truncate(SESSIONS_MAX);
        write_private(&self.directory.join("sessions.json"), &serde_json::to_vec(&stored).unwrap_or_default())
            .map_err(|error| StoreUnavailable(error.to_string()))
    }
}

/// Makes a code that the running node will accept once.
pub fn make_code(data_directory: &Path, grant: Grant) -> std::io::Result<String> {
    let codes = data_directory.join("access").join("codes");
    std::fs::create_dir_all(&codes)?;
    let code = new_code();
    let expires = service::clock::now().plus_nanos(CODE_DURATION.as_nanos() as i64);
    let granted = serde_json::to_vec(&Granted { expires, grant })?;
    write_private(&codes.join(file_name(hash(&code))), &granted)?;
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
    ) -> BoxFuture<'_, Result<Option<Principal>, StoreUnavailable>> {
        let file = self.directory.join("codes").join(file_name(code));
        let granted: Option<Granted> =
            std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        // Of two logins with one code only one removes the file, and only that one counts.
        let taken = std::fs::remove_file(&file).is_ok();
        let valid = granted.filter(|granted| taken && granted.expires > now);
        async move { Ok(valid.map(|granted| local(granted.grant))) }.boxed()
    }

    fn insert(&self, id: SecretHash, session: KnownPrincipal) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        let result = self.change(|sessions| {
            let KnownPrincipal { principal, expires } = session;
            sessions.insert(id, Granted { expires, grant: principal.grant });
        });
        async move { result }.boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sessions.get(&id).cloned().map(Granted::known);
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
    use dashboard::access::{Credential, Gate, MissionScope};

    use super::*;

    #[tokio::test]
    async fn a_code_works_once_and_its_session_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a directory");
        let now = service::clock::now();
        let missions = MissionScope::from(Some(["demo".to_owned()].into()));
        let grant = Grant { role: Role::Viewer, missions };
        let code = make_code(folder.path(), grant.clone()).expect("made");
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        let cookie = Credential::Cookie(gate.log_in(&code, now).await.expect("logged in"));
        assert!(gate.log_in(&code, now).await.is_err());
        drop(gate);
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        let known = gate.principal(&cookie, now).await.expect("answers").expect("is known");
        assert_eq!(known.principal, Principal { name: "local viewer".to_owned(), grant });
        let other = Credential::Cookie("something else".to_owned());
        assert!(gate.principal(&other, now).await.expect("answers").is_none());
        let Credential::Cookie(id) = &cookie else { unreachable!("it is one") };
        gate.log_out(id).await.expect("logged out");
        assert!(gate.principal(&cookie, now).await.expect("answers").is_none());
    }

    #[tokio::test]
    async fn a_code_is_good_for_an_hour() {
        let folder = tempfile::tempdir().expect("a directory");
        let code = make_code(folder.path(), Grant::default()).expect("made");
        let later = service::clock::now().plus_nanos(2 * CODE_DURATION.as_nanos() as i64);
        let gate = Gate::new(FileSessions::open(folder.path()).expect("opens"));
        assert!(gate.log_in(&code, later).await.is_err());
    }
}
