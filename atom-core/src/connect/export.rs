//! A token leaves: only where that was allowed, and not without an entry in the audit log.

use super::{AccessToken, Connection, refresh};
use crate::audit::{self, AuditAction};
use crate::{ConnectionId, Error, ErrorKind, Result};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many connections are remembered. Who is forgotten is only audited once more.
const MOST: usize = 10_000;

/// The newest token of each connection that has left through this process: it is audited once, however often it is asked for.
#[derive(Default)]
pub(crate) struct Exports {
    known: Mutex<HashMap<ConnectionId, Which>>,
    /// Held while an entry is written, so that of many callers one writes it and none gets the token before.
    writing: tokio::sync::Mutex<()>,
}

/// A token set: its revision, and when it was obtained, because revisions begin anew when a revoked account is connected again.
type Which = (i64, DateTime<Utc>);

impl Exports {
    fn has(&self, connection: ConnectionId, which: Which) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&connection) == Some(&which)
    }

    fn add(&self, connection: ConnectionId, which: Which) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(connection, which);
    }
}

pub(super) async fn run(connection: &Connection) -> Result<AccessToken> {
    if !connection.app.export_tokens {
        let text = "this provider's tokens stay inside: make the call with `request`, or set `export_tokens` for the provider when opening";
        let error = Error::new(ErrorKind::Forbidden, "token_export_not_allowed", text);
        return Err(error.with_provider(&connection.app.manifest.name));
    }
    let stored = refresh::valid_tokens(connection).await?;
    record(connection, (stored.revision, stored.obtained_at)).await?;
    let tokens = stored.tokens;
    Ok(AccessToken { token: tokens.access_token, expires_at: tokens.expires_at, scopes: tokens.scopes })
}

async fn record(connection: &Connection, which: Which) -> Result<()> {
    let (inner, exports) = (&connection.inner, &connection.inner.exports);
    if exports.has(connection.id, which) {
        return Ok(());
    }
    let _writing = exports.writing.lock().await;
    if !exports.has(connection.id, which) {
        let mut tx = inner.db()?.begin().await?;
        let details = [("provider", connection.app.manifest.name.as_str())];
        audit::append(&mut tx, connection.entry(AuditAction::TokenExported, &details), inner.now()).await?;
        tx.commit().await?;
        exports.add(connection.id, which);
    }
    Ok(())
}
