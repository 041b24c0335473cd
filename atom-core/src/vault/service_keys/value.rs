//! The value of a key: what it may be, what is shown of it, and how it is sealed.

use super::{KeyPlacement, store};
use crate::atom::Inner;
use crate::crypto::{Place, length_prefixed};
use crate::{Error, Result, Secret, ServiceKeyId, WorkspaceId};
use chrono::{DateTime, Utc};

const SHORTEST: usize = 8;
const LONGEST: usize = 16 * 1024;
/// How many characters are shown of a value, and how many it must have, so that those few give nothing away.
const SHOWN: usize = 4;
const LONG_ENOUGH: usize = 24;

/// Refuses what is no key, or cannot be sent.
///
/// Fails with `invalid` (`malformed_service_key_value`).
pub(super) fn check(value: &Secret, placement: &KeyPlacement) -> Result<()> {
    let length = value.expose().len();
    if !(SHORTEST..=LONGEST).contains(&length) || value.expose().contains('\0') {
        let text = format!("the key has {length} bytes: it needs {SHORTEST} to {LONGEST}, none of them zero");
        return Err(Error::invalid("malformed_service_key_value", text));
    }
    placement.carrier(value).map(drop)
}

/// The last characters of a value, if they are few of many and can be read.
pub(super) fn hint(value: &Secret) -> Option<String> {
    let text = value.expose();
    let shown = text.get(text.len().checked_sub(SHOWN)?..)?;
    let is_plain = shown.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (text.chars().count() >= LONG_ENOUGH && is_plain).then(|| shown.to_owned())
}

fn row_key(id: ServiceKeyId, revision: i64) -> Vec<u8> {
    length_prefixed([&id.0.as_bytes()[..], &revision.to_be_bytes()])
}

fn place(workspace: WorkspaceId, row: &[u8], revision: i64) -> Place<'_> {
    Place { workspace, table: "atom_service_key_values", row, field: "sealed", version: revision }
}

/// Seals a value for a revision of its key, before the transaction that stores it.
pub(super) async fn seal(
    inner: &Inner,
    workspace: WorkspaceId,
    id: ServiceKeyId,
    revision: i64,
    value: &Secret,
) -> Result<Vec<u8>> {
    let row = row_key(id, revision);
    inner.keys.seal_record(inner.db()?, &place(workspace, &row, revision), value.expose().as_bytes()).await
}

/// The values of a key that serve now, the newest first.
pub(super) async fn load(inner: &Inner, workspace: WorkspaceId, id: ServiceKeyId, now: DateTime<Utc>) -> Result<Vec<Secret>> {
    let db = inner.db()?;
    let mut values = Vec::new();
    for row in store::values(db, workspace, id, now).await? {
        let key = row_key(id, row.revision);
        let plain = inner.keys.open_record(db, &place(workspace, &key, row.revision), &row.sealed).await?;
        let damaged = |_| Error::sealed("service_key_damaged", "a stored service key is malformed: rotate it");
        values.push(Secret::from(std::str::from_utf8(&plain).map_err(damaged)?));
    }
    // Removed since the key was read.
    if values.is_empty() { Err(Error::not_found("service key")) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_little_of_a_long_value_and_nothing_of_a_short_one() {
        let of = |text: &str| hint(&text.into());
        assert_eq!(of("sk-proj-0123456789abcdefghij").as_deref(), Some("ghij"));
        for text in
            ["", "abc", "hunter2", "0123456789abcdefghijkl3", "0123456789abcdefghijklmn\n}", "0123456789abcdefghijklm\u{e4}"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_is_neither_tiny_nor_huge() {
        let placement = KeyPlacement::checked(None).expect("the default");
        check(&"x".repeat(SHORTEST).as_str().into(), &placement).expect("the shortest");
        check(&"x".repeat(LONGEST).into(), &placement).expect("the longest");
        for wrong in ["1234567".to_owned(), "x".repeat(LONGEST + 1), "12345678\0".to_owned(), "12345678\n".to_owned()] {
            let error = check(&wrong.as_str().into(), &placement).expect_err("refused");
            assert_eq!(error.reason(), "malformed_service_key_value");
            assert!(!format!("{error:?}").contains("12345678"));
        }
    }
}
