//! Sign out.

use super::begin::key_place;
use super::refresh_token::RefreshToken;
use super::{end, store};
use crate::atom::Inner;
use crate::{Result, Secret, UserId};

pub(in crate::accounts) async fn run(inner: &Inner, refresh_token: Secret) -> Result<()> {
    let token = RefreshToken::parse(&refresh_token)?;
    let db = inner.db()?;
    let Some(row) = store::get(db, token.workspace, token.session).await? else { return Ok(()) };
    let key = inner.keys.open_record(db, &key_place(token.workspace, &token.session), &row.refresh_key).await?;
    if token.is_genuine(&key) {
        end::signed_out(inner, token.workspace, token.session, UserId(row.user_id), inner.now()).await?;
    }
    Ok(())
}
