//! The kit for the host's own tests.

use super::support::*;
use atom_core::testing::TestKit;
use atom_core::*;
use serde_json::json;

async fn kit() -> TestKit {
    TestKit::start(OpenOptions { job_kinds: Some(kinds()), ..Default::default() }).await.unwrap()
}

#[tokio::test]
async fn retries_run_when_the_test_moves_the_clock() {
    let kit = kit().await;
    let job = NewJob {
        retry: Some(RetryPolicy { delay_seconds: Some(60.0), jitter: Some(0.0), ..Default::default() }),
        ..new("fail", json!(1))
    };
    let id = kit.atom().jobs().enqueue(job).await.unwrap().id;
    let failing = || on("fail", |_| async { Err(JobFailure::new("no", "not yet")) });
    assert_eq!(kit.run_jobs(failing()).await.unwrap(), 1);
    assert_eq!(kit.run_jobs(failing()).await.unwrap(), 0, "the clock stands still");
    kit.advance(60.0).await.unwrap();
    assert_eq!(kit.run_jobs(failing()).await.unwrap(), 1);
    kit.advance(120.0).await.unwrap();
    assert_eq!(kit.run_jobs(failing()).await.unwrap(), 1);
    assert_eq!(kit.atom().jobs().get(id).await.unwrap().state, JobState::Failed);
}

#[tokio::test]
async fn a_year_of_a_schedule_passes_in_a_moment() {
    let kit = kit().await;
    let rule = ScheduleRule::Cron { expression: "@monthly".into(), time_zone: Some("Europe/Berlin".into()) };
    let schedule = NewSchedule { name: "monthly".into(), rule, job: new("echo", json!(null)), missed: None };
    kit.atom().schedules().put(schedule).await.unwrap();
    let mut runs = 0;
    for _ in 0..365 {
        kit.advance(86400.0).await.unwrap();
        runs += kit.run_jobs(echo()).await.unwrap();
    }
    assert_eq!(runs, 12);
}

#[tokio::test]
async fn jobs_that_enqueue_jobs_are_run_to_the_end_and_the_database_vanishes() {
    let kit = kit().await;
    let atom = kit.atom();
    let chain = {
        let jobs = atom.jobs();
        on("echo", move |job| {
            let jobs = jobs.clone();
            async move {
                let left = job.input().0.as_i64().unwrap_or_default();
                if left > 0 {
                    jobs.enqueue(new("echo", json!(left - 1))).await?;
                }
                Ok(Json::default())
            }
        })
    };
    atom.jobs().enqueue(new("echo", json!(9))).await.unwrap();
    assert_eq!(kit.run_jobs(chain).await.unwrap(), 10);
    atom.shut_down().await.unwrap();
    assert_eq!(atom.jobs().enqueue(new("echo", json!(1))).await.unwrap_err().reason(), "closed");
}
