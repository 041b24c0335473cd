//! What holds for every factor: how many there are, and what they are called.

use crate::{Error, ErrorKind, Result};

/// How many factors a user may have.
const MOST: i64 = 20;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Refuses one more beside so many: before its user makes it, and again in the transaction that stores it.
///
/// Fails with `conflict` (`too_many_factors`).
pub(super) fn check_room(count: i64) -> Result<()> {
    if count < MOST {
        return Ok(());
    }
    let text = format!("the user has {MOST} factors: remove one that is not used before adding another");
    Err(Error::new(ErrorKind::Conflict, "too_many_factors", text))
}

/// The name as it is stored.
///
/// Fails with `invalid` (`malformed_factor_name`).
pub(super) fn check_name(name: Option<String>) -> Result<Option<String>> {
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("malformed_factor_name", "the name of a factor is one line of at most 100 characters"));
    }
    Ok(Some(name))
}
