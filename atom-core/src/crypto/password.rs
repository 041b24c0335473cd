//! Password hashing: argon2id, never more at once than the machine bears.

use crate::{Error, Result, Secret};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// 19 MiB, two passes, one lane: the first choice of the OWASP password storage cheat sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes and verifies off the async threads. Its permits bound the memory: one hash holds 19 MiB.
#[derive(Clone)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
    /// Verified when there is no user, so that a wrong name costs the same time as a wrong password.
    nobody: Arc<str>,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self> {
        let permits = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
        let nobody = hash_now(&super::base64url(super::random::<16>()?))?;
        Ok(Self { permits: Arc::new(Semaphore::new(permits)), nobody: nobody.into() })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String> {
        let password = normalized(password);
        self.run(move || hash_now(&password)).await
    }

    /// Whether the password is the one of the hash. Without a hash it takes the same time and is false.
    pub(crate) async fn verify(&self, password: &Secret, hash: Option<String>) -> Result<bool> {
        let (password, exists) = (normalized(password), hash.is_some());
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        self.run(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|_| Error::sealed("password_hash_damaged", "a stored password hash is malformed: reset the password"))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && exists)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| Error::internal("closed", "the hashing pool is closed"))?;
        let hashing = tokio::task::spawn_blocking(move || {
            let _held = permit;
            work()
        });
        hashing.await.map_err(|e| Error::internal("hashing", "a password hash was not finished").with_source(e))?
    }
}

/// The same password typed on two keyboards may arrive as different code points: NFKC makes them one (NIST SP 800-63B).
fn normalized(password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(password.expose().nfkc().collect())
}

fn hash_now(password: &str) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| Error::internal("hashing", format!("argon2 failed: {e}"));
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|e| failed(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    #[tokio::test]
    async fn p01_passwords_are_argon2id_and_every_character_counts() {
        let hasher = Hasher::new().expect("a hasher");
        let long: String = "é".repeat(80);
        let hash = hasher.hash(&long.clone().into()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(&long.clone().into(), Some(hash.clone())).await.expect("verified"));
        let decomposed: String = "e\u{301}".repeat(80);
        assert!(hasher.verify(&decomposed.into(), Some(hash.clone())).await.expect("verified"), "NFC and NFD are one password");
        for other in [format!("{long}\0"), "é".repeat(79), format!("{}x", "é".repeat(79))] {
            assert!(!hasher.verify(&other.into(), Some(hash.clone())).await.expect("verified"));
        }
    }

    #[tokio::test]
    async fn without_a_user_verification_is_false() {
        let hasher = Hasher::new().expect("a hasher");
        assert!(!hasher.verify(&"anything".into(), None).await.expect("verified"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p03_five_hundred_callers_hash_by_turns_and_never_more_at_once_than_there_is_memory_for() {
        let hasher = Hasher::new().expect("a hasher");
        let permits = hasher.permits.available_permits();
        assert!((1..=8).contains(&permits), "at most 8 x 19 MiB");
        let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let callers: Vec<_> = (0..500)
            .map(|_| {
                let (hasher, now, peak) = (hasher.clone(), Arc::clone(&now), Arc::clone(&peak));
                tokio::spawn(async move {
                    let work = move || {
                        peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        std::thread::sleep(Duration::from_micros(200));
                        now.fetch_sub(1, SeqCst);
                        Ok(())
                    };
                    hasher.run(work).await
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("finished").expect("each gets a turn");
        }
        assert_eq!(peak.load(SeqCst), permits);
    }

    #[tokio::test]
    async fn p03_whoever_asks_first_has_the_first_turn() {
        let hasher = Hasher { permits: Arc::new(Semaphore::new(1)), nobody: "".into() };
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let callers = (0..100).map(|number| {
            let order = Arc::clone(&order);
            hasher.run(move || {
                order.lock().expect("no panic").push(number);
                Ok(())
            })
        });
        futures_util::future::try_join_all(callers).await.expect("all had their turn");
        assert_eq!(*order.lock().expect("no panic"), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn p03_a_caller_who_goes_away_leaves_the_turn_to_the_next() {
        let hasher = Hasher { permits: Arc::new(Semaphore::new(1)), nobody: "".into() };
        let held = Arc::clone(&hasher.permits).acquire_owned().await.expect("open");
        let gone = tokio::time::timeout(Duration::from_millis(5), hasher.run(|| Ok(()))).await;
        assert!(gone.is_err());
        drop(held);
        hasher.run(|| Ok(())).await.expect("a turn");
        assert_eq!(hasher.permits.available_permits(), 1);
    }
}
