//! The second half of adding an authenticator app: a code of it.

use super::begin_totp::{LIFE, place};
use super::change::Change;
use super::limits::check_room;
use super::{AddedFactor, Factor, FactorKind, Factors, recovery_codes, store, totp};
use crate::accounts::{SignInMethod, sessions, step_up};
use crate::{Error, FactorId, Result, Secret};

pub(super) async fn run(factors: &Factors, id: FactorId, code: Secret) -> Result<AddedFactor> {
    let inner = &factors.inner;
    let standing = step_up::fresh(inner, &factors.principal).await?;
    let (db, now, user) = (inner.db()?, inner.now(), standing.principal.user_id);
    let gone = || Error::not_found("factor to be confirmed");
    let setup = store::unconfirmed_totp(db, user, id).await?.filter(|setup| now < setup.created_at.0 + LIFE).ok_or_else(gone)?;
    let secret = inner.keys.open_record(db, &place(&id), &setup.secret).await?;
    let step = totp::normalized(&code).and_then(|digits| totp::matching_step(&secret, &digits, now)).ok_or_else(|| {
        let text = "the app shows another code: use the one that it shows now, and check the clock of its device";
        Error::invalid("wrong_code", text)
    })?;
    let change = Change::prepare(factors, standing.principal.clone(), "totp", true).await?;
    let kind = FactorKind::Totp;
    let factor = Factor { id, kind, name: setup.name, created_at: setup.created_at.0, last_used_at: None };
    let mut tx = change.begin(db).await?;
    check_room(store::count_in(&mut tx, user).await?)?;
    if !store::confirm_totp(&mut tx, user, id, step, now).await? {
        return Err(gone());
    }
    let recovery_codes = recovery_codes::first(inner, &mut tx, user).await?;
    sessions::note(&mut tx, standing, SignInMethod::Totp).await?;
    change.added(tx, &factor).await?;
    Ok(AddedFactor { factor, recovery_codes })
}
