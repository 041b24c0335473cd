//! Whether a password is right. What is right by a hash of another system, or by a weaker one of ours, is hashed anew.

use super::store;
use crate::accounts::store::UserRow;
use crate::atom::Inner;
use crate::crypto::password::Verdict;
use crate::{Result, Secret};

/// Whether this is the password of a user. Nobody's, and that of somebody who has none, is wrong and takes as long.
pub(in crate::accounts) async fn run(inner: &Inner, user: Option<&UserRow>, password: &Secret) -> Result<bool> {
    let hash = user.and_then(|user| user.password_hash.as_deref());
    let verdict = inner.hasher.verify(password, hash).await?;
    if let (Verdict::Outdated, Some(user), Some(hash)) = (verdict, user, hash) {
        let new = inner.hasher.hash(password).await?;
        // It may have been changed meanwhile.
        store::rehash(inner.db()?, user.id, hash, &new).await?;
    }
    Ok(verdict != Verdict::Wrong)
}
