//! Sign out.

use super::session::{RefreshToken, place};
use super::store;
use crate::atom::Inner;
use crate::audit::AuditAction;
use crate::{Result, Secret, UserId};

pub(super) async fn run(inner: &Inner, refresh_token: Secret) -> Result<()> {
    let token = RefreshToken::parse(&refresh_token)?;
    let db = inner.db()?;
    let Some(row) = store::session(db, token.workspace, token.session).await? else { return Ok(()) };
    let key = inner.keys.open_record(db, &place(token.workspace, &token.session), &row.refresh_key).await?;
    if token.is_genuine(&key) {
        let user = UserId(row.user_id);
        store::revoke_session(db, token.workspace, token.session, user, AuditAction::SignedOut, inner.now()).await?;
    }
    Ok(())
}
