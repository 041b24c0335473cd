//! Access tokens: what a session shows at every call.

use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::crypto::TOKEN_LIFE;
use crate::keys;
use crate::{Error, ErrorKind, Result, Secret, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// RFC 9068: the type of a JWT access token.
const TYPE: &str = "at+jwt";
/// How far two machines' clocks may differ.
const SKEW: TimeDelta = TimeDelta::seconds(5);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    sid: SessionId,
    workspace: WorkspaceId,
    role: Role,
}

/// A token for a session, and when it stops working.
pub(super) async fn issue(
    inner: &Inner,
    principal: &Principal,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<(Secret, DateTime<Utc>)> {
    keys::tend_signing_keys(inner).await;
    let expires_at = now + TOKEN_LIFE;
    let claims = Claims {
        iss: inner.issuer.clone(),
        aud: inner.issuer.clone(),
        sub: principal.user_id,
        iat: now.timestamp(),
        nbf: now.timestamp(),
        exp: expires_at.timestamp(),
        jti: Uuid::now_v7().to_string(),
        sid: session,
        workspace: principal.workspace_id,
        role: principal.role,
    };
    let token = inner.signing.sign(inner.db()?, &inner.keys, TYPE, &claims, now).await?;
    Ok((token.into(), expires_at))
}

/// Who a token speaks for. The database is asked at most for the keys.
pub(in crate::accounts) async fn verify(inner: &Inner, token: &Secret) -> Result<Principal> {
    let refused = |reason, text| Error::new(ErrorKind::Unauthenticated, reason, text);
    let unknown = || refused("invalid_access_token", "the access token is not one of this installation: sign in");
    let now = inner.now();
    let claims: Option<Claims> = inner.signing.verify(inner.db()?, TYPE, token.expose(), now).await?;
    let claims = claims.ok_or_else(unknown)?;
    let latest = (now + SKEW).timestamp();
    if claims.iss != inner.issuer || claims.aud != inner.issuer || claims.nbf > latest || claims.iat > latest {
        return Err(unknown());
    }
    if claims.exp <= (now - SKEW).timestamp() {
        return Err(refused("access_token_expired", "the access token has expired: refresh the session"));
    }
    Ok(Principal {
        user_id: claims.sub,
        workspace_id: claims.workspace,
        role: claims.role,
        session_id: Some(claims.sid),
        purpose: None,
    })
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
