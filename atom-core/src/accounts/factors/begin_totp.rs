//! The first half of adding an authenticator app: a secret that it is to share.

use super::{Factors, TotpSetup, store, totp};
use crate::accounts::store as people;
use crate::crypto::{INSTALLATION, Place, random};
use crate::{Error, ErrorKind, FactorId, Result};
use chrono::TimeDelta;
use zeroize::Zeroizing;

/// How long a setup can be confirmed.
pub(super) const LIFE: TimeDelta = TimeDelta::hours(1);
/// How many factors a user may have.
const MOST: usize = 20;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Where a secret is sealed. It is a user's and no workspace's.
pub(super) fn place(id: &FactorId) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_totps", row: id.0.as_bytes(), field: "secret", version: 1 }
}

pub(super) async fn run(factors: &Factors, name: Option<String>) -> Result<TotpSetup> {
    let (inner, user) = (&factors.inner, factors.proved().await?.user_id);
    let name = check_name(name)?;
    check_room(factors).await?;
    let db = inner.db()?;
    let account = people::user(db, user).await?.ok_or_else(|| Error::not_found("user"))?;
    let (id, now) = (FactorId::generate(), inner.now());
    let secret = Zeroizing::new(random::<{ totp::SECRET }>()?);
    let sealed = inner.keys.seal_record(db, &place(&id), &secret[..]).await?;
    let mut tx = db.begin().await?;
    store::set_up_totp(&mut tx, user, id, name.as_deref(), &sealed, now).await?;
    tx.commit().await?;
    let secret = totp::base32(&secret[..]);
    let otpauth_uri = totp::otpauth_uri(&secret, &inner.factors.app_name, &account.email);
    Ok(TotpSetup { id, secret, otpauth_uri, expires_at: now + LIFE })
}

/// Refuses one factor too many.
pub(super) async fn check_room(factors: &Factors) -> Result<()> {
    if store::list(factors.inner.db()?, factors.principal.user_id).await?.len() < MOST {
        return Ok(());
    }
    let text = format!("the user has {MOST} factors: remove one that is not used before adding another");
    Err(Error::new(ErrorKind::Conflict, "too_many_factors", text))
}

/// The name as it is stored.
pub(super) fn check_name(name: Option<String>) -> Result<Option<String>> {
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("malformed_factor_name", "the name of a factor is one line of at most 100 characters"));
    }
    Ok(Some(name))
}
