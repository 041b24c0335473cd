//! What a worker does beside its jobs: its sign of life, orders from outside, and the care for all queues.

use super::{Crew, Phase, Stop, tell};
use crate::Result;
use crate::atom::Inner;
use crate::crypto::BoxFuture;
use crate::jobs::{ended, store};
use crate::storage::Topic;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Something that is looked after wherever there is a worker: it runs now and then, when its topic wakes, and when it is due.
#[derive(Clone)]
pub(crate) struct Chore {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    pub(crate) topic: Option<Topic>,
    /// Returns when it is due again, if that is earlier.
    pub(crate) run: fn(Arc<Inner>) -> Round,
}

/// One round of a chore.
pub(crate) type Round = BoxFuture<'static, Result<Option<DateTime<Utc>>>>;

/// How often a worker looks for jobs of dead ones.
const WATCH: Duration = Duration::from_secs(1);
/// How often a worker asks whether one of its jobs was cancelled.
const ORDERS: Duration = Duration::from_millis(400);
const RETENTION: Duration = Duration::from_secs(60);

pub(super) fn spawn(crew: &Arc<Crew>, chores: Vec<Chore>) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![
        tokio::spawn(live(Arc::clone(crew))),
        tokio::spawn(take_orders(Arc::clone(crew))),
        tokio::spawn(watch(Arc::clone(crew))),
    ];
    let own = Chore { name: "retention", every: RETENTION, topic: None, run: |inner| Box::pin(retain(inner)) };
    for chore in chores.into_iter().chain([own]) {
        tasks.push(tokio::spawn(look_after(Arc::clone(crew), chore)));
    }
    tasks
}

/// Prolongs the lease. When that comes too late, the worker goes on as a new one: its jobs are no longer its own.
async fn live(crew: Arc<Crew>) {
    let lease = crew.settings.lease;
    loop {
        tokio::time::sleep(lease / 4).await;
        let Ok(db) = crew.inner.db() else { return };
        let (since, id) = (Instant::now(), crew.lease().id);
        match store::beat(db, id, lease).await {
            Ok(true) => super::lock(&crew.lease).until = since + lease,
            Ok(false) => {
                tracing::warn!("the worker was taken for dead: its jobs were given to others");
                crew.stop_all(Stop::Lost);
                begin_again(&crew).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the lease could not be prolonged; trying again");
                if since >= crew.lease().until {
                    crew.stop_all(Stop::Lost);
                }
            }
        }
    }
}

async fn begin_again(crew: &Crew) {
    let (id, since, settings) = (Uuid::now_v7(), Instant::now(), &crew.settings);
    let Ok(db) = crew.inner.db() else { return };
    let registered =
        store::register(db, id, &settings.label, &settings.queues, settings.concurrency, settings.lease, crew.inner.now()).await;
    match registered {
        Ok(()) => *super::lock(&crew.lease) = super::Lease { id, until: since + settings.lease },
        Err(error) => tracing::debug!(%error, "the worker could not register again; trying again"),
    }
}

/// Ends attempts whose jobs were cancelled, and gives back jobs that the worker has and does not know of: the answer to a claim may
/// have been lost on its way.
async fn take_orders(crew: Arc<Crew>) {
    let mut unknown: HashSet<_> = HashSet::new();
    let mut looked = Instant::now();
    let Ok(db) = crew.inner.db() else { return };
    let mut wakes = db.subscribe(Topic::Jobs);
    loop {
        tokio::select! {
            () = tokio::time::sleep(ORDERS) => {}
            _ = wakes.changed() => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        wakes.mark_unchanged();
        if !super::lock(&crew.attempts).is_empty()
            && let Ok(asked) = store::cancelled(db, crew.lease().id).await
        {
            let attempts = super::lock(&crew.attempts);
            for (_, id, fence) in asked {
                if let Some(stop) = attempts.get(&(id, fence)) {
                    tell(stop, Stop::Cancelled);
                }
            }
        }
        if looked.elapsed() > Duration::from_secs(5)
            && let Ok(mine) = store::held_by(db, crew.lease().id).await
        {
            looked = Instant::now();
            let held = super::lock(&crew.held).clone();
            let strange: HashSet<_> = mine.into_iter().filter(|(_, id, fence)| !held.contains(&(*id, *fence))).collect();
            let lost: Vec<_> = strange.intersection(&unknown).copied().collect();
            if !lost.is_empty() {
                tracing::debug!(jobs = lost.len(), "jobs were taken without an answer, and are given back");
                if let Err(error) = store::give_back(db, &lost).await {
                    tracing::debug!(%error, "they could not be given back; trying again");
                }
            }
            unknown = strange;
        }
    }
}

/// Takes the jobs of dead workers away from them, and lets batches go on whose last worker died.
async fn watch(crew: Arc<Crew>) {
    loop {
        // At once, too: processes that never live as long as the pause would leave the jobs of each other alone for ever.
        if let Err(error) = rescue(&crew).await {
            tracing::debug!(%error, "dead workers could not be looked for; trying again");
        }
        tokio::time::sleep(WATCH).await;
    }
}

async fn rescue(crew: &Crew) -> Result<()> {
    let (db, now) = (crew.inner.db()?, crew.inner.now());
    if store::has_orphans(db).await? {
        let mut tx = db.begin().await?;
        let ended = store::reap(&mut tx, now, ended::keep_until(now)).await?;
        if !ended.is_empty() {
            tracing::info!(jobs = ended.len(), "jobs of a worker that died are run again");
            tx.wakes(Topic::Jobs);
        }
        ended::follow(&mut tx, &ended, now).await?;
        tx.commit().await?;
    }
    for (workspace, parent) in store::forgotten_parents(db).await? {
        let mut tx = db.begin().await?;
        ended::release(&mut tx, workspace, parent, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn retain(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    while store::delete_old(inner.db()?, inner.now()).await? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(None)
}

async fn look_after(crew: Arc<Crew>, chore: Chore) {
    let Ok(db) = crew.inner.db() else { return };
    let mut wakes = chore.topic.map(|topic| db.subscribe(topic));
    loop {
        if let Some(wakes) = &mut wakes {
            wakes.mark_unchanged();
        }
        let mut wait = chore.every;
        if crew.phase() == Phase::Working {
            match (chore.run)(Arc::clone(&crew.inner)).await {
                Ok(due) => {
                    let until = due.map(|at| (at - crew.inner.now()).to_std().unwrap_or_default());
                    wait = wait.min(until.unwrap_or(wait)).max(Duration::from_millis(1));
                }
                Err(error) => tracing::warn!(chore = chore.name, %error, reason = error.reason(), "a chore failed; trying again"),
            }
        }
        let woken = async {
            match &mut wakes {
                Some(wakes) => drop(wakes.changed().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = woken => {}
        }
    }
}
