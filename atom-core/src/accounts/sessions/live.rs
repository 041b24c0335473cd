//! The reference check: whether a session stands now, whatever its access token said when it was made.

use super::{revoked, store};
use crate::accounts::{Principal, SignInMethod, store as people};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, SessionId};
use chrono::{DateTime, Utc};

/// A session that stands.
pub(in crate::accounts) struct Standing {
    pub(in crate::accounts) session: SessionId,
    /// Its principal, with the role of this moment.
    pub(in crate::accounts) principal: Principal,
    /// How the user proved who they are.
    pub(in crate::accounts) methods: Vec<SignInMethod>,
    /// When they did last.
    pub(in crate::accounts) proved_at: DateTime<Utc>,
    /// When it ends however often it is refreshed.
    pub(in crate::accounts) ends_at: DateTime<Utc>,
}

/// The principal of a session as it is now: refused if it has ended, with the role of this moment.
///
/// Fails with `unauthenticated` (`session_revoked`, `session_expired`).
pub(in crate::accounts) async fn check(inner: &Inner, principal: Principal) -> Result<Principal> {
    // Work without the user present has no session that could have ended.
    let Some(session) = principal.session_id else { return Ok(principal) };
    Ok(standing(inner, principal, session).await?.principal)
}

/// How a session of a principal's stands now. Fails as [`check`] does.
pub(in crate::accounts) async fn standing(inner: &Inner, principal: Principal, session: SessionId) -> Result<Standing> {
    let row = store::standing(inner.db()?, principal.workspace_id, session, principal.user_id).await?;
    let row = row.ok_or_else(revoked)?;
    if inner.now() >= inner.sessions.expires_at(row.refreshed_at.0, row.expires_at.0) {
        return Err(Error::new(ErrorKind::Unauthenticated, "session_expired", "the session has expired: sign in"));
    }
    let principal = Principal { role: row.role.parse()?, ..principal };
    Ok(Standing { session, principal, methods: row.methods.0, proved_at: row.proved_at.0, ends_at: row.expires_at.0 })
}

/// Refuses an act in the session of a principal, in the transaction of the act, if all sessions of the user were ended meanwhile. Whoever would end
/// them waits until the transaction has ended.
///
/// Fails with `unauthenticated` (`session_revoked`).
pub(in crate::accounts) async fn hold(tx: &mut Tx, principal: &Principal) -> Result<()> {
    people::hold_user(tx, principal.user_id).await?.ok_or_else(revoked)?;
    let Some(session) = principal.session_id else { return Ok(()) };
    if store::stands(tx, principal.workspace_id, session).await? { Ok(()) } else { Err(revoked()) }
}
