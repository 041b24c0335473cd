//! How often keys are used. With the counters goes an audit entry for each user of each key, which says how often.

use super::store;
use crate::accounts::{Principal, Purpose};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::BoxFuture;
use crate::tally::{self, Counted, Counts, Tally};
use crate::{Result, ServiceKeyId, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// How often a key was used by somebody, and when last.
pub(crate) struct Uses {
    count: i64,
    last: DateTime<Utc>,
}

/// Who used what.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    key: ServiceKeyId,
    user: UserId,
    session: Option<SessionId>,
    purpose: Option<Purpose>,
}

impl Counted for Uses {
    type Of = Who;
    const NAME: &'static str = "uses of service keys";

    fn tally(inner: &Inner) -> &Tally<Self> {
        &inner.service_key_usage
    }

    fn add(&mut self, more: Self) {
        self.count += more.count;
        self.last = self.last.max(more.last);
    }

    fn store<'a>(inner: &'a Inner, workspace: WorkspaceId, counts: &'a Counts<Self>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut tx = inner.db()?.begin().await?;
            // The rows of the keys come before the audit log, as in every other act.
            for (who, uses) in counts {
                store::count_uses(&mut tx, workspace, who.key, uses.count, uses.last).await?;
            }
            for (who, uses) in counts {
                let count = uses.count.to_string();
                let purpose = who.purpose.iter().flat_map(Purpose::details);
                let details: Vec<_> = [("uses", count.as_str())].into_iter().chain(purpose).collect();
                let entry = Entry {
                    workspace,
                    actor: Actor { user: who.user, session: who.session },
                    action: AuditAction::ServiceKeyUsed,
                    subject: Some(who.key.to_string()),
                    details: &details,
                };
                audit::append(&mut tx, entry, uses.last).await?;
            }
            tx.commit().await
        })
    }
}

/// Counts one use.
pub(super) fn count(inner: &Arc<Inner>, principal: &Principal, key: ServiceKeyId, now: DateTime<Utc>) {
    let who = Who { key, user: principal.user_id, session: principal.session_id, purpose: principal.purpose.clone() };
    tally::count(inner, principal.workspace_id, who, Uses { count: 1, last: now });
}

/// Stores what this process has counted.
pub(super) async fn flush(inner: &Arc<Inner>) -> Result<()> {
    tally::flush::<Uses>(inner).await
}
