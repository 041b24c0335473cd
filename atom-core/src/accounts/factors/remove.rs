//! Removing a factor.

use super::change::Change;
use super::{FactorKind, Factors, store};
use crate::accounts::sign_in;
use crate::{FactorId, Result};

pub(super) async fn run(factors: &Factors, id: FactorId) -> Result<()> {
    let (inner, principal) = (&factors.inner, factors.proved().await?);
    let (db, user) = (inner.db()?, principal.user_id);
    let Some(factor) = store::list(db, user).await?.into_iter().find(|factor| factor.id == id) else { return Ok(()) };
    let change = Change::prepare(factors, principal, factor.kind.as_str(), false).await?;
    let mut tx = change.begin(db).await?;
    let Some(kind) = store::remove(&mut tx, user, id).await? else { return Ok(()) };
    // Where mail is sent, a code or a link gets everybody in.
    if kind == FactorKind::Passkey && !inner.mail.is_configured() {
        sign_in::check_left(inner, &mut tx, user).await?;
    }
    store::drop_idle_recovery_codes(&mut tx, user).await?;
    change.removed(tx, id, kind.as_str()).await
}
