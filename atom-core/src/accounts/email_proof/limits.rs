//! How many mails may be asked for: over all processes, and before anything is looked up, so that the limits tell nothing either.

use crate::accounts::Client;
use crate::atom::Inner;
use crate::crypto::base64url;
use crate::storage::once;
use crate::{Result, UserId};
use chrono::TimeDelta;

/// For one address from one network, or for one user, in ten minutes.
const PAIR: i64 = 5;
/// For many addresses from one network, in ten minutes: many people may share it.
const NETWORK: i64 = 50;
/// For one address from everywhere, in an hour: nobody's mailbox is to be filled from a thousand networks.
const ADDRESS: i64 = 20;

/// Counts a mail that somebody asks for who is not signed in. `address` is in its canonical form, and so is the client.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(in crate::accounts) async fn count_for_address(inner: &Inner, address: &str, client: Option<&Client>) -> Result<()> {
    if let Some(network) = client.and_then(Client::network) {
        count(inner, &["network", &network], NETWORK, TimeDelta::minutes(10)).await?;
        count(inner, &["pair", address, &network], PAIR, TimeDelta::minutes(10)).await?;
    }
    count(inner, &["address", address], ADDRESS, TimeDelta::hours(1)).await
}

/// Counts a mail that somebody asks for who is signed in, or has just shown their password.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(in crate::accounts) async fn count_for_user(inner: &Inner, user: UserId) -> Result<()> {
    count(inner, &["user", &user.to_string()], PAIR, TimeDelta::minutes(10)).await
}

/// The key names nobody: it is a hash.
async fn count(inner: &Inner, parts: &[&str], limit: i64, window: TimeDelta) -> Result<()> {
    let parts = std::iter::once("requests of e-mail proofs").chain(parts.iter().copied());
    let key = base64url(inner.keys.keyed_hash(parts.map(str::as_bytes)));
    once::bump_counter(inner.db()?, &key, limit, window, inner.now()).await.map(drop)
}
