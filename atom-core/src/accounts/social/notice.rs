//! The mail that tells a user of a change to how they sign in.

use crate::Result;
use crate::accounts::{User, notice};
use crate::atom::Inner;
use crate::mail::{Prepared, Template, templates::IdentityChanged};
use std::sync::Arc;

/// Nothing where mail is not configured.
pub(super) async fn prepare(inner: &Arc<Inner>, user: &User, provider: &str, is_added: bool) -> Result<Option<Prepared>> {
    // Its name as people know it, unless it is gone.
    let provider = inner.sign_in_providers.get(provider).map_or_else(|_| provider.to_owned(), |known| known.title.clone());
    let changed = IdentityChanged { at: inner.now(), provider, is_added };
    notice::prepare(inner, user, Template::IdentityChanged(changed)).await
}
