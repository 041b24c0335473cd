//! Take over what older data keys of a workspace have sealed, and destroy those that nothing needs any more.
//!
//! A record is opened by its old key, sealed by the newest and written back if it is still the same, so a refreshed token is never
//! overwritten. Other processes may go on sealing under an older key for a moment after a rotation (`Tuning::look`); they may take a
//! moment more to store it. So an older key is destroyed only after nothing has named it for a day, looked at again in the transaction
//! that destroys it.

use super::columns::{COLUMNS, Cursor, Record};
use super::{DataKeyState, Resealing, nobody, store};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, WorkspaceKeyDestroyed};
use crate::storage::{Conn, Engine};
use crate::{DataKeyId, Error, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many records are written in one transaction.
const PAGE: i64 = 100;
/// How often a page is tried that met another transaction.
const TRIES: u32 = 5;

/// A way through all records of a workspace, as often as there is something to do.
pub(super) struct Sweep {
    workspace: WorkspaceId,
    newest: Uuid,
    column: usize,
    after: Option<Cursor>,
    /// Whether this round has found something to do.
    has_found: bool,
    pub(super) resealed: i64,
    /// Of this round.
    damaged: i64,
}

impl Sweep {
    pub(super) async fn begin(inner: &Inner, workspace: WorkspaceId) -> Result<Self> {
        inner.keys.look_again(workspace);
        let newest = inner.keys.newest(inner.db()?, workspace).await?;
        Ok(Self { workspace, newest, column: 0, after: None, has_found: false, resealed: 0, damaged: 0 })
    }

    /// Does a page of records, at most so many; false once a whole round has found nothing more.
    pub(super) async fn step(&mut self, inner: &Inner, max: i64) -> Result<bool> {
        let Some(column) = COLUMNS.get(self.column) else {
            if !self.has_found {
                return Ok(false);
            }
            // The key may have been rotated again meanwhile.
            *self = Self { resealed: self.resealed, ..Self::begin(inner, self.workspace).await? };
            return Ok(true);
        };
        let size = PAGE.min(max);
        let page = if column.may_belong_to(self.workspace) {
            column.page(inner.db()?, self.workspace, self.newest, self.after.as_ref(), size).await?
        } else {
            Vec::new()
        };
        match page.last() {
            Some(last) => self.after = Some(last.cursor()),
            None => (self.column, self.after) = (self.column + 1, None),
        }
        let mut tries = 1;
        let (resealed, damaged) = loop {
            match take_over(inner, &page).await {
                Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
                done => break done?,
            }
        };
        self.has_found |= damaged < page.len();
        self.resealed += resealed;
        self.damaged += i64::try_from(damaged).unwrap_or(i64::MAX);
        Ok(true)
    }
}

/// Seals a page of records anew, then writes it. Returns how many were written, and how many do not open.
async fn take_over(inner: &Inner, page: &[Record]) -> Result<(i64, usize)> {
    if page.is_empty() {
        return Ok((0, 0));
    }
    let db = inner.db()?;
    let (mut sealed, mut damaged) = (Vec::with_capacity(page.len()), 0);
    for record in page {
        let row = record.row();
        let place = record.place(&row);
        match inner.keys.open_record(db, &place, &record.sealed).await {
            Ok(plain) => sealed.push((record, inner.keys.seal_record(db, &place, &plain).await?)),
            Err(error) if matches!(error.reason(), "record_altered" | "unknown_format" | "data_key_missing") => {
                tracing::warn!(table = place.table, workspace.id = %place.workspace, %error, "a stored record does not open");
                damaged += 1;
            }
            Err(error) => return Err(error),
        }
    }
    let mut written = 0;
    let mut tx = db.begin().await?;
    for (record, anew) in &sealed {
        // One that was written meanwhile is looked at again in the next round.
        written += i64::from(record.replace(&mut tx, anew).await?);
    }
    tx.commit().await?;
    Ok((written, damaged))
}

/// Does so many records, or all, and then what can be done about the older data keys.
pub(super) async fn run(inner: &Inner, workspace: WorkspaceId, max_records: Option<i64>) -> Result<Resealing> {
    let max = max_records.unwrap_or(i64::MAX);
    if max < 1 {
        return Err(Error::invalid("malformed_option", "`max_records` is at least 1"));
    }
    let mut sweep = Sweep::begin(inner, workspace).await?;
    let mut is_done = false;
    while sweep.resealed < max && !is_done {
        is_done = !sweep.step(inner, max - sweep.resealed).await?;
    }
    let next_at = if is_done { settle(inner, workspace).await? } else { None };
    let workspace_id = Some(workspace).filter(|workspace| *workspace != INSTALLATION);
    Ok(Resealing { workspace_id, resealed: sweep.resealed, damaged: sweep.damaged, is_done, next_at })
}

/// Notes since when nothing names an older data key, and destroys it when that is long enough. Returns when to look again.
pub(super) async fn settle(inner: &Inner, workspace: WorkspaceId) -> Result<Option<DateTime<Utc>>> {
    let mut next_at: Option<DateTime<Utc>> = None;
    let keys = store::data_keys(inner.db()?, workspace).await?;
    for key in keys.into_iter().filter(|key| key.state == DataKeyState::Retiring) {
        let now = inner.now();
        let is_named = is_named(inner, workspace, key.id, now).await?;
        let since = if is_named { None } else { key.idle_since.or(Some(now)) };
        if since != key.idle_since {
            let mut tx = inner.db()?.begin_durable().await?;
            store::set_idle(&mut tx, workspace, key.id, since).await?;
            tx.commit().await?;
        }
        let due = since.map(|since| since + inner.keys.tuning().quiet);
        match due {
            Some(due) if due <= now => destroy(inner, workspace, key.id).await?,
            Some(due) => next_at = Some(next_at.map_or(due, |other| other.min(due))),
            None => {}
        }
    }
    Ok(next_at)
}

async fn is_named(inner: &Inner, workspace: WorkspaceId, key: DataKeyId, now: DateTime<Utc>) -> Result<bool> {
    for column in COLUMNS.iter().filter(|column| column.may_belong_to(workspace)) {
        let is_named = match &inner.db()?.engine {
            Engine::Sqlite(pools) => {
                let mut conn = pools.read.acquire().await?;
                column.names(Conn::Sqlite(&mut conn), workspace, key.0, now).await?
            }
            Engine::Pg(pool) => {
                let mut conn = pool.acquire().await?;
                column.names(Conn::Pg(&mut conn), workspace, key.0, now).await?
            }
        };
        if is_named {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn destroy(inner: &Inner, workspace: WorkspaceId, key: DataKeyId) -> Result<()> {
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    for column in COLUMNS.iter().filter(|column| column.may_belong_to(workspace)) {
        if column.names(tx.conn(), workspace, key.0, now).await? {
            store::set_idle(&mut tx, workspace, key, None).await?;
            return tx.commit().await;
        }
    }
    if !store::destroy(&mut tx, workspace, key, now).await? {
        return Ok(());
    }
    let subject = Some(key.to_string());
    let entry = Entry { workspace, actor: nobody(), action: AuditAction::DataKeyDestroyed, subject, details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace, WorkspaceKeyDestroyed { key_id: key }, now).await?;
    tx.commit().await
}
