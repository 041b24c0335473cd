//! Refresh tokens: (workspace, session, counter) and a MAC under the session's own key.
//!
//! The database holds the newest counter, not the tokens. So the token before the newest is recognized, and a caller that never
//! got its answer can be given the same one again; anything older has been used twice and ends the session.

use crate::crypto::{base64url, from_base64url, length_prefixed};
use crate::{Error, ErrorKind, Result, Secret, SessionId, WorkspaceId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

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

pub(super) fn token(key: &[u8], workspace: WorkspaceId, session: SessionId, counter: i64) -> Secret {
    let tag = mac(key, workspace, session, counter).finalize().into_bytes();
    let bytes = [workspace.0.as_bytes(), session.0.as_bytes(), &counter.to_be_bytes()[..], &tag[..]].concat();
    format!("{PREFIX}{}", base64url(bytes)).into()
}
