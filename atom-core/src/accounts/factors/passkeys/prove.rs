//! What a passkey has signed: who that was, in a pending sign-in and as a fresh proof.

use super::challenge::{self, Purpose, relying_party};
use super::refusal::Refusal;
use super::response::{Assertion, Known};
use super::store::PasskeyRow;
use super::{options, store};
use crate::accounts::factors::{FactorKind, PasskeyChallenge, finish, pending};
use crate::accounts::sign_in::SignIn;
use crate::accounts::{Principal, SignInMethod, sessions, step_up as proofs, store as people};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::{Error, ErrorKind, FactorId, Json, Result, Secret, UserId};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// How authenticators know a user: it says nothing to anybody else, and is the same for all passkeys of theirs.
pub(super) fn user_handle(inner: &Inner, user: UserId) -> [u8; 32] {
    inner.keys.keyed_hash([&b"passkey user handle"[..], user.0.as_bytes()])
}

/// Whose passkey has signed a challenge, and which. `user` is who it must be, where that is known; else the answer must say it.
///
/// Fails with `unauthenticated`: the reasons of [`Refusal`], and `passkey_copied`.
pub(super) async fn check(inner: &Inner, challenge: &[u8], answer: &Json, user: Option<UserId>) -> Result<(UserId, FactorId)> {
    let (rp, db) = (relying_party(inner)?, inner.db()?);
    let assertion = Assertion::read(&answer.0).map_err(refused)?;
    let unknown = || refused(Refusal::Unknown);
    let passkey = store::find(db, &assertion.credential_id).await?.ok_or_else(unknown)?;
    let owner = UserId(passkey.user_id);
    let is_theirs = match (&assertion.user_handle, user) {
        (Some(handle), _) if !bool::from(user_handle(inner, owner)[..].ct_eq(handle)) => false,
        (None, None) => false,
        (_, Some(user)) => user == owner,
        (Some(_), None) => true,
    };
    if !is_theirs {
        return Err(unknown());
    }
    let known = Known { cose: &passkey.public_key, backup_eligible: passkey.backup_eligible };
    let sign_count = assertion.check(&known, rp, challenge).map_err(refused)?;
    if store::count(db, passkey.id, sign_count, inner.now()).await? {
        return Ok((owner, FactorId(passkey.id)));
    }
    tell_copied(inner, &passkey, sign_count).await?;
    let text =
        "the passkey has counted its signatures from an earlier number than before, so there may be a copy of it: remove it";
    Err(Error::new(ErrorKind::Unauthenticated, "passkey_copied", text))
}

fn refused(why: Refusal) -> Error {
    why.into_error(ErrorKind::Unauthenticated)
}

/// Leaves word of it, in the workspace that the user joined first.
async fn tell_copied(inner: &Inner, passkey: &PasskeyRow, sign_count: u32) -> Result<()> {
    let (db, now, user) = (inner.db()?, inner.now(), UserId(passkey.user_id));
    tracing::warn!(user.id = %user, "a passkey counts from an earlier number than before; it was refused");
    let Some((workspace, _)) = people::membership(db, user, None).await? else { return Ok(()) };
    let (stored, given) = (passkey.sign_count.to_string(), sign_count.to_string());
    let details = &[("counted", stored.as_str()), ("given", given.as_str())];
    let (actor, subject) = (Actor { user, session: None }, Some(FactorId(passkey.id).to_string()));
    let mut tx = db.begin().await?;
    let entry = Entry { workspace: workspace.id, actor, action: AuditAction::PasskeyRefused, subject, details };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await
}

/// A challenge for the passkeys of a pending sign-in.
pub(in crate::accounts) async fn begin_factor(inner: &Inner, pending_token: Secret) -> Result<PasskeyChallenge> {
    let rp = relying_party(inner)?;
    let waiting = pending::find(inner, pending_token.clone()).await?;
    waiting.check_kind(inner, FactorKind::Passkey).await?;
    let allowed = store::descriptors(inner.db()?, waiting.user().id).await?;
    let new = challenge::issue(inner, Purpose::Factor(&pending_token)).await?;
    let options = options::request(rp, &new.bytes, &allowed);
    Ok(new.with(options))
}

pub(in crate::accounts) async fn complete(
    inner: &Arc<Inner>,
    pending_token: Secret,
    token: Secret,
    answer: Json,
) -> Result<SignIn> {
    let waiting = pending::find(inner, pending_token.clone()).await?;
    waiting.check_kind(inner, FactorKind::Passkey).await?;
    waiting.count_try(inner).await?;
    let challenge = challenge::take(inner, Purpose::Factor(&pending_token), &token).await?;
    check(inner, &challenge, &answer, Some(waiting.user().id)).await?;
    finish(inner, waiting, SignInMethod::Passkey).await
}

/// A challenge for the passkeys of who acts.
pub(in crate::accounts) async fn begin_step_up(inner: &Inner, principal: &Principal) -> Result<PasskeyChallenge> {
    let rp = relying_party(inner)?;
    let standing = proofs::standing(inner, principal).await?;
    let allowed = store::descriptors(inner.db()?, standing.principal.user_id).await?;
    if allowed.is_empty() {
        let text = "the user has no passkey: let them prove it in another way";
        return Err(Error::new(ErrorKind::Conflict, "no_factor", text));
    }
    let new = challenge::issue(inner, Purpose::StepUp(standing.session)).await?;
    let options = options::request(rp, &new.bytes, &allowed);
    Ok(new.with(options))
}

pub(in crate::accounts) async fn step_up(inner: &Inner, principal: &Principal, token: &Secret, answer: &Json) -> Result<()> {
    let standing = proofs::standing(inner, principal).await?;
    let challenge = challenge::take(inner, Purpose::StepUp(standing.session), token).await?;
    check(inner, &challenge, answer, Some(standing.principal.user_id)).await?;
    sessions::prove(inner, standing, SignInMethod::Passkey).await
}
