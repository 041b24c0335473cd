//! Steps of a job: done once, or in doubt.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A handler that does these steps and notes what it does, and fails after them until this attempt.
fn doing(log: &Log, steps: &'static [(&str, Effect)], until: i32) -> HashMap<String, Handler> {
    let log = log.clone();
    on("fail", move |job| {
        let log = log.clone();
        async move {
            let mut outcomes = Vec::new();
            for (step, effect) in steps {
                let did = || {
                    log.note(*step);
                    format!("{step} in attempt {}", job.attempt())
                };
                outcomes.push(job.step(step, *effect, async { Ok::<_, JobFailure>(did()) }).await?);
            }
            if job.attempt() < until {
                return Err(JobFailure::new("refused", "after the steps"));
            }
            Ok(Json(json!(outcomes)))
        }
    })
}

/// A handler whose first attempt hangs in this step, which notes that it began.
fn hanging(log: &Log, effect: Effect) -> HashMap<String, Handler> {
    let log = log.clone();
    on("fail", move |job| {
        let log = log.clone();
        async move {
            let work = async {
                log.note(job.attempt());
                if log.len() == 1 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, JobFailure>(job.attempt())
            };
            Ok(Json(json!(job.step("charge", effect, work).await?)))
        }
    })
}

/// A job in doubt: its worker died in the middle of a step that must not be repeated.
async fn in_doubt(database: &Database, atom: &Atom, log: &Log, new: NewJob) -> JobId {
    let id = enqueue(&atom.jobs(), new).await;
    until(async || log.len() == 1).await;
    bury_workers(database).await;
    until_state(&atom.jobs(), id, JobState::InDoubt).await;
    id
}

async fn steps(database: &Database) -> i64 {
    Host::connect(&database.url).await.count("atom_steps").await
}

on_both!(a_step_that_is_done_is_not_done_again, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let steps = &[("a", Effect::Read), ("b", Effect::Idempotent), ("c", Effect::Once)];
    atom.start_worker(doing(&log, steps, 3), quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 3));
    assert_eq!(job.output.unwrap().0, json!(["a in attempt 1", "b in attempt 1", "c in attempt 1"]));
    assert_eq!(log.all(), ["a", "b", "c"].map(Value::from));
});

on_both!(a_step_done_twice_in_one_attempt_is_done_once, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let steps = &[("a", Effect::Idempotent), ("a", Effect::Idempotent), ("a", Effect::Once)];
    atom.start_worker(doing(&log, steps, 1), quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, log.len()), (JobState::Succeeded, 1));
});

on_both!(of_two_outcomes_of_a_step_the_first_stays, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        job.finish_step("a".into(), Json(json!("first"))).await?;
        job.finish_step("a".into(), Json(json!("second"))).await?;
        Ok(job.begin_step("a".into(), Effect::Read).await?.unwrap().output)
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.attempt, job.output), (1, Some(Json(json!("first")))));
});

on_both!(a_step_that_failed_is_done_again_in_the_next_attempt, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        let seen = seen.clone();
        async move {
            let work = async {
                seen.note(job.attempt());
                if job.attempt() == 1 { Err(JobFailure::new("refused", "no")) } else { Ok("done".to_owned()) }
            };
            Ok(Json(job.step("a", Effect::Idempotent, work).await?.into()))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.output, log.all()), (Some(Json(json!("done"))), vec![json!(1), json!(2)]));
});

on_both!(a_once_step_that_failed_is_in_doubt, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        let seen = seen.clone();
        async move {
            let work = async {
                seen.note(job.attempt());
                Err::<(), _>(JobFailure::new("timed_out", "nobody knows how far it came"))
            };
            job.step("charge", Effect::Once, work).await?;
            Ok(Json(json!(null)))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::InDoubt).await;
    a_while().await;
    assert_eq!((log.all(), state(&atom.jobs(), id).await), (vec![json!(1)], JobState::InDoubt));
});

on_both!(a_step_whose_worker_died_is_done_again_unless_it_must_not_be, |database| async move {
    for effect in [Effect::Read, Effect::Idempotent] {
        let atom = open(&database).await;
        let log = Log::default();
        let worker = atom.start_worker(hanging(&log, effect), quick()).await.unwrap();
        let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
        until(async || log.len() == 1).await;
        bury_workers(&database).await;
        let job = ended(&atom.jobs(), id).await;
        assert_eq!((job.state, job.output, log.all()), (JobState::Succeeded, Some(Json(json!(2))), vec![json!(1), json!(2)]));
        worker.stop().await.unwrap();
    }
});

on_both!(a_once_step_whose_worker_died_is_in_doubt_and_never_done_again, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = in_doubt(&database, &atom, &log, new("fail", json!(1))).await;
    a_while().await;
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.finished_at, log.len()), (JobState::InDoubt, None, 1));
    assert!(job.error_reason.is_some());
    assert_eq!(atom.jobs().replay(id).await.unwrap_err().reason(), "job_not_ended");
});

on_both!(a_doubt_is_settled_as_done_and_the_job_goes_on_with_that_outcome, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = in_doubt(&database, &atom, &log, new("fail", json!(1))).await;
    atom.jobs().settle(id, "charge".into(), Some(Json(json!(77)))).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output, log.len()), (JobState::Succeeded, Some(Json(json!(77))), 1));
    let error = atom.jobs().settle(id, "charge".into(), None).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "step_not_in_doubt"));
});

on_both!(a_doubt_is_settled_as_not_done_and_the_step_is_done, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = in_doubt(&database, &atom, &log, new("fail", json!(1))).await;
    atom.jobs().settle(id, "charge".into(), None).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output, log.all()), (JobState::Succeeded, Some(Json(json!(2))), vec![json!(1), json!(2)]));
});

on_both!(a_doubt_in_the_last_attempt_is_a_doubt_and_no_dead_letter, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    let worker = atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let unique = Some(UniqueJob::default());
    let new = || NewJob { max_attempts: Some(1), unique: unique.clone(), ..new("fail", json!(1)) };
    let id = in_doubt(&database, &atom, &log, new()).await;
    assert_eq!(atom.jobs().get(id).await.unwrap().finished_at, None);
    assert!(atom.jobs().enqueue(new()).await.unwrap().is_duplicate, "it has not ended");
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::days(100));
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    a_while().await;
    atom.jobs().settle(id, "charge".into(), Some(Json(json!(77)))).await.unwrap();
    assert_eq!(ended(&atom.jobs(), id).await.output, Some(Json(json!(77))));
});

on_both!(a_job_in_doubt_is_cancelled_at_once, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = in_doubt(&database, &atom, &log, NewJob { max_attempts: Some(1), ..new("fail", json!(1)) }).await;
    assert!(atom.jobs().cancel(id).await.unwrap());
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Cancelled);
});

on_both!(what_cannot_be_an_outcome_settles_nothing, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = in_doubt(&database, &atom, &log, new("fail", json!(1))).await;
    let jobs = atom.jobs();
    for (outcome, reason) in [(json!("\0"), "malformed_job"), (json!("x".repeat(256 * 1024)), "job_too_large")] {
        assert_eq!(jobs.settle(id, "charge".into(), Some(Json(outcome))).await.unwrap_err().reason(), reason);
    }
    assert_eq!(jobs.settle(id, "refund".into(), None).await.unwrap_err().reason(), "step_not_in_doubt");
    assert_eq!(jobs.settle(id, "a\0".into(), None).await.unwrap_err().reason(), "step_not_in_doubt");
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    assert_eq!(ada.jobs().settle(id, "charge".into(), None).await.unwrap_err().reason(), "step_not_in_doubt");
    assert_eq!(state(&jobs, id).await, JobState::InDoubt);
});

on_both!(a_job_that_is_running_is_not_settled, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(hanging(&log, Effect::Once), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    until(async || log.len() == 1).await;
    // Its handler is in the middle of the step, and will say itself what became of it.
    assert_eq!(atom.jobs().settle(id, "charge".into(), None).await.unwrap_err().reason(), "step_not_in_doubt");
});

on_both!(names_and_outcomes_of_steps_are_checked, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        for step in [String::new(), "x".repeat(201), "a\0".into()] {
            assert_eq!(job.begin_step(step.clone(), Effect::Once).await.unwrap_err().reason(), "malformed_step");
            assert_eq!(job.finish_step(step.clone(), Json(json!(1))).await.unwrap_err().reason(), "malformed_step");
            assert_eq!(job.sleep(step, 1.0).await.unwrap_err().reason(), "malformed_step");
        }
        for seconds in [-1.0, f64::NAN, 1e9] {
            assert_eq!(job.sleep("nap".into(), seconds).await.unwrap_err().reason(), "malformed_step");
        }
        let large = Json(json!("x".repeat(256 * 1024)));
        assert_eq!(job.finish_step("a".into(), large).await.unwrap_err().reason(), "job_too_large");
        assert_eq!(job.finish_step("a".into(), Json(json!("\0"))).await.unwrap_err().reason(), "malformed_job");
        job.finish_step("x".repeat(200), Json(Value::Null)).await?;
        let step = job.begin_step("x".repeat(200), Effect::Once).await?;
        assert_eq!(step.unwrap().output.0, Value::Null);
        Ok(Json(json!("all of it")))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!(job.output, Some(Json(json!("all of it"))), "{:?}", job.error_text);
});

on_both!(a19_a_job_sleeps_and_goes_on_where_it_was, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        let seen = seen.clone();
        async move {
            job.step("before", Effect::Once, async {
                seen.note("before");
                Ok::<_, JobFailure>(())
            })
            .await?;
            job.sleep("a week".into(), 7.0 * 86400.0).await?;
            job.step("after", Effect::Once, async {
                seen.note("after");
                Ok::<_, JobFailure>(())
            })
            .await?;
            Ok(Json(json!(job.attempt())))
        }
    });
    let worker = atom.start_worker(handlers.clone(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { max_attempts: Some(1), ..new("fail", json!(1)) }).await;
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.attempt, job.error_reason), (0, None), "to sleep is no attempt, and no failure");
    // Another process may wake it.
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::days(6));
    atom.start_worker(handlers, quick()).await.unwrap();
    a_while().await;
    assert_eq!(log.all(), ["before"].map(Value::from));
    clock.advance(TimeDelta::days(1));
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output), (JobState::Succeeded, Some(Json(json!(1)))));
    assert_eq!(log.all(), ["before", "after"].map(Value::from));
});

on_both!(a19_a_short_sleep_is_over_without_polling, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        for i in 0..3 {
            job.sleep(format!("nap {i}"), 0.1).await?;
        }
        job.sleep("none".into(), 0.0).await?;
        Ok(Json(json!(job.attempt())))
    });
    atom.start_worker(handlers, Some(WorkerOptions { poll_seconds: Some(3600.0), ..options() })).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 1));
});

on_both!(a19_many_jobs_sleep_without_taking_the_place_of_others, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    let mut handlers = log.of("echo");
    handlers.extend(on("fail", |job| async move {
        job.sleep("nap".into(), 3600.0).await?;
        Ok(job.input())
    }));
    atom.start_worker(handlers, Some(WorkerOptions { concurrency: Some(2), ..options() })).await.unwrap();
    let sleepers = atom.jobs().enqueue_many((0..200).map(|i| new("fail", json!(i))).collect()).await.unwrap();
    enqueue(&atom.jobs(), new("echo", json!(1))).await;
    until(async || log.len() == 1).await;
    let asleep = async || atom.queues().list().await.unwrap()[0].delayed == 200;
    until(asleep).await;
    clock.advance(TimeDelta::hours(1));
    for job in sleepers {
        assert_eq!(ended(&atom.jobs(), job.id).await.state, JobState::Succeeded);
    }
});

on_both!(a19_a_sleeping_job_is_cancelled_at_once, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        job.sleep("nap".into(), 3600.0).await?;
        Ok(job.input())
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    assert!(atom.jobs().cancel(id).await.unwrap());
    assert_eq!(state(&atom.jobs(), id).await, JobState::Cancelled);
});

on_both!(a19_a_sleep_has_a_name_of_its_own, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move {
        job.finish_step("a".into(), Json(json!("an outcome"))).await?;
        let reason = job.sleep("a".into(), 1.0).await.unwrap_err().reason();
        Ok(Json(json!(reason)))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = ended(&atom.jobs(), enqueue(&atom.jobs(), new("fail", json!(1))).await).await;
    assert_eq!(job.output, Some(Json(json!("malformed_step"))));
});

on_both!(a_job_that_is_not_kept_leaves_no_steps, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fleeting", move |job| {
        let seen = seen.clone();
        async move {
            match job.input().0.as_str() {
                Some("sleeps") => job.sleep("nap".into(), 0.05).await?,
                Some("step") => job.step("a", Effect::Once, async { Ok::<_, JobFailure>(1) }).await.map(drop)?,
                // The second attempt neither knows nor cares of the step of the first.
                _ if job.attempt() == 1 => {
                    job.finish_step("a".into(), Json(json!(1))).await?;
                    return Err(JobFailure::new("refused", "once"));
                }
                _ => {}
            }
            seen.note(job.input().0);
            Ok(job.input())
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let retry = Some(RetryPolicy { delay_seconds: Some(0.0), ..Default::default() });
    for input in ["sleeps", "step", "fails"] {
        enqueue(&atom.jobs(), NewJob { retry: retry.clone(), ..new("fleeting", json!(input)) }).await;
    }
    until(async || log.len() == 3).await;
    until(async || atom.jobs().counts().await.unwrap().is_empty()).await;
    assert_eq!(steps(&database).await, 0);
});

on_both!(a_worker_that_lost_its_job_writes_nothing, |database| async move {
    let atom = open(&database).await;
    let (log, door) = (Log::default(), Door::new());
    let (seen, wait) = (log.clone(), door.clone());
    let (url, jobs) = (database.url.clone(), atom.jobs());
    let handlers = on("fail", move |job| {
        let (seen, wait, url, jobs) = (seen.clone(), wait.clone(), url.clone(), jobs.clone());
        async move {
            if job.attempt() > 1 {
                wait.pass().await;
                let done = job.begin_step("a".into(), Effect::Read).await?;
                return Ok(Json(json!([done.map(|step| step.output.0), "the second attempt"])));
            }
            job.cancelled().await?;
            until(async || jobs.get(job.id()).await.unwrap().attempt == 2).await;
            let mut host = Host::connect(&url).await;
            let output = Json(json!("the first attempt"));
            seen.note(job.report(JobProgress { done: 1, total: None, note: None }).await.unwrap_err().reason());
            seen.note(job.begin_step("b".into(), Effect::Once).await.unwrap_err().reason());
            seen.note(job.finish_step("a".into(), output.clone()).await.unwrap_err().reason());
            seen.note(job.finish_step_in(host.transaction(), "a", output.clone()).await.unwrap_err().reason());
            seen.note(job.sleep("c".into(), 1.0).await.unwrap_err().reason());
            seen.note(job.complete_in(host.transaction(), output.clone()).await.unwrap_err().reason());
            assert_eq!(host.run(&job.completion(output.clone()).await?).await, 0);
            seen.note("all of it");
            Ok(output)
        }
    });
    atom.start_worker(handlers, Some(WorkerOptions { grace_seconds: Some(20.0), ..options() })).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    bury_workers(&database).await;
    until(async || log.all().last() == Some(&json!("all of it"))).await;
    assert!(log.all()[..6].iter().all(|reason| reason == "job_lost"), "{:?}", log.all());
    door.open();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.output, job.attempt), (Some(Json(json!([null, "the second attempt"]))), 2));
    assert_eq!((job.progress, steps(&database).await), (None, 0));
});
