//! What is refused when it is enqueued, declared or asked for, and with which reason.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::Utc;
use serde_json::{Value, json};

fn echo_with(change: impl FnOnce(&mut NewJob)) -> NewJob {
    let mut job = new("echo", json!(1));
    change(&mut job);
    job
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

on_both!(a_kind_that_was_not_declared_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    assert_eq!(refusal(&jobs, new("ecco", json!(1))).await, "unknown_job_kind");
    assert_eq!(refusal(&jobs, new("", json!(1))).await, "unknown_job_kind");
    assert_eq!(jobs.statement(new("ecco", json!(1))).await.unwrap_err().reason(), "unknown_job_kind");
});

on_both!(an_input_of_256_kib_is_stored_and_a_byte_more_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let text = "x".repeat(256 * 1024 - 2);
    let id = enqueue(&jobs, new("echo", json!(text))).await;
    assert_eq!(jobs.get(id).await.unwrap().input.0, json!(text));
    assert_eq!(refusal(&jobs, new("echo", json!(format!("{text}x")))).await, "job_too_large");
});

on_both!(an_input_with_the_character_zero_is_refused_wherever_it_stands, |database| async move {
    let jobs = open(&database).await.jobs();
    for input in [json!("\0"), json!(["a", "b\0"]), json!({"a": {"b": "\0c"}}), json!({"a\0": 1})] {
        assert_eq!(refusal(&jobs, new("echo", input)).await, "malformed_job");
    }
});

on_both!(an_input_too_deep_to_be_read_again_is_refused, |database| async move {
    let atom = open(&database).await;
    assert_eq!(refusal(&atom.jobs(), new("echo", nested(500))).await, "malformed_job");
    let deepest = nested(100);
    let id = enqueue(&atom.jobs(), new("echo", deepest.clone())).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.output, Some(Json(deepest)));
});

on_both!(a_time_and_a_delay_together_are_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let job = echo_with(|job| (job.run_at, job.delay_seconds) = (Some(Utc::now()), Some(1.0)));
    assert_eq!(refusal(&jobs, job).await, "malformed_job");
});

on_both!(numbers_of_a_job_that_make_no_sense_are_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    for delay in [-1.0, f64::NAN, f64::INFINITY, 1e10] {
        assert_eq!(refusal(&jobs, echo_with(|job| job.delay_seconds = Some(delay))).await, "malformed_job", "{delay}");
    }
    for timeout in [0.0, -1.0, f64::NAN, 1e9] {
        assert_eq!(refusal(&jobs, echo_with(|job| job.timeout_seconds = Some(timeout))).await, "malformed_job", "{timeout}");
    }
    for attempts in [0, -1] {
        assert_eq!(refusal(&jobs, echo_with(|job| job.max_attempts = Some(attempts))).await, "malformed_job", "{attempts}");
    }
    for keep in [-1, i64::MAX] {
        assert_eq!(refusal(&jobs, echo_with(|job| job.keep_seconds = Some(keep))).await, "malformed_job", "{keep}");
    }
});

on_both!(a_retry_policy_that_makes_no_sense_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let refused = |retry: RetryPolicy| refusal(&jobs, echo_with(|job| job.retry = Some(retry)));
    let default = RetryPolicy::default;
    assert_eq!(refused(RetryPolicy { delay_seconds: Some(-1.0), ..default() }).await, "malformed_retry");
    assert_eq!(refused(RetryPolicy { max_delay_seconds: Some(f64::NAN), ..default() }).await, "malformed_retry");
    assert_eq!(refused(RetryPolicy { factor: Some(0.9), ..default() }).await, "malformed_retry");
    assert_eq!(refused(RetryPolicy { jitter: Some(1.1), ..default() }).await, "malformed_retry");
    assert_eq!(refused(RetryPolicy { never_on: Some(vec!["a\0".into()]), ..default() }).await, "malformed_retry");
});

on_both!(a_limit_that_makes_no_sense_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let refused = |limit: JobLimit| refusal(&jobs, echo_with(|job| job.limit = Some(limit)));
    let one = || JobLimit { key: "k".into(), max_running: Some(1), ..Default::default() };
    assert_eq!(refused(JobLimit { max_running: None, ..one() }).await, "malformed_limit");
    assert_eq!(refused(JobLimit { max_running: Some(0), ..one() }).await, "malformed_limit");
    assert_eq!(refused(JobLimit { max_starts: Some(-1), ..one() }).await, "malformed_limit");
    for per in [0.0, -1.0, f64::NAN, 1e9] {
        assert_eq!(refused(JobLimit { max_starts: Some(1), per_seconds: Some(per), ..one() }).await, "malformed_limit", "{per}");
    }
    for key in [String::new(), "x".repeat(501), "a\0".into()] {
        assert_eq!(refused(JobLimit { key, ..one() }).await, "malformed_limit");
    }
});

on_both!(a_unique_key_that_makes_no_sense_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let refused = |unique: UniqueJob| refusal(&jobs, echo_with(|job| job.unique = Some(unique)));
    for key in [String::new(), "x".repeat(501)] {
        assert_eq!(refused(UniqueJob { key: Some(key), ..Default::default() }).await, "malformed_unique_key");
    }
    for period in [-1.0, f64::NAN, 1e9] {
        assert_eq!(
            refused(UniqueJob { for_seconds: Some(period), ..Default::default() }).await,
            "malformed_unique_key",
            "{period}"
        );
    }
});

on_both!(the_name_of_a_queue_is_checked_everywhere, |database| async move {
    let atom = open(&database).await;
    for queue in [String::new(), "x".repeat(101), "a\0".into()] {
        let job = echo_with(|job| job.queue = Some(queue.clone()));
        assert_eq!(refusal(&atom.jobs(), job).await, "malformed_queue");
        assert_eq!(atom.queues().pause(queue.clone()).await.unwrap_err().reason(), "malformed_queue");
        assert_eq!(atom.queues().resume(queue.clone()).await.unwrap_err().reason(), "malformed_queue");
        let kind = JobKind { name: "other".into(), queue: Some(queue), ..Default::default() };
        assert_eq!(database.builder().job_kind(kind).open().await.err().unwrap().reason(), "malformed_queue");
    }
});

on_both!(a_kind_with_a_malformed_or_taken_name_is_refused_on_opening, |database| async move {
    let reason = async |name: &str| {
        let kind = JobKind { name: name.into(), ..Default::default() };
        database.builder().job_kind(kind.clone()).job_kind(kind).open().await.err().unwrap().reason()
    };
    for name in ["", ".", "Email", "email.", "2fast", "e-mail", "email send", "atom.own", "a\0", &"a".repeat(101)] {
        assert_eq!(reason(name).await, "malformed_job_kind", "{name}");
    }
    assert_eq!(reason("email.send_2").await, "malformed_job_kind", "it is declared twice");
});

on_both!(the_defaults_of_a_kind_are_checked_on_opening, |database| async move {
    let reason = async |kind: JobKind| {
        let kind = JobKind { name: "other".into(), ..kind };
        database.builder().job_kind(kind).open().await.err().unwrap().reason()
    };
    assert_eq!(reason(JobKind { max_attempts: Some(0), ..Default::default() }).await, "malformed_job");
    assert_eq!(reason(JobKind { timeout_seconds: Some(-1.0), ..Default::default() }).await, "malformed_job");
    assert_eq!(reason(JobKind { keep_seconds: Some(-1), ..Default::default() }).await, "malformed_job");
    let retry = Some(RetryPolicy { jitter: Some(2.0), ..Default::default() });
    assert_eq!(reason(JobKind { retry, ..Default::default() }).await, "malformed_retry");
});

on_both!(of_many_jobs_with_a_mistake_none_is_stored, |database| async move {
    let jobs = open(&database).await.jobs();
    let many = ids(5).into_iter().chain([new("ecco", json!(1))]).collect();
    assert_eq!(jobs.enqueue_many(many).await.unwrap_err().reason(), "unknown_job_kind");
    assert!(jobs.list(JobFilter::default()).await.unwrap().items.is_empty());
});

on_both!(a_worker_for_an_unknown_kind_is_refused, |database| async move {
    let atom = open(&database).await;
    let handlers = on("ecco", |job| async move { Ok(job.input()) });
    assert_eq!(atom.start_worker(handlers, None).await.err().unwrap().reason(), "unknown_job_kind");
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(options_of_a_worker_that_make_no_sense_are_refused, |database| async move {
    let atom = open(&database).await;
    let refused = async |change: fn(&mut WorkerOptions)| {
        let mut options = WorkerOptions::default();
        change(&mut options);
        atom.start_worker(echo(), Some(options)).await.err().unwrap().reason()
    };
    assert_eq!(refused(|o| o.concurrency = Some(0)).await, "malformed_option");
    assert_eq!(refused(|o| o.concurrency = Some(100_000)).await, "malformed_option");
    assert_eq!(refused(|o| o.prefetch = Some(-1)).await, "malformed_option");
    assert_eq!(refused(|o| o.lease_seconds = Some(0.5)).await, "malformed_option");
    assert_eq!(refused(|o| o.poll_seconds = Some(0.0)).await, "malformed_option");
    assert_eq!(refused(|o| o.grace_seconds = Some(f64::NAN)).await, "malformed_option");
    assert_eq!(refused(|o| o.drain_seconds = Some(-1.0)).await, "malformed_option");
    assert_eq!(refused(|o| o.label = Some("a\0".into())).await, "malformed_option");
    assert_eq!(refused(|o| o.queues = Some(vec!["a\0".into()])).await, "malformed_queue");
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(a_page_size_or_a_cursor_that_makes_no_sense_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    for size in [0, -1, 1001] {
        let filter = JobFilter { page_size: Some(size), ..Default::default() };
        assert_eq!(jobs.list(filter).await.unwrap_err().reason(), "malformed_page_size");
    }
    let filter = JobFilter { cursor: Some("next".into()), ..Default::default() };
    assert_eq!(jobs.list(filter).await.unwrap_err().reason(), "malformed_cursor");
});

on_both!(a_job_that_is_not_there_is_not_found, |database| async move {
    let jobs = open(&database).await.jobs();
    let id = JobId::generate();
    assert_eq!(jobs.get(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(jobs.batch(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(jobs.cancel(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(jobs.replay(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(jobs.wait(id, None).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(jobs.settle(id, "step".into(), None).await.unwrap_err().reason(), "step_not_in_doubt");
});
