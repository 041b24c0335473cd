//! The ways in which a user can sign in: the one place that counts them.

use crate::accounts::{factors, social, store};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, UserId};

/// Refuses what has taken the last way from a user, in the transaction that has. What is mailed is no way of its own: a mailbox can be lost.
///
/// Fails with `conflict` (`last_sign_in_method`).
pub(in crate::accounts) async fn check_left(inner: &Inner, tx: &mut Tx, user: UserId) -> Result<()> {
    let has_password = store::hold_user(tx, user).await?.is_some_and(|user| user.password_hash.is_some());
    if has_password || factors::has_passkey(tx, user).await? || social::has_usable(inner, tx, user).await? {
        return Ok(());
    }
    let text = "this is the only way that the user can sign in: set a password, add a passkey or link another account first";
    Err(Error::new(ErrorKind::Conflict, "last_sign_in_method", text))
}
