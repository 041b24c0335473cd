//! Adding a passkey.

use super::challenge::{self, Purpose, relying_party};
use super::response::Registration;
use super::{options, prove, store};
use crate::accounts::factors::change::Change;
use crate::accounts::factors::limits::{check_name, check_room};
use crate::accounts::factors::{AddedFactor, Factor, FactorKind, Factors, PasskeyChallenge, recovery_codes, store as all};
use crate::accounts::{SignInMethod, sessions, step_up, store as people};
use crate::{Error, ErrorKind, FactorId, Json, Result, Secret};

pub(in crate::accounts::factors) async fn begin(factors: &Factors) -> Result<PasskeyChallenge> {
    let inner = &factors.inner;
    let rp = relying_party(inner)?;
    let standing = step_up::fresh(inner, &factors.principal).await?;
    let (db, user) = (inner.db()?, standing.principal.user_id);
    check_room(all::count(db, user).await?)?;
    let account = people::user(db, user).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
    let existing = store::descriptors(db, user).await?;
    let new = challenge::issue(inner, Purpose::Registration(standing.session)).await?;
    let handle = prove::user_handle(inner, user);
    let options = options::creation(rp, &inner.factors.app_name, &account, &handle, &new.bytes, &existing);
    Ok(new.with(options))
}

pub(in crate::accounts::factors) async fn confirm(
    factors: &Factors,
    token: Secret,
    answer: Json,
    name: Option<String>,
) -> Result<AddedFactor> {
    let inner = &factors.inner;
    let rp = relying_party(inner)?;
    let standing = step_up::fresh(inner, &factors.principal).await?;
    let (db, now, user) = (inner.db()?, inner.now(), standing.principal.user_id);
    let name = check_name(name)?;
    let challenge = challenge::take(inner, Purpose::Registration(standing.session), &token).await?;
    let made = Registration::check(&answer.0, rp, &challenge).map_err(|why| why.into_error(ErrorKind::Invalid))?;
    let factor = Factor { id: FactorId::generate(), kind: FactorKind::Passkey, name, created_at: now, last_used_at: None };
    let change = Change::prepare(factors, standing.principal.clone(), "passkey", true).await?;
    let mut tx = change.begin(db).await?;
    check_room(all::count_in(&mut tx, user).await?)?;
    store::insert(&mut tx, user, &factor, &made).await?;
    let recovery_codes = recovery_codes::first(inner, &mut tx, user).await?;
    sessions::note(&mut tx, standing, SignInMethod::Passkey).await?;
    change.added(tx, &factor).await?;
    Ok(AddedFactor { factor, recovery_codes })
}
