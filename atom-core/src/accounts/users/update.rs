//! Changing what is known of a user.

use super::told::{By, tell, told};
use super::{UserAccount, UserPatch, metadata, store};
use crate::accounts::{sign_up, store as people};
use crate::atom::Inner;
use crate::audit::AuditAction;
use crate::events::UserUpdated;
use crate::{Error, Result, UserId};

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

pub(in crate::accounts) async fn run(inner: &Inner, user: UserId, patch: UserPatch, by: By) -> Result<UserAccount> {
    let UserPatch { display_name, locale, user_metadata, app_metadata } = patch;
    let display_name = display_name.as_deref().map(checked_name).transpose()?;
    let locale = locale.map(|locale| (!locale.is_empty()).then_some(locale));
    locale.iter().flatten().try_for_each(|locale| sign_up::check_locale(locale))?;
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    people::hold_user(&mut tx, user).await?;
    let before = store::account_in(&mut tx, user).await?.ok_or_else(|| Error::not_found("user"))?;
    let mut after = before.clone();
    if let Some(name) = display_name {
        after.user.display_name = name;
    }
    if let Some(locale) = locale {
        after.user.locale = locale;
    }
    if let Some(patch) = user_metadata {
        after.user_metadata.0 = metadata::merged(after.user_metadata.0, &patch)?;
    }
    if let Some(patch) = app_metadata {
        after.app_metadata.0 = metadata::merged(after.app_metadata.0, &patch)?;
    }
    let changed = changed(&before, &after);
    if changed.is_empty() {
        return Ok(before);
    }
    store::update(&mut tx, &after).await?;
    // What changed, and never from what or to what.
    let changed = changed.join(",");
    let event = UserUpdated { user_id: user, changed: changed.clone() };
    let details = [("changed", changed.as_str())];
    let told = told(&mut tx, user, by, AuditAction::UserUpdated, &details, &event).await?;
    tell(&mut tx, told, now).await?;
    tx.commit().await?;
    Ok(after)
}

/// The name as it is stored. Fails with `invalid` (`malformed_display_name`).
fn checked_name(name: &str) -> Result<Option<String>> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(Error::invalid("malformed_display_name", "the name of a user is one line of at most 100 characters"));
    }
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

fn changed(before: &UserAccount, after: &UserAccount) -> Vec<&'static str> {
    let differs = [
        ("display_name", before.user.display_name != after.user.display_name),
        ("locale", before.user.locale != after.user.locale),
        ("user_metadata", before.user_metadata != after.user_metadata),
        ("app_metadata", before.app_metadata != after.app_metadata),
    ];
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}
