//! Sign out.

use super::session::{RefreshToken, place};
use super::store;
use crate::atom::Inner;
use crate::{Result, Secret};

pub(super) async fn run(inner: &Inner, refresh_token: Secret) -> Result<()> {
    let token = RefreshToken::parse(&refresh_token)?;
    let db = inner.db()?;
    let Some(row) = store::session(db, token.workspace, token.session).await? else { return Ok(()) };
    let key = inner.keys.open_record(db, &place(token.workspace, &token.session), &row.refresh_key).await?;
    if token.is_genuine(&key) {
        store::revoke_session(db, token.workspace, token.session, "signed_out", inner.now()).await?;
    }
    Ok(())
}
