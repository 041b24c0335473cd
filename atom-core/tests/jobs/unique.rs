//! Jobs of which there is only one.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;

fn only(kind: &str, input: Value, unique: UniqueJob) -> NewJob {
    NewJob { unique: Some(unique), ..new(kind, input) }
}

fn key(key: &str) -> UniqueJob {
    UniqueJob { key: Some(key.into()), ..Default::default() }
}

fn replacing(input: Value) -> NewJob {
    only("slow", input, UniqueJob { on_duplicate: Some(OnDuplicate::Replace), ..key("k") })
}

fn debouncing(input: Value) -> NewJob {
    only("slow", input, UniqueJob { on_duplicate: Some(OnDuplicate::Debounce), ..key("k") })
}

async fn is_duplicate(jobs: &Jobs, job: NewJob) -> bool {
    jobs.enqueue(job).await.unwrap().is_duplicate
}

on_both!(a15_a_job_of_the_same_kind_and_input_is_stored_once, |database| async move {
    let jobs = open(&database).await.jobs();
    let job = |input| only("echo", input, UniqueJob::default());
    let first = jobs.enqueue(job(json!({"a": 1, "b": [1, {"c": 2, "d": 3}]}))).await.unwrap();
    let second = jobs.enqueue(job(json!({"b": [1, {"d": 3, "c": 2}], "a": 1}))).await.unwrap();
    assert_eq!((first.is_duplicate, second.is_duplicate, first.id), (false, true, second.id));
    for other in [json!({"a": 1}), json!({"a": 1, "b": [{"c": 2, "d": 3}, 1]}), json!("a"), Value::Null] {
        assert!(!is_duplicate(&jobs, job(other)).await);
    }
    assert!(!is_duplicate(&jobs, only("gone", json!("a"), UniqueJob::default())).await, "another kind");
    assert!(!is_duplicate(&jobs, new("echo", json!("a"))).await, "it does not ask to be the only one");
});

on_both!(a15_a_key_holds_whatever_the_input_and_only_for_its_kind, |database| async move {
    let jobs = open(&database).await.jobs();
    assert!(!is_duplicate(&jobs, only("echo", json!(1), key("k"))).await);
    assert!(is_duplicate(&jobs, only("echo", json!(2), key("k"))).await);
    assert!(!is_duplicate(&jobs, only("echo", json!(1), key("l"))).await);
    // Otherwise a job of one kind would be given the input of another.
    assert!(!is_duplicate(&jobs, only("slow", json!(1), key("k"))).await);
});

on_both!(a15_every_workspace_has_its_own_keys, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    assert!(!is_duplicate(&atom.jobs(), only("echo", json!(1), key("k"))).await);
    assert!(!is_duplicate(&ada.jobs(), only("echo", json!(1), key("k"))).await);
    assert!(is_duplicate(&ada.jobs(), only("echo", json!(1), key("k"))).await);
});

on_both!(a15_until_it_has_ended_a_running_job_is_the_only_one, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let job = || only("echo", json!(1), UniqueJob::default());
    let id = enqueue(&atom.jobs(), job()).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    let second = atom.jobs().enqueue(job()).await.unwrap();
    assert_eq!((second.is_duplicate, second.id), (true, id));
    door.open();
    ended(&atom.jobs(), id).await;
    assert!(!is_duplicate(&atom.jobs(), job()).await);
});

on_both!(a15_a_job_that_failed_or_was_cancelled_is_no_longer_the_only_one, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        if job.input().0 == json!("hangs") {
            std::future::pending::<()>().await;
        }
        Err(JobFailure::fatal("refused", "no"))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = |input: &str| only("fail", json!(input), UniqueJob::default());
    let failed = enqueue(&atom.jobs(), job("fails")).await;
    assert_eq!(ended(&atom.jobs(), failed).await.state, JobState::Failed);
    assert!(!is_duplicate(&atom.jobs(), job("fails")).await);
    let running = enqueue(&atom.jobs(), job("hangs")).await;
    until_state(&atom.jobs(), running, JobState::Running).await;
    atom.jobs().cancel(running).await.unwrap();
    assert_eq!(ended(&atom.jobs(), running).await.state, JobState::Cancelled);
    assert!(!is_duplicate(&atom.jobs(), job("hangs")).await);
    let waiting = enqueue(&atom.jobs(), only("gone", json!(1), key("k"))).await;
    atom.jobs().cancel(waiting).await.unwrap();
    assert!(!is_duplicate(&atom.jobs(), only("gone", json!(1), key("k"))).await);
});

on_both!(a15_between_its_attempts_a_job_is_the_only_one, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |_| async move { Err(JobFailure::new("refused", "later")) });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = || only("slow", json!(1), UniqueJob::default());
    let id = enqueue(&atom.jobs(), job()).await;
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    assert!(is_duplicate(&atom.jobs(), job()).await);
});

on_both!(a15_until_it_has_started_only_a_waiting_job_is_the_only_one, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let job = || only("echo", json!(1), UniqueJob { until: Some(UniqueUntil::Started), ..Default::default() });
    let id = enqueue(&atom.jobs(), job()).await;
    assert!(is_duplicate(&atom.jobs(), job()).await);
    atom.start_worker(door.before("echo"), one_by_one()).await.unwrap();
    until_state(&atom.jobs(), id, JobState::Running).await;
    assert!(!is_duplicate(&atom.jobs(), job()).await);
    assert!(is_duplicate(&atom.jobs(), job()).await);
});

on_both!(a15_replace_gives_the_waiting_job_the_new_input_and_leaves_its_time, |database| async move {
    let jobs = open(&database).await.jobs();
    for delay in [None, Some(3600.0)] {
        let first = enqueue(&jobs, NewJob { delay_seconds: delay, ..replacing(json!("old")) }).await;
        let before = jobs.get(first).await.unwrap();
        let again =
            jobs.enqueue(NewJob { priority: Some(9), delay_seconds: Some(60.0), ..replacing(json!("new")) }).await.unwrap();
        assert_eq!((again.is_duplicate, again.id), (true, first));
        let job = jobs.get(first).await.unwrap();
        assert_eq!((job.input.0, job.priority), (json!("new"), 9));
        assert_eq!((job.state, job.run_at, job.created_at), (before.state, before.run_at, before.created_at));
        jobs.cancel(first).await.unwrap();
    }
});

on_both!(a15_debounce_lets_the_waiting_job_wait_anew, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    atom.start_worker(log.of("slow"), quick()).await.unwrap();
    let job = |input| NewJob { delay_seconds: Some(60.0), ..debouncing(input) };
    let first = enqueue(&atom.jobs(), job(json!(1))).await;
    for i in 2..5 {
        clock.advance(TimeDelta::seconds(50));
        assert_eq!(enqueue(&atom.jobs(), job(json!(i))).await, first);
    }
    a_while().await;
    assert_eq!(state(&atom.jobs(), first).await, JobState::Delayed, "it was put off each time");
    clock.advance(TimeDelta::seconds(61));
    ended(&atom.jobs(), first).await;
    assert_eq!(log.all(), [json!(4)]);
});

on_both!(a15_debounce_without_a_delay_lets_a_delayed_job_start, |database| async move {
    let jobs = open(&database).await.jobs();
    let id = enqueue(&jobs, NewJob { delay_seconds: Some(3600.0), ..debouncing(json!(1)) }).await;
    assert_eq!(enqueue(&jobs, debouncing(json!(2))).await, id);
    assert_eq!(state(&jobs, id).await, JobState::Waiting);
});

on_both!(a15_a_running_job_is_not_replaced_and_the_new_one_is_stored_beside_it, |database| async move {
    for job in [replacing, debouncing] {
        let atom = open(&database).await;
        let (door, log) = (Door::new(), Log::default());
        let (wait, seen) = (door.clone(), log.clone());
        let handlers = on("slow", move |job| {
            let (wait, seen) = (wait.clone(), seen.clone());
            async move {
                wait.pass().await;
                seen.note(job.input().0);
                Ok(job.input())
            }
        });
        let worker = atom.start_worker(handlers, one_by_one()).await.unwrap();
        let first = enqueue(&atom.jobs(), job(json!("first"))).await;
        until_state(&atom.jobs(), first, JobState::Running).await;
        let second = atom.jobs().enqueue(job(json!("second"))).await.unwrap();
        assert!(!second.is_duplicate && second.id != first);
        let third = atom.jobs().enqueue(job(json!("third"))).await.unwrap();
        assert_eq!((third.is_duplicate, third.id), (true, second.id));
        door.open();
        ended(&atom.jobs(), second.id).await;
        assert_eq!(log.all(), [json!("first"), json!("third")]);
        worker.stop().await.unwrap();
    }
});

on_both!(a15_a_job_between_attempts_is_replaced_for_its_next_one, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        if job.input().0 == json!("bad") { Err(JobFailure::new("refused", "bad input")) } else { Ok(job.input()) }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), debouncing(json!("bad"))).await;
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    assert_eq!(enqueue(&atom.jobs(), debouncing(json!("good"))).await, id);
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output, job.attempt), (JobState::Succeeded, Some(Json(json!("good"))), 2));
});

on_both!(a15_a_job_that_has_done_steps_is_not_replaced_under_them, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        let input = job.step("read the input", Effect::Once, async { Ok::<_, JobFailure>(job.input()) }).await?;
        if job.input().0 == json!("old") && job.attempt() == 1 {
            return Err(JobFailure::new("refused", "later").retry_after(Duration::from_millis(600)));
        }
        Ok(input)
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(0.0), ..Default::default() });
    let old = enqueue(&atom.jobs(), NewJob { retry, ..replacing(json!("old")) }).await;
    until_state(&atom.jobs(), old, JobState::Delayed).await;
    let new = atom.jobs().enqueue(replacing(json!("new"))).await.unwrap();
    assert!(!new.is_duplicate);
    assert_eq!(ended(&atom.jobs(), new.id).await.output, Some(Json(json!("new"))));
    assert_eq!(ended(&atom.jobs(), old).await.output, Some(Json(json!("old"))));
});

on_both!(a15_for_a_time_there_is_only_one_even_when_it_has_ended, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    for (i, on_duplicate) in [OnDuplicate::Skip, OnDuplicate::Replace, OnDuplicate::Debounce].into_iter().enumerate() {
        let unique = UniqueJob { for_seconds: Some(60.0), on_duplicate: Some(on_duplicate), ..key(&i.to_string()) };
        let id = enqueue(&atom.jobs(), only("echo", json!(1), unique.clone())).await;
        ended(&atom.jobs(), id).await;
        clock.advance(TimeDelta::seconds(50));
        let again = atom.jobs().enqueue(only("echo", json!(2), unique.clone())).await.unwrap();
        assert_eq!((again.is_duplicate, again.id), (true, id));
        assert_eq!(atom.jobs().get(id).await.unwrap().input.0, json!(1), "what has ended is not replaced");
        clock.advance(TimeDelta::seconds(11));
        assert!(!is_duplicate(&atom.jobs(), only("echo", json!(3), unique)).await);
    }
});

on_both!(a15_for_a_time_there_is_only_one_even_when_it_is_not_kept, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    let handlers = || log.of("fleeting").into_iter().chain(log.of("echo")).collect();
    let worker = atom.start_worker(handlers(), quick()).await.unwrap();
    let unique = UniqueJob { for_seconds: Some(3600.0), ..Default::default() };
    let jobs = [only("fleeting", json!(1), unique.clone()), NewJob { keep_seconds: Some(1), ..only("echo", json!(1), unique) }];
    for job in &jobs {
        enqueue(&atom.jobs(), job.clone()).await;
    }
    until(async || log.len() == 2).await;
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::minutes(50));
    // Old jobs are deleted when a worker starts.
    atom.start_worker(handlers(), quick()).await.unwrap();
    a_while().await;
    for job in &jobs {
        assert!(is_duplicate(&atom.jobs(), job.clone()).await);
    }
    clock.advance(TimeDelta::minutes(11));
    for job in &jobs {
        assert!(!is_duplicate(&atom.jobs(), job.clone()).await);
    }
});

on_both!(a15_for_a_time_there_is_only_one_even_when_it_has_started, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let unique = UniqueJob { until: Some(UniqueUntil::Started), for_seconds: Some(60.0), ..Default::default() };
    let job = || only("echo", json!(1), unique.clone());
    let id = enqueue(&atom.jobs(), job()).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    assert!(is_duplicate(&atom.jobs(), job()).await);
    clock.advance(TimeDelta::seconds(61));
    assert!(!is_duplicate(&atom.jobs(), job()).await, "it has started, and the time is over");
});

on_both!(a15_for_a_time_is_no_longer_than_the_job_waits, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let unique = UniqueJob { for_seconds: Some(1.0), ..Default::default() };
    let job = || only("slow", json!(1), unique.clone());
    enqueue(&atom.jobs(), job()).await;
    clock.advance(TimeDelta::hours(1));
    assert!(is_duplicate(&atom.jobs(), job()).await, "it has not ended");
});

on_both!(a15_of_many_that_enqueue_at_once_one_stores_the_job, |database| async move {
    let atoms = [open(&database).await, open(&database).await];
    for on_duplicate in [OnDuplicate::Skip, OnDuplicate::Replace, OnDuplicate::Debounce] {
        for until in [UniqueUntil::Started, UniqueUntil::Ended] {
            let unique =
                UniqueJob { on_duplicate: Some(on_duplicate), until: Some(until), ..key(&format!("{on_duplicate:?} {until:?}")) };
            let tasks: Vec<_> = (0..16)
                .map(|i| {
                    let (jobs, unique) = (atoms[i % 2].jobs(), unique.clone());
                    tokio::spawn(async move { jobs.enqueue(only("slow", json!(i), unique)).await.unwrap() })
                })
                .collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.unwrap());
            }
            assert_eq!(answers.iter().filter(|answer| !answer.is_duplicate).count(), 1);
            assert!(answers.iter().all(|answer| answer.id == answers[0].id));
        }
    }
    assert_eq!(atoms[0].jobs().counts().await.unwrap()[0].count, 6);
});

on_both!(a15_while_jobs_start_and_end_no_two_of_a_key_run_at_once, |database| async move {
    let (first, second) = (open(&database).await, open(&database).await);
    let (crowd, log) = (Crowd::default(), Log::default());
    let (inside, seen) = (crowd.clone(), log.clone());
    let handlers = on("echo", move |job| {
        let (inside, seen) = (inside.clone(), seen.clone());
        async move {
            inside.stay(Duration::from_millis(2)).await;
            seen.note(job.id().to_string());
            Ok(Json(json!(null)))
        }
    });
    for atom in [&first, &second] {
        atom.start_worker(handlers.clone(), quick()).await.unwrap();
    }
    let mut stored = 0;
    for i in 0..200 {
        let jobs = if i % 2 == 0 { first.jobs() } else { second.jobs() };
        stored += usize::from(!is_duplicate(&jobs, only("echo", json!(i), key("k"))).await);
    }
    until(async || log.len() == stored).await;
    a_while().await;
    assert_eq!((crowd.most(), log.len()), (1, stored));
});

on_both!(a15_a_debounced_job_never_loses_its_last_input, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(log.of("slow"), quick()).await.unwrap();
    for i in 0..150 {
        enqueue(&atom.jobs(), debouncing(json!(i))).await;
        if i % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    until(async || log.all().contains(&json!(149))).await;
});

on_both!(a15_duplicates_among_many_jobs_are_found, |database| async move {
    let jobs = open(&database).await.jobs();
    let many = ["a", "b", "a", "c", "b", "a"].map(|name| only("echo", json!(name), UniqueJob::default()));
    let stored = jobs.enqueue_many([many.to_vec(), vec![new("echo", json!("plain"))]].concat()).await.unwrap();
    let duplicates: Vec<_> = stored.iter().map(|job| job.is_duplicate).collect();
    assert_eq!(duplicates, [false, false, true, false, true, true, false]);
    assert_eq!((stored[0].id, stored[0].id, stored[1].id), (stored[2].id, stored[5].id, stored[4].id));
    assert_eq!(jobs.get(stored[3].id).await.unwrap().input.0, json!("c"));
});

on_both!(a15_keys_enqueued_in_opposite_orders_do_not_meet, |database| async move {
    let atom = open(&database).await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let jobs = atom.jobs();
            tokio::spawn(async move {
                let mut all: Vec<_> = (0..60).map(|i| only("slow", json!(i), UniqueJob::default())).collect();
                if task % 2 == 0 {
                    all.reverse();
                }
                jobs.enqueue_many(all).await.map(|stored| stored.iter().filter(|job| !job.is_duplicate).count())
            })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += task.await.unwrap().expect("no deadlock");
    }
    assert_eq!(stored, 60);
});

on_both!(a15_a_job_whose_worker_died_stays_the_only_one, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        if job.attempt() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(job.input())
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = || only("slow", json!(1), UniqueJob::default());
    let id = enqueue(&atom.jobs(), job()).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    bury_workers(&database).await;
    assert!(is_duplicate(&atom.jobs(), job()).await);
    assert_eq!(ended(&atom.jobs(), id).await.attempt, 2);
    assert!(!is_duplicate(&atom.jobs(), job()).await);
});

on_both!(a15_a_dead_letter_is_replayed_beside_the_job_that_took_its_place, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |_| async move { Err(JobFailure::fatal("refused", "no")) });
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    let job = || only("fail", json!(1), UniqueJob { for_seconds: Some(0.0), ..Default::default() });
    let dead = enqueue(&atom.jobs(), job()).await;
    ended(&atom.jobs(), dead).await;
    worker.stop().await.unwrap();
    let next = enqueue(&atom.jobs(), job()).await;
    assert_ne!(next, dead);
    atom.jobs().replay(dead).await.unwrap();
    assert_eq!(state(&atom.jobs(), dead).await, JobState::Waiting);
    assert!(is_duplicate(&atom.jobs(), job()).await);
});

on_both!(a15_a_statement_cannot_make_a_job_the_only_one_for_a_time, |database| async move {
    let jobs = open(&database).await.jobs();
    let job = only("echo", json!(1), UniqueJob { for_seconds: Some(60.0), ..Default::default() });
    assert_eq!(jobs.statement(job).await.unwrap_err().reason(), "unsupported_in_statement");
});
