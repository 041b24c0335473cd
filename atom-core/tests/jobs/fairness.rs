//! A workspace that floods the queue, and one that has a job now and then.

use super::processes::*;
use super::support::{ids, on, open};
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::time::Duration;

/// The part of a worker.
pub(super) async fn work(part: &Part, atom: &Atom) {
    let handlers = on("short", |_| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(Json(json!(now())))
    });
    part.work(atom, handlers).await;
}

fn short() -> NewJob {
    NewJob { kind: "short".into(), ..Default::default() }
}

/// From the moment that a job is to be enqueued to the end of its handler, at the median of so many.
async fn latency(jobs: &Jobs, samples: usize) -> Duration {
    let mut taken = Vec::new();
    for _ in 0..samples {
        let began = now();
        let id = jobs.enqueue(short()).await.unwrap().id;
        let ended = jobs.wait(id, Some(60.0)).await.unwrap().output.unwrap().0.as_i64().unwrap();
        taken.push(Duration::from_micros(u64::try_from(ended - began).unwrap()));
        tokio::time::sleep(Duration::from_millis(30 + random(40))).await;
    }
    taken.sort_unstable();
    println!("p50 {:.1?}, p90 {:.1?}, longest {:.1?}", taken[samples / 2], taken[samples * 9 / 10], taken[samples - 1]);
    taken[samples / 2]
}

on_both!(a16_a_flood_in_one_workspace_at_most_doubles_the_latency_of_another, |database| async move {
    let _alone = alone().await;
    let part = Part { lease_seconds: 20.0, ..Part::new(Task::Fairness, &database) };
    let atom = part.open().await;
    let (_, flooding) = sign_up(&atom, "ada@example.com").await;
    let (_, quiet) = sign_up(&atom, "bob@example.com").await;
    let mut worker = Process::start(&Part { number: 1, ..part });
    worker.ready().await;
    let samples = sized(60, 100);
    let idle = latency(&quiet.jobs(), samples).await;
    for _ in 0..20 {
        flooding.jobs().enqueue_many(vec![short(); 1000]).await.unwrap();
    }
    let flooded = latency(&quiet.jobs(), samples).await;
    let left = flooding.jobs().counts().await.unwrap();
    let waiting: i64 = left.iter().filter(|count| count.state == JobState::Waiting).map(|count| count.count).sum();
    assert!(waiting > 1000, "the flood is not over: {left:?}");
    println!("idle {idle:.1?}, in the flood {flooded:.1?}, with {waiting} jobs to go");
    // Among all other tests the machine is not idle for long enough to compare. In order of arrival it would be half a minute.
    let most = sized(Duration::from_secs(2), idle * 2);
    assert!(flooded <= most, "idle {idle:?}, in the flood {flooded:?}");
});

on_both!(jobs_fetched_by_a_worker_that_is_held_up_are_done_by_others, |database| async move {
    const QUICK: i64 = 300;
    let _alone = alone().await;
    let atom = open(&database).await;
    let handlers = || {
        on("echo", |job| async move {
            // These two take all places of the first worker, which has fetched some of those after them.
            if (QUICK..QUICK + 2).contains(&job.input().0.as_i64().unwrap()) {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            Ok(job.input())
        })
    };
    let options = WorkerOptions { concurrency: Some(2), ..Default::default() };
    let jobs = atom.jobs().enqueue_many(ids(400)).await.unwrap();
    let first = atom.start_worker(handlers(), Some(options.clone())).await.unwrap();
    atom.jobs().wait(jobs[299].id, None).await.unwrap();
    let second = atom.start_worker(handlers(), Some(options)).await.unwrap();
    for job in &jobs[302..] {
        let job = atom.jobs().wait(job.id, Some(5.0)).await.unwrap();
        assert_eq!((job.state, job.attempt), (JobState::Succeeded, 1));
    }
    drop((first, second));
});
