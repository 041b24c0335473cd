//! Refresh a session: retry-safe rotation, with the whole session revoked when an old token comes back.

use super::session::{IDLE_LIFETIME, Issue, RefreshToken, place, unknown};
use super::{Session, store};
use crate::atom::Inner;
use crate::audit::AuditAction;
use crate::{Error, ErrorKind, Result, Secret, UserId};

pub(super) async fn run(inner: &Inner, refresh_token: Secret) -> Result<Session> {
    let token = RefreshToken::parse(&refresh_token)?;
    let (db, now) = (inner.db()?, inner.now());
    let refused = |reason, text| Error::new(ErrorKind::Unauthenticated, reason, text);
    loop {
        let row = store::session(db, token.workspace, token.session).await?.ok_or_else(unknown)?;
        let key = inner.keys.open_record(db, &place(token.workspace, &token.session), &row.refresh_key).await?;
        if !token.is_genuine(&key) {
            return Err(unknown());
        }
        if row.revoked_at.is_some() {
            return Err(refused("session_revoked", "the session was ended: sign in"));
        }
        if now >= row.expires_at.0.min(row.refreshed_at.0 + IDLE_LIFETIME) {
            return Err(refused("session_expired", "the session has expired: sign in"));
        }
        let counter = match row.refresh_counter - token.counter {
            0 if store::advance_session(db, token.workspace, token.session, token.counter, now).await? => token.counter + 1,
            // Another caller with the same token was faster: look again and give the same answer.
            0 => continue,
            // The successor has never been used, so this caller may not have received it.
            1 => row.refresh_counter,
            _ => {
                let user = UserId(row.user_id);
                store::revoke_session(db, token.workspace, token.session, user, AuditAction::SessionRevoked, now).await?;
                tracing::warn!(session.id = %token.session, "a used refresh token came back; the session was revoked");
                return Err(refused(
                    "refresh_token_reused",
                    "an old refresh token was used again, so the session was ended: sign in",
                ));
            }
        };
        let user = UserId(row.user_id);
        let gone = || refused("session_revoked", "the account of this session is no longer active: sign in");
        let (workspace, role) = store::membership(db, user, Some(token.workspace)).await?.ok_or_else(gone)?;
        let user = store::user(db, user).await?.ok_or_else(gone)?.into_user();
        let issue = Issue { user, workspace, role, session: token.session, counter, ends_at: row.expires_at.0 };
        return issue.tokens(inner, &key, now);
    }
}
