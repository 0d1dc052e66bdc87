//! Sessions and tokens that were found a moment ago, by the hashes of their secrets.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashboard::access::{KnownPrincipal, SecretHash};

use super::ArchiveError;

/// How long what was found counts without being looked for again: so long it works after it was ended at another hub.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);
/// How many are remembered; beyond, all are looked for again.
const REMEMBERED_MAX: usize = 10_000;

/// What was found. While the database is away it stays good, so that nobody is thrown out by that.
#[derive(Default)]
pub(super) struct Remembered {
    known: Mutex<HashMap<SecretHash, (Instant, KnownPrincipal)>>,
}

impl Remembered {
    /// Whom a secret stands for, as it was found a moment ago or is now.
    pub(super) async fn find(
        &self,
        secret: SecretHash,
        look_up: impl Future<Output = Result<Option<KnownPrincipal>, ArchiveError>>,
    ) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let remembered = self.known().get(&secret).cloned();
        if let Some((found_at, known)) = &remembered
            && found_at.elapsed() < REMEMBERED_FOR
        {
            return Ok(Some(known.clone()));
        }
        match (look_up.await, remembered) {
            (Ok(Some(found)), _) => {
                self.insert(secret, found.clone());
                Ok(Some(found))
            }
            (Ok(None), _) => {
                self.forget(secret);
                Ok(None)
            }
            (Err(_), Some((_, known))) => Ok(Some(known)),
            (Err(error), None) => Err(error),
        }
    }

    /// It was found now.
    pub(super) fn insert(&self, secret: SecretHash, found: KnownPrincipal) {
        let mut known = self.known();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(secret, (Instant::now(), found));
    }

    /// It is over.
    pub(super) fn forget(&self, secret: SecretHash) {
        self.known().remove(&secret);
    }

    /// All of somebody's are over.
    pub(super) fn forget_all_of(&self, name: &str) {
        self.known().retain(|_, (_, known)| known.principal.name != name);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SecretHash, (Instant, KnownPrincipal)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
