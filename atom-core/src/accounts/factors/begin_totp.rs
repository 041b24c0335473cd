//! The first half of adding an authenticator app: a secret that it is to share.

use super::limits::{check_name, check_room};
use super::{Factors, TotpSetup, store, totp};
use crate::accounts::store as people;
use crate::crypto::{INSTALLATION, Place, random};
use crate::{Error, FactorId, Result};
use chrono::TimeDelta;
use zeroize::Zeroizing;

/// How long a setup can be confirmed.
pub(super) const LIFE: TimeDelta = TimeDelta::hours(1);

/// Where a secret is sealed. It is a user's and no workspace's.
pub(super) fn place(id: &FactorId) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_totps", row: id.0.as_bytes(), field: "secret", version: 1 }
}

pub(super) async fn run(factors: &Factors, name: Option<String>) -> Result<TotpSetup> {
    let (inner, user) = (&factors.inner, factors.proved().await?.user_id);
    let name = check_name(name)?;
    let db = inner.db()?;
    check_room(store::count(db, user).await?)?;
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
