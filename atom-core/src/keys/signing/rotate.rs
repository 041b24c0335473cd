//! Rotate: a new key is published, and signs some time later.

use super::{SigningKey, store};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::{INSTALLATION, NewSigningKey};
use crate::events::{self, SigningKeyAdded};
use crate::keys::nobody;
use crate::{Error, ErrorKind, Result, SigningKeyId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How long a key is published before it signs: as long as others may keep a copy of the published keys.
pub(super) const LEAD: TimeDelta = TimeDelta::hours(1);
/// The longest such time, in seconds: a month.
const LONGEST_LEAD: i64 = 30 * 24 * 3600;

pub(super) async fn run(inner: &Inner, lead_seconds: Option<i64>) -> Result<SigningKey> {
    let lead = lead_seconds.unwrap_or(LEAD.num_seconds());
    if !(0..=LONGEST_LEAD).contains(&lead) {
        return Err(Error::invalid("malformed_option", "lead_seconds is between 0 and 2592000, a month"));
    }
    let meanwhile = || {
        let text =
            "another process has rotated the signing keys at the same moment: list them, and rotate again if that is not enough";
        Error::new(ErrorKind::Conflict, "rotated_meanwhile", text)
    };
    let (last, _) = store::last(inner.db()?).await?.ok_or_else(meanwhile)?;
    let id = follow(inner, last, TimeDelta::seconds(lead), inner.now()).await?.ok_or_else(meanwhile)?;
    let made = store::list(inner.db()?, inner.now()).await?.into_iter().find(|key| key.id.0 == id);
    made.ok_or_else(|| Error::internal("signing_key_lost", "a new signing key did not appear"))
}

/// Makes the key that follows another one, and returns its id; none if it is followed by one already.
pub(super) async fn follow(inner: &Inner, last: Uuid, lead: TimeDelta, now: DateTime<Utc>) -> Result<Option<Uuid>> {
    let db = inner.db()?;
    let key = NewSigningKey::generate(db, &inner.keys).await?;
    let signs_from = now + lead;
    let mut tx = db.begin_durable().await?;
    if !store::succeed(&mut tx, last, key.id).await? {
        return Ok(None);
    }
    key.insert(&mut tx, now, signs_from).await?;
    let (subject, from) = (Some(key.id.to_string()), signs_from.to_rfc3339());
    let details = [("signs_from", from.as_str())];
    let entry =
        Entry { workspace: INSTALLATION, actor: nobody(), action: AuditAction::SigningKeyAdded, subject, details: &details };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, INSTALLATION, SigningKeyAdded { key_id: SigningKeyId(key.id), signs_from }, now).await?;
    tx.commit().await?;
    inner.signing.look_again(db, now).await?;
    Ok(Some(key.id))
}
