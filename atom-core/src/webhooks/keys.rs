//! The keys of endpoints, sealed in the database.

use super::sign::SigningKey;
use super::{WebhookSigning, store};
use crate::atom::Inner;
use crate::crypto::{Place, length_prefixed};
use crate::storage::Tx;
use crate::{Error, Result, Secret, WebhookEndpointId, WorkspaceId};
use chrono::{DateTime, Utc};

/// A key that is sealed for its place and waits for its transaction.
pub(super) struct Sealed {
    workspace: WorkspaceId,
    endpoint: WebhookEndpointId,
    number: i64,
    signing: WebhookSigning,
    sealed: Vec<u8>,
}

/// The key that a host brings, or a fresh one.
pub(super) fn choose(signing: Option<WebhookSigning>, given: Option<&Secret>) -> Result<SigningKey> {
    let Some(given) = given else { return SigningKey::generate(signing.unwrap_or(WebhookSigning::Hmac)) };
    let key = SigningKey::parse(given)?;
    if signing.is_some_and(|signing| signing != key.signing()) {
        return Err(Error::invalid(
            "malformed_webhook_secret",
            "the key is not of the kind that `signing` names: leave `signing` out",
        ));
    }
    Ok(key)
}

fn row_key(endpoint: WebhookEndpointId, number: i64) -> Vec<u8> {
    length_prefixed([&endpoint.0.as_bytes()[..], &number.to_be_bytes()])
}

fn place(workspace: WorkspaceId, row: &[u8]) -> Place<'_> {
    Place { workspace, table: "atom_webhook_keys", row, field: "sealed", version: 1 }
}

/// Seals a key as number `number` of an endpoint, before the transaction that stores it.
pub(super) async fn seal(
    inner: &Inner,
    workspace: WorkspaceId,
    endpoint: WebhookEndpointId,
    number: i64,
    key: &SigningKey,
) -> Result<Sealed> {
    let row = row_key(endpoint, number);
    let sealed = inner.keys.seal_record(inner.db()?, &place(workspace, &row), key.secret().expose().as_bytes()).await?;
    Ok(Sealed { workspace, endpoint, number, signing: key.signing(), sealed })
}

/// Stores a key. It signs from now on, and the older ones until a moment.
pub(super) async fn insert(tx: &mut Tx, key: &Sealed, older_until: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    store::insert_key(tx, key.workspace, key.endpoint, key.number, key.signing.as_str(), &key.sealed, now).await?;
    store::expire_keys(tx, key.workspace, key.endpoint, key.number, older_until, now).await
}

/// The keys that sign for an endpoint now, newest first, and the number of the newest.
pub(super) async fn load(inner: &Inner, workspace: WorkspaceId, endpoint: WebhookEndpointId) -> Result<(i64, Vec<SigningKey>)> {
    let (db, now) = (inner.db()?, inner.now());
    let rows = store::keys(db, workspace, endpoint).await?;
    let number = rows.first().ok_or_else(|| Error::not_found("webhook endpoint"))?.number;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| row.expires_at.is_none_or(|at| at.0 > now)) {
        let plain = inner.keys.open_record(db, &place(workspace, &row_key(endpoint, row.number)), &row.sealed).await?;
        let damaged = |_| Error::sealed("webhook_key_damaged", "a stored webhook key is malformed: rotate the endpoint's key");
        let text = std::str::from_utf8(&plain).map_err(damaged)?;
        keys.push(SigningKey::parse(&text.into())?);
    }
    Ok((number, keys))
}
