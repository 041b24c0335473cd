//! The SQL of passkeys.

use super::response::Registration;
use crate::accounts::factors::Factor;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, ErrorKind, Result, UserId};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

row! {
    /// How a browser names a passkey.
    pub(super) struct Descriptor { credential_id: String, transports: Json<Vec<String>> }
}

row! {
    /// A passkey.
    pub(super) struct PasskeyRow { id: Uuid, user_id: Uuid, public_key: Vec<u8>, sign_count: i64, backup_eligible: bool }
}

/// The passkeys of a user.
pub(super) async fn descriptors(db: &Db, user: UserId) -> Result<Vec<Descriptor>> {
    Ok(on!(db, c => sqlx::query_as::<_, Descriptor>(
        "SELECT credential_id, transports FROM atom_passkeys WHERE user_id = $1 ORDER BY id")
        .bind(user.0).fetch_all(c).await)?)
}

/// The passkey of a credential, of a user who is active.
pub(super) async fn find(db: &Db, credential_id: &str) -> Result<Option<PasskeyRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, PasskeyRow>(
        "SELECT p.id, p.user_id, p.public_key, p.sign_count, p.backup_eligible
           FROM atom_passkeys p JOIN atom_users u ON u.id = p.user_id
          WHERE p.credential_id = $1 AND u.disabled_at IS NULL")
        .bind(credential_id).fetch_optional(c).await)?)
}

/// Stores a new passkey.
pub(super) async fn insert(tx: &mut Tx, user: UserId, factor: &Factor, made: &Registration) -> Result<()> {
    let done: Result<(), sqlx::Error> = on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_passkeys (id, user_id, name, credential_id, public_key, sign_count, backup_eligible, transports, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(factor.id.0).bind(user.0).bind(&factor.name).bind(&made.credential_id).bind(&made.cose)
        .bind(i64::from(made.sign_count)).bind(made.backup_eligible).bind(Json(&made.transports))
        .bind(Timestamp::from(factor.created_at)).execute(c).await.map(drop));
    done.map_err(|e| {
        let error = Error::from(e);
        if error.kind() != ErrorKind::Conflict {
            return error;
        }
        Error::new(ErrorKind::Conflict, "passkey_taken", "this passkey is a factor already: use it, or make another one")
    })
}

/// Notes that a passkey has signed so often, if it has signed less often before. One that does not count says zero for ever.
pub(super) async fn count(db: &Db, id: Uuid, sign_count: u32, now: DateTime<Utc>) -> Result<bool> {
    let counted: Option<(Uuid,)> = on!(durable: db, c => sqlx::query_as(
        "UPDATE atom_passkeys SET sign_count = $2, last_used_at = $3
          WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0)) RETURNING id")
        .bind(id).bind(i64::from(sign_count)).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(counted.is_some())
}
