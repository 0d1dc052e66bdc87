//! Sessions and tokens that were found a moment ago, by the hashes of their secrets.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashboard::access::{KnownPrincipal, SecretHash};
use tokio::time::Instant;

use super::ArchiveError;

/// How long what was found counts without being looked for again: so long it works after it was ended at another hub.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);
/// How many are remembered; beyond, all are looked for again.
const REMEMBERED_MAX: usize = 10_000;

/// What was found. While the database is away it stays good, so that nobody is thrown out by that.
#[derive(Default)]
pub(super) struct Remembered {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    found: HashMap<SecretHash, (Instant, KnownPrincipal)>,
    /// How often something was forgotten: what was looked up before that is not remembered.
    forgotten: u64,
}

impl Remembered {
    /// Whom a secret stands for, as it was found a moment ago or is now.
    pub(super) async fn find(
        &self,
        secret: SecretHash,
        look_up: impl Future<Output = Result<Option<KnownPrincipal>, ArchiveError>>,
    ) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let (remembered, forgotten) = {
            let known = self.known();
            (known.found.get(&secret).cloned(), known.forgotten)
        };
        if let Some((found_at, known)) = &remembered
            && found_at.elapsed() < REMEMBERED_FOR
        {
            return Ok(Some(known.clone()));
        }
        match (look_up.await, remembered) {
            (Ok(Some(found)), _) => {
                self.remember(secret, &found, forgotten);
                Ok(Some(found))
            }
            (Ok(None), _) => {
                self.forget(secret);
                Ok(None)
            }
            (Err(_), Some((_, known))) => {
                // The next request need not wait for a database that does not answer.
                self.remember(secret, &known, forgotten);
                Ok(Some(known))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// It was made now.
    pub(super) fn insert(&self, secret: SecretHash, made: KnownPrincipal) {
        self.known().insert(secret, made);
    }

    /// It was found, unless something was forgotten since.
    fn remember(&self, secret: SecretHash, found: &KnownPrincipal, forgotten: u64) {
        let mut known = self.known();
        if known.forgotten == forgotten {
            known.insert(secret, found.clone());
        }
    }

    /// It is over.
    pub(super) fn forget(&self, secret: SecretHash) {
        let mut known = self.known();
        known.forgotten += 1;
        known.found.remove(&secret);
    }

    /// All of somebody's are over.
    pub(super) fn forget_all_of(&self, name: &str) {
        let mut known = self.known();
        known.forgotten += 1;
        known.found.retain(|_, (_, known)| known.principal.name != name);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn insert(&mut self, secret: SecretHash, found: KnownPrincipal) {
        if self.found.len() >= REMEMBERED_MAX {
            self.found.clear();
        }
        self.found.insert(secret, (Instant::now(), found));
    }
}

#[cfg(test)]
mod tests {
    use dashboard::access::Principal;
    use space_packet::TaiTime;

    use super::*;

    const SECRET: SecretHash = [7; 32];

    fn kari() -> KnownPrincipal {
        let principal = Principal { name: "kari".to_owned(), grant: Default::default() };
        KnownPrincipal { principal, expires: TaiTime(1) }
    }

    async fn not_asked() -> Result<Option<KnownPrincipal>, ArchiveError> {
        panic!("the database is asked although the answer is known")
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_database_is_away_it_is_asked_again_only_every_few_seconds() {
        let remembered = Remembered::default();
        remembered.insert(SECRET, kari());
        tokio::time::advance(REMEMBERED_FOR).await;
        let away = async { Err(ArchiveError::Damaged { what: "session", source: "away".into() }) };
        assert_eq!(remembered.find(SECRET, away).await.expect("is remembered"), Some(kari()));
        assert_eq!(remembered.find(SECRET, not_asked()).await.expect("is remembered"), Some(kari()));
    }

    #[tokio::test]
    async fn what_ends_while_it_is_looked_up_is_not_remembered() {
        let remembered = Remembered::default();
        let look_up = async {
            remembered.forget_all_of("kari");
            Ok(Some(kari()))
        };
        remembered.find(SECRET, look_up).await.expect("was there when it was asked");
        assert_eq!(remembered.find(SECRET, async { Ok(None) }).await.expect("answers"), None);
    }
}
