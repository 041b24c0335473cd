//! Schedules: when work comes due, again and again.

mod fire;
mod model;
mod recurrence;
mod store;

pub(crate) use fire::CHORE;
#[cfg(feature = "testing")]
pub(crate) use fire::fire;
pub use model::{NewSchedule, Schedule, ScheduleRule};
pub use recurrence::MissedRuns;
use recurrence::Recurrence;
pub(crate) use store::forget_workspace;

use crate::atom::Inner;
use crate::jobs::Jobs;
use crate::storage::Topic;
use crate::{EnqueuedJob, Error, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

impl ScheduleRule {
    fn recurrence(&self, made_at: DateTime<Utc>) -> Result<Recurrence> {
        match self {
            Self::Cron { expression, time_zone } => Recurrence::cron(expression, time_zone.as_deref()),
            Self::Every { seconds, start_at } => {
                let first = start_at.or_else(|| made_at.checked_add_signed(TimeDelta::try_seconds(*seconds)?));
                Recurrence::every(*seconds, first.unwrap_or(made_at))
            }
            Self::Once { at } => Ok(Recurrence::once(*at)),
        }
    }
}

/// The schedules of a workspace, or of the installation itself. Workers fire them: each moment once, however many workers there are.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, JobKind, LocalKey, NewJob, NewSchedule, ScheduleRule};
///
/// let report = JobKind { name: "report".into(), ..Default::default() };
/// let atom = Atom::builder(url).key(LocalKey::generate()?).job_kind(report).open().await?;
/// let rule = ScheduleRule::Cron { expression: "30 9 * * MON-FRI".into(), time_zone: Some("Europe/Berlin".into()) };
/// let job = NewJob { kind: "report".into(), ..Default::default() };
/// let schedule = atom.schedules().put(NewSchedule { name: "morning".into(), rule, job, missed: None }).await?;
/// assert!(schedule.next_at.is_some());
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Schedules {
    pub(crate) inner: Arc<Inner>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) user: Option<UserId>,
}

#[api]
impl Schedules {
    /// Stores a schedule, or replaces the one of its name. It fires from now on.
    ///
    /// Fails with `invalid`: `malformed_schedule`, `malformed_cron`, `cron_never_fires`, `unknown_time_zone`, `malformed_interval`, and as
    /// `Jobs.enqueue` does.
    pub async fn put(&self, schedule: NewSchedule) -> Result<Schedule> {
        let NewSchedule { name, rule, job, missed } = schedule;
        if name.is_empty() || name.len() > 200 || name.contains('\0') {
            return Err(Error::invalid("malformed_schedule", "the name of a schedule has between 1 and 200 bytes"));
        }
        if job.run_at.is_some() || job.delay_seconds.is_some() {
            let text = "the job of a schedule has no time of its own: leave out `run_at` and `delay_seconds`";
            return Err(Error::invalid("malformed_schedule", text));
        }
        let now = self.inner.now();
        let job = self.inner.kinds.filled(job)?;
        let recurrence = rule.recurrence(now)?;
        // A single moment that has just passed is meant, not missed.
        let next_at = match rule {
            ScheduleRule::Once { at } => Some(at),
            _ => recurrence.next_after(now),
        };
        let draft = store::Draft {
            name: &name,
            rule: &rule,
            job: &job,
            missed: missed.unwrap_or(MissedRuns::One),
            user: self.user,
            next_at,
        };
        let mut tx = self.inner.db()?.begin().await?;
        store::put(&mut tx, self.workspace, draft, now).await?;
        tx.wakes(Topic::Schedules);
        tx.commit().await?;
        self.get(name).await
    }

    /// A schedule. Fails with `not_found`.
    pub async fn get(&self, name: String) -> Result<Schedule> {
        store::get(self.inner.db()?, self.workspace, &name).await
    }

    /// All schedules, by name.
    pub async fn list(&self) -> Result<Vec<Schedule>> {
        store::list(self.inner.db()?, self.workspace).await
    }

    /// Removes a schedule. What it has enqueued stays. True if there was one.
    pub async fn remove(&self, name: String) -> Result<bool> {
        let mut tx = self.inner.db()?.begin().await?;
        let removed = store::remove(&mut tx, self.workspace, &name).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Holds a schedule back. Fails with `not_found`.
    pub async fn pause(&self, name: String) -> Result<()> {
        self.set_paused(&name, true).await
    }

    /// Lets a schedule fire again; moments that passed meanwhile count as missed. Fails with `not_found`.
    pub async fn resume(&self, name: String) -> Result<()> {
        self.set_paused(&name, false).await
    }

    /// Enqueues the job of a schedule now, beside its moments. Fails with `not_found`.
    pub async fn trigger(&self, name: String) -> Result<EnqueuedJob> {
        let schedule = self.get(name).await?;
        let jobs = Jobs { inner: Arc::clone(&self.inner), workspace: self.workspace, user: schedule.user_id };
        let mut tx = self.inner.db()?.begin().await?;
        let enqueued = jobs.enqueue_filled(&mut tx, schedule.job).await?;
        tx.commit().await?;
        Ok(enqueued)
    }

    /// The next moments of a rule, 1 to 1000 of them: for a preview. Fails as `put` does.
    pub async fn preview(&self, rule: ScheduleRule, count: i32) -> Result<Vec<DateTime<Utc>>> {
        let count = usize::try_from(count).ok().filter(|count| (1..=1000).contains(count));
        let count = count.ok_or_else(|| Error::invalid("malformed_schedule", "a preview has between 1 and 1000 moments"))?;
        let now = self.inner.now();
        let rule = rule.recurrence(now)?;
        Ok(std::iter::successors(rule.next_after(now), |at| rule.next_after(*at)).take(count).collect())
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<()> {
        let at = paused.then(|| self.inner.now());
        let mut tx = self.inner.db()?.begin().await?;
        if !store::pause(&mut tx, self.workspace, name, at).await? {
            return Err(Error::not_found("schedule"));
        }
        tx.wakes(Topic::Schedules);
        tx.commit().await
    }
}
