//! What an invitation says to whoever has its token.

use super::{InvitationPreview, invalid, store, token};
use crate::accounts::{store as people, workspaces};
use crate::atom::Inner;
use crate::{Result, Secret, UserId};

pub(in crate::accounts) async fn run(inner: &Inner, shown: &Secret) -> Result<InvitationPreview> {
    let db = inner.db()?;
    let row = store::by_token(db, &token::hash(shown), inner.now()).await?.ok_or_else(invalid)?;
    let inviter = people::user(db, UserId(row.invited_by)).await?;
    Ok(InvitationPreview {
        workspace_name: workspaces::get(db, row.workspace()).await.map_err(|_| invalid())?.name,
        inviter_name: inviter.and_then(|inviter| inviter.display_name),
        has_account: people::user_by_email(db, &row.email_canonical).await?.is_some(),
        role: row.role()?,
        expires_at: row.expires_at.0,
        email: row.email,
    })
}
