//! The key that approves offline: its public half, which counts a day after it was set.

use super::store::{self, KeyRow};
use super::{EmergencyAccess, OfflineKey, rights};
use crate::audit::AuditAction;
use crate::crypto::{from_base64url, from_hex, hex};
use crate::events::{self, OfflineKeyRemoved, OfflineKeySet};
use crate::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

const LENGTH: usize = 32;
/// How long others have to see that a key was set: whoever has stolen a session would set one of their own.
const DELAY: TimeDelta = TimeDelta::days(1);

/// The key that counts at a moment.
pub(super) fn present(row: &KeyRow, now: DateTime<Utc>) -> Option<String> {
    let is_next = row.next_from.is_some_and(|from| from.0 <= now);
    if is_next { row.next_key.clone() } else { row.public_key.clone() }
}

/// So many bytes, as people copy them: in hexadecimal, or in either alphabet of base64.
pub(super) fn bytes(text: &str, length: usize) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = if text.len() == 2 * length {
        from_hex(&text)
    } else {
        from_base64url(&text.trim_end_matches('=').replace('+', "-").replace('/', "_"))
    };
    bytes.filter(|bytes| bytes.len() == length)
}

fn shown(row: Option<KeyRow>, now: DateTime<Utc>) -> OfflineKey {
    let public_key = row.as_ref().and_then(|row| present(row, now));
    let next = row.filter(|row| row.next_from.is_some_and(|from| from.0 > now));
    let next_from = next.as_ref().and_then(|row| row.next_from).map(|from| from.0);
    OfflineKey { public_key, next_public_key: next.and_then(|row| row.next_key), next_from }
}

pub(super) async fn get(access: &EmergencyAccess) -> Result<OfflineKey> {
    access.principal.check_admin("see its offline key")?;
    Ok(shown(store::key(access.inner.db()?, access.principal.workspace_id).await?, access.inner.now()))
}

pub(super) async fn set(access: &EmergencyAccess, public_key: &str) -> Result<OfflineKey> {
    let (principal, now) = (&access.principal, access.inner.now());
    let malformed = || {
        let text = "an offline key is the 32 bytes of an Ed25519 public key, in hexadecimal or base64";
        Error::invalid("malformed_public_key", text)
    };
    let public_key = hex(&bytes(public_key, LENGTH).ok_or_else(malformed)?);
    let mut tx = access.inner.db()?.begin_durable().await?;
    rights::check_owner(&mut tx, principal).await?;
    let row = store::set_key(&mut tx, principal.workspace_id, &public_key, now, now + DELAY).await?;
    let accepted_from = row.next_from.map_or(now, |from| from.0);
    let from = accepted_from.to_rfc3339();
    let details = [("public_key", public_key.as_str()), ("accepted_from", from.as_str())];
    access.log(&mut tx, AuditAction::OfflineKeySet, None, &details, now).await?;
    let set = OfflineKeySet { public_key: public_key.clone(), setter_id: principal.user_id, accepted_from };
    events::append(&mut tx, principal.workspace_id, set, now).await?;
    tx.commit().await?;
    Ok(shown(Some(row), now))
}

pub(super) async fn remove(access: &EmergencyAccess) -> Result<()> {
    let (principal, now) = (&access.principal, access.inner.now());
    let mut tx = access.inner.db()?.begin_durable().await?;
    rights::check_owner(&mut tx, principal).await?;
    if store::remove_key(&mut tx, principal.workspace_id).await? {
        access.log(&mut tx, AuditAction::OfflineKeyRemoved, None, &[], now).await?;
        let removed = OfflineKeyRemoved { remover_id: principal.user_id };
        events::append(&mut tx, principal.workspace_id, removed, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_every_form_that_people_copy_and_in_no_other_length() {
        let expected: Vec<u8> = (0..32).map(|i| 255 - i).collect();
        for text in [
            "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0",
            "FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0EFEEEDECEBEAE9E8E7E6E5E4E3E2E1E0\n",
            "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
            "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA",
            " //79/Pv6+fj39vX08/Lx8O/u7ezr\n6uno5+bl5OPi4eA= \n",
        ] {
            assert_eq!(bytes(text, 32).as_ref(), Some(&expected), "{text}");
        }
        for text in ["", "00", "zz", "//79/Pv6", &"+f".repeat(32), &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(bytes(text, 32), None, "{text}");
        }
    }
}
