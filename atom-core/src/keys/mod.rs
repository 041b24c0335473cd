//! Key management: which keys there are, and how one takes the place of another.
//!
//! There are two levels. A **key-encryption key** is the host's; it wraps the data keys, and [`rotate`] gives them all a new wrapping.
//! A **data key** seals the records of one workspace; [`rotate_workspace`] makes a new one, and [`reseal`] takes over what the
//! older ones have sealed, through the list of all sealed [`columns`]. Both go on where they were, in any process.
//!
//! Beside them stand the keys that sign access tokens ([`signing`]), which take turns.

mod columns;
mod destroy_all;
mod given;
mod model;
mod reseal;
mod rotate;
mod rotate_workspace;
mod signing;
mod store;

#[cfg(feature = "testing")]
pub(crate) use columns::COLUMNS;
pub(crate) use destroy_all::run as destroy_all;
pub(crate) use given::given;
pub use model::{DataKey, DataKeyState, KeyRotation, KeyStatus, Resealing, WrappingKey};
pub(crate) use signing::{CHORE, tend as tend_signing_keys};
pub use signing::{SigningKey, SigningKeyState, SigningKeys};

use crate::atom::Inner;
use crate::audit::{self, Actor, AuditFilter, AuditPage};
use crate::crypto::{BoxFuture, INSTALLATION, Worn};
use crate::events::{self, EventFilter, EventPage, Sight, WorkspaceKeyWorn};
use crate::jobs::{Handler, JobFailure, JobKind, JobProgress, NewJob, RunningJob};
use crate::storage::Tx;
use crate::{DataKeyId, Error, Json, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use reseal::Sweep;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The kind of the jobs that take over records.
const KIND: &str = "atom.reseal";
/// How often such a job says how far it is.
const REPORT: Duration = Duration::from_secs(1);

/// The keys of the installation: how they stand, and their rotation. Who may call this is for the host to decide.
///
/// To replace the key-encryption key: open every process with both keys (the new one as `key`, the old one among `accepted_keys`), call
/// [`rotate`](Keys::rotate), and take the old key away once nothing remains. Keep it with the backups that were made before.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, KeyProvider, LocalKey};
/// let (old, new) = (LocalKey::generate()?, LocalKey::generate()?);
/// # let (old_again, new_again) = (LocalKey::from_base64(&old.to_base64())?, LocalKey::from_base64(&new.to_base64())?);
/// let atom = Atom::builder(&url).key(old).open().await?;
/// # atom.shut_down().await?;
///
/// # let (old, new) = (old_again, new_again);
/// let old_name = old.fingerprint();
/// let atom = Atom::builder(&url).key(new).accept_key(old).open().await?;
/// let rotation = atom.keys().rotate(None).await?;
/// assert_eq!((rotation.remaining, rotation.retired), (0, vec![old_name]));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Keys {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Keys {
    /// How the keys stand: which key-encryption keys there are and how many data keys each wraps. It counts them: not for every request.
    pub async fn status(&self) -> Result<KeyStatus> {
        let (db, wrapping) = (self.inner.db()?, &self.inner.keys.wrapping);
        let mut wrapping_keys = store::wrapping_keys(db).await?;
        for key in &mut wrapping_keys {
            key.is_current = key.fingerprint == wrapping.current();
            key.is_held = wrapping.holds(&key.fingerprint);
        }
        let (all, alive, workspaces) = store::counts(db).await?;
        Ok(KeyStatus {
            current: wrapping.current().to_owned(),
            wrapping_keys,
            current_data_keys: workspaces,
            retiring_data_keys: alive - workspaces,
            destroyed_data_keys: all - alive,
        })
    }

    /// Has every data key wrapped by the current key-encryption key, while everything goes on, and retires the keys that wrap none any more. It
    /// takes a few milliseconds for a hundred data keys, plus the time of the key providers, and may be called again at any time: what is
    /// done stays done. With `max_data_keys` it does so many at most; call it until `remaining` is 0.
    ///
    /// A process that still wraps with a retired key gets `sealed` (`key_retired`) where it would make a workspace; one that lacks the new
    /// key gets `sealed` (`key_missing`) for the data keys that it has not unwrapped before. Both name the fingerprints.
    ///
    /// Fails with `sealed` (`key_missing`, `key_provider_failed`; `record_altered` if a data key does not open: then all others are
    /// done) or `unavailable` (`key_provider_timeout`).
    pub async fn rotate(&self, max_data_keys: Option<i64>) -> Result<KeyRotation> {
        rotate::run(&self.inner, max_data_keys).await
    }

    /// Gives a workspace a new data key, or the installation itself if none is named, and returns it. It seals from now on, in other
    /// processes within ten seconds. A job takes over the records that the older keys have sealed, where a worker runs; without a worker call
    /// `reseal`, now and once more after a day.
    ///
    /// Fails with `not_found`, `conflict` (`rotated_meanwhile`), `sealed` (`key_retired`, `key_provider_failed`) or `unavailable`
    /// (`key_provider_timeout`).
    pub async fn rotate_workspace(&self, workspace_id: Option<WorkspaceId>) -> Result<DataKey> {
        rotate_workspace::run(&self.inner, workspace_id.unwrap_or(INSTALLATION)).await
    }

    /// Seals anew, right now, what the older data keys of a workspace have sealed, and destroys older keys that no stored record has needed for a
    /// day. It may be called at any time and stopped at any moment. With `max_records` it does so many at most; call it until it is done.
    ///
    /// Fails with `not_found` or `sealed` (`data_key_exhausted`, `key_missing`).
    pub async fn reseal(&self, workspace_id: Option<WorkspaceId>, max_records: Option<i64>) -> Result<Resealing> {
        reseal::run(&self.inner, workspace_id.unwrap_or(INSTALLATION), max_records).await
    }

    /// The data keys of a workspace, or of the installation itself if none is named, the newest first. Fails with `not_found`.
    pub async fn data_keys(&self, workspace_id: Option<WorkspaceId>) -> Result<Vec<DataKey>> {
        let keys = store::data_keys(self.inner.db()?, workspace_id.unwrap_or(INSTALLATION)).await?;
        if keys.is_empty() { Err(Error::not_found("workspace")) } else { Ok(keys) }
    }

    /// What was done to the keys of the installation itself, newest first. Rotations of a workspace's key are in its own audit log.
    pub async fn audit(&self, filter: AuditFilter) -> Result<AuditPage> {
        audit::list(self.inner.db()?, INSTALLATION, &filter).await
    }

    /// The events of the installation itself, oldest first: `atom.key_retired`. Those of a workspace's keys are among its own.
    ///
    /// Fails as `Events.list` does.
    pub async fn events(&self, filter: EventFilter) -> Result<EventPage> {
        events::list(self.inner.db()?, INSTALLATION, Sight { user: None, common: true }, filter).await
    }
}

/// The host rotates keys, not one of its users.
fn nobody() -> Actor {
    Actor { user: UserId(Uuid::nil()), session: None }
}

/// Tells a workspace that its data key should be rotated.
pub(crate) fn worn(tx: &mut Tx, worn: Worn, now: DateTime<Utc>) -> BoxFuture<'_, Result<()>> {
    let event = WorkspaceKeyWorn { key_id: DataKeyId(worn.key), seals: worn.seals };
    Box::pin(events::append(tx, worn.workspace, event, now))
}

/// What a job of [`KIND`] is enqueued with.
#[derive(Serialize, Deserialize)]
struct Task {
    workspace: WorkspaceId,
}

pub(crate) fn kind() -> JobKind {
    JobKind { name: KIND.into(), queue: Some("atom".into()), max_attempts: Some(20), ..Default::default() }
}

fn job(task: &Task, at: DateTime<Utc>) -> Result<NewJob> {
    let input = serde_json::to_value(task).map(Json);
    let input = input.map_err(|e| Error::internal("reseal_job", "a job cannot be written").with_source(e))?;
    Ok(NewJob { kind: KIND.into(), input: Some(input), run_at: Some(at), ..Default::default() })
}

/// The handler of that kind, for every worker.
pub(crate) fn handler(inner: Arc<Inner>) -> (String, Handler) {
    let run = move |job: RunningJob| {
        let inner = Arc::clone(&inner);
        async move { work(&inner, &job).await }
    };
    (KIND.into(), Handler::new(run))
}

/// Takes over all records, sleeps until an older key can be destroyed, and looks again.
async fn work(inner: &Inner, job: &RunningJob) -> Result<Json, JobFailure> {
    let Task { workspace } = serde_json::from_value(job.input().0)
        .map_err(|e| JobFailure::fatal("malformed_input", format!("the input is not of a rotation: {e}")))?;
    let mut sweep = Sweep::begin(inner, workspace).await?;
    let mut reported = Instant::now();
    while sweep.step(inner, i64::MAX).await? {
        if job.is_cancelled() {
            return Err(JobFailure::new("cancelled", "the job was stopped: another one goes on where it was"));
        }
        if reported.elapsed() > REPORT {
            reported = Instant::now();
            job.report(JobProgress { done: sweep.resealed, total: None, note: None }).await?;
        }
    }
    if let Some(at) = reseal::settle(inner, workspace).await? {
        let wait = (at - inner.now()).to_std().unwrap_or_default().as_secs_f64();
        job.sleep(format!("until {}", at.timestamp_micros()), wait).await?;
    }
    Ok(Json(serde_json::json!({ "resealed": sweep.resealed })))
}
