//! Refresh tokens: (workspace, session, counter) and a MAC under the session's own key.
//!
//! The database holds the newest counter, not the tokens. So the token before the newest is recognized, and a caller that never
//! got its answer can be given the same one again; anything older has been used twice and ends the session.

use super::{Principal, Role, Session, User, Workspace, access_token, store};
use crate::atom::Inner;
use crate::crypto::{Place, base64url, from_base64url, length_prefixed, random_key};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, Secret, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A session that nobody refreshes for so long is over.
pub(super) const IDLE_LIFETIME: TimeDelta = TimeDelta::days(30);
/// A session is over after this time, however often it is refreshed.
pub(super) const ABSOLUTE_LIFETIME: TimeDelta = TimeDelta::days(180);

const PREFIX: &str = "atom_rt_";

/// A refresh token, taken apart.
pub(super) struct RefreshToken {
    pub(super) workspace: WorkspaceId,
    pub(super) session: SessionId,
    pub(super) counter: i64,
    mac: [u8; 32],
}

impl RefreshToken {
    pub(super) fn parse(token: &Secret) -> Result<Self> {
        let bytes = token.expose().strip_prefix(PREFIX).and_then(from_base64url).map(Zeroizing::new);
        let bytes: [u8; 72] = bytes.and_then(|b| b[..].try_into().ok()).ok_or_else(unknown)?;
        let part = |from: usize| Uuid::from_slice(&bytes[from..from + 16]).map_err(|_| unknown());
        Ok(Self {
            workspace: WorkspaceId(part(0)?),
            session: SessionId(part(16)?),
            counter: i64::from_be_bytes(bytes[32..40].try_into().map_err(|_| unknown())?),
            mac: bytes[40..].try_into().map_err(|_| unknown())?,
        })
    }

    /// Whether the token was made with the session's key.
    pub(super) fn is_genuine(&self, key: &[u8]) -> bool {
        mac(key, self.workspace, self.session, self.counter).verify_slice(&self.mac).is_ok()
    }
}

pub(super) fn unknown() -> Error {
    Error::new(ErrorKind::Unauthenticated, "invalid_refresh_token", "the refresh token is not one of this installation: sign in")
}

fn mac(key: &[u8], workspace: WorkspaceId, session: SessionId, counter: i64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&length_prefixed([
        &b"atom refresh token"[..],
        workspace.0.as_bytes(),
        session.0.as_bytes(),
        &counter.to_be_bytes(),
    ]));
    mac
}

fn token(key: &[u8], workspace: WorkspaceId, session: SessionId, counter: i64) -> Secret {
    let tag = mac(key, workspace, session, counter).finalize().into_bytes();
    let bytes = [workspace.0.as_bytes(), session.0.as_bytes(), &counter.to_be_bytes()[..], &tag[..]].concat();
    format!("{PREFIX}{}", base64url(bytes)).into()
}

/// The place of a session's sealed refresh key.
pub(super) fn place<'a>(workspace: WorkspaceId, session: &'a SessionId) -> Place<'a> {
    Place { workspace, table: "atom_sessions", row: session.0.as_bytes(), field: "refresh_key", version: 1 }
}

/// A session that is about to be stored.
pub(super) struct NewSession {
    pub(super) id: SessionId,
    pub(super) key: crate::crypto::Key,
}

impl NewSession {
    pub(super) fn generate() -> Result<Self> {
        Ok(Self { id: SessionId::generate(), key: random_key()? })
    }

    pub(super) async fn insert(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        user: UserId,
        sealed_key: &[u8],
        now: DateTime<Utc>,
    ) -> Result<()> {
        store::insert_session(tx, workspace, self.id, user, sealed_key, now, now + ABSOLUTE_LIFETIME).await
    }
}

/// Stores so many sessions of a user and returns their refresh tokens, for tests that need many sealed records.
#[cfg(feature = "testing")]
pub(crate) async fn fill(inner: &Inner, principal: &Principal, count: usize) -> Result<Vec<Secret>> {
    let (db, workspace, now) = (inner.db()?, principal.workspace_id, inner.now());
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let mut page = Vec::new();
        for _ in tokens.len()..count.min(tokens.len() + 1000) {
            let session = NewSession::generate()?;
            let sealed = inner.keys.seal_record(db, &place(workspace, &session.id), &session.key[..]).await?;
            tokens.push(token(&session.key[..], workspace, session.id, 0));
            page.push((session, sealed));
        }
        let mut tx = db.begin().await?;
        for (session, sealed) in page {
            session.insert(&mut tx, workspace, principal.user_id, &sealed, now).await?;
        }
        tx.commit().await?;
    }
    Ok(tokens)
}

/// Everything that a caller gets: the tokens for a counter of a session.
pub(super) struct Issue {
    pub(super) user: User,
    pub(super) workspace: Workspace,
    pub(super) role: Role,
    pub(super) session: SessionId,
    pub(super) counter: i64,
    pub(super) ends_at: DateTime<Utc>,
}

impl Issue {
    pub(super) fn tokens(self, inner: &Inner, key: &[u8], now: DateTime<Utc>) -> Result<Session> {
        let principal = Principal {
            user_id: self.user.id,
            workspace_id: self.workspace.id,
            role: self.role,
            session_id: Some(self.session),
            purpose: None,
        };
        let (access_token, access_expires_at) = access_token::issue(inner, &principal, self.session, now)?;
        Ok(Session {
            id: self.session,
            access_token,
            access_expires_at,
            refresh_token: token(key, self.workspace.id, self.session, self.counter),
            refresh_expires_at: (now + IDLE_LIFETIME).min(self.ends_at),
            user: self.user,
            workspace: self.workspace,
            role: self.role,
        })
    }
}
