//! Jobs that belong together, and the one after them.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashMap;

/// Handlers that succeed, fail or hang as the input says, and the job after them.
fn handlers(log: &Log) -> HashMap<String, Handler> {
    let seen = log.clone();
    let mut all = on("fail", |job| async move {
        match job.input().0.as_str() {
            Some("fails") => Err(JobFailure::fatal("refused", "no")),
            Some("hangs") => {
                job.cancelled().await?;
                Err(JobFailure::new("stopped", "as told"))
            }
            _ => Ok(job.input()),
        }
    });
    all.extend(on("echo", move |job| {
        seen.note(job.input().0);
        async move { Ok(job.input()) }
    }));
    all.extend(on("fleeting", |job| async move { Ok(job.input()) }));
    all
}

fn batch(inputs: &[&str], then: Option<NewJob>) -> NewBatch {
    NewBatch { jobs: inputs.iter().map(|input| new("fail", json!(input))).collect(), then }
}

async fn finished(jobs: &Jobs, id: JobId) -> Batch {
    until(async || jobs.batch(id).await.unwrap().pending == 0).await;
    jobs.batch(id).await.unwrap()
}

on_both!(a_batch_is_stored_whole, |database| async move {
    let jobs = open(&database).await.jobs();
    let stored = jobs.enqueue_batch(batch(&["a", "b", "c"], Some(new("echo", json!("then"))))).await.unwrap();
    assert_eq!((stored.total, stored.pending, stored.succeeded, stored.failed, stored.cancelled), (3, 3, 0, 0, 0));
    let then = jobs.get(stored.id).await.unwrap();
    assert_eq!((then.state, then.kind.as_str(), then.batch_id), (JobState::Held, "echo", None));
    let page = jobs.list(JobFilter { batch_id: Some(stored.id), ..Default::default() }).await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert!(page.items.iter().all(|job| job.batch_id == Some(stored.id) && job.state == JobState::Waiting));
});

on_both!(a_batch_with_a_mistake_is_not_stored_at_all, |database| async move {
    let jobs = open(&database).await.jobs();
    let unique = || NewJob { unique: Some(UniqueJob::default()), ..new("echo", json!(1)) };
    let one = || vec![new("echo", json!(1))];
    for (mistake, reason) in [
        (NewBatch::default(), "empty_batch"),
        (NewBatch { jobs: Vec::new(), then: Some(new("echo", json!(1))) }, "empty_batch"),
        (NewBatch { jobs: vec![unique()], then: None }, "malformed_batch"),
        (NewBatch { jobs: one(), then: Some(unique()) }, "malformed_batch"),
        (NewBatch { jobs: vec![new("echo", json!(1)), new("ecco", json!(1))], then: None }, "unknown_job_kind"),
        (NewBatch { jobs: one(), then: Some(new("echo", json!("\0"))) }, "malformed_job"),
    ] {
        let error = jobs.enqueue_batch(mistake).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, reason));
    }
    assert!(jobs.list(JobFilter::default()).await.unwrap().items.is_empty());
});

on_both!(the_job_after_a_batch_runs_when_all_of_it_has_ended, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let delayed = NewJob { delay_seconds: Some(0.5), ..new("fail", json!("late")) };
    let mut new_batch = batch(&["a", "b"], Some(new("echo", json!("then"))));
    new_batch.jobs.push(delayed);
    let id = atom.jobs().enqueue_batch(new_batch).await.unwrap().id;
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    until(async || atom.jobs().batch(id).await.unwrap().succeeded == 2).await;
    assert_eq!((state(&atom.jobs(), id).await, log.len()), (JobState::Held, 0));
    let then = ended(&atom.jobs(), id).await;
    assert_eq!((then.state, log.all()), (JobState::Succeeded, vec![json!("then")]));
    assert_eq!(finished(&atom.jobs(), id).await.succeeded, 3);
});

on_both!(a_batch_of_nothing_but_jobs_ends_with_the_last_of_them, |database| async move {
    let atom = open(&database).await;
    let id = atom.jobs().enqueue_batch(batch(&["a", "b"], None)).await.unwrap().id;
    atom.start_worker(handlers(&Log::default()), quick()).await.unwrap();
    let ended = ended(&atom.jobs(), id).await;
    assert_eq!((ended.state, ended.finished_at.is_some()), (JobState::Succeeded, true));
    assert_eq!(finished(&atom.jobs(), id).await.succeeded, 2);
});

on_both!(a_batch_counts_what_became_of_its_jobs_and_goes_on_whatever_it_is, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let waiting = NewJob { delay_seconds: Some(3600.0), ..new("fail", json!("later")) };
    let mut new_batch = batch(&["runs", "fails", "hangs", "runs", "fails"], Some(new("echo", json!("then"))));
    new_batch.jobs.extend([waiting.clone(), waiting]);
    let id = atom.jobs().enqueue_batch(new_batch).await.unwrap().id;
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    until(async || atom.jobs().batch(id).await.unwrap().pending == 3).await;
    let counted = atom.jobs().batch(id).await.unwrap();
    assert_eq!((counted.total, counted.succeeded, counted.failed, counted.cancelled), (7, 2, 2, 0));
    let filter = JobFilter { batch_id: Some(id), ..Default::default() };
    for job in atom.jobs().list(filter).await.unwrap().items {
        if !matches!(job.state, JobState::Succeeded | JobState::Failed) {
            assert_eq!(state(&atom.jobs(), id).await, JobState::Held);
            assert!(atom.jobs().cancel(job.id).await.unwrap());
        }
    }
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    let counted = atom.jobs().batch(id).await.unwrap();
    assert_eq!((counted.pending, counted.succeeded, counted.failed, counted.cancelled), (0, 2, 2, 3));
});

on_both!(the_last_jobs_of_a_batch_may_end_at_once_anywhere, |database| async move {
    let (first, second) = (open(&database).await, open(&database).await);
    let log = Log::default();
    let mut ids = Vec::new();
    for i in 0..15 {
        let jobs = (0..4).map(|j| new("fail", json!(format!("{i} {j}")))).collect();
        ids.push(first.jobs().enqueue_batch(NewBatch { jobs, then: Some(new("echo", json!(i))) }).await.unwrap().id);
    }
    for atom in [&first, &second] {
        atom.start_worker(handlers(&log), Some(WorkerOptions { concurrency: Some(4), prefetch: Some(0), ..options() }))
            .await
            .unwrap();
    }
    for id in ids {
        assert_eq!(ended(&first.jobs(), id).await.state, JobState::Succeeded);
    }
    let mut ran: Vec<_> = log.all().iter().map(|i| i.as_i64().unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..15).collect::<Vec<_>>(), "each once");
});

on_both!(jobs_of_a_batch_that_are_not_kept_have_succeeded, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let jobs = (0..5).map(|i| new("fleeting", json!(i))).collect();
    let id = atom.jobs().enqueue_batch(NewBatch { jobs, then: Some(new("echo", json!("then"))) }).await.unwrap().id;
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    let counted = atom.jobs().batch(id).await.unwrap();
    assert_eq!((counted.total, counted.pending, counted.succeeded), (5, 0, 5));
});

on_both!(the_job_after_a_batch_may_have_a_time_of_its_own, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    let then = NewJob { delay_seconds: Some(3600.0), ..new("echo", json!("then")) };
    let id = atom.jobs().enqueue_batch(batch(&["a"], Some(then))).await.unwrap().id;
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    clock.advance(TimeDelta::hours(1));
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a_held_job_is_cancelled_and_its_batch_runs_on, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    for then in [Some(new("echo", json!("then"))), None] {
        let id = atom.jobs().enqueue_batch(batch(&["a", "b"], then)).await.unwrap().id;
        assert!(atom.jobs().cancel(id).await.unwrap());
        assert_eq!(state(&atom.jobs(), id).await, JobState::Cancelled);
        let worker = atom.start_worker(handlers(&log), quick()).await.unwrap();
        assert_eq!(finished(&atom.jobs(), id).await.succeeded, 2);
        worker.stop().await.unwrap();
        assert_eq!((state(&atom.jobs(), id).await, log.len()), (JobState::Cancelled, 0));
    }
});

on_both!(a_cancelled_job_after_a_batch_that_is_replayed_waits_for_the_batch_again, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let id = atom.jobs().enqueue_batch(batch(&["hangs"], Some(new("echo", json!("then"))))).await.unwrap().id;
    atom.jobs().cancel(id).await.unwrap();
    atom.jobs().replay(id).await.unwrap();
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    a_while().await;
    assert_eq!((state(&atom.jobs(), id).await, log.len()), (JobState::Held, 0));
    let hanging = atom.jobs().list(JobFilter { batch_id: Some(id), ..Default::default() }).await.unwrap().items[0].id;
    atom.jobs().cancel(hanging).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    assert_eq!(log.len(), 1);
});

on_both!(a_job_after_a_batch_that_failed_is_replayed_alone, |database| async move {
    let atom = open(&database).await;
    let id = atom.jobs().enqueue_batch(batch(&["a"], Some(new("fail", json!("fails"))))).await.unwrap().id;
    atom.start_worker(handlers(&Log::default()), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Failed);
    atom.jobs().replay(id).await.unwrap();
    let again = ended(&atom.jobs(), id).await;
    assert_eq!((again.state, again.attempt), (JobState::Failed, 1));
});

on_both!(a_dead_letter_of_a_batch_that_is_replayed_does_not_repeat_what_came_after, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let id = atom.jobs().enqueue_batch(batch(&["fails"], Some(new("echo", json!("then"))))).await.unwrap().id;
    atom.start_worker(handlers(&log), quick()).await.unwrap();
    ended(&atom.jobs(), id).await;
    let dead = atom.jobs().list(JobFilter { batch_id: Some(id), ..Default::default() }).await.unwrap().items[0].id;
    atom.jobs().replay(dead).await.unwrap();
    assert_eq!(ended(&atom.jobs(), dead).await.state, JobState::Failed);
    a_while().await;
    assert_eq!(log.len(), 1);
});

on_both!(a_batch_within_a_batch_is_waited_for_by_its_own_job, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let jobs = atom.jobs();
    let mut all = handlers(&log);
    all.extend(on("slow", move |job| {
        let jobs = jobs.clone();
        async move {
            let inner = jobs.enqueue_batch(batch(&["a", "fails"], Some(new("echo", json!("inner"))))).await?;
            Ok(Json(json!(jobs.wait(inner.id, Some(20.0)).await?.state == JobState::Succeeded && job.attempt() == 1)))
        }
    }));
    let outer = NewBatch { jobs: vec![new("slow", json!(1)), new("fail", json!("a"))], then: Some(new("echo", json!("outer"))) };
    let id = atom.jobs().enqueue_batch(outer).await.unwrap().id;
    atom.start_worker(all, quick()).await.unwrap();
    ended(&atom.jobs(), id).await;
    assert_eq!(log.all(), [json!("inner"), json!("outer")]);
});

on_both!(a_batch_of_thousands_is_counted_right, |database| async move {
    let atom = open(&database).await;
    let jobs = (0..2500)
        .map(|i| NewJob { max_attempts: Some(1), ..new("fail", json!(if i % 10 == 0 { "fails" } else { "a" })) })
        .collect();
    let id = atom.jobs().enqueue_batch(NewBatch { jobs, then: None }).await.unwrap().id;
    atom.start_worker(handlers(&Log::default()), quick()).await.unwrap();
    ended(&atom.jobs(), id).await;
    let counted = atom.jobs().batch(id).await.unwrap();
    assert_eq!((counted.total, counted.pending, counted.succeeded, counted.failed), (2500, 0, 2250, 250));
});

on_both!(a_job_that_is_in_doubt_has_not_ended_for_its_batch, |database| async move {
    let atom = open(&database).await;
    let all = on("slow", |job| async move {
        job.step("charge", Effect::Once, async { Err::<(), _>(JobFailure::new("cut_off", "nobody knows")) }).await?;
        Ok(job.input())
    });
    let retry = Some(RetryPolicy { delay_seconds: Some(0.0), ..Default::default() });
    let doubtful = NewJob { max_attempts: Some(2), retry, ..new("slow", json!(1)) };
    let id = atom.jobs().enqueue_batch(NewBatch { jobs: vec![doubtful], then: None }).await.unwrap().id;
    atom.start_worker(all, quick()).await.unwrap();
    let filter = JobFilter { batch_id: Some(id), ..Default::default() };
    let job = atom.jobs().list(filter).await.unwrap().items[0].id;
    until_state(&atom.jobs(), job, JobState::InDoubt).await;
    a_while().await;
    assert_eq!((atom.jobs().batch(id).await.unwrap().pending, state(&atom.jobs(), id).await), (1, JobState::Held));
    atom.jobs().settle(job, "charge".into(), Some(Json(json!(null)))).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a_job_that_is_no_batch_is_not_found_as_one, |database| async move {
    let jobs = open(&database).await.jobs();
    let id = enqueue(&jobs, new("echo", json!(1))).await;
    assert_eq!(jobs.batch(id).await.unwrap_err().reason(), "not_found");
    let batch = jobs.enqueue_batch(batch(&["a"], None)).await.unwrap();
    let child = jobs.list(JobFilter { batch_id: Some(batch.id), ..Default::default() }).await.unwrap().items[0].id;
    assert_eq!(jobs.batch(child).await.unwrap_err().reason(), "not_found");
});
