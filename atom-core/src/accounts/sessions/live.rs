//! The reference check: whether a session stands now, whatever its access token said when it was made.

use super::{revoked, store};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::{Error, ErrorKind, Result};

/// The principal of a session as it is now: refused if it has ended, with the role of this moment.
///
/// Fails with `unauthenticated` (`session_revoked`, `session_expired`).
pub(in crate::accounts) async fn check(inner: &Inner, principal: Principal) -> Result<Principal> {
    // Work without the user present has no session that could have ended.
    let Some(session) = principal.session_id else { return Ok(principal) };
    let standing = store::standing(inner.db()?, principal.workspace_id, session, principal.user_id).await?;
    let standing = standing.ok_or_else(revoked)?;
    if inner.now() >= inner.sessions.expires_at(standing.refreshed_at.0, standing.expires_at.0) {
        return Err(Error::new(ErrorKind::Unauthenticated, "session_expired", "the session has expired: sign in"));
    }
    Ok(Principal { role: standing.role.parse()?, ..principal })
}
