//! The end of a flow: what was mailed is shown, and one caller gets what it was for.

use super::code::{Read, read};
use super::{Intent, Pending, code_hash, flow_hash, link_hash, place, store};
use crate::atom::Inner;
use crate::{Error, ErrorKind, Result, Secret, UserId};
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;

/// What somebody shows.
pub(in crate::accounts) struct Shown<'a> {
    pub(in crate::accounts) intent: Intent,
    /// The flow. With a link it may be missing: then whoever has read the mail is believed to have begun, or the user is known.
    pub(in crate::accounts) flow: Option<&'a Secret>,
    /// The code of the mail, or the token of its link.
    pub(in crate::accounts) code: &'a Secret,
    /// Who shows it, for an intent of users who are signed in.
    pub(in crate::accounts) user: Option<UserId>,
}

/// Uses a proof up, for one caller: whatever becomes of what they do with it.
///
/// Fails with `unauthenticated`: `wrong_code`, `proof_spent`.
pub(in crate::accounts) async fn take(inner: &Inner, shown: Shown<'_>) -> Result<Pending> {
    let Shown { intent, flow, code, user } = shown;
    let (db, now) = (inner.db()?, inner.now());
    let flow = flow.map(|flow| flow_hash(inner, flow));
    let taken = match (read(code), flow) {
        (Read::Link, flow) => {
            let link = link_hash(inner, &code.expose().trim().into());
            store::spend_link(db, intent, &link, flow.as_ref(), user, now).await?.ok_or_else(spent)?
        }
        (Read::Code(code), Some(flow)) => {
            let tried = store::count_try(db, intent, &flow, user, now).await?.ok_or_else(spent)?;
            let right = code_hash(inner, intent, &tried.address_hash, &flow, &code);
            if !tried.code_hash.is_some_and(|stored| right.ct_eq(&stored).into()) {
                return Err(wrong());
            }
            store::spend(db, &flow, now).await?.ok_or_else(spent)?
        }
        _ => return Err(wrong()),
    };
    open(inner, &taken).await
}

/// What a link is for and until when it works, for whoever has its token. It stays as it was.
///
/// Fails with `unauthenticated` (`proof_spent`).
pub(in crate::accounts) async fn look_at_link(inner: &Inner, intent: Intent, link: &Secret) -> Result<(Pending, DateTime<Utc>)> {
    let link = link_hash(inner, &link.expose().trim().into());
    let found = store::link(inner.db()?, intent, &link, inner.now()).await?.ok_or_else(spent)?;
    let expires_at = found.expires_at.0;
    Ok((open(inner, &found).await?, expires_at))
}

async fn open(inner: &Inner, row: &store::TakenRow) -> Result<Pending> {
    let plain = inner.keys.open_record(inner.db()?, &place(&row.flow_hash), &row.sealed).await?;
    serde_json::from_slice(&plain)
        .map_err(|_| Error::sealed("email_proof_damaged", "a stored proof of an address is malformed: request another"))
}

fn wrong() -> Error {
    let text = "the code is wrong: let the user look again; after five wrong ones they need another";
    Error::new(ErrorKind::Unauthenticated, "wrong_code", text)
}

/// The same for all that cannot be used, so that it does not tell whether there ever was anything.
pub(in crate::accounts) fn spent() -> Error {
    let text = "this code or link was used or replaced, has expired, was guessed at too often, or belongs to something else: request another";
    Error::new(ErrorKind::Unauthenticated, "proof_spent", text)
}
