//! A token leaves: only where that was allowed, and not without an entry in the audit log.

use super::flight::Flight;
use super::methods::Way;
use super::{AccessToken, Connection, Meter, refresh};
use crate::accounts::Purpose;
use crate::audit::{self, AuditAction};
use crate::vault::policies;
use crate::{Error, ErrorKind, Result};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many token sets are remembered. Who is forgotten is only audited once more.
const MOST: usize = 10_000;

/// The newest token of each set that has left through this process: it is audited once for each purpose, however often it is asked for.
#[derive(Default)]
pub(crate) struct Exports {
    known: Mutex<HashMap<What, Which>>,
    /// Held while an entry is written, so that of many callers one writes it and none gets the token before.
    writing: tokio::sync::Mutex<()>,
}

/// A token set, and what for.
type What = (Flight, Option<Purpose>);

/// A token of it: its revision, and when it was obtained, because revisions begin anew when a revoked account is connected again.
type Which = (i64, DateTime<Utc>);

impl Exports {
    fn has(&self, what: &What, which: Which) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(what) == Some(&which)
    }

    fn add(&self, what: What, which: Which) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(what, which);
    }
}

pub(super) async fn run(connection: &Connection, set: &str) -> Result<AccessToken> {
    Meter::export(connection).end_with(token(connection, set).await)
}

async fn token(connection: &Connection, set: &str) -> Result<AccessToken> {
    if !connection.app.export_tokens {
        let text = "this provider's tokens stay inside: make the call with `request`, or set `export_tokens` for the provider when opening";
        let error = Error::new(ErrorKind::Forbidden, "token_export_not_allowed", text);
        return Err(error.with_provider(&connection.app.manifest.name));
    }
    policies::check_export(&connection.inner, &connection.principal, connection.target()).await?;
    let stored = refresh::valid_tokens(connection, set).await?;
    let has_bearer = !Way::find(&connection.app, &stored.tokens.method)?.how.is_fixed();
    let Some(token) = stored.tokens.access_token.filter(|_| has_bearer) else {
        let text =
            "this account was connected without a bearer token: use `request`, which authenticates as the provider wants it";
        let error = Error::new(ErrorKind::Unsupported, "no_bearer_token", text);
        return Err(error.with_provider(&connection.app.manifest.name));
    };
    record(connection, (connection.id, set.to_owned()), (stored.revision, stored.obtained_at)).await?;
    Ok(AccessToken { token, expires_at: stored.tokens.expires_at, scopes: stored.tokens.scopes })
}

async fn record(connection: &Connection, set: Flight, which: Which) -> Result<()> {
    let (inner, principal, exports) = (&connection.inner, &connection.principal, &connection.inner.exports);
    let what = (set, principal.purpose.clone());
    if exports.has(&what, which) {
        return Ok(());
    }
    let _writing = exports.writing.lock().await;
    if !exports.has(&what, which) {
        let mut tx = inner.db()?.begin().await?;
        let mut details = vec![("provider", connection.app.manifest.name.as_str()), ("token_set", what.0.1.as_str())];
        details.extend(principal.purpose_details());
        audit::append(&mut tx, connection.entry(AuditAction::TokenExported, &details), inner.now()).await?;
        tx.commit().await?;
        exports.add(what, which);
    }
    Ok(())
}
