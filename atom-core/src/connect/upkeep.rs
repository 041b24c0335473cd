//! What workers do for connections: they withdraw grants at providers that could not be reached, and use grants that nobody else uses.

use super::{Connection, ConnectionState, refresh, registered, revoke, store};
use crate::accounts::Accounts;
use crate::atom::Inner;
use crate::crypto::INSTALLATION;
use crate::jobs::{Chore, Handler, JobFailure, JobKind, Jobs, NewJob, OnDuplicate, RetryPolicy, RunningJob, UniqueJob};
use crate::storage::Tx;
use crate::vault::{self, DEFAULT};
use crate::{ConnectionId, Error, ErrorKind, Json, Result, UserId, WorkspaceId, WorkspaceProviderId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const REVOKE: &str = "atom.revoke";
const RENEW: &str = "atom.renew";
/// How soon a worker tries what the caller may have done at once.
const SOON: TimeDelta = TimeDelta::seconds(30);
/// How often idle grants are looked for, how many at a time, and when one that could not be used is looked at again.
const LOOK: Duration = Duration::from_secs(60);
const BATCH: i64 = 200;
const AGAIN: TimeDelta = TimeDelta::days(1);

/// The kinds of job.
pub(crate) fn kinds() -> [JobKind; 2] {
    let kind = |name: &str| JobKind {
        name: name.into(),
        queue: Some("atom".into()),
        timeout_seconds: Some(90.0),
        keep_seconds: Some(0),
        ..Default::default()
    };
    let retry = RetryPolicy { delay_seconds: Some(30.0), ..Default::default() };
    [
        // For more than the day that a revocation is tried: what comes after that ends it.
        JobKind { max_attempts: Some(50), retry: Some(retry.clone()), ..kind(REVOKE) },
        JobKind { max_attempts: Some(10), retry: Some(retry), ..kind(RENEW) },
    ]
}

/// Their handlers, for every worker.
pub(crate) fn handlers(inner: &Arc<Inner>) -> [(String, Handler); 2] {
    let revoking = Arc::clone(inner);
    let revoke = move |job: RunningJob| {
        let inner = Arc::clone(&revoking);
        async move {
            revoke::attempt(&inner, id(&job)?).await?;
            Ok::<_, JobFailure>(Json::default())
        }
    };
    let renewing = Arc::clone(inner);
    let renew = move |job: RunningJob| {
        let inner = Arc::clone(&renewing);
        async move {
            let input = job.input().0;
            let set = input["set"].as_str().unwrap_or(DEFAULT);
            renew(&inner, job.workspace_id(), ConnectionId(id(&job)?), set).await?;
            Ok::<_, JobFailure>(Json::default())
        }
    };
    [(REVOKE.into(), Handler::new(revoke)), (RENEW.into(), Handler::new(renew))]
}

/// What every worker looks after.
pub(crate) const CHORE: Chore = Chore { name: "idle grants", every: LOOK, topic: None, run: |inner| Box::pin(look(inner)) };

/// The id of a job's input.
fn id(job: &RunningJob) -> Result<Uuid, JobFailure> {
    let input = job.input().0;
    let id = input["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
    id.ok_or_else(|| JobFailure::fatal("malformed_input", "the input names no id"))
}

/// Has a worker withdraw a grant, if it is still to be withdrawn then.
pub(super) async fn enqueue_revocation(inner: &Arc<Inner>, tx: &mut Tx, id: Uuid) -> Result<()> {
    let jobs = Jobs { inner: Arc::clone(inner), workspace: INSTALLATION, user: None };
    let input = Some(Json(json!({ "id": id.to_string() })));
    let job = NewJob { kind: REVOKE.into(), input, run_at: Some(inner.now() + SOON), ..Default::default() };
    jobs.enqueue_with(tx, job).await.map(drop)
}

/// Has every grant used that nobody has used for long.
async fn look(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    let db = inner.db()?;
    loop {
        let now = inner.now();
        let idle = vault::idle(db, now, BATCH).await?;
        for grant in &idle {
            let mut tx = db.begin().await?;
            // Of all workers that see it, one gets it.
            if vault::put_off(&mut tx, grant, now, now + AGAIN).await? {
                let jobs = Jobs { inner: Arc::clone(&inner), workspace: WorkspaceId(grant.workspace_id), user: None };
                let unique = UniqueJob {
                    key: Some(format!("{}/{}", grant.connection_id, grant.name)),
                    on_duplicate: Some(OnDuplicate::Skip),
                    ..Default::default()
                };
                let input = Some(Json(json!({ "id": grant.connection_id.to_string(), "set": grant.name })));
                let renewal = NewJob { kind: RENEW.into(), input, unique: Some(unique), ..Default::default() };
                jobs.enqueue_with(&mut tx, renewal).await?;
                tx.commit().await?;
            }
        }
        if idle.is_empty() {
            return Ok(None);
        }
    }
}

/// Refreshes a token set of a connection that is in use, on behalf of its user.
async fn renew(inner: &Arc<Inner>, workspace: WorkspaceId, id: ConnectionId, set: &str) -> Result<()> {
    let Some(owner) = store::owner(inner.db()?, workspace, id).await? else { return Ok(()) };
    let accounts = Accounts { inner: Arc::clone(inner) };
    let renewed = async {
        let principal = accounts.member(UserId(owner.user_id), workspace).await?;
        let app = registered::of(inner, workspace, &owner.provider, owner.provider_id.map(WorkspaceProviderId)).await?;
        let connection = Connection { inner: Arc::clone(inner), principal, id, app };
        if connection.account().await?.state == ConnectionState::Active {
            let stored = connection.stored(set).await?;
            refresh::refresh(&connection, set, stored.as_ref()).await?;
        }
        Ok::<_, Error>(())
    };
    match renewed.await {
        // Who left has no use for it, and what is no longer connected says so itself.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Forbidden | ErrorKind::NotConnected | ErrorKind::ReauthRequired | ErrorKind::NotFound
            ) =>
        {
            Ok(())
        }
        renewed => renewed,
    }
}
