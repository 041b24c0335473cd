//! The SQL of proofs of addresses.

use super::Intent;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Result, UserId};
use chrono::{DateTime, TimeDelta, Utc};

/// How often the code of a flow may be guessed at.
const TRIES: i64 = 5;

/// A flow that begins.
pub(super) struct NewRow {
    pub(super) flow: [u8; 32],
    pub(super) intent: Intent,
    pub(super) address: [u8; 32],
    pub(super) asker: [u8; 32],
    pub(super) user: Option<UserId>,
    pub(super) code: Option<[u8; 32]>,
    pub(super) link: Option<[u8; 32]>,
    pub(super) sealed: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

row! {
    /// What a guess is compared with.
    pub(super) struct TriedRow { address_hash: Vec<u8>, code_hash: Option<Vec<u8>> }
}

row! {
    /// A flow that is taken, or looked at.
    pub(super) struct TakenRow { flow_hash: Vec<u8>, sealed: Vec<u8>, expires_at: Timestamp }
}

/// Ends the flows whose place a new one takes. A user has one change of the address; all else there is once for an address and who asks, so that
/// nobody ends what somebody else has asked for.
pub(super) async fn replace(tx: &mut Tx, new: &NewRow) -> Result<()> {
    const OF_ADDRESS: &str = "UPDATE atom_email_proofs SET spent_at = $1
          WHERE address_hash = $2 AND intent = $3 AND asker_hash = $4 AND spent_at IS NULL";
    const OF_USER: &str = "UPDATE atom_email_proofs SET spent_at = $1 WHERE user_id = $2 AND intent = $3 AND spent_at IS NULL";
    let (now, intent) = (Timestamp::from(new.created_at), new.intent.as_str());
    match new.user.filter(|_| new.intent == Intent::ChangeEmail) {
        Some(user) => {
            on!(tx: tx, c => sqlx::query(OF_USER).bind(now).bind(user.0).bind(intent).execute(c).await.map(drop))?;
        }
        None => {
            on!(tx: tx, c => sqlx::query(OF_ADDRESS).bind(now).bind(&new.address[..]).bind(intent).bind(&new.asker[..]).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, new: &NewRow) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_email_proofs (flow_hash, intent, address_hash, asker_hash, user_id, code_hash, link_hash, sealed, tries, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)")
        .bind(&new.flow[..]).bind(new.intent.as_str()).bind(&new.address[..]).bind(&new.asker[..]).bind(new.user.map(|user| user.0))
        .bind(new.code.as_ref().map(|hash| &hash[..])).bind(new.link.as_ref().map(|hash| &hash[..])).bind(&new.sealed)
        .bind(Timestamp::from(new.created_at)).bind(Timestamp::from(new.expires_at)).execute(c).await.map(drop))?)
}

/// Counts a guess, if there may be another: what it is to be compared with.
pub(super) async fn count_try(
    db: &Db,
    intent: Intent,
    flow: &[u8; 32],
    user: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Option<TriedRow>> {
    Ok(on!(durable: db, c => sqlx::query_as::<_, TriedRow>(
        "UPDATE atom_email_proofs SET tries = tries + 1
          WHERE flow_hash = $1 AND intent = $2 AND ($3 IS NULL OR user_id = $3) AND tries < $4 AND spent_at IS NULL AND expires_at > $5
      RETURNING address_hash, code_hash")
        .bind(&flow[..]).bind(intent.as_str()).bind(user.map(|user| user.0)).bind(TRIES).bind(Timestamp::from(now))
        .fetch_optional(c).await)?)
}

/// Takes a flow whose code was right, for one of all who come at once.
pub(super) async fn spend(db: &Db, flow: &[u8; 32], now: DateTime<Utc>) -> Result<Option<TakenRow>> {
    Ok(on!(durable: db, c => sqlx::query_as::<_, TakenRow>(
        "UPDATE atom_email_proofs SET spent_at = $2 WHERE flow_hash = $1 AND spent_at IS NULL RETURNING flow_hash, sealed, expires_at")
        .bind(&flow[..]).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Takes the flow of a link; where the flow is shown, too, only if the link is its own.
pub(super) async fn spend_link(
    db: &Db,
    intent: Intent,
    link: &[u8; 32],
    flow: Option<&[u8; 32]>,
    user: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Option<TakenRow>> {
    Ok(on!(durable: db, c => sqlx::query_as::<_, TakenRow>(
        "UPDATE atom_email_proofs SET spent_at = $5
          WHERE link_hash = $1 AND intent = $2 AND ($3 IS NULL OR flow_hash = $3) AND ($4 IS NULL OR user_id = $4)
            AND spent_at IS NULL AND expires_at > $5
      RETURNING flow_hash, sealed, expires_at")
        .bind(&link[..]).bind(intent.as_str()).bind(flow.map(|flow| &flow[..])).bind(user.map(|user| user.0))
        .bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// The flow of a link that can still be taken.
pub(super) async fn link(db: &Db, intent: Intent, link: &[u8; 32], now: DateTime<Utc>) -> Result<Option<TakenRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, TakenRow>(
        "SELECT flow_hash, sealed, expires_at FROM atom_email_proofs
          WHERE link_hash = $1 AND intent = $2 AND spent_at IS NULL AND expires_at > $3")
        .bind(&link[..]).bind(intent.as_str()).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Ends all flows of an address.
pub(super) async fn end_all(tx: &mut Tx, address: &[u8; 32], now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_email_proofs SET spent_at = $1 WHERE address_hash = $2 AND spent_at IS NULL")
        .bind(Timestamp::from(now)).bind(&address[..]).execute(c).await.map(drop))?)
}

/// Deletes all flows of an address, and of a user.
pub(super) async fn delete_all(tx: &mut Tx, address: &[u8; 32], user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_email_proofs WHERE address_hash = $1 OR user_id = $2")
        .bind(&address[..]).bind(user.0).execute(c).await.map(drop))?)
}

/// Deletes flows that were over a day ago.
pub(crate) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_email_proofs WHERE expires_at < $1")
        .bind(Timestamp::from(now - TimeDelta::days(1))).execute(c).await.map(drop))?)
}
