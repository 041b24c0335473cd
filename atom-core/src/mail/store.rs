//! The SQL of mail.
//!
//! The lease of a mail goes by the database's clock and everything else by the installation's, as with jobs: it is about a process that died.

use super::{MailDelivery, MailDeliveryFilter, MailDeliveryPage, MailDeliveryState, MailKind};
use crate::storage::{Db, Engine, OpenTx, Timestamp, Tx, on, row};
use crate::{Error, MailId, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// How long an attempt has for itself: twice as long as it may take.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// What is known of a mail without its text.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) id: MailId,
    pub(super) kind: MailKind,
    pub(super) user: Option<UserId>,
    pub(super) workspace: Option<WorkspaceId>,
}

/// A mail to be stored.
pub(super) struct NewRow {
    pub(super) known: Known,
    pub(super) locale: String,
    /// Masked.
    pub(super) to: String,
    pub(super) sealed: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// A mail that somebody has for an attempt. Whoever shows an older fence writes nothing.
pub(super) struct Claim {
    pub(super) known: Known,
    pub(super) fence: i64,
    pub(super) sealed: Vec<u8>,
    pub(super) expires_at: DateTime<Utc>,
}

row! {
    struct ClaimRow {
        id: Uuid,
        kind: String,
        user_id: Option<Uuid>,
        workspace_id: Option<Uuid>,
        fence: i64,
        sealed: Option<Vec<u8>>,
        expires_at: Timestamp,
    }
}

impl ClaimRow {
    fn into_claim(self) -> Result<Claim> {
        let known = known(self.id, &self.kind, self.user_id, self.workspace_id)?;
        Ok(Claim { known, fence: self.fence, sealed: self.sealed.unwrap_or_default(), expires_at: self.expires_at.0 })
    }
}

fn known(id: Uuid, kind: &str, user: Option<Uuid>, workspace: Option<Uuid>) -> Result<Known> {
    Ok(Known { id: MailId(id), kind: kind.parse()?, user: user.map(UserId), workspace: workspace.map(WorkspaceId) })
}

/// Stores a mail whose first attempt is the caller's.
pub(super) async fn insert(tx: &mut Tx, row: &NewRow) -> Result<()> {
    let Known { id, kind, user, workspace } = row.known;
    macro_rules! insert {
        ($lease:literal) => {
            concat!(
                "INSERT INTO atom_mails (id, kind, locale, recipient, sealed, state, user_id, workspace_id, created_at, expires_at, lease_until,
                    attempts, fence, has_job)
                 VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, ", $lease, ", 0, 0, FALSE)"
            )
        };
    }
    macro_rules! bound {
        ($query:expr) => {
            $query
                .bind(id.0)
                .bind(kind.as_str())
                .bind(&row.locale)
                .bind(&row.to)
                .bind(&row.sealed)
                .bind(user.map(|id| id.0))
                .bind(workspace.map(|id| id.0))
                .bind(Timestamp::from(row.created_at))
                .bind(Timestamp::from(row.expires_at))
        };
    }
    match &mut tx.open {
        OpenTx::Sqlite(c) => {
            bound!(sqlx::query(insert!("$10"))).bind(Timestamp::from(Utc::now() + LEASE)).execute(&mut **c).await?;
        }
        OpenTx::Pg(c) => {
            let query = bound!(sqlx::query(insert!("clock_timestamp() + $10 * interval '1 second'")));
            query.bind(LEASE.as_secs_f64()).execute(&mut **c).await?;
        }
    }
    Ok(())
}

/// Takes a mail for an attempt: one that nobody has, or, for the process that queued it, one that nobody has had.
pub(super) async fn claim(db: &Db, id: MailId, is_first: bool) -> Result<Option<Claim>> {
    let row: Option<ClaimRow> = match &db.engine {
        Engine::Sqlite(pools) => {
            sqlx::query_as(
                "UPDATE atom_mails SET fence = fence + 1, attempts = attempts + 1, lease_until = $3
                  WHERE id = $1 AND state = 'queued' AND (lease_until <= $4 OR ($2 AND fence = 0))
              RETURNING id, kind, user_id, workspace_id, fence, sealed, expires_at",
            )
            .bind(id.0)
            .bind(is_first)
            .bind(Timestamp::from(Utc::now() + LEASE))
            .bind(Timestamp::from(Utc::now()))
            .fetch_optional(&mut *pools.write.turn().await?)
            .await?
        }
        Engine::Pg(pool) => {
            sqlx::query_as(
                "UPDATE atom_mails SET fence = fence + 1, attempts = attempts + 1, lease_until = clock_timestamp() + $3 * interval '1 second'
                  WHERE id = $1 AND state = 'queued' AND (lease_until <= clock_timestamp() OR ($2 AND fence = 0))
              RETURNING id, kind, user_id, workspace_id, fence, sealed, expires_at",
            )
            .bind(id.0)
            .bind(is_first)
            .bind(LEASE.as_secs_f64())
            .fetch_optional(pool)
            .await?
        }
    };
    row.map(ClaimRow::into_claim).transpose()
}

/// Whether a mail still waits for an attempt, this one or another.
pub(super) async fn is_queued(db: &Db, id: MailId) -> Result<bool> {
    let row: Option<(String,)> = on!(db, c => sqlx::query_as("SELECT state FROM atom_mails WHERE id = $1 AND state = 'queued'").bind(id.0).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Writes that a mail was taken, and erases what it said. An attempt that has lost its mail changes nothing.
pub(super) async fn set_sent(tx: &mut Tx, claim: &Claim, receipt: Option<&str>, now: DateTime<Utc>) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_mails SET state = 'sent', sealed = NULL, receipt_id = $3, sent_at = $4, reason = NULL, explanation = NULL
          WHERE id = $1 AND fence = $2 AND state = 'queued' RETURNING id")
        .bind(claim.known.id.0).bind(claim.fence).bind(receipt).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// Gives a mail up, and erases what it said.
pub(super) async fn set_failed(tx: &mut Tx, claim: &Claim, reason: &str, explanation: &str, now: DateTime<Utc>) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_mails SET state = 'failed', sealed = NULL, reason = $3, explanation = $4, failed_at = $5
          WHERE id = $1 AND fence = $2 AND state = 'queued' RETURNING id")
        .bind(claim.known.id.0).bind(claim.fence).bind(reason).bind(explanation).bind(Timestamp::from(now))
        .fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// Gives a mail back after an attempt that failed, to the job that tries it again.
pub(super) async fn release(tx: &mut Tx, claim: &Claim, reason: &str, explanation: &str) -> Result<bool> {
    // The beginning of time: whatever the database's clock says, the lease is over.
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_mails SET lease_until = $5, has_job = TRUE, reason = $3, explanation = $4
          WHERE id = $1 AND fence = $2 AND state = 'queued' RETURNING id")
        .bind(claim.known.id.0).bind(claim.fence).bind(reason).bind(explanation).bind(Timestamp::from(DateTime::UNIX_EPOCH))
        .fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// Writes what a report says of a mail that was sent. One that is on the list as queued was sent by a process that died.
pub(super) async fn set_reported(
    tx: &mut Tx,
    id: MailId,
    state: MailDeliveryState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Option<Known>> {
    let row: Option<(String, Option<Uuid>, Option<Uuid>)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_mails SET state = $2, sealed = NULL, reason = $3, explanation = NULL, failed_at = $4
          WHERE id = $1 AND state IN ('queued', 'sent') RETURNING kind, user_id, workspace_id")
        .bind(id.0).bind(state.as_str()).bind(reason).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    row.map(|(kind, user, workspace)| known(id.0, &kind, user, workspace)).transpose()
}

macro_rules! abandoned {
    ($now:literal) => {
        concat!("SELECT id FROM atom_mails WHERE state = 'queued' AND NOT has_job AND lease_until <= ", $now)
    };
}

/// Whether there are mails whose process died before it had tried them, or in the middle.
pub(super) async fn has_abandoned(db: &Db) -> Result<bool> {
    let found: Option<(Uuid,)> = match &db.engine {
        Engine::Sqlite(pools) => {
            let query = sqlx::query_as(concat!(abandoned!("$1"), " LIMIT 1")).bind(Timestamp::from(Utc::now()));
            query.fetch_optional(&pools.read).await?
        }
        Engine::Pg(pool) => sqlx::query_as(concat!(abandoned!("clock_timestamp()"), " LIMIT 1")).fetch_optional(pool).await?,
    };
    Ok(found.is_some())
}

/// Takes such mails, so that a job can be made of each, and by one process only.
pub(super) async fn adopt(tx: &mut Tx, limit: i64) -> Result<Vec<(MailId, Option<WorkspaceId>)>> {
    macro_rules! adopt {
        ($now:literal, $limit:literal) => {
            concat!(
                "UPDATE atom_mails SET has_job = TRUE WHERE id IN (",
                abandoned!($now),
                $limit,
                ") AND NOT has_job RETURNING id, workspace_id"
            )
        };
    }
    let rows: Vec<(Uuid, Option<Uuid>)> = match &mut tx.open {
        OpenTx::Sqlite(c) => {
            let query = sqlx::query_as(adopt!("$1", " LIMIT $2")).bind(Timestamp::from(Utc::now())).bind(limit);
            query.fetch_all(&mut **c).await?
        }
        OpenTx::Pg(c) => {
            let query = sqlx::query_as(adopt!("clock_timestamp()", " LIMIT $1 FOR UPDATE SKIP LOCKED")).bind(limit);
            query.fetch_all(&mut **c).await?
        }
    };
    Ok(rows.into_iter().map(|(id, workspace)| (MailId(id), workspace.map(WorkspaceId))).collect())
}

/// Mails whose time is over and that nobody is trying.
pub(super) async fn expired(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<Claim>> {
    macro_rules! expired {
        ($lease:literal) => {
            concat!(
                "SELECT id, kind, user_id, workspace_id, fence, sealed, expires_at FROM atom_mails
                  WHERE state = 'queued' AND expires_at <= $1 AND lease_until <= ",
                $lease,
                " ORDER BY id LIMIT $2"
            )
        };
    }
    let rows: Vec<ClaimRow> = match &db.engine {
        Engine::Sqlite(pools) => {
            let query = sqlx::query_as(expired!("$3")).bind(Timestamp::from(now)).bind(limit).bind(Timestamp::from(Utc::now()));
            query.fetch_all(&pools.read).await?
        }
        Engine::Pg(pool) => {
            sqlx::query_as(expired!("clock_timestamp()")).bind(Timestamp::from(now)).bind(limit).fetch_all(pool).await?
        }
    };
    rows.into_iter().map(ClaimRow::into_claim).collect()
}

/// Deletes mails that were queued before a moment. What is still queued expires first.
pub(super) async fn delete_old(db: &Db, before: DateTime<Utc>) -> Result<()> {
    on!(write: db, c => sqlx::query("DELETE FROM atom_mails WHERE created_at < $1 AND state <> 'queued'")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?;
    Ok(())
}

row! {
    struct DeliveryRow {
        id: Uuid,
        kind: String,
        locale: String,
        recipient: String,
        user_id: Option<Uuid>,
        workspace_id: Option<Uuid>,
        state: String,
        attempts: i32,
        receipt_id: Option<String>,
        reason: Option<String>,
        explanation: Option<String>,
        created_at: Timestamp,
        expires_at: Timestamp,
        sent_at: Option<Timestamp>,
        failed_at: Option<Timestamp>,
    }
}

impl DeliveryRow {
    fn into_delivery(self) -> Result<MailDelivery> {
        Ok(MailDelivery {
            id: MailId(self.id),
            kind: self.kind.parse()?,
            locale: self.locale,
            to: self.recipient,
            user_id: self.user_id.map(UserId),
            workspace_id: self.workspace_id.map(WorkspaceId),
            state: self.state.parse()?,
            attempts: self.attempts,
            receipt_id: self.receipt_id,
            reason: self.reason,
            explanation: self.explanation,
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
            sent_at: self.sent_at.map(|at| at.0),
            failed_at: self.failed_at.map(|at| at.0),
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, locale, recipient, user_id, workspace_id, state, attempts, receipt_id, reason, explanation, created_at, expires_at,
                    sent_at, failed_at FROM atom_mails ", $rest
        )
    };
}

pub(super) async fn get(db: &Db, id: MailId) -> Result<MailDelivery> {
    let row: Option<DeliveryRow> = on!(db, c => sqlx::query_as(select!("WHERE id = $1")).bind(id.0).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("mail"))?.into_delivery()
}

/// The newest mail that a service called so.
pub(super) async fn by_receipt(db: &Db, receipt: &str) -> Result<MailId> {
    let row: Option<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT id FROM atom_mails WHERE receipt_id = $1 ORDER BY id DESC LIMIT 1").bind(receipt).fetch_optional(c).await)?;
    row.map(|(id,)| MailId(id)).ok_or_else(|| Error::not_found("mail"))
}

/// The mails that fit, newest first.
pub(super) async fn list(db: &Db, filter: &MailDeliveryFilter) -> Result<MailDeliveryPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let before: Option<Uuid> = filter.cursor.as_deref().map(Uuid::try_parse).transpose().map_err(malformed)?;
    // Ids sort by the time they were made.
    let rows: Vec<DeliveryRow> = on!(db, c => sqlx::query_as(select!(
        "WHERE ($1 IS NULL OR id < $1) AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR kind = $3) AND ($4 IS NULL OR user_id = $4)
           AND ($5 IS NULL OR created_at >= $5) AND ($6 IS NULL OR created_at < $6)
         ORDER BY id DESC LIMIT $7"))
        .bind(before).bind(filter.state.map(|state| state.as_str())).bind(filter.kind.map(|kind| kind.as_str()))
        .bind(filter.user_id.map(|id| id.0)).bind(filter.since.map(Timestamp::from)).bind(filter.until.map(Timestamp::from))
        .bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(DeliveryRow::into_delivery).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(MailDeliveryPage { items, next_cursor })
}

/// What became of all mails to a user, newest first.
pub(crate) async fn of_user(db: &Db, user: UserId) -> Result<Vec<MailDelivery>> {
    let rows: Vec<DeliveryRow> =
        on!(db, c => sqlx::query_as(select!("WHERE user_id = $1 ORDER BY id DESC")).bind(user.0).fetch_all(c).await)?;
    rows.into_iter().map(DeliveryRow::into_delivery).collect()
}

/// Deletes the mails to a user, those that wait, too. An attempt that is under way finds none, and writes nothing.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_mails WHERE user_id = $1").bind(user.0).execute(c).await.map(drop))?)
}
