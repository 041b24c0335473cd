//! Password hashing: argon2id, never more at once than the machine bears. What others have hashed is verified, too ([`stored`]).

mod stored;

use crate::{Error, Result, Secret};
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use stored::Stored;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// 19 MiB, two passes, one lane: the first choice of the OWASP password storage cheat sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// What came of verifying a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// It is right, and its hash should be replaced by one of ours.
    Outdated,
}

/// Hashes and verifies off the async threads. Its permits bound the memory: each stands for the 19 MiB of one of our hashes, and a larger one
/// of another system takes several, or all of them.
#[derive(Clone)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
    /// How many there are.
    most: u32,
    /// Verified when there is no user, so that a wrong name costs the same time as a wrong password.
    nobody: Arc<str>,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self> {
        let most = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
        let nobody = hash_now(&super::base64url(super::random::<16>()?))?;
        let permits = Arc::new(Semaphore::new(most));
        Ok(Self { permits, most: u32::try_from(most).unwrap_or(1), nobody: nobody.into() })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String> {
        let password = normalized(password);
        self.run(1, move || hash_now(&password)).await
    }

    /// Whether the password is the one of the hash. Without a hash it takes the time of one of ours, and is wrong.
    pub(crate) async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verdict> {
        let damaged = || Error::sealed("password_hash_damaged", "a stored password hash is malformed: reset the password");
        let stored = Stored::read(hash.unwrap_or(&self.nobody)).ok_or_else(damaged)?;
        let permits = stored.memory_kib().div_ceil(MEMORY_KIB.into()).max(1);
        let (password, typed, exists) = (normalized(password), password.clone(), hash.is_some());
        self.run(u32::try_from(permits).unwrap_or(u32::MAX), move || {
            // Other systems have hashed what was typed.
            let is_right = stored.matches(&password) || (*password != typed.expose() && stored.matches(typed.expose()));
            Ok(match is_right && exists {
                false => Verdict::Wrong,
                true if stored.is_strong() => Verdict::Right,
                true => Verdict::Outdated,
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, permits: u32, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permits = Arc::clone(&self.permits)
            .acquire_many_owned(permits.min(self.most))
            .await
            .map_err(|_| Error::internal("closed", "the hashing pool is closed"))?;
        let hashing = tokio::task::spawn_blocking(move || {
            let _held = permits;
            work()
        });
        hashing.await.map_err(|e| Error::internal("hashing", "a password hash was not finished").with_source(e))?
    }
}

/// Whether a text is a password hash that can be verified here, at a bearable cost.
pub(crate) fn is_hash(text: &str) -> bool {
    Stored::read(text).is_some()
}

/// Reads a hash and, where that takes next to nothing, verifies a password.
#[cfg(feature = "testing")]
pub(crate) fn try_hash(hash: &str, password: &str) -> Option<bool> {
    Stored::read(hash).filter(Stored::is_light).map(|stored| stored.matches(password))
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
        assert!(hasher.verify(&long.clone().into(), Some(&hash)).await.expect("verified") == Verdict::Right);
        let decomposed: String = "e\u{301}".repeat(80);
        assert!(
            hasher.verify(&decomposed.into(), Some(&hash)).await.expect("verified") == Verdict::Right,
            "NFC and NFD are one password"
        );
        for other in [format!("{long}\0"), "é".repeat(79), format!("{}x", "é".repeat(79))] {
            assert_eq!(hasher.verify(&other.into(), Some(&hash)).await.expect("verified"), Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn without_a_user_verification_is_false() {
        let hasher = Hasher::new().expect("a hasher");
        assert_eq!(hasher.verify(&"anything".into(), None).await.expect("verified"), Verdict::Wrong);
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
                    hasher.run(1, work).await
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
        let hasher = Hasher { permits: Arc::new(Semaphore::new(1)), most: 1, nobody: "".into() };
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let callers = (0..100).map(|number| {
            let order = Arc::clone(&order);
            hasher.run(1, move || {
                order.lock().expect("no panic").push(number);
                Ok(())
            })
        });
        futures_util::future::try_join_all(callers).await.expect("all had their turn");
        assert_eq!(*order.lock().expect("no panic"), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn p03_a_caller_who_goes_away_leaves_the_turn_to_the_next() {
        let hasher = Hasher { permits: Arc::new(Semaphore::new(1)), most: 1, nobody: "".into() };
        let held = Arc::clone(&hasher.permits).acquire_owned().await.expect("open");
        let gone = tokio::time::timeout(Duration::from_millis(5), hasher.run(1, || Ok(()))).await;
        assert!(gone.is_err());
        drop(held);
        hasher.run(1, || Ok(())).await.expect("a turn");
        assert_eq!(hasher.permits.available_permits(), 1);
    }
}
