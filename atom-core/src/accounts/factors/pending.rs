//! A sign-in that waits for a second factor: what is known of it, under a token of its own kind.

use super::{FactorKind, PendingFactor, store};
use crate::accounts::sign_in::Proved;
use crate::accounts::{Client, Ground, SignInMethod, User, proof, store as people};
use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place, base64url, hex, random_key};
use crate::storage::once;
use crate::{Error, ErrorKind, Result, Secret, UserId, WorkspaceId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const KIND: &str = "pending_factor";
const PREFIX: &str = "atom_pf_";
/// How long it waits.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// How many tries it takes.
const TRIES: i64 = 5;

/// What is sealed of it.
#[derive(Serialize, Deserialize)]
struct Waiting {
    user: UserId,
    method: SignInMethod,
    ground: Ground,
    workspace: Option<WorkspaceId>,
    client: Option<Client>,
    is_known_device: bool,
    /// The hash of the password hash of that moment: with another password, this sign-in is over.
    password: Option<String>,
}

/// A sign-in that was found by its token.
pub(in crate::accounts) struct Pending {
    token: Secret,
    pub(super) proved: Proved,
}

fn place(key: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_single_use", row: key, field: "payload", version: 1 }
}

fn single_use(token: &Secret) -> once::SingleUse<'_> {
    once::SingleUse { kind: KIND, key: token.expose().as_bytes(), binding: b"" }
}

fn fingerprint(password_hash: Option<&str>) -> Option<String> {
    password_hash.map(proof::fingerprint)
}

/// Has whoever gave a first proof give a second one; none if the user has no factor.
pub(in crate::accounts) async fn begin(inner: &Inner, proved: &Proved) -> Result<Option<PendingFactor>> {
    let (db, user) = (inner.db()?, proved.user.id);
    let factors = store::kinds(db, user).await?;
    if factors.is_empty() {
        return Ok(None);
    }
    let password = people::user(db, user).await?.and_then(|user| fingerprint(user.password_hash.as_deref()));
    let waiting = Waiting {
        user,
        method: proved.method,
        ground: proved.ground.clone(),
        workspace: proved.workspace_id,
        client: proved.client.clone(),
        is_known_device: proved.is_known_device,
        password,
    };
    let plain = serde_json::to_vec(&waiting).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("pending_factor", "a pending sign-in cannot be written").with_source(e))?;
    let token = Secret::from(format!("{PREFIX}{}", base64url(&random_key()?[..])));
    let sealed = inner.keys.seal_record(db, &place(token.expose().as_bytes()), &plain).await?;
    let expires_at = inner.now() + LIFE;
    once::issue(db, single_use(&token), &sealed, expires_at).await?;
    Ok(Some(PendingFactor { token, factors, expires_at }))
}

/// The sign-in of a token. It stays there.
///
/// Fails with `unauthenticated` (`unknown_pending_factor`).
pub(super) async fn find(inner: &Inner, token: Secret) -> Result<Pending> {
    let db = inner.db()?;
    let sealed = once::peek(db, single_use(&token), inner.now()).await?.ok_or_else(unknown)?;
    let plain = inner.keys.open_record(db, &place(token.expose().as_bytes()), &sealed).await?;
    let waiting: Waiting = serde_json::from_slice(&plain)
        .map_err(|e| Error::internal("pending_factor", "a pending sign-in cannot be read").with_source(e))?;
    let user = people::user(db, waiting.user).await?.ok_or_else(unknown)?;
    if fingerprint(user.password_hash.as_deref()) != waiting.password {
        return Err(unknown());
    }
    let Waiting { method, ground, workspace: workspace_id, client, is_known_device, .. } = waiting;
    let proved = Proved { user: user.into_user(), method, ground, workspace_id, client, is_known_device };
    Ok(Pending { token, proved })
}

impl Pending {
    pub(super) fn user(&self) -> &User {
        &self.proved.user
    }

    /// Whether the user can complete it so.
    ///
    /// Fails with `unauthenticated` (`factor_unavailable`).
    pub(super) async fn check_kind(&self, inner: &Inner, kind: FactorKind) -> Result<()> {
        if store::kinds(inner.db()?, self.user().id).await?.contains(&kind) {
            return Ok(());
        }
        let text = "the user has no such factor: use one of those that the pending sign-in names";
        Err(Error::new(ErrorKind::Unauthenticated, "factor_unavailable", text))
    }

    /// Counts a try, whatever comes of it.
    ///
    /// Fails with `unauthenticated` (`unknown_pending_factor`) after the last one.
    pub(super) async fn count_try(&self, inner: &Inner) -> Result<()> {
        let key = format!("{KIND}:{}", hex(&Sha256::digest(self.token.expose())));
        let counted = once::bump_counter(inner.db()?, &key, TRIES, LIFE, inner.now()).await;
        counted.map(drop).map_err(|error| if error.kind() == ErrorKind::RateLimited { unknown() } else { error })
    }

    /// Ends it, for one caller: what was proved then.
    ///
    /// Fails with `unauthenticated` (`unknown_pending_factor`).
    pub(super) async fn consume(self, inner: &Inner) -> Result<Proved> {
        let consumed = once::consume_once(inner.db()?, single_use(&self.token), inner.now()).await?;
        consumed.map(|_| self.proved).ok_or_else(unknown)
    }
}

fn unknown() -> Error {
    let text = "this sign-in was completed, has waited for too long, had too many wrong codes or was ended by a new password: begin it again";
    Error::new(ErrorKind::Unauthenticated, "unknown_pending_factor", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_a_password_has_one_fingerprint_and_none_has_none() {
        assert_eq!(fingerprint(None), None);
        assert_ne!(fingerprint(Some("$argon2id$a")), fingerprint(Some("$argon2id$b")));
        assert_eq!(fingerprint(Some("")).map(|text| text.len()), Some(64));
    }
}
