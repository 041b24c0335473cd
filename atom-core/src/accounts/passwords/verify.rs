//! Whether a password is right. What is right by a hash of another system, or by a weaker one of ours, is hashed anew.

use super::store;
use crate::accounts::store::{self as people, UserRow};
use crate::atom::Inner;
use crate::crypto::password::Verdict;
use crate::{Result, Secret, UserId};

/// The hash that is stored of a user's password, if this is it. Nobody's, and that of somebody who has none, is wrong and takes as long.
pub(in crate::accounts) async fn run(inner: &Inner, user: Option<&UserRow>, password: &Secret) -> Result<Option<String>> {
    let hash = user.and_then(|user| user.password_hash.as_deref());
    let verdict = inner.hasher.verify(password, hash).await?;
    let (Some(user), Some(hash)) = (user, hash) else { return Ok(None) };
    match verdict {
        Verdict::Wrong => Ok(None),
        Verdict::Right => Ok(Some(hash.to_owned())),
        Verdict::Outdated => {
            let new = inner.hasher.hash(password).await?;
            if store::rehash(inner.db()?, user.id, hash, &new).await? {
                return Ok(Some(new));
            }
            // Another sign-in was faster, or the password has changed.
            let stored = people::user(inner.db()?, UserId(user.id)).await?.and_then(|user| user.password_hash);
            let verdict = inner.hasher.verify(password, stored.as_deref()).await?;
            Ok(stored.filter(|_| verdict != Verdict::Wrong))
        }
    }
}
