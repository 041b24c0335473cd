//! Retire a key: no token that it has signed is accepted from then on.

use super::{SigningKeyState, store};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, SigningKeyRetired};
use crate::keys::nobody;
use crate::{Error, ErrorKind, Result, SigningKeyId};
use chrono::{DateTime, Utc};

pub(super) async fn run(inner: &Inner, id: SigningKeyId) -> Result<()> {
    let (db, now) = (inner.db()?, inner.now());
    let key = store::list(db, now).await?.into_iter().find(|key| key.id == id);
    let key = key.ok_or_else(|| Error::not_found("signing key"))?;
    match key.state {
        SigningKeyState::Retired => Ok(()),
        SigningKeyState::Current => {
            let text = "this key signs at the moment: rotate with a lead of 0 seconds, then retire it";
            Err(Error::new(ErrorKind::Conflict, "signing_key_in_use", text))
        }
        SigningKeyState::Upcoming | SigningKeyState::Retiring => retire(inner, id, now).await,
    }
}

/// Retires a key, in whatever process, once.
pub(super) async fn retire(inner: &Inner, id: SigningKeyId, now: DateTime<Utc>) -> Result<()> {
    let db = inner.db()?;
    let mut tx = db.begin_durable().await?;
    if store::retire(&mut tx, id.0, now).await? {
        let entry = Entry {
            workspace: INSTALLATION,
            actor: nobody(),
            action: AuditAction::SigningKeyRetired,
            subject: Some(id.to_string()),
            details: &[],
        };
        audit::append(&mut tx, entry, now).await?;
        events::append(&mut tx, INSTALLATION, SigningKeyRetired { key_id: id }, now).await?;
        tx.commit().await?;
    }
    inner.signing.look_again(db, now).await
}
