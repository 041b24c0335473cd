//! Attempts that fail, and what follows.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

/// A handler that fails until this attempt.
fn fails_until(attempt: i32) -> HashMap<String, Handler> {
    on("fail", move |job| async move {
        if job.attempt() < attempt {
            return Err(JobFailure::new("refused", format!("attempt {}", job.attempt())));
        }
        Ok(Json(json!(job.attempt())))
    })
}

/// A handler that fails as its input says: the reason, and whether it may be repeated.
fn failing() -> HashMap<String, Handler> {
    on("fail", |job| async move {
        let input = job.input().0;
        let reason = input["reason"].as_str().unwrap_or("refused").to_owned();
        Err(JobFailure { retryable: input["fatal"] != true, ..JobFailure::new(reason, "no") })
    })
}

on_both!(a14_a_job_is_tried_until_it_succeeds, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(fails_until(3), quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.attempt, job.output), (JobState::Succeeded, 3, Some(Json(json!(3)))));
    assert_eq!((job.error_reason, job.error_text), (None, None), "what went wrong before is over");
});

on_both!(a14_a_job_is_tried_exactly_as_often_as_it_may_be, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        seen.note(job.attempt());
        async move { Err(JobFailure::new("refused", format!("attempt {}", job.attempt()))) }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    for attempts in [1, 2, 5] {
        let id = enqueue(&atom.jobs(), NewJob { max_attempts: Some(attempts), ..new("fail", json!(1)) }).await;
        let job = ended(&atom.jobs(), id).await;
        assert_eq!((job.state, job.attempt, job.output), (JobState::Failed, attempts, None));
        assert_eq!((job.error_reason.as_deref(), job.error_text), (Some("refused"), Some(format!("attempt {attempts}"))));
    }
    assert_eq!(log.all(), [1, 1, 2, 1, 2, 3, 4, 5].map(|attempt| json!(attempt)));
});

on_both!(a14_between_attempts_a_job_waits_and_says_why, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(fails_until(4), quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(60.0), factor: Some(3.0), jitter: Some(0.0), ..Default::default() });
    let id = enqueue(&atom.jobs(), NewJob { retry, max_attempts: Some(4), ..new("fail", json!(1)) }).await;
    for (attempt, wait) in [(1, 60), (2, 180), (3, 540)] {
        until(async || {
            let job = atom.jobs().get(id).await.unwrap();
            job.state == JobState::Delayed && job.attempt == attempt
        })
        .await;
        let job = atom.jobs().get(id).await.unwrap();
        assert_eq!(job.error_text, Some(format!("attempt {attempt}")));
        assert!((job.run_at - job.started_at.unwrap() - TimeDelta::seconds(wait)).abs() < TimeDelta::seconds(5), "{job:?}");
        clock.advance(TimeDelta::seconds(wait - 10));
        a_while().await;
        assert_eq!(atom.jobs().get(id).await.unwrap().attempt, attempt, "not yet");
        clock.advance(TimeDelta::seconds(15));
    }
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a14_the_delay_never_grows_beyond_its_longest, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(fails_until(6), quick()).await.unwrap();
    let retry = RetryPolicy {
        delay_seconds: Some(10.0),
        factor: Some(100.0),
        max_delay_seconds: Some(30.0),
        jitter: Some(0.0),
        ..Default::default()
    };
    let id = enqueue(&atom.jobs(), NewJob { retry: Some(retry), max_attempts: Some(6), ..new("fail", json!(1)) }).await;
    for attempt in 1..6 {
        until(async || {
            let job = atom.jobs().get(id).await.unwrap();
            job.state == JobState::Delayed && job.attempt == attempt
        })
        .await;
        clock.advance(TimeDelta::seconds(31));
    }
    assert_eq!(ended(&atom.jobs(), id).await.attempt, 6);
});

on_both!(a14_a_delay_of_nothing_is_nothing_however_often, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(fails_until(200), quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(0.0), factor: Some(100.0), ..Default::default() });
    let id = enqueue(&atom.jobs(), NewJob { retry, max_attempts: Some(200), ..new("fail", json!(1)) }).await;
    assert_eq!(ended(&atom.jobs(), id).await.attempt, 200);
});

on_both!(a14_jitter_spreads_the_attempts_of_jobs_that_failed_together, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(fails_until(2), quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(3600.0), jitter: Some(1.0), ..Default::default() });
    let jobs = vec![NewJob { retry, ..new("fail", json!(1)) }; 20];
    let ids: Vec<_> = atom.jobs().enqueue_many(jobs).await.unwrap().into_iter().map(|job| job.id).collect();
    let mut waits = Vec::new();
    for id in ids {
        until_state(&atom.jobs(), id, JobState::Delayed).await;
        let job = atom.jobs().get(id).await.unwrap();
        waits.push((job.run_at - job.started_at.unwrap()).num_seconds());
    }
    assert!(waits.iter().all(|wait| (1795..5410).contains(wait)), "{waits:?}");
    assert!(waits.iter().max().unwrap() - waits.iter().min().unwrap() > 600, "{waits:?}");
});

on_both!(a14_a_failure_that_no_repetition_mends_is_not_repeated, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(failing(), quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!({"fatal": true}))).await).await;
    assert_eq!((job.state, job.attempt), (JobState::Failed, 1));
});

on_both!(a14_a_reason_that_the_policy_names_is_never_repeated, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(failing(), quick()).await.unwrap();
    let retry = Some(RetryPolicy { never_on: Some(vec!["gone".into()]), delay_seconds: Some(0.01), ..Default::default() });
    for (reason, attempts) in [("gone", 1), ("busy", 3)] {
        let id = enqueue(&atom.jobs(), NewJob { retry: retry.clone(), ..new("fail", json!({"reason": reason})) }).await;
        let job = ended(&atom.jobs(), id).await;
        assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, attempts, Some(reason)));
    }
});

on_both!(a14_an_error_of_atom_is_repeated_if_it_may_be, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        let kind = if job.input().0 == json!(true) { ErrorKind::Unavailable } else { ErrorKind::Forbidden };
        Err(Error::new(kind, "some_reason", "some text"))?
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    for (may, attempts) in [(true, 3), (false, 1)] {
        let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(may))).await).await;
        assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, attempts, Some("some_reason")));
    }
});

on_both!(a14_retry_after_wins_where_it_is_longer, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        let wait = Duration::from_secs(job.input().0.as_u64().unwrap());
        Err(JobFailure::new("busy", "later").retry_after(wait))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(600.0), jitter: Some(0.0), ..Default::default() });
    for (wait, expected) in [(3600, 3600), (1, 600), (u64::MAX, 32_000_000)] {
        let id = enqueue(&atom.jobs(), NewJob { retry: retry.clone(), ..new("fail", json!(wait)) }).await;
        until_state(&atom.jobs(), id, JobState::Delayed).await;
        let job = atom.jobs().get(id).await.unwrap();
        let waits = (job.run_at - job.started_at.unwrap()).num_seconds();
        assert!((expected..expected + 10).contains(&waits), "{wait}: {waits}");
    }
});

on_both!(a14_a_dead_letter_is_replayed_with_all_its_attempts, |database| async move {
    let atom = open(&database).await;
    let failing = atom.start_worker(failing(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Failed);
    atom.jobs().replay(id).await.unwrap();
    let again = ended(&atom.jobs(), id).await;
    assert_eq!((again.state, again.attempt), (JobState::Failed, 3));
    failing.stop().await.unwrap();
    atom.jobs().replay(id).await.unwrap();
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.attempt, job.finished_at), (JobState::Waiting, 0, None));
    atom.start_worker(fails_until(2), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a14_only_what_failed_or_was_cancelled_is_replayed, |database| async move {
    let atom = open(&database).await;
    let jobs = atom.jobs();
    let waiting = enqueue(&jobs, new("slow", json!(1))).await;
    let delayed = enqueue(&jobs, NewJob { delay_seconds: Some(60.0), ..new("slow", json!(1)) }).await;
    let batch = jobs.enqueue_batch(NewBatch { jobs: vec![new("slow", json!(1))], then: None }).await.unwrap();
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let running = enqueue(&jobs, new("echo", json!(1))).await;
    until_state(&jobs, running, JobState::Running).await;
    for id in [waiting, delayed, running, batch.id] {
        let error = jobs.replay(id).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "job_not_ended"));
    }
    door.open();
    ended(&jobs, running).await;
    let error = jobs.replay(running).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it succeeded");
    jobs.cancel(waiting).await.unwrap();
    jobs.replay(waiting).await.unwrap();
    let job = jobs.get(waiting).await.unwrap();
    assert_eq!((job.state, job.is_cancel_requested), (JobState::Waiting, false));
});

on_both!(a14_all_dead_letters_are_replayed_of_one_kind_or_of_all, |database| async move {
    let atom = open(&database).await;
    let fatal = |kind: &str| on(kind, |_| async move { Err(JobFailure::fatal("refused", "no")) });
    let handlers = fatal("fail").into_iter().chain(fatal("gone")).collect();
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    let mut ids = Vec::new();
    for kind in ["fail", "fail", "gone", "fail"] {
        ids.push(enqueue(&atom.jobs(), new(kind, json!(1))).await);
    }
    let cancelled = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(60.0), ..new("fail", json!(1)) }).await;
    atom.jobs().cancel(cancelled).await.unwrap();
    for id in ids {
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Failed);
    }
    worker.stop().await.unwrap();
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    assert_eq!(ada.jobs().replay_all(None).await.unwrap(), 0, "those of another workspace stay");
    assert_eq!(atom.jobs().replay_all(Some("gone".into())).await.unwrap(), 1);
    assert_eq!(atom.jobs().replay_all(Some("ecco".into())).await.unwrap(), 0);
    assert_eq!(atom.jobs().replay_all(Some("a\0".into())).await.unwrap(), 0);
    assert_eq!(atom.jobs().replay_all(None).await.unwrap(), 3);
    assert_eq!(state(&atom.jobs(), cancelled).await, JobState::Cancelled, "it is no dead letter");
});

on_both!(a14_a_handler_that_panics_has_failed, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        if job.attempt() == 1 {
            panic!("a mistake in the handler");
        }
        Ok(Json(json!(null)))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await.attempt, 2);
});

on_both!(a14_a_handler_that_panics_before_its_first_await_has_failed, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| {
        assert!(job.attempt() > 2, "a mistake before the future is made");
        async move { Ok(Json(json!(null))) }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 3));
});

on_both!(a14_a_handler_that_panics_when_it_is_dropped_has_failed, |database| async move {
    struct Rude;
    impl Drop for Rude {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "a mistake while the handler is dropped");
        }
    }
    let atom = open(&database).await;
    let handlers = on("timed", |_| async move {
        let _rude = Rude;
        std::future::pending().await
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("timed", json!(1))).await).await;
    assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, 2, Some("timed_out")));
});

on_both!(a14_panics_alone_end_as_a_dead_letter, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move { if job.attempt() > 0 { panic!("always") } else { Ok(Json(json!(null))) } });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, 3, Some("panicked")));
});

on_both!(a14_an_output_that_cannot_be_stored_is_a_failure_and_no_loop, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        seen.note(job.attempt());
        async move {
            Ok(Json(match job.input().0.as_str() {
                Some("large") => json!("x".repeat(256 * 1024)),
                Some("deep") => (0..150).fold(json!(1), |inner, _| json!([inner])),
                _ => json!({"a": "\0"}),
            }))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    for (input, reason) in [("large", "job_too_large"), ("deep", "malformed_job"), ("nul", "malformed_job")] {
        let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(input))).await).await;
        assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, 1, Some(reason)));
    }
    assert_eq!(log.len(), 3);
});

on_both!(a14_a_failure_is_stored_whatever_its_text_is, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |_| async move {
        let text = format!("\0 \u{1F600} ' \" \\ {}", "long ".repeat(10_000));
        Err(JobFailure::fatal("\0odd reason \u{1F600}", text))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.error_reason.as_deref()), (JobState::Failed, Some("odd reason \u{1F600}")));
    assert!(job.error_text.unwrap().starts_with(" \u{1F600} ' \" \\ long"));
});

on_both!(a14_one_outcome_that_is_odd_does_not_hold_up_others, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        match job.input().0.as_i64().unwrap() % 4 {
            0 => Err(JobFailure::fatal("\0", "\0")),
            1 => Ok(Json(json!("\0"))),
            2 => panic!("odd"),
            _ => Ok(job.input()),
        }
    });
    let jobs: Vec<_> = (0..40).map(|i| NewJob { max_attempts: Some(1), ..new("fail", json!(i)) }).collect();
    let ids = atom.jobs().enqueue_many(jobs).await.unwrap();
    atom.start_worker(handlers, quick()).await.unwrap();
    for (i, job) in ids.iter().enumerate() {
        let expected = if i % 4 == 3 { JobState::Succeeded } else { JobState::Failed };
        assert_eq!(ended(&atom.jobs(), job.id).await.state, expected);
    }
});

on_both!(a14_a_job_whose_worker_dies_is_tried_again_at_once_and_that_attempt_counts, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        if job.attempt() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(Json(json!(job.attempt())))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    bury_workers(&database).await;
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 2));
});

on_both!(a14_a_job_that_kills_every_worker_is_a_dead_letter_in_the_end, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |_| async move { std::future::pending().await });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { max_attempts: Some(2), ..new("fail", json!(1)) }).await;
    for attempt in 1..=2 {
        until(async || {
            let job = atom.jobs().get(id).await.unwrap();
            job.state == JobState::Running && job.attempt == attempt
        })
        .await;
        bury_workers(&database).await;
    }
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt, job.error_reason.as_deref()), (JobState::Failed, 2, Some("worker_lost")));
});
