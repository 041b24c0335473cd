//! Jobs in transactions of the host's own, on the database of the installation.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::{TimeDelta, Utc};
use serde_json::json;
use sqlx::Connection as _;
use std::collections::HashMap;

on_both!(a03_enqueue_in_transaction_rolled_back_leaves_no_job, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    host.begin().await;
    host.run("INSERT INTO orders VALUES (1)").await;
    let id = atom.jobs().enqueue_in(host.transaction(), new("echo", json!(1))).await.unwrap().id;
    host.roll_back().await;
    assert_eq!(atom.jobs().get(id).await.unwrap_err().reason(), "not_found");
    assert_eq!((host.count("orders").await, host.count("atom_runs").await), (0, 0));
});

on_both!(a03_enqueue_in_transaction_is_seen_when_it_commits, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    host.begin().await;
    host.run("INSERT INTO orders VALUES (1)").await;
    let id = atom.jobs().enqueue_in(host.transaction(), new("echo", json!(1))).await.unwrap().id;
    assert_eq!(atom.jobs().get(id).await.unwrap_err().reason(), "not_found");
    host.commit().await;
    assert_eq!(state(&atom.jobs(), id).await, JobState::Waiting);
    assert_eq!(host.count("orders").await, 1);
});

on_both!(a03_enqueue_in_takes_a_transaction_of_sqlx, |database| async move {
    let jobs = open(&database).await.jobs();
    for commit in [false, true] {
        let id = match Host::connect(&database.url).await {
            Host::Sqlite(mut c) => {
                let mut t = c.begin_with("BEGIN IMMEDIATE").await.unwrap();
                let id = jobs.enqueue_in(&mut t, new("echo", json!(1))).await.unwrap().id;
                if commit {
                    t.commit().await.unwrap()
                } else {
                    t.rollback().await.unwrap()
                }
                id
            }
            Host::Pg(mut c) => {
                let mut t = c.begin().await.unwrap();
                let id = jobs.enqueue_in(&mut t, new("echo", json!(1))).await.unwrap().id;
                if commit {
                    t.commit().await.unwrap()
                } else {
                    t.rollback().await.unwrap()
                }
                id
            }
        };
        assert_eq!(jobs.get(id).await.is_ok(), commit);
    }
});

on_both!(a03_an_idle_worker_is_woken_by_the_commit_of_the_host, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), Some(WorkerOptions { poll_seconds: Some(3600.0), ..options() })).await.unwrap();
    a_while().await;
    let mut host = Host::connect(&database.url).await;
    host.begin().await;
    let id = atom.jobs().enqueue_in(host.transaction(), new("echo", json!(1))).await.unwrap().id;
    host.commit().await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a03_a_refused_job_leaves_the_transaction_of_the_host_usable, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    host.begin().await;
    host.run("INSERT INTO orders VALUES (1)").await;
    for (job, reason) in [(new("ecco", json!(1)), "unknown_job_kind"), (new("echo", json!("\0")), "malformed_job")] {
        assert_eq!(atom.jobs().enqueue_in(host.transaction(), job).await.unwrap_err().reason(), reason);
    }
    atom.jobs().enqueue_in(host.transaction(), new("echo", json!(1))).await.unwrap();
    host.commit().await;
    assert_eq!((host.count("orders").await, host.count("atom_runs").await), (1, 1));
});

on_both!(a03_a_unique_job_of_an_open_transaction_counts_when_it_commits, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::connect(&database.url).await;
    let unique = NewJob { unique: Some(UniqueJob::default()), ..new("echo", json!(1)) };
    for commit in [false, true] {
        host.begin().await;
        let mine = atom.jobs().enqueue_in(host.transaction(), unique.clone()).await.unwrap();
        assert!(!mine.is_duplicate);
        let (jobs, again) = (atom.jobs(), unique.clone());
        let other = tokio::spawn(async move { jobs.enqueue(again).await.unwrap() });
        a_while().await;
        assert!(!other.is_finished(), "it waits for the transaction");
        if commit {
            host.commit().await;
            let other = other.await.unwrap();
            assert_eq!((other.is_duplicate, other.id), (true, mine.id));
        } else {
            host.roll_back().await;
            let other = other.await.unwrap();
            assert_ne!((other.is_duplicate, other.id), (true, mine.id));
            atom.jobs().cancel(other.id).await.unwrap();
        }
    }
});

on_both!(a03_a_limit_opened_in_a_transaction_rolled_back_is_opened_by_the_next, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::connect(&database.url).await;
    let limited = || NewJob {
        limit: Some(JobLimit { key: "k".into(), max_running: Some(1), ..Default::default() }),
        ..new("echo", json!(1))
    };
    host.begin().await;
    atom.jobs().enqueue_in(host.transaction(), limited()).await.unwrap();
    host.roll_back().await;
    assert_eq!(host.count("atom_limits").await, 0);
    let id = enqueue(&atom.jobs(), limited()).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a03_the_statement_stores_a_job_if_the_transaction_of_the_host_commits, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    for commit in [false, true] {
        let statement = atom.jobs().statement(new("echo", json!({"n": 1}))).await.unwrap();
        host.begin().await;
        host.run("INSERT INTO orders VALUES (1)").await;
        assert_eq!(host.run(&statement).await, 1);
        if commit {
            host.commit().await
        } else {
            host.roll_back().await
        }
        assert_eq!(host.count("atom_runs").await, i64::from(commit));
    }
    let id = atom.jobs().list(JobFilter::default()).await.unwrap().items[0].id;
    atom.start_worker(echo(), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.output, Some(Json(json!({"n": 1}))));
});

on_both!(a03_the_statement_stores_what_enqueue_stores, |database| async move {
    let atom = open(&database).await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let jobs = scope.jobs();
    let mut host = Host::connect(&database.url).await;
    let job = NewJob {
        run_at: Some(Utc::now() + TimeDelta::hours(1)),
        queue: Some("it's a \"queue\" $1 ? :name %s \u{1F600}".into()),
        priority: Some(-7),
        max_attempts: Some(2),
        retry: Some(RetryPolicy { never_on: Some(vec!["it's".into()]), ..Default::default() }),
        timeout_seconds: Some(1.5),
        keep_seconds: Some(60),
        unique: Some(UniqueJob { key: Some("a'b".into()), until: Some(UniqueUntil::Started), ..Default::default() }),
        ..new("echo", json!({"text": "it's \"quoted\" \\ $1 ?1 :name %s {0} -- /* \u{1F600} \r\n", "n": [0.5, null, true]}))
    };
    let id = enqueue(&jobs, job.clone()).await;
    let enqueued = jobs.get(id).await.unwrap();
    let columns = "SELECT workspace_id, shape, kind, queue, lane, state, priority, run_at, input, max_attempts, retry, timeout_ms, \
        keep_seconds, unique_key, unique_until, user_id FROM atom_runs";
    host.run(&format!("CREATE TABLE before AS {columns}")).await;
    host.run("DELETE FROM atom_runs").await;
    let statement = jobs.statement(job).await.unwrap();
    assert_eq!(host.run(&statement).await, 1);
    assert_eq!(host.count(&format!("({columns} INTERSECT SELECT * FROM before) x")).await, 1);
    let stored = jobs.list(JobFilter::default()).await.unwrap().items.remove(0);
    assert_eq!((stored.input, stored.queue, stored.user_id), (enqueued.input, enqueued.queue, enqueued.user_id));
});

on_both!(a03_the_statement_needs_no_sqlite_newer_than_that_of_the_host, |database| async move {
    let statement = open(&database).await.jobs().statement(new("echo", json!({"n": 1}))).await.unwrap();
    // Debian 12 has SQLite 3.40, which has no `unhex`; Ubuntu 22.04 has 3.37, which has no `->>`.
    assert!(database.url.starts_with("postgres:") || !statement.contains("unhex") && !statement.contains("->"), "{statement}");
});

on_both!(a03_the_statement_of_a_job_that_is_there_stores_nothing, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::connect(&database.url).await;
    let unique = NewJob { unique: Some(UniqueJob::default()), ..new("echo", json!(1)) };
    let first = atom.jobs().statement(unique.clone()).await.unwrap();
    let second = atom.jobs().statement(unique.clone()).await.unwrap();
    assert_eq!((host.run(&first).await, host.run(&second).await), (1, 0));
    assert!(atom.jobs().enqueue(unique).await.unwrap().is_duplicate);
});

on_both!(a03_a_statement_stores_its_job_once, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::connect(&database.url).await;
    let statement = atom.jobs().statement(new("echo", json!(1))).await.unwrap();
    host.run(&statement).await;
    host.try_run(&statement).await.unwrap_err();
    assert_eq!(host.count("atom_runs").await, 1);
});

on_both!(a03_what_a_statement_cannot_do_is_refused, |database| async move {
    let jobs = open(&database).await.jobs();
    let limit = Some(JobLimit { key: "k".into(), max_running: Some(1), ..Default::default() });
    let unique = |on_duplicate| Some(UniqueJob { on_duplicate: Some(on_duplicate), ..Default::default() });
    for job in [
        NewJob { limit, ..new("echo", json!(1)) },
        NewJob { unique: unique(OnDuplicate::Replace), ..new("echo", json!(1)) },
        NewJob { unique: unique(OnDuplicate::Debounce), ..new("echo", json!(1)) },
    ] {
        assert_eq!(jobs.statement(job).await.unwrap_err().reason(), "unsupported_in_statement");
    }
});

on_both!(a03_of_many_transactions_there_are_as_many_jobs_as_orders, |database| async move {
    let atom = open(&database).await;
    Host::with_orders(&database).await;
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (jobs, url) = (atom.jobs(), database.url.clone());
            tokio::spawn(async move {
                for i in 0..15 {
                    let mut host = Host::connect(&url).await;
                    host.begin().await;
                    host.run(&format!("INSERT INTO orders VALUES ({})", client * 100 + i)).await;
                    let job = new("echo", json!(client * 100 + i));
                    if i % 2 == 0 {
                        jobs.enqueue_in(host.transaction(), job).await.unwrap();
                    } else {
                        host.run(&jobs.statement(job).await.unwrap()).await;
                    }
                    // What is neither committed nor rolled back ends with its connection, as in a crash.
                    match i % 3 {
                        0 => host.commit().await,
                        1 => host.roll_back().await,
                        _ => drop(host),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let mut host = Host::connect(&database.url).await;
    assert_eq!((host.count("orders").await, host.count("atom_runs").await), (20, 20));
    let matching = "orders o JOIN atom_runs r ON CAST(r.input AS TEXT) = CAST(o.id AS TEXT)";
    assert_eq!(host.count(matching).await, 20);
});

/// A handler that stores an order and ends its job in one transaction; it rolls back in attempts before this one.
fn ordering(database: &Database, commits_in: i32, with_statement: bool) -> HashMap<String, Handler> {
    let url = database.url.clone();
    on("fail", move |job| {
        let url = url.clone();
        async move {
            let mut host = Host::connect(&url).await;
            host.begin().await;
            host.run("INSERT INTO orders VALUES (1)").await;
            if with_statement {
                let completion = job.completion(Json(json!("completed"))).await?;
                assert_eq!(host.run(&completion).await, 1);
            } else {
                job.complete_in(host.transaction(), Json(json!("completed"))).await?;
            }
            if job.attempt() < commits_in {
                host.roll_back().await;
                return Err(JobFailure::new("rolled_back", "not this time"));
            }
            host.commit().await;
            Ok(Json(json!("returned")))
        }
    })
}

on_both!(a03_complete_in_ends_the_job_with_what_the_host_wrote, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    atom.start_worker(ordering(&database, 1, false), quick()).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output, job.attempt), (JobState::Succeeded, Some(Json(json!("completed"))), 1));
    assert_eq!(host.count("orders").await, 1);
    a_while().await;
    assert_eq!(atom.jobs().get(id).await.unwrap().output, Some(Json(json!("completed"))), "what is returned is not stored");
});

on_both!(a03_complete_in_rolled_back_leaves_the_job_to_its_next_attempt, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    atom.start_worker(ordering(&database, 3, false), quick()).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt, job.error_reason), (JobState::Succeeded, 3, None));
    assert_eq!(host.count("orders").await, 1);
});

on_both!(a03_the_completion_statement_ends_the_job_with_what_the_host_wrote, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    atom.start_worker(ordering(&database, 2, true), quick()).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt, job.output), (JobState::Succeeded, 2, Some(Json(json!("completed")))));
    assert!(job.finished_at.is_some());
    assert_eq!(host.count("orders").await, 1);
});

on_both!(a03_a_job_completed_in_a_transaction_lets_its_batch_and_its_limit_go_on, |database| async move {
    let atom = open(&database).await;
    Host::with_orders(&database).await;
    let limit = Some(JobLimit { key: "k".into(), max_running: Some(1), ..Default::default() });
    let first = NewJob { limit: limit.clone(), unique: None, ..new("fail", json!(1)) };
    let batch = NewBatch { jobs: vec![first], then: Some(new("echo", json!("then"))) };
    let batch = atom.jobs().enqueue_batch(batch).await.unwrap();
    let mut handlers = ordering(&database, 1, false);
    handlers.extend(echo());
    atom.start_worker(handlers, quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), batch.id).await.state, JobState::Succeeded);
    let next = enqueue(&atom.jobs(), NewJob { limit, ..new("echo", json!(2)) }).await;
    assert_eq!(ended(&atom.jobs(), next).await.state, JobState::Succeeded);
});

on_both!(a03_a_job_completed_in_a_transaction_frees_its_unique_key, |database| async move {
    let atom = open(&database).await;
    Host::with_orders(&database).await;
    let unique = || NewJob { unique: Some(UniqueJob::default()), ..new("fail", json!(1)) };
    let id = enqueue(&atom.jobs(), unique()).await;
    let worker = atom.start_worker(ordering(&database, 1, true), quick()).await.unwrap();
    ended(&atom.jobs(), id).await;
    worker.stop().await.unwrap();
    assert!(!atom.jobs().enqueue(unique()).await.unwrap().is_duplicate);
});

on_both!(a03_finish_step_in_records_the_step_if_the_transaction_of_the_host_commits, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    let (url, log) = (database.url.clone(), Log::default());
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        let (url, seen) = (url.clone(), seen.clone());
        async move {
            let done = job.begin_step("order".into(), Effect::Idempotent).await?;
            seen.note(json!(done.map(|step| step.output.0)));
            if seen.len() < 3 {
                let mut host = Host::connect(&url).await;
                host.begin().await;
                host.run("INSERT INTO orders VALUES (1)").await;
                job.finish_step_in(host.transaction(), "order", Json(json!("done"))).await?;
                if job.attempt() == 1 {
                    host.roll_back().await
                } else {
                    host.commit().await
                }
                return Err(JobFailure::new("again", "after the step"));
            }
            Ok(Json(json!(null)))
        }
    });
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    atom.start_worker(handlers, quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    assert_eq!((log.all(), host.count("orders").await), (vec![json!(null), json!(null), json!("done")], 1));
});

on_both!(a03_an_output_that_cannot_be_stored_is_refused_before_the_transaction_is_touched, |database| async move {
    let atom = open(&database).await;
    let (url, log) = (database.url.clone(), Log::default());
    let seen = log.clone();
    let handlers = on("echo", move |job| {
        let (url, seen) = (url.clone(), seen.clone());
        async move {
            let mut host = Host::connect(&url).await;
            host.begin().await;
            let large = json!("x".repeat(256 * 1024));
            for (output, reason) in [(large, "job_too_large"), (json!("\0"), "malformed_job")] {
                let output = Json(output);
                assert_eq!(job.complete_in(host.transaction(), output.clone()).await.unwrap_err().reason(), reason);
                assert_eq!(job.finish_step_in(host.transaction(), "s", output.clone()).await.unwrap_err().reason(), reason);
                assert_eq!(job.completion(output).await.unwrap_err().reason(), reason);
            }
            job.complete_in(host.transaction(), Json(json!("small"))).await?;
            host.commit().await;
            seen.note("committed");
            Ok(Json(json!(null)))
        }
    });
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    atom.start_worker(handlers, quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.output, Some(Json(json!("small"))));
});

on_both!(what_follows_from_a_job_follows_too_when_the_host_ended_it, |database| async move {
    let atom = open(&database).await;
    let mut host = Host::with_orders(&database).await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    for with_statement in [true, false] {
        let job = NewJob { announce: Some(true), ..new("fail", json!(1)) };
        let batch = scope.jobs().enqueue_batch(NewBatch { jobs: vec![job], then: None }).await.unwrap();
        let worker = atom.start_worker(ordering(&database, 1, with_statement), quick()).await.unwrap();
        assert_eq!(ended(&scope.jobs(), batch.id).await.state, JobState::Succeeded);
        worker.stop().await.unwrap();
        assert_eq!(host.run("DELETE FROM orders").await, 1);
    }
    let filter = EventFilter { names: Some(vec!["job.*".into(), "batch.*".into()]), ..Default::default() };
    let events = scope.events().list(filter).await.unwrap().items;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["job.succeeded", "batch.finished", "job.succeeded", "batch.finished"]);
});
