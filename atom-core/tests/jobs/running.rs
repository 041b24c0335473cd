//! Jobs that are run: what their handlers see, what is kept of them, and how long they may take.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::time::{Duration, Instant};

on_both!(a_worker_runs_a_job_and_its_result_is_kept, |database| async move {
    let atom = open(&database).await;
    let worker = atom.start_worker(echo(), quick()).await.unwrap();
    let id = atom.jobs().enqueue(new("echo", json!({"n": 1}))).await.unwrap().id;
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt, job.output), (JobState::Succeeded, 1, Some(Json(json!({"n": 1})))));
    worker.stop().await.unwrap();
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(a_thousand_jobs_are_each_run_once, |database| async move {
    let atom = open(&database).await;
    let enqueued = atom.jobs().enqueue_many(ids(1000)).await.unwrap();
    let log = Log::default();
    let worker = atom.start_worker(log.of("echo"), quick()).await.unwrap();
    for job in &enqueued {
        assert_eq!(ended(&atom.jobs(), job.id).await.attempt, 1);
    }
    worker.stop().await.unwrap();
    assert_eq!(log.len(), 1000);
});

on_both!(a_handler_sees_whose_job_it_is, |database| async move {
    let atom = open(&database).await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let handlers = on("slow", |job| async move {
        let owner = json!([job.workspace_id().to_string(), job.user_id().map(|user| user.to_string())]);
        Ok(Json(json!([job.id().to_string(), job.kind(), job.attempt(), job.is_cancelled(), job.input().0, owner])))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&scope.jobs(), new("slow", json!("x"))).await;
    let output = ended(&scope.jobs(), id).await.output.unwrap().0;
    let owner = json!([scope.principal().workspace_id.to_string(), session.user.id.to_string()]);
    assert_eq!(output, json!([id.to_string(), "slow", 1, false, "x", owner]));
});

on_both!(a_job_may_return_nothing, |database| async move {
    let atom = open(&database).await;
    let url = database.url.clone();
    let handlers = on("echo", move |job| {
        let url = url.clone();
        async move {
            if job.input().0 == json!("completes") {
                let mut host = Host::connect(&url).await;
                job.complete_in(host.transaction(), Json(json!(null))).await?;
            }
            Ok(Json(json!(null)))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    for input in ["returns", "completes"] {
        let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("echo", json!(input))).await).await;
        assert_eq!((job.state, job.output), (JobState::Succeeded, None), "{input}");
    }
});

on_both!(a_job_enqueues_others, |database| async move {
    let atom = open(&database).await;
    let (jobs, log) = (atom.jobs(), Log::default());
    let seen = log.clone();
    let handlers = on("echo", move |job| {
        let (jobs, seen) = (jobs.clone(), seen.clone());
        async move {
            let left = job.input().0.as_i64().unwrap();
            seen.note(left);
            if left > 0 {
                jobs.enqueue_many(vec![new("echo", json!(left - 1)); 2]).await?;
            }
            Ok(Json(json!(null)))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    enqueue(&atom.jobs(), new("echo", json!(5))).await;
    until(async || log.len() == 63).await;
});

on_both!(times_of_a_job_are_in_order, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(0.1), ..new("echo", json!(1)) }).await;
    let job = ended(&atom.jobs(), id).await;
    let times = [job.created_at, job.run_at, job.started_at.unwrap(), job.finished_at.unwrap()];
    assert!(times.is_sorted(), "{times:?}");
});

on_both!(progress_is_seen_while_a_job_runs_and_begins_anew_with_each_attempt, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let wait = door.clone();
    let handlers = on("fail", move |job| {
        let wait = wait.clone();
        async move {
            if job.attempt() == 2 {
                wait.pass().await;
                return Ok(Json(json!(null)));
            }
            for done in 1..=3 {
                job.report(JobProgress { done, total: Some(3), note: Some(format!("page {done}")) }).await?;
            }
            job.cancelled().await?;
            Err(JobFailure::new("stopped", "as told"))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { timeout_seconds: Some(1.0), ..new("fail", json!(1)) }).await;
    let progress = async || atom.jobs().get(id).await.unwrap().progress;
    let last = JobProgress { done: 3, total: Some(3), note: Some("page 3".into()) };
    until(async || progress().await == Some(last.clone())).await;
    until(async || atom.jobs().get(id).await.unwrap().attempt == 2).await;
    assert_eq!(progress().await, None);
    door.open();
    assert_eq!(ended(&atom.jobs(), id).await.progress, None);
});

on_both!(progress_that_cannot_be_stored_is_refused, |database| async move {
    let atom = open(&database).await;
    let handlers = on("echo", |job| async move {
        let note = |note: String| job.report(JobProgress { done: 0, total: None, note: Some(note) });
        let reasons = [note("a\0".into()).await, note("x".repeat(256 * 1024)).await].map(|e| e.unwrap_err().reason());
        note("fine".into()).await?;
        Ok(Json(json!(reasons)))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("echo", json!(1))).await).await;
    assert_eq!(job.output, Some(Json(json!(["malformed_job", "job_too_large"]))), "{:?}", job.error_text);
    assert_eq!(job.progress.unwrap().note.as_deref(), Some("fine"));
});

on_both!(a_timed_out_attempt_is_told_and_tried_again, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("timed", move |job| {
        let seen = seen.clone();
        async move {
            if job.attempt() == 1 {
                job.cancelled().await?;
                seen.note("told");
                return Err(JobFailure::new("stopped", "as told"));
            }
            Ok(Json(json!("in time")))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("timed", json!(1))).await).await;
    assert_eq!((job.state, job.attempt, log.len()), (JobState::Succeeded, 2, 1));
});

on_both!(an_attempt_that_ignores_its_time_out_is_dropped_and_becomes_a_dead_letter, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(on("timed", |_| async move { std::future::pending().await }), quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("timed", json!(1))).await).await;
    assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, 2, Some("timed_out")));
});

on_both!(what_returns_within_its_grace_after_the_time_out_has_succeeded, |database| async move {
    let atom = open(&database).await;
    let handlers = on("timed", |job| async move {
        job.cancelled().await?;
        Ok(Json(json!("just in time")))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("timed", json!(1))).await).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 1));
});

on_both!(a_job_may_have_a_time_out_of_its_own, |database| async move {
    let atom = open(&database).await;
    let handlers = on("timed", |job| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(job.input())
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let patient = NewJob { timeout_seconds: Some(30.0), ..new("timed", json!(1)) };
    assert_eq!(ended(&atom.jobs(), enqueue(&atom.jobs(), patient).await).await.state, JobState::Succeeded);
});

on_both!(a_job_without_a_time_out_may_run_longer_than_a_lease, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("slow", move |job| {
        seen.note(job.attempt());
        async move {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            Ok(job.input())
        }
    });
    for _ in 0..2 {
        atom.start_worker(handlers.clone(), Some(WorkerOptions { lease_seconds: Some(1.0), ..options() })).await.unwrap();
    }
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("slow", json!(1))).await).await;
    assert_eq!((job.state, log.all()), (JobState::Succeeded, vec![json!(1)]));
});

on_both!(whoever_waits_is_told_at_once_or_when_the_patience_is_over, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    for patience in [0.0, 0.1, -1.0, f64::NAN] {
        let error = atom.jobs().wait(id, Some(patience)).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "job_not_ended"));
    }
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let jobs = atom.jobs();
            tokio::spawn(async move { jobs.wait(id, Some(f64::INFINITY)).await.unwrap().state })
        })
        .collect();
    a_while().await;
    let start = Instant::now();
    door.open();
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), JobState::Succeeded);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(atom.jobs().wait(id, Some(0.0)).await.unwrap().state, JobState::Succeeded);
});

on_both!(whoever_waits_in_another_process_is_told_within_a_second_or_so, |database| async move {
    let (here, there) = (open(&database).await, open(&database).await);
    let door = Door::new();
    there.start_worker(door.before("echo"), quick()).await.unwrap();
    let id = enqueue(&here.jobs(), new("echo", json!(1))).await;
    let jobs = here.jobs();
    let waiter = tokio::spawn(async move { jobs.wait(id, None).await.unwrap().state });
    a_while().await;
    let start = Instant::now();
    door.open();
    assert_eq!(waiter.await.unwrap(), JobState::Succeeded);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
});

on_both!(a_job_that_is_not_kept_is_gone_when_it_has_succeeded_and_kept_when_it_fails, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fleeting", |job| async move {
        if job.input().0 == json!(true) { Ok(job.input()) } else { Err(JobFailure::fatal("refused", "no")) }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let gone = enqueue(&atom.jobs(), new("fleeting", json!(true))).await;
    assert_eq!(atom.jobs().wait(gone, Some(20.0)).await.unwrap_err().reason(), "not_found");
    let dead = enqueue(&atom.jobs(), new("fleeting", json!(false))).await;
    assert_eq!(ended(&atom.jobs(), dead).await.state, JobState::Failed);
});

on_both!(a_clock_that_is_set_back_stops_nothing, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    clock.advance(TimeDelta::hours(-1));
    for i in 0..3 {
        let id = enqueue(&atom.jobs(), new("echo", json!(i))).await;
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    }
});
