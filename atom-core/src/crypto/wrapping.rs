//! The key-encryption keys of this process: the one that wraps, and those that only unwrap.

use super::{Key, KeyProvider};
use crate::{Error, Result};
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a key provider may take for one data key: it may be a service far away.
const PATIENCE: Duration = Duration::from_secs(30);

/// A data key as it is stored, and the fingerprint of the key that opens it.
#[derive(Clone, PartialEq)]
pub(crate) struct Wrapped {
    pub(crate) bytes: Vec<u8>,
    pub(crate) by: String,
}

/// What this process was opened with. The first one wraps.
pub(crate) struct WrappingKeys(Vec<Held>);

struct Held {
    fingerprint: String,
    provider: Arc<dyn KeyProvider>,
}

impl WrappingKeys {
    /// A key that is given twice counts once.
    pub(crate) fn new(current: Arc<dyn KeyProvider>, accepted: Vec<Arc<dyn KeyProvider>>) -> Result<Self> {
        let mut keys: Vec<Held> = Vec::new();
        for provider in [current].into_iter().chain(accepted) {
            let fingerprint = fingerprint(&*provider)?;
            if keys.iter().all(|held| held.fingerprint != fingerprint) {
                keys.push(Held { fingerprint, provider });
            }
        }
        Ok(Self(keys))
    }

    /// The fingerprint of the key that wraps.
    pub(crate) fn current(&self) -> &str {
        &self.0[0].fingerprint
    }

    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|held| held.fingerprint.as_str())
    }

    pub(crate) fn holds(&self, fingerprint: &str) -> bool {
        self.fingerprints().any(|held| held == fingerprint)
    }

    /// Refuses a process that lacks keys by which data keys are wrapped.
    pub(crate) fn check(&self, needed: &[String]) -> Result<()> {
        let missing: Vec<&str> = needed.iter().map(String::as_str).filter(|needed| !self.holds(needed)).collect();
        match missing.as_slice() {
            [] => Ok(()),
            all if all.len() == needed.len() => {
                let (theirs, ours) = (all.join(", "), self.given());
                let text =
                    format!("this database was sealed with key {theirs}, but {ours} was given: give the key it was made with");
                Err(Error::sealed("wrong_key", text))
            }
            some => Err(self.missing(&some.join(", "))),
        }
    }

    /// Wraps a data key, and unwraps it again before anything relies on it.
    pub(crate) async fn wrap(&self, data_key: &Key, context: &[u8]) -> Result<Wrapped> {
        let Held { fingerprint, provider } = &self.0[0];
        let bytes = guarded(fingerprint, PATIENCE, async { provider.wrap(&data_key[..], context).await }).await?;
        let wrapped = Wrapped { bytes, by: fingerprint.clone() };
        let again = self.unwrap(&wrapped, context).await?;
        if !bool::from(again[..].ct_eq(&data_key[..])) {
            let text =
                format!("the provider of key {fingerprint} does not give back what it wraps: correct it; nothing was changed");
            return Err(Error::sealed("key_provider_failed", text));
        }
        Ok(wrapped)
    }

    /// Fails with `sealed` (`key_missing`) if the key is not among those of this process.
    pub(crate) async fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Key> {
        let held = self.0.iter().find(|held| held.fingerprint == wrapped.by).ok_or_else(|| self.missing(&wrapped.by))?;
        let work = async { held.provider.unwrap(&wrapped.bytes, context).await };
        let plain = guarded(&held.fingerprint, PATIENCE, work).await?;
        let wrong = || Error::sealed("data_key_malformed", "the key provider returned a data key of a wrong length");
        Key::copy(&plain).ok_or_else(wrong)
    }

    fn given(&self) -> String {
        self.fingerprints().collect::<Vec<_>>().join(", ")
    }

    fn missing(&self, fingerprint: &str) -> Error {
        let given = self.given();
        let text = format!(
            "data keys are wrapped by key {fingerprint}, but this process has {given}: open it with that key among `accepted_keys` \
             until `keys.rotate` has taken its data keys"
        );
        Error::sealed("key_missing", text)
    }
}

fn fingerprint(provider: &dyn KeyProvider) -> Result<String> {
    let malformed = || {
        let text = "the fingerprint of a key provider has 1 to 200 printable characters and no space: correct the provider";
        Error::invalid("malformed_fingerprint", text)
    };
    let fingerprint = catch_unwind(AssertUnwindSafe(|| provider.fingerprint())).map_err(|_| malformed())?;
    let is_printable = |c: char| !c.is_whitespace() && !c.is_control();
    if fingerprint.is_empty() || fingerprint.len() > 200 || !fingerprint.chars().all(is_printable) {
        return Err(malformed());
    }
    Ok(fingerprint)
}

/// A provider is the host's code: it may panic, or never come back.
async fn guarded<T>(fingerprint: &str, patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            let text = format!("the provider of key {fingerprint} panicked: correct it; nothing was changed");
            Err(Error::sealed("key_provider_failed", text))
        }
        Err(_) => {
            let text = format!("the provider of key {fingerprint} did not answer within {patience:?}: call again");
            Err(Error::unavailable("key_provider_timeout", text))
        }
    }
}

#[cfg(test)]
#[path = "wrapping_tests.rs"]
mod tests;
