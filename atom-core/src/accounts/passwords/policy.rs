//! What a new password has to be.

use super::{breached, common};
use crate::atom::Inner;
use crate::{Error, Result, Secret};

/// Longer texts are refused before they cost a hash, in characters.
const LONGEST: usize = 1000;

/// Refuses what is no good password for somebody with this e-mail address.
///
/// Fails with `invalid` (`weak_password`, `password_too_long`, `common_password`, `breached_password`) or `unavailable` (`breach_check_failed`).
pub(in crate::accounts) async fn check(inner: &Inner, password: &Secret, email: &str) -> Result<()> {
    let settings = &inner.passwords;
    let (length, shortest) = (password.expose().chars().count(), settings.shortest);
    if length < shortest {
        return Err(Error::invalid("weak_password", format!("the password has {length} characters: use at least {shortest}")));
    }
    if length > LONGEST {
        return Err(Error::invalid("password_too_long", format!("the password has {length} characters: use at most {LONGEST}")));
    }
    if common::is_common(password.expose(), &settings.words.and_of_account(email)) {
        let text = "the password is one of those that everybody tries first: use another, such as some words that do not belong together";
        return Err(Error::invalid("common_password", text));
    }
    breached::check(inner, password).await
}
