//! Everything at once, in an order that nobody planned.

use super::support::*;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

/// The xorshift of Marsaglia: the same acts in every run.
struct Chance(u64);

impl Chance {
    fn of(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }
}

fn handlers() -> HashMap<String, Handler> {
    on("fail", |job| async move {
        let number = job.input().0.as_i64().unwrap();
        let once = job.step("once", Effect::Idempotent, async { Ok::<_, JobFailure>(number) }).await?;
        match (number + i64::from(job.attempt())) % 7 {
            0 => return Err(JobFailure::new("refused", "this time")),
            2 => job.sleep("nap".into(), 0.02).await?,
            3 => tokio::time::sleep(Duration::from_millis(5)).await,
            4 => job.report(JobProgress { done: number, total: None, note: None }).await?,
            _ => {}
        }
        Ok(Json(json!(once)))
    })
}

/// A job with a bit of everything.
fn job(chance: &mut Chance) -> NewJob {
    let limit = JobLimit {
        key: format!("key {}", chance.of(4)),
        max_running: Some(2),
        max_starts: (chance.of(3) == 0).then_some(50),
        ..Default::default()
    };
    NewJob {
        priority: Some(i32::try_from(chance.of(3)).unwrap()),
        delay_seconds: (chance.of(4) == 0).then_some(0.03),
        limit: (chance.of(3) == 0).then_some(limit),
        ..new("fail", json!(chance.of(1000)))
    }
}

async fn act(atom: &Atom, chance: &mut Chance, known: &mut Vec<JobId>, workers: &mut Vec<Worker>, database: &Database) {
    let jobs = atom.jobs();
    let one_of = |known: &[JobId], chance: &mut Chance| known[usize::try_from(chance.of(known.len() as u64)).unwrap()];
    match chance.of(24) {
        0..6 => known.push(enqueue(&jobs, job(chance)).await),
        6..9 => {
            let on_duplicate =
                [OnDuplicate::Skip, OnDuplicate::Replace, OnDuplicate::Debounce][usize::try_from(chance.of(3)).unwrap()];
            let key = Some(format!("key {}", chance.of(3)));
            let unique = Some(UniqueJob { key, on_duplicate: Some(on_duplicate), ..Default::default() });
            known.push(enqueue(&jobs, NewJob { unique, ..job(chance) }).await);
        }
        9..12 => {
            let many = (0..chance.of(20)).map(|_| job(chance)).collect();
            known.extend(jobs.enqueue_many(many).await.unwrap().into_iter().map(|job| job.id));
        }
        12..14 => {
            let (many, then) = ((0..=chance.of(5)).map(|_| job(chance)).collect(), (chance.of(2) == 0).then(|| job(chance)));
            known.push(jobs.enqueue_batch(NewBatch { jobs: many, then }).await.unwrap().id);
        }
        14..17 if !known.is_empty() => drop(jobs.cancel(one_of(known, chance)).await.unwrap()),
        17..19 if !known.is_empty() => drop(jobs.replay(one_of(known, chance)).await),
        19 => drop(jobs.replay_all(None).await.unwrap()),
        20 => atom.queues().pause("default".into()).await.unwrap(),
        21 => atom.queues().resume("default".into()).await.unwrap(),
        22 => {
            if let Some(worker) = workers.pop() {
                worker.stop().await.unwrap();
            }
            let options = WorkerOptions { drain_seconds: Some(0.01), concurrency: Some(5), ..options() };
            workers.push(atom.start_worker(handlers(), Some(options)).await.unwrap());
        }
        23 if chance.of(4) == 0 => bury_workers(database).await,
        _ => tokio::time::sleep(Duration::from_millis(3)).await,
    }
}

on_both!(whatever_happens_in_whatever_order_every_job_ends, |database| async move {
    for seed in 1..=3 {
        let atoms = [open(&database).await, open(&database).await];
        let mut chance = Chance(seed * 7919);
        let (mut known, mut workers) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..250 {
            let i = usize::try_from(chance.of(2)).unwrap();
            act(&atoms[i], &mut chance, &mut known, &mut workers[i], &database).await;
        }
        let jobs = atoms[0].jobs();
        atoms[0].queues().resume("default".into()).await.unwrap();
        atoms[0].start_worker(handlers(), quick()).await.unwrap();
        let is_over = |state| matches!(state, JobState::Succeeded | JobState::Failed | JobState::Cancelled);
        until(async || jobs.counts().await.unwrap().iter().all(|count| is_over(count.state))).await;
        for id in known {
            let job = jobs.get(id).await.unwrap();
            assert!(job.attempt <= job.max_attempts && job.finished_at.is_some(), "{job:?}");
            if job.state == JobState::Succeeded && job.kind == "fail" {
                assert_eq!(job.output, Some(job.input), "what a step recorded stays, whoever runs the job");
            }
        }
        for atom in atoms {
            atom.shut_down().await.unwrap();
        }
    }
    let mut host = Host::connect(&database.url).await;
    for leftover in ["lease_owner IS NOT NULL", "unique_key IS NOT NULL", "keep_until IS NULL"] {
        assert_eq!(host.count(&format!("atom_runs WHERE {leftover}")).await, 0, "{leftover}");
    }
});
