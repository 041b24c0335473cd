//! How many mails may be asked for: over all processes, and before anything depends on who is known, so that the limits tell nothing either.
//!
//! Nobody's mailbox is to be filled, and nobody is to be kept out by whoever tries to fill it: a device that was signed in before has a count of
//! its own, and links to reset a password that were mailed stay good ([`count_from`]).

use super::Client;
use crate::atom::Inner;
use crate::crypto::base64url;
use crate::storage::once;
use crate::{Result, SessionId, UserId};
use chrono::TimeDelta;

/// For one address from one place, on one device, or for one user, in ten minutes.
const PAIR: i64 = 5;
/// For many addresses from one network, in ten minutes: many people may share it.
const NETWORK: i64 = 50;
/// For one address from everywhere but its owner's devices, in an hour.
const ADDRESS: i64 = 20;

/// Who asks for a mail and is not signed in, as far as it is known.
#[derive(Clone, Default)]
pub(super) enum Asker {
    /// A device that has shown that the user was signed in on it before, by this session.
    Device(SessionId),
    /// Somebody on this network.
    Network(String),
    #[default]
    Unknown,
}

impl Asker {
    /// `client` is in its canonical form.
    pub(super) fn new(client: Option<&Client>, device: Option<SessionId>) -> Self {
        match (device, client.and_then(Client::network)) {
            (Some(session), _) => Self::Device(session),
            (None, Some(network)) => Self::Network(network),
            (None, None) => Self::Unknown,
        }
    }

    /// What tells one from another, without naming anybody.
    pub(super) fn hash(&self, inner: &Inner) -> [u8; 32] {
        let (kind, id) = self.parts();
        inner.keys.keyed_hash(["askers of mails", kind, &id].map(str::as_bytes))
    }

    fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Device(session) => ("device", session.to_string()),
            Self::Network(network) => ("network", network.clone()),
            Self::Unknown => ("unknown", String::new()),
        }
    }
}

/// Counts a mail for an address, in its canonical form, that may take the place of the one before.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(super) async fn count(inner: &Inner, address: &str, asker: &Asker) -> Result<()> {
    count_from(inner, address, asker).await?;
    match asker {
        Asker::Device(_) => Ok(()),
        Asker::Network(_) | Asker::Unknown => bump(inner, &["address", address], ADDRESS, TimeDelta::hours(1)).await,
    }
}

/// Counts a mail where it is asked for, and only there: those that were mailed stay good, so that it is enough to mail no more of them.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(super) async fn count_from(inner: &Inner, address: &str, asker: &Asker) -> Result<()> {
    if let Asker::Network(network) = asker {
        bump(inner, &["network", network], NETWORK, TimeDelta::minutes(10)).await?;
    }
    let (kind, id) = asker.parts();
    bump(inner, &["pair", address, kind, &id], PAIR, TimeDelta::minutes(10)).await
}

/// Counts a mail that somebody asks for who is signed in, or has just shown their password.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(super) async fn count_for_user(inner: &Inner, user: UserId) -> Result<()> {
    bump(inner, &["user", &user.to_string()], PAIR, TimeDelta::minutes(10)).await
}

/// The key names nobody: it is a hash.
async fn bump(inner: &Inner, parts: &[&str], limit: i64, window: TimeDelta) -> Result<()> {
    let parts = std::iter::once("mails that are asked for").chain(parts.iter().copied());
    let key = base64url(inner.keys.keyed_hash(parts.map(str::as_bytes)));
    once::bump_counter(inner.db()?, &key, limit, window, inner.now()).await.map(drop)
}
