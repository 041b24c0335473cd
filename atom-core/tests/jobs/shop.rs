//! A host that takes orders and carries them out as jobs, in processes that die: what its ledgers must say in the end.
//!
//! Every eighth order has a step that must not be done twice, every fourth one a step that may be. Both note each time they are done.

use super::host::{Failed, Host, bind, host_tx};
use super::processes::*;
use super::support::on;
use atom_core::*;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

const RESERVE: i64 = 1;
const CHARGE: i64 = 2;

/// The part of a worker.
pub(super) async fn work(part: &Part, atom: &Atom) {
    let (host, number) = (Host::connect(&part.url), part.number);
    let mut handlers = on("order", move |job| {
        let host = host.clone();
        async move { carry_out(&job, &host, number).await }
    });
    handlers.extend(on("note", |job| async move { Ok(job.input()) }));
    part.work(atom, handlers).await;
}

async fn carry_out(job: &RunningJob, host: &Host, process: i64) -> Result<Json, JobFailure> {
    let (id, attempt) = (job.input().0.as_i64().unwrap(), i64::from(job.attempt()));
    let started = now();
    host.write("INSERT INTO host_starts VALUES ($1, $2, $3, $4)", &[id, attempt, process, started]).await?;
    if id % 4 == 0 {
        step(job, host, (id, RESERVE, attempt), Effect::Idempotent).await?;
    }
    if id % 8 == 0 {
        step(job, host, (id, CHARGE, attempt), Effect::Once).await?;
    }
    tokio::time::sleep(Duration::from_millis(random(30))).await;
    if random(20) == 0 {
        return Err(JobFailure::new("unlucky", "this attempt fails"));
    }
    complete(job, host, [id, attempt, process]).await?;
    Ok(Json(json!(id)))
}

/// A step that notes that it is done, before it is over and after.
async fn step(job: &RunningJob, host: &Host, (id, step, attempt): (i64, i64, i64), effect: Effect) -> Result<(), JobFailure> {
    let done = async {
        let token = i64::try_from(random(1 << 62)).unwrap();
        host.write("INSERT INTO host_steps VALUES ($1, $2, $3, $4)", &[id, step, attempt, token]).await?;
        tokio::time::sleep(Duration::from_millis(random(4))).await;
        Ok::<_, Failed>(token)
    };
    let token = job.step(&step.to_string(), effect, done).await?;
    Ok(host.write("INSERT INTO host_known VALUES ($1, $2, $3, $4)", &[id, step, attempt, token]).await?)
}

/// Ends the job in the transaction of its effect.
async fn complete(job: &RunningJob, host: &Host, [id, attempt, process]: [i64; 3]) -> Result<(), Failed> {
    host_tx!(host, tx => {
        job.complete_in(&mut tx, Json(json!(id))).await?;
        let effect = sqlx::query("INSERT INTO host_effects VALUES ($1, $2, $3, $4)");
        bind(effect, &[id, attempt, process, now()]).execute(&mut *tx).await?;
        tx.commit().await?;
    });
    Ok(())
}

/// The part of a customer: places one order or a few in a transaction, and changes its mind now and then. Some orders are followed by a
/// batch of notes, one at a time.
pub(super) async fn place_orders(part: &Part, atom: &Atom) {
    let host = Host::connect(&part.url);
    say("ready");
    let end = unwanted();
    tokio::pin!(end);
    loop {
        let placed = match place(&host, &atom.jobs()).await {
            Ok(()) if random(20) == 0 => send_notes(&atom.jobs()).await,
            placed => placed,
        };
        let pause = match placed {
            Ok(()) if waiting(atom).await > 100 => Duration::from_millis(50),
            Ok(()) => Duration::from_millis(random(8)),
            Err(failed) => {
                tracing::warn!(?failed, "an order could not be placed");
                Duration::from_millis(200)
            }
        };
        tokio::select! {
            () = &mut end => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn waiting(atom: &Atom) -> i64 {
    let queues = atom.queues().list().await.unwrap_or_default();
    queues.iter().map(|queue| queue.waiting).sum()
}

async fn place(host: &Host, jobs: &Jobs) -> Result<(), Failed> {
    host_tx!(host, tx => {
        for _ in 0..=random(3) {
            let id = i64::try_from(random(1 << 52)).unwrap();
            bind(sqlx::query("INSERT INTO host_orders VALUES ($1)"), &[id]).execute(&mut *tx).await?;
            let order = NewJob { kind: "order".into(), input: Some(Json(json!(id))), ..Default::default() };
            jobs.enqueue_in(&mut tx, order).await?;
        }
        if random(10) > 0 { tx.commit().await? } else { tx.rollback().await? }
    });
    Ok(())
}

async fn send_notes(jobs: &Jobs) -> Result<(), Failed> {
    let limit = JobLimit { key: "notes".into(), max_running: Some(1), ..Default::default() };
    let note = NewJob { kind: "note".into(), limit: Some(limit), ..Default::default() };
    jobs.enqueue_batch(NewBatch { jobs: vec![note.clone(); 3], then: Some(note) }).await?;
    Ok(())
}

/// The shop as its owner sees it, who also settles what is in doubt.
pub(super) struct Owner {
    pub(super) atom: Atom,
    pub(super) host: Host,
    /// The orders that were in doubt.
    pub(super) settled: HashSet<i64>,
}

impl Owner {
    async fn jobs(&self, state: Option<JobState>) -> Result<Vec<StoredJob>> {
        let mut filter = JobFilter { state, kind: Some("order".into()), page_size: Some(1000), ..Default::default() };
        let mut jobs = Vec::new();
        loop {
            let page = self.atom.jobs().list(filter.clone()).await?;
            jobs.extend(page.items);
            filter.cursor = page.next_cursor;
            if filter.cursor.is_none() {
                return Ok(jobs);
            }
        }
    }

    /// Settles the charges in doubt by what the ledger says.
    pub(super) async fn settle(&mut self) -> Result<(), Failed> {
        let in_doubt = self.jobs(Some(JobState::InDoubt)).await?;
        if in_doubt.is_empty() {
            return Ok(());
        }
        // A worker that lost its job without dying may be in the middle of the charge.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let charges = self.host.read("SELECT id, token FROM host_steps WHERE step = 2").await?;
        let charges: HashMap<i64, i64> = charges.into_iter().map(|row| (row[0], row[1])).collect();
        for job in in_doubt {
            let id = job.input.0.as_i64().unwrap();
            self.settled.insert(id);
            self.atom.jobs().settle(job.id, CHARGE.to_string(), charges.get(&id).map(|token| Json(json!(token)))).await?;
        }
        Ok(())
    }

    /// Waits until every order has been carried out. Says how long that took.
    pub(super) async fn finish(&mut self) -> Duration {
        let began = std::time::Instant::now();
        loop {
            self.settle().await.unwrap();
            let counts = self.atom.jobs().counts().await.unwrap();
            let left: Vec<_> = counts.iter().filter(|count| count.state != JobState::Succeeded).collect();
            if left.is_empty() {
                return began.elapsed();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "these are stuck: {left:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The books balance. Returns how many orders there were.
    pub(super) async fn assert_balanced(&self) -> usize {
        let read = async |sql| self.host.read(sql).await.unwrap();
        let orders: HashSet<i64> = read("SELECT id FROM host_orders").await.into_iter().map(|row| row[0]).collect();
        let jobs = self.jobs(None).await.unwrap();
        let of_jobs: HashSet<i64> = jobs.iter().map(|job| job.input.0.as_i64().unwrap()).collect();
        assert_eq!((jobs.len(), &of_jobs), (orders.len(), &orders), "an order without its job, or a job without its order");
        assert!(jobs.iter().all(|job| job.state == JobState::Succeeded && job.output == Some(job.input.clone())));

        let effects = read("SELECT id FROM host_effects").await;
        let once: HashSet<i64> = effects.iter().map(|row| row[0]).collect();
        assert_eq!((effects.len(), &once), (orders.len(), &orders), "an effect that is missing or happened twice");

        let steps = read("SELECT id, step, attempt, token FROM host_steps ORDER BY id, step, attempt").await;
        let known = read("SELECT id, step, attempt, token FROM host_known ORDER BY id, step, attempt").await;
        let mut recorded: BTreeMap<(i64, i64), (i64, i64)> = BTreeMap::new();
        for row in &known {
            let (attempt, token) = *recorded.entry((row[0], row[1])).or_insert((row[2], row[3]));
            assert_eq!(token, row[3], "a step was recorded twice: {row:?} after attempt {attempt}");
        }
        let mut charged: HashMap<i64, usize> = HashMap::new();
        for row in &steps {
            let (attempt, _) = recorded[&(row[0], row[1])];
            assert!(row[2] <= attempt, "a step was done again after it was recorded: {row:?} after attempt {attempt}");
            *charged.entry(row[0]).or_default() += usize::from(row[1] == CHARGE);
        }
        for order in orders.iter().filter(|order| *order % 8 == 0) {
            assert_eq!(charged.get(order), Some(&1), "order {order} was not charged once");
        }
        orders.len()
    }

    /// How long the orders that a process took with it waited for another one to start them, the longest last.
    pub(super) async fn restarts(&self, died: &HashMap<i64, i64>) -> Vec<Duration> {
        let starts = self.host.read("SELECT id, attempt, process, at FROM host_starts ORDER BY id, attempt").await.unwrap();
        let mut waits = Vec::new();
        for pair in starts.windows(2).filter(|pair| pair[0][0] == pair[1][0] && !self.settled.contains(&pair[0][0])) {
            assert!(pair[0][3] < pair[1][3], "a later attempt began earlier: {pair:?}");
            if let Some(death) = died.get(&pair[0][2]) {
                waits.push(Duration::from_micros(u64::try_from(pair[1][3] - death).unwrap_or_default()));
            }
        }
        waits.sort_unstable();
        waits
    }
}
