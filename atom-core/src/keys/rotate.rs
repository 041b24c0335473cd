//! Rotate the key-encryption key: every data key that another key wraps is wrapped by the current one. No record is touched.
//!
//! A data key is unwrapped by its old key, wrapped by the new one and written back if nobody else has done so. At every moment its row
//! holds one wrapping that opens, so any process may stop anywhere, and any may go on. Only when the database shows that a key wraps
//! nothing more is it retired.

use super::store::{self, ForeignRow};
use super::{KeyRotation, WrappingKey, nobody};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::{INSTALLATION, referenced};
use crate::events::{self, KeyRetired};
use crate::{Error, Result, WorkspaceId};
use uuid::Uuid;

/// How many data keys are written in one transaction.
const PAGE: i64 = 100;

pub(super) async fn run(inner: &Inner, max_data_keys: Option<i64>) -> Result<KeyRotation> {
    let mut left = max_data_keys.unwrap_or(i64::MAX);
    if left < 1 {
        return Err(Error::invalid("malformed_option", "`max_data_keys` is at least 1"));
    }
    let (db, current) = (inner.db()?, inner.keys.wrapping.current().to_owned());
    take_into_use(inner, &current).await?;
    let (mut rewrapped, mut damaged) = (0, None);
    for (fingerprint, ..) in referenced(db).await?.into_iter().filter(|(fingerprint, ..)| *fingerprint != current) {
        let mut after = (Uuid::nil(), Uuid::nil());
        while left > 0 {
            let page = store::wrapped_by(db, &fingerprint, after, PAGE.min(left)).await?;
            let Some(last) = page.last() else { break };
            after = (last.workspace_id, last.id);
            left -= i64::try_from(page.len()).unwrap_or(i64::MAX);
            rewrapped += take_over(inner, &page, &mut damaged).await?;
        }
    }
    let retired = retire_all(inner, &current).await?;
    match damaged {
        Some(error) => Err(error),
        None => Ok(KeyRotation { remaining: store::foreign_count(db, &current).await?, current, rewrapped, retired }),
    }
}

/// The current key may have been retired before: then the installation goes back to it.
async fn take_into_use(inner: &Inner, current: &str) -> Result<()> {
    let mut tx = inner.db()?.begin_durable().await?;
    if store::take_into_use(&mut tx, current).await? {
        let subject = Some(current.to_owned());
        let entry =
            Entry { workspace: INSTALLATION, actor: nobody(), action: AuditAction::KeyTakenIntoUse, subject, details: &[] };
        audit::append(&mut tx, entry, inner.now()).await?;
    }
    tx.commit().await
}

/// Wraps a page of data keys, then writes it. One that was altered does not keep the others from being taken over.
async fn take_over(inner: &Inner, page: &[ForeignRow], damaged: &mut Option<Error>) -> Result<i64> {
    let mut done = Vec::with_capacity(page.len());
    for was in page {
        match inner.keys.rewrap(WorkspaceId(was.workspace_id), was.id, &was.wrapped()).await {
            Ok(wrapped) => done.push((was, wrapped)),
            Err(error) if matches!(error.reason(), "record_altered" | "data_key_malformed") => {
                tracing::warn!(workspace.id = %was.workspace_id, key.id = %was.id, %error, "a data key does not open");
                *damaged = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    let mut count = 0;
    let mut tx = inner.db()?.begin_durable().await?;
    for (was, wrapped) in done {
        count += i64::from(store::rewrap(&mut tx, was, &wrapped).await?);
    }
    tx.commit().await?;
    Ok(count)
}

/// Retires every key that was in use and wraps nothing any more, also where the process that saw to it ended before it could say so.
async fn retire_all(inner: &Inner, current: &str) -> Result<Vec<String>> {
    let is_done = |key: &WrappingKey| {
        // One that was only given in advance, to be the next, is not done: it has not begun.
        key.fingerprint != current && key.data_keys == 0 && key.in_use_since.is_some() && key.retired_at.is_none()
    };
    let mut retired = Vec::new();
    for key in store::wrapping_keys(inner.db()?).await?.into_iter().filter(is_done) {
        let mut tx = inner.db()?.begin_durable().await?;
        if !store::retire(&mut tx, &key.fingerprint, inner.now()).await? {
            continue;
        }
        let (now, details) = (inner.now(), [("successor", current)]);
        let subject = Some(key.fingerprint.clone());
        let entry =
            Entry { workspace: INSTALLATION, actor: nobody(), action: AuditAction::KeyRetired, subject, details: &details };
        audit::append(&mut tx, entry, now).await?;
        let event = KeyRetired { fingerprint: key.fingerprint.clone(), successor: current.to_owned() };
        events::append(&mut tx, INSTALLATION, event, now).await?;
        tx.commit().await?;
        retired.push(key.fingerprint);
    }
    Ok(retired)
}
