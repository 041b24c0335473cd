//! What is stored.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

on_both!(a_job_is_stored_with_what_it_was_given_and_the_defaults_of_its_kind, |database| async move {
    let atom = open(&database).await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let enqueued = scope.jobs().enqueue(NewJob { priority: Some(7), ..new("slow", json!({"to": "x"})) }).await.unwrap();
    assert!(!enqueued.is_duplicate);
    let job = scope.jobs().get(enqueued.id).await.unwrap();
    assert_eq!((job.kind.as_str(), job.queue.as_str(), job.state, job.priority), ("slow", "slow", JobState::Waiting, 7));
    assert_eq!((job.input.0, job.attempt, job.max_attempts), (json!({"to": "x"}), 0, 5));
    assert_eq!(job.user_id, Some(session.user.id));
});

on_both!(a_job_of_another_workspace_is_not_seen, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let id = ada.jobs().enqueue(new("echo", json!(1))).await.unwrap().id;
    for jobs in [bob.jobs(), atom.jobs()] {
        assert_eq!(jobs.get(id).await.unwrap_err().reason(), "not_found");
        assert_eq!(jobs.cancel(id).await.unwrap_err().reason(), "not_found");
        assert_eq!(jobs.replay(id).await.unwrap_err().reason(), "not_found");
        assert_eq!(jobs.wait(id, Some(0.1)).await.unwrap_err().reason(), "not_found");
        assert!(jobs.list(JobFilter::default()).await.unwrap().items.is_empty());
        assert!(jobs.counts().await.unwrap().is_empty());
    }
});

on_both!(a_job_without_an_input_has_null, |database| async move {
    let atom = open(&database).await;
    let id = enqueue(&atom.jobs(), NewJob { kind: "echo".into(), ..Default::default() }).await;
    let log = Log::default();
    atom.start_worker(log.of("echo"), quick()).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.input.0, log.all()), (Value::Null, vec![Value::Null]));
});

on_both!(any_json_comes_back_as_it_was_given, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    let values = [
        json!(true),
        json!(0),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0.1),
        json!(1.5e300),
        json!(-2.5e-300),
        json!(""),
        json!("null"),
        json!("'; DROP TABLE atom_runs; --"),
        json!("\u{1F600} \u{7f} \r\n\t \\ \" $1 ?1 :name %s"),
        json!([]),
        json!({}),
        json!({"": [null, {"a b": [1, [2, [3]]]}], "k": "v", "ä": "ö"}),
    ];
    for value in values {
        let id = enqueue(&atom.jobs(), new("echo", value.clone())).await;
        let job = ended(&atom.jobs(), id).await;
        assert_eq!((job.input.0, job.output.map(|output| output.0)), (value.clone(), Some(value)));
    }
});

on_both!(many_jobs_get_ids_in_the_order_in_which_they_were_given, |database| async move {
    let jobs = open(&database).await.jobs();
    let enqueued = jobs.enqueue_many(ids(2500)).await.unwrap();
    assert!(enqueued.iter().all(|job| !job.is_duplicate));
    assert!(enqueued.is_sorted_by(|a, b| a.id < b.id));
    for i in [0, 999, 1000, 2499] {
        assert_eq!(jobs.get(enqueued[i].id).await.unwrap().input.0, json!(i));
    }
});

on_both!(no_jobs_at_all_are_stored_without_an_error, |database| async move {
    assert!(open(&database).await.jobs().enqueue_many(Vec::new()).await.unwrap().is_empty());
});

on_both!(a_job_overrides_what_its_kind_says, |database| async move {
    let jobs = open(&database).await.jobs();
    let own = NewJob { queue: Some("other".into()), priority: Some(-3), max_attempts: Some(9), ..new("slow", json!(1)) };
    let job = jobs.get(enqueue(&jobs, own).await).await.unwrap();
    assert_eq!((job.queue.as_str(), job.priority, job.max_attempts), ("other", -3, 9));
    let plain = jobs.get(enqueue(&jobs, new("fail", json!(1))).await).await.unwrap();
    assert_eq!((plain.queue.as_str(), plain.priority, plain.max_attempts), ("default", 0, 3));
});

on_both!(the_installations_own_jobs_belong_to_nobody, |database| async move {
    let jobs = open(&database).await.jobs();
    let job = jobs.get(enqueue(&jobs, new("echo", json!(1))).await).await.unwrap();
    assert_eq!((job.user_id, job.batch_id, job.started_at, job.finished_at), (None, None, None, None));
});

on_both!(a_time_that_has_passed_is_now, |database| async move {
    let jobs = open(&database).await.jobs();
    for at in [DateTime::<Utc>::MIN_UTC, DateTime::UNIX_EPOCH, Utc::now() - TimeDelta::days(1)] {
        let id = enqueue(&jobs, NewJob { run_at: Some(at), ..new("echo", json!(1)) }).await;
        assert_eq!(state(&jobs, id).await, JobState::Waiting);
    }
});

on_both!(a_time_far_in_the_future_is_stored, |database| async move {
    let jobs = open(&database).await.jobs();
    let at = Utc::now() + TimeDelta::days(200 * 365);
    let job = jobs.get(enqueue(&jobs, NewJob { run_at: Some(at), ..new("echo", json!(1)) }).await).await.unwrap();
    assert_eq!((job.state, (job.run_at - at).abs() < TimeDelta::milliseconds(1)), (JobState::Delayed, true));
    let never = NewJob { run_at: Some(DateTime::<Utc>::MAX_UTC), ..new("echo", json!(1)) };
    assert_eq!(refusal(&jobs, never).await, "malformed_job");
});

on_both!(a_delay_of_a_year_is_a_year, |database| async move {
    let jobs = open(&database).await.jobs();
    let job = jobs.get(enqueue(&jobs, NewJob { delay_seconds: Some(3.2e7), ..new("echo", json!(1)) }).await).await.unwrap();
    assert_eq!((job.run_at - job.created_at).num_seconds(), 32_000_000);
});

on_both!(jobs_enqueued_by_many_tasks_at_once_are_all_stored, |database| async move {
    let atom = open(&database).await;
    let tasks: Vec<_> = (0..40)
        .map(|i| {
            let jobs = atom.jobs();
            tokio::spawn(async move { enqueue(&jobs, new("echo", json!(i))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let counts = atom.jobs().counts().await.unwrap();
    assert_eq!((counts.len(), counts[0].count, counts[0].state), (1, 40, JobState::Waiting));
});

on_both!(after_shut_down_nothing_is_stored, |database| async move {
    let atom = open(&database).await;
    atom.shut_down().await.unwrap();
    let error = atom.jobs().enqueue(new("echo", json!(1))).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Cancelled, "closed"));
    assert_eq!(atom.start_worker(echo(), None).await.err().unwrap().reason(), "closed");
});
