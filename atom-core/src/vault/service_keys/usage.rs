//! How often keys are used: counted in memory and stored a moment later, so that a call does not wait for a write.
//!
//! With the counters goes an audit entry for each user of each key, which says how often. What a killed process has counted in its last
//! moment is lost; a clean stop stores it.

use super::store;
use crate::accounts::{Principal, Purpose};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::{Error, ErrorKind, Result, ServiceKeyId, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a use waits to be stored with others.
const PAUSE: Duration = Duration::from_secs(2);

/// What is counted and not stored yet.
#[derive(Default)]
pub(crate) struct Usage {
    counted: Mutex<Counted>,
    /// Held while uses are stored: whoever gets it finds what was counted before stored.
    storing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counted {
    uses: Uses,
    /// Who will store them. It dies with its runtime, and is then started again.
    clerk: Option<JoinHandle<()>>,
}

/// In the order in which rows are locked: the same in every process.
type Uses = BTreeMap<WorkspaceId, BTreeMap<Who, Count>>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    key: ServiceKeyId,
    user: UserId,
    session: Option<SessionId>,
    purpose: Option<Purpose>,
}

#[derive(Clone, Copy)]
struct Count {
    uses: i64,
    last: DateTime<Utc>,
}

impl Usage {
    /// Counts one use. It is stored a moment later.
    pub(super) fn count(&self, inner: &Arc<Inner>, principal: &Principal, key: ServiceKeyId, now: DateTime<Utc>) {
        let who = Who { key, user: principal.user_id, session: principal.session_id, purpose: principal.purpose.clone() };
        let mut counted = self.counted();
        add(counted.uses.entry(principal.workspace_id).or_default(), who, Count { uses: 1, last: now });
        if counted.clerk.as_ref().is_none_or(JoinHandle::is_finished) {
            counted.clerk = Some(tokio::spawn(store_soon(Arc::clone(inner))));
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is counted back, to be stored another time.
    fn put_back(&self, uses: Uses) {
        let mut counted = self.counted();
        for (workspace, counts) in uses {
            let known = counted.uses.entry(workspace).or_default();
            counts.into_iter().for_each(|(who, count)| add(known, who, count));
        }
    }

    /// Whether all is stored. The answer yes ends the clerk, so nobody may count meanwhile.
    fn is_settled(&self) -> bool {
        let mut counted = self.counted();
        if counted.uses.is_empty() {
            counted.clerk = None;
        }
        counted.uses.is_empty()
    }
}

fn add(counts: &mut BTreeMap<Who, Count>, who: Who, count: Count) {
    let known = counts.entry(who).or_insert(Count { uses: 0, last: count.last });
    *known = Count { uses: known.uses + count.uses, last: known.last.max(count.last) };
}

async fn store_soon(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if inner.service_key_usage.is_settled() {
            return;
        }
        match store_all(&inner).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Cancelled => return,
            Err(error) => tracing::debug!(%error, "uses of service keys could not be stored; trying again"),
        }
    }
}

/// Stores what this process has counted. It goes on if the caller goes away: what is taken to be stored must be stored.
pub(crate) async fn flush(inner: &Arc<Inner>) -> Result<()> {
    let usage = &inner.service_key_usage;
    if usage.storing.try_lock().is_ok() && usage.counted().uses.is_empty() {
        return Ok(());
    }
    let inner = Arc::clone(inner);
    let storing = tokio::spawn(async move { store_all(&inner).await });
    storing.await.unwrap_or_else(|e| Err(Error::internal("usage_lost", "uses of service keys were not stored").with_source(e)))
}

async fn store_all(inner: &Inner) -> Result<()> {
    let usage = &inner.service_key_usage;
    let _storing = usage.storing.lock().await;
    let mut uses = std::mem::take(&mut usage.counted().uses);
    while let Some((workspace, counts)) = uses.pop_first() {
        if let Err(error) = store_some(inner, workspace, &counts).await {
            uses.insert(workspace, counts);
            usage.put_back(uses);
            return Err(error);
        }
    }
    Ok(())
}

async fn store_some(inner: &Inner, workspace: WorkspaceId, counts: &BTreeMap<Who, Count>) -> Result<()> {
    let mut tx = inner.db()?.begin().await?;
    // The rows of the keys come before the audit log, as in every other act.
    for (who, count) in counts {
        store::count_uses(&mut tx, workspace, who.key, count.uses, count.last).await?;
    }
    for (who, count) in counts {
        let uses = count.uses.to_string();
        let details: Vec<_> =
            [("uses", uses.as_str())].into_iter().chain(who.purpose.iter().flat_map(Purpose::details)).collect();
        let entry = Entry {
            workspace,
            actor: Actor { user: who.user, session: who.session },
            action: AuditAction::ServiceKeyUsed,
            subject: Some(who.key.to_string()),
            details: &details,
        };
        audit::append(&mut tx, entry, count.last).await?;
    }
    tx.commit().await
}
