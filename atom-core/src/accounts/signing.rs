//! The installation's signing keys and the access tokens they sign.

use super::{Principal, Role};
use crate::crypto::{KeyRing, Place, jws};
use crate::storage::{Db, Timestamp, on};
use crate::{Error, ErrorKind, Result, Secret, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use uuid::Uuid;
use zeroize::Zeroizing;

/// RFC 9068: the type of a JWT access token.
const TYPE: &str = "at+jwt";
/// How far two machines' clocks may differ.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// How long an access token is valid.
pub(super) const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(15);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    sid: SessionId,
    workspace: WorkspaceId,
    role: Role,
}

/// Signs access tokens with the newest key and verifies them with any key that is not retired.
pub(crate) struct SigningKeys {
    issuer: String,
    kid: Uuid,
    private: Zeroizing<Vec<u8>>,
    /// Public keys by id; another process may add one at any time.
    public: RwLock<HashMap<String, Vec<u8>>>,
}

impl SigningKeys {
    /// Loads the newest key, or makes the first one.
    pub(crate) async fn open(db: &Db, keys: &KeyRing, issuer: String, now: DateTime<Utc>) -> Result<Self> {
        let (kid, private) = match newest(db, keys).await? {
            Some(found) => found,
            None => {
                create(db, keys, now).await?;
                newest(db, keys).await?.ok_or_else(|| Error::internal("no_signing_key", "the signing key did not appear"))?
            }
        };
        let signing = Self { issuer, kid, private, public: RwLock::default() };
        signing.load_public(db).await?;
        Ok(signing)
    }

    /// A token for a session, and when it stops working.
    pub(super) fn access_token(
        &self,
        principal: &Principal,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<(Secret, DateTime<Utc>)> {
        let expires_at = now + ACCESS_LIFETIME;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: principal.user_id,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: expires_at.timestamp(),
            jti: Uuid::now_v7().to_string(),
            sid: session,
            workspace: principal.workspace_id,
            role: principal.role,
        };
        Ok((jws::sign(&self.private, &self.kid.to_string(), TYPE, &claims)?.into(), expires_at))
    }

    /// Who a token speaks for. No database is asked unless the key is new to this process.
    pub(super) async fn verify(&self, db: &Db, token: &Secret, now: DateTime<Utc>) -> Result<Principal> {
        let refused = |reason, text| Error::new(ErrorKind::Unauthenticated, reason, text);
        let unknown = || refused("invalid_access_token", "the access token is not one of this installation: sign in");
        let kid = jws::kid(token.expose()).ok_or_else(unknown)?;
        if self.public_key(&kid).is_none() {
            self.load_public(db).await?;
        }
        let key = self.public_key(&kid).ok_or_else(unknown)?;
        let claims: Claims = jws::verify(&key, TYPE, token.expose()).ok_or_else(unknown)?;
        if claims.iss != self.issuer || claims.aud != self.issuer || claims.nbf > (now + SKEW).timestamp() {
            return Err(unknown());
        }
        if claims.exp <= (now - SKEW).timestamp() {
            return Err(refused("access_token_expired", "the access token has expired: refresh the session"));
        }
        Ok(Principal { user_id: claims.sub, workspace_id: claims.workspace, role: claims.role, session_id: Some(claims.sid) })
    }

    fn public_key(&self, kid: &str) -> Option<Vec<u8>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    async fn load_public(&self, db: &Db) -> Result<()> {
        let rows: Vec<(Uuid, Vec<u8>)> = on!(db, c => sqlx::query_as("SELECT id, public_key FROM atom_signing_keys WHERE retired_at IS NULL").fetch_all(c).await)?;
        *self.public.write().unwrap_or_else(PoisonError::into_inner) =
            rows.into_iter().map(|(id, key)| (id.to_string(), key)).collect();
        Ok(())
    }
}

fn place(id: &Uuid) -> Place<'_> {
    Place {
        workspace: crate::crypto::INSTALLATION,
        table: "atom_signing_keys",
        row: id.as_bytes(),
        field: "private_key",
        version: 1,
    }
}

async fn newest(db: &Db, keys: &KeyRing) -> Result<Option<(Uuid, Zeroizing<Vec<u8>>)>> {
    let row: Option<(Uuid, Vec<u8>)> = on!(db, c => sqlx::query_as(
        "SELECT id, private_key FROM atom_signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1")
        .fetch_optional(c).await)?;
    let Some((id, sealed)) = row else { return Ok(None) };
    Ok(Some((id, keys.open_record(db, &place(&id), &sealed).await?)))
}

async fn create(db: &Db, keys: &KeyRing, now: DateTime<Utc>) -> Result<()> {
    let id = Uuid::now_v7();
    let (private, public) = jws::generate()?;
    let sealed = keys.seal_record(db, &place(&id), &private).await?;
    let mut tx = db.begin_durable().await?;
    on!(tx: &mut tx, c => sqlx::query("INSERT INTO atom_signing_keys (id, public_key, private_key, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id).bind(public).bind(sealed).bind(Timestamp::from(now)).execute(c).await.map(drop))?;
    tx.commit().await
}
