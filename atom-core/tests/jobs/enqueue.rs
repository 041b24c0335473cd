//! What is stored, and what is refused.

use super::support::*;
use crate::support::*;
use atom_core::*;
use serde_json::json;

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
