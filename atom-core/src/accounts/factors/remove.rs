//! Removing a factor.

use super::change::Change;
use super::{FactorKind, Factors, store};
use crate::{Error, ErrorKind, FactorId, Result};

pub(super) async fn run(factors: &Factors, id: FactorId) -> Result<()> {
    let (inner, principal) = (&factors.inner, factors.proved().await?);
    let (db, user) = (inner.db()?, principal.user_id);
    let Some(factor) = store::list(db, user).await?.into_iter().find(|factor| factor.id == id) else { return Ok(()) };
    let change = Change::prepare(factors, principal, factor.kind.as_str(), false).await?;
    let mut tx = db.begin_durable().await?;
    store::lock(&mut tx, user).await?;
    // Where mail is sent, a code or a link gets everybody in.
    let is_needed = factor.kind == FactorKind::Passkey && !inner.mail.is_configured();
    if is_needed && !store::is_spare(&mut tx, user, id).await? {
        let text = "this is the only way that the user can sign in: set a password or add another passkey first";
        return Err(Error::new(ErrorKind::Conflict, "last_sign_in_method", text));
    }
    let Some(kind) = store::remove(&mut tx, user, id).await? else { return Ok(()) };
    store::drop_idle_recovery_codes(&mut tx, user).await?;
    change.removed(tx, id, kind.as_str()).await
}
