//! Workers: paused, stopped, dying, and many of them.

use super::support::*;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many jobs of the installation stand there.
async fn count(atom: &Atom, state: JobState) -> i64 {
    atom.jobs().counts().await.unwrap().iter().filter(|count| count.state == state).map(|count| count.count).sum()
}

async fn paused(atom: &Atom) -> Vec<String> {
    atom.queues().list().await.unwrap().into_iter().filter(|queue| queue.is_paused).map(|queue| queue.name).collect()
}

on_both!(a_paused_queue_holds_its_jobs_back_in_every_process, |database| async move {
    let (here, there) = (open(&database).await, open(&database).await);
    let log = Log::default();
    for atom in [&here, &there] {
        atom.start_worker(log.of("slow").into_iter().chain(log.of("echo")).collect(), quick()).await.unwrap();
    }
    here.queues().pause("slow".into()).await.unwrap();
    let held = enqueue(&there.jobs(), new("slow", json!("slow"))).await;
    let other = enqueue(&there.jobs(), new("echo", json!("echo"))).await;
    ended(&here.jobs(), other).await;
    a_while().await;
    assert_eq!((state(&here.jobs(), held).await, log.all()), (JobState::Waiting, vec![json!("echo")]));
    assert_eq!(paused(&there).await, ["slow"]);
    there.queues().resume("slow".into()).await.unwrap();
    assert_eq!(ended(&here.jobs(), held).await.state, JobState::Succeeded);
    assert!(paused(&here).await.is_empty());
});

on_both!(a_resumed_queue_goes_on_without_polling, |database| async move {
    let atom = open(&database).await;
    atom.queues().pause("default".into()).await.unwrap();
    atom.queues().pause("default".into()).await.unwrap();
    atom.start_worker(echo(), Some(WorkerOptions { poll_seconds: Some(3600.0), ..options() })).await.unwrap();
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    a_while().await;
    assert_eq!(state(&atom.jobs(), id).await, JobState::Waiting);
    atom.queues().resume("default".into()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(what_runs_when_its_queue_is_paused_goes_on, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    atom.queues().pause("default".into()).await.unwrap();
    door.open();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a_queue_that_was_never_paused_is_resumed_without_an_error, |database| async move {
    let atom = open(&database).await;
    atom.queues().resume("nothing".into()).await.unwrap();
    assert!(atom.queues().list().await.unwrap().is_empty());
});

on_both!(a_worker_that_stops_lets_running_jobs_finish_and_takes_no_more, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let worker = atom.start_worker(door.before("echo"), one_by_one()).await.unwrap();
    let running = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    let waiting = enqueue(&atom.jobs(), new("echo", json!(2))).await;
    until(async || worker.running() == 1).await;
    let stopping = worker.clone();
    let stopped = tokio::spawn(async move { stopping.stop().await.unwrap() });
    a_while().await;
    assert!(!stopped.is_finished());
    assert_eq!(worker.running(), 1);
    door.open();
    stopped.await.unwrap();
    assert_eq!(state(&atom.jobs(), running).await, JobState::Succeeded, "stored when stop returns");
    assert_eq!((state(&atom.jobs(), waiting).await, worker.running()), (JobState::Waiting, 0));
    worker.stop().await.unwrap();
    worker.finished().await.unwrap();
});

on_both!(a_job_that_does_not_finish_in_time_is_told_and_left_to_another_worker, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("slow", move |job| {
        let seen = seen.clone();
        async move {
            seen.note(job.attempt());
            if seen.len() == 1 {
                job.cancelled().await?;
                return Err(JobFailure::new("stopped", "as told"));
            }
            Ok(job.input())
        }
    });
    let hasty = WorkerOptions { drain_seconds: Some(0.1), ..options() };
    let worker = atom.start_worker(handlers.clone(), Some(hasty)).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { max_attempts: Some(1), ..new("slow", json!(1)) }).await;
    until(async || log.len() == 1).await;
    worker.stop().await.unwrap();
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.attempt, job.error_reason), (JobState::Waiting, 0, None), "its attempt does not count");
    atom.start_worker(handlers, quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    assert_eq!(log.all(), [json!(1), json!(1)]);
});

on_both!(a_job_that_finishes_when_it_is_told_to_end_has_succeeded, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        job.cancelled().await?;
        Ok(Json(json!("rounded off")))
    });
    let worker = atom.start_worker(handlers, Some(WorkerOptions { drain_seconds: Some(0.0), ..options() })).await.unwrap();
    let id = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    until(async || worker.running() == 1).await;
    worker.stop().await.unwrap();
    assert_eq!(state(&atom.jobs(), id).await, JobState::Succeeded);
});

on_both!(a_handler_that_ignores_the_end_of_its_worker_is_dropped_after_its_grace, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |_| async move { std::future::pending().await });
    let worker = atom.start_worker(handlers, Some(WorkerOptions { drain_seconds: Some(0.0), ..options() })).await.unwrap();
    let ids = atom.jobs().enqueue_many((0..3).map(|i| new("slow", json!(i))).collect()).await.unwrap();
    until(async || worker.running() == 3).await;
    let start = Instant::now();
    worker.stop().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for job in ids {
        let job = atom.jobs().get(job.id).await.unwrap();
        assert_eq!((job.state, job.attempt), (JobState::Waiting, 0));
    }
});

on_both!(a_job_that_is_cancelled_while_its_worker_drains_is_cancelled, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        job.cancelled().await?;
        Err(JobFailure::new("stopped", "as told"))
    });
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    until(async || worker.running() == 1).await;
    let stopping = worker.clone();
    let stopped = tokio::spawn(async move { stopping.stop().await.unwrap() });
    a_while().await;
    atom.jobs().cancel(id).await.unwrap();
    stopped.await.unwrap();
    assert_eq!(state(&atom.jobs(), id).await, JobState::Cancelled);
});

on_both!(what_was_fetched_in_advance_is_given_back_by_a_worker_that_stops, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("echo", move |job| {
        let seen = seen.clone();
        async move {
            seen.note(job.input().0);
            Ok(job.input())
        }
    });
    let eager = || Some(WorkerOptions { concurrency: Some(1), prefetch: Some(1000), ..options() });
    atom.jobs().enqueue_many(ids(1500)).await.unwrap();
    let worker = atom.start_worker(handlers.clone(), eager()).await.unwrap();
    until(async || log.len() > 300).await;
    worker.stop().await.unwrap();
    let (running, waiting, succeeded) =
        (count(&atom, JobState::Running).await, count(&atom, JobState::Waiting).await, count(&atom, JobState::Succeeded).await);
    assert_eq!((running, waiting + succeeded, i64::try_from(log.len()).unwrap()), (0, 1500, succeeded));
    let page = atom.jobs().list(JobFilter { state: Some(JobState::Waiting), ..Default::default() }).await.unwrap();
    assert!(page.items.iter().all(|job| job.attempt == 0), "nothing was attempted");
    atom.start_worker(handlers, eager()).await.unwrap();
    until(async || log.len() == 1500).await;
});

on_both!(a_worker_without_prefetch_holds_no_more_than_it_runs, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.jobs().enqueue_many(ids(30)).await.unwrap();
    atom.start_worker(door.before("echo"), Some(WorkerOptions { concurrency: Some(3), prefetch: Some(0), ..options() }))
        .await
        .unwrap();
    until(async || count(&atom, JobState::Running).await == 3).await;
    a_while().await;
    assert_eq!((count(&atom, JobState::Running).await, count(&atom, JobState::Waiting).await), (3, 27));
    door.open();
    until(async || count(&atom, JobState::Running).await == 0).await;
});

on_both!(slow_jobs_are_not_fetched_in_advance, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.jobs().enqueue_many(ids(30)).await.unwrap();
    let eager = WorkerOptions { concurrency: Some(3), prefetch: Some(1000), ..options() };
    atom.start_worker(door.before("echo"), Some(eager)).await.unwrap();
    until(async || count(&atom, JobState::Running).await >= 3).await;
    let log = Log::default();
    let idle = open(&database).await;
    idle.start_worker(log.of("echo"), quick()).await.unwrap();
    until(async || log.len() >= 24).await;
});

on_both!(several_workers_share_the_jobs_and_run_each_once, |database| async move {
    let (first, second) = (open(&database).await, open(&database).await);
    let log = Log::default();
    let per_worker: Vec<_> = (0..4).map(|_| Log::default()).collect();
    for (i, own) in per_worker.iter().enumerate() {
        let (all, own) = (log.clone(), own.clone());
        let handlers = on("echo", move |job| {
            let (all, own) = (all.clone(), own.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                own.note(1);
                all.note(job.input().0);
                Ok(job.input())
            }
        });
        let atom = if i < 2 { &first } else { &second };
        atom.start_worker(handlers, Some(WorkerOptions { concurrency: Some(4), ..options() })).await.unwrap();
    }
    for chunk in ids(600).chunks(60) {
        first.jobs().enqueue_many(chunk.to_vec()).await.unwrap();
    }
    until(async || log.len() >= 600).await;
    a_while().await;
    let mut ran: Vec<_> = log.all().iter().map(|i| i.as_i64().unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..600).collect::<Vec<_>>());
    assert!(per_worker.iter().all(|own| own.len() > 0), "every one of them worked");
});

on_both!(workers_that_start_and_stop_all_the_time_lose_nothing, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let steady = open(&database).await;
    atom.jobs().enqueue_many(ids(500)).await.unwrap();
    for _ in 0..8 {
        let options = WorkerOptions { drain_seconds: Some(0.0), grace_seconds: Some(0.0), ..options() };
        let worker = steady.start_worker(log.of("echo"), Some(options)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
        worker.stop().await.unwrap();
    }
    steady.start_worker(log.of("echo"), quick()).await.unwrap();
    until(async || count(&atom, JobState::Succeeded).await == 500).await;
    assert_eq!(atom.jobs().counts().await.unwrap().len(), 1);
});

on_both!(a_host_that_locks_the_database_for_a_while_delays_jobs_and_loses_none, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let patient = WorkerOptions { lease_seconds: Some(10.0), ..options() };
    atom.start_worker(log.of("echo"), Some(patient)).await.unwrap();
    let mut host = Host::with_orders(&database).await;
    for i in 0..4 {
        atom.jobs().enqueue_many(ids(30)).await.unwrap();
        host.begin().await;
        host.run(&format!("INSERT INTO orders VALUES ({i})")).await;
        a_while().await;
        host.commit().await;
    }
    until(async || count(&atom, JobState::Succeeded).await == 120).await;
    assert_eq!(log.len(), 120);
});

on_both!(workers_are_listed_while_they_live, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let named = WorkerOptions { label: Some("in the cellar".into()), concurrency: Some(7), ..options() };
    let first = atom.start_worker(door.before("slow"), Some(named)).await.unwrap();
    let second = atom.start_worker(echo(), None).await.unwrap();
    atom.jobs().enqueue_many(vec![new("slow", json!(1)); 2]).await.unwrap();
    until(async || first.running() == 2).await;
    let workers = atom.queues().workers().await.unwrap();
    assert_eq!(workers.len(), 2);
    let cellar = &workers[0];
    assert_eq!((cellar.label.as_str(), cellar.concurrency), ("in the cellar", 7));
    assert!(cellar.queues.contains(&"slow".to_owned()) && !cellar.queues.contains(&"default".to_owned()));
    assert_eq!((cellar.running, workers[1].running), (2, 0));
    assert!(cellar.lease_until > cellar.started_at && workers[1].label.contains(&std::process::id().to_string()));
    door.open();
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(a_worker_that_was_taken_for_dead_goes_on_as_a_new_one, |database| async move {
    let atom = open(&database).await;
    let worker = atom.start_worker(echo(), quick()).await.unwrap();
    for i in 0..3 {
        bury_workers(&database).await;
        let id = enqueue(&atom.jobs(), new("echo", json!(i))).await;
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
        until(async || atom.queues().workers().await.unwrap().len() == 1).await;
    }
    worker.stop().await.unwrap();
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(a_worker_without_handlers_does_nothing_and_stops, |database| async move {
    let atom = open(&database).await;
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    let worker = atom.start_worker(HashMap::new(), quick()).await.unwrap();
    a_while().await;
    assert_eq!(state(&atom.jobs(), id).await, JobState::Waiting);
    worker.stop().await.unwrap();
});

on_both!(shut_down_stops_the_workers_of_this_process, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("slow", move |job| {
        let seen = seen.clone();
        async move {
            seen.note("began");
            tokio::time::sleep(Duration::from_millis(300)).await;
            seen.note("ended");
            Ok(job.input())
        }
    });
    let workers =
        [atom.start_worker(handlers.clone(), quick()).await.unwrap(), atom.start_worker(handlers, quick()).await.unwrap()];
    let id = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    until(async || log.len() == 1).await;
    atom.shut_down().await.unwrap();
    assert_eq!(log.all(), [json!("began"), json!("ended")]);
    for worker in workers {
        worker.finished().await.unwrap();
        worker.stop().await.unwrap();
    }
    assert_eq!(atom.jobs().get(id).await.unwrap_err().reason(), "closed");
    let again = open(&database).await;
    assert_eq!(state(&again.jobs(), id).await, JobState::Succeeded);
    assert!(again.queues().workers().await.unwrap().is_empty());
    atom.shut_down().await.unwrap();
});

on_both!(workers_are_shut_down_together_and_not_one_after_the_other, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |_| async move { std::future::pending().await });
    let slow = || Some(WorkerOptions { drain_seconds: Some(0.7), concurrency: Some(1), ..options() });
    for _ in 0..4 {
        atom.start_worker(handlers.clone(), slow()).await.unwrap();
    }
    atom.jobs().enqueue_many((0..4).map(|i| new("slow", json!(i))).collect()).await.unwrap();
    until(async || count(&atom, JobState::Running).await == 4).await;
    let start = Instant::now();
    atom.shut_down().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
});

on_both!(a_worker_outlives_its_handle, |database| async move {
    let atom = open(&database).await;
    drop(atom.start_worker(echo(), quick()).await.unwrap());
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});
