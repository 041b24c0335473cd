//! Schedules: every moment fires once, however many processes look.

use crate::support::*;
use atom_core::*;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use std::time::Duration;

fn builder(database: &Database) -> Builder {
    database.builder().job_kind(JobKind { name: "report".into(), priority: Some(3), ..Default::default() })
}

fn every(seconds: i64) -> ScheduleRule {
    ScheduleRule::Every { seconds, start_at: None }
}

fn cron(expression: &str) -> ScheduleRule {
    ScheduleRule::Cron { expression: expression.into(), time_zone: None }
}

fn new(name: &str, rule: ScheduleRule) -> NewSchedule {
    NewSchedule { name: name.into(), rule, job: NewJob { kind: "report".into(), ..Default::default() }, missed: None }
}

/// A worker that only looks after schedules: it has no handler, so that their jobs stay where they are.
async fn keeper(atom: &Atom) -> Worker {
    atom.start_worker([].into(), Some(WorkerOptions { poll_seconds: Some(0.05), ..Default::default() })).await.unwrap()
}

async fn fired(atom: &Atom) -> Vec<DateTime<Utc>> {
    let page = atom.jobs().list(JobFilter { page_size: Some(1000), ..Default::default() }).await.unwrap();
    let mut moments: Vec<_> = page.items.iter().map(|job| job.run_at).collect();
    moments.sort();
    moments
}

async fn wait_for(atom: &Atom, count: usize) -> Vec<DateTime<Utc>> {
    for _ in 0..500 {
        let moments = fired(atom).await;
        if moments.len() >= count {
            return moments;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("only {} of {count} moments fired", fired(atom).await.len());
}

on_both!(a17_a_schedule_fires_at_its_moments_and_the_job_knows_which, |database| async move {
    let clock = TestClock::new();
    let atom = builder(&database).clock(clock.clone()).open().await.unwrap();
    let schedule = atom.schedules().put(new("hourly", every(3600))).await.unwrap();
    let first = schedule.next_at.unwrap();
    let _keeper = keeper(&atom).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(fired(&atom).await.is_empty());
    clock.advance(TimeDelta::seconds(3601));
    assert_eq!(wait_for(&atom, 1).await, [first]);
    let after = atom.schedules().get("hourly".into()).await.unwrap();
    assert_eq!((after.last_at, after.next_at), (Some(first), Some(first + TimeDelta::hours(1))));
    let job = &atom.jobs().list(JobFilter::default()).await.unwrap().items[0];
    assert_eq!((job.kind.as_str(), job.priority, job.max_attempts), ("report", 3, 5));
});

on_both!(a17_four_processes_fire_every_moment_once, |database| async move {
    let mut atoms = Vec::new();
    for _ in 0..4 {
        let atom = builder(&database).open().await.unwrap();
        keeper(&atom).await;
        atoms.push(atom);
    }
    for name in ["a", "b", "c"] {
        atoms[0].schedules().put(new(name, every(1))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(4300)).await;
    for atom in &atoms {
        for name in ["a", "b", "c"] {
            atom.schedules().pause(name.into()).await.unwrap();
        }
    }
    let moments = fired(&atoms[0]).await;
    let distinct: std::collections::BTreeSet<_> = moments.iter().collect();
    assert!((12..=15).contains(&moments.len()), "{moments:?}");
    // The three schedules were made at three different moments.
    assert_eq!(distinct.len(), moments.len());
    for atom in atoms {
        atom.shut_down().await.unwrap();
    }
});

on_both!(a17_missed_moments_are_skipped_fired_once_or_all_fired, |database| async move {
    let clock = TestClock::new();
    let atom = builder(&database).clock(clock.clone()).open().await.unwrap();
    for (name, missed) in [("skip", MissedRuns::Skip), ("one", MissedRuns::One), ("all", MissedRuns::All)] {
        let schedule = NewSchedule { missed: Some(missed), ..new(name, every(3600)) };
        atom.schedules().put(NewSchedule { job: NewJob { queue: Some(name.into()), ..schedule.job }, ..schedule }).await.unwrap();
    }
    // Nobody was there for five hours and a half.
    clock.advance(TimeDelta::minutes(5 * 60 + 30));
    let _keeper = keeper(&atom).await;
    wait_for(&atom, 6).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let counts = atom.jobs().counts().await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.queue.as_str(), count.count)).collect();
    assert_eq!(counts, [("all", 5), ("one", 1)]);
});

on_both!(a_single_moment_fires_once_and_never_again, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    let at = Utc::now() + TimeDelta::milliseconds(300);
    atom.schedules().put(new("once", ScheduleRule::Once { at })).await.unwrap();
    let _keeper = keeper(&atom).await;
    wait_for(&atom, 1).await;
    let schedule = atom.schedules().get("once".into()).await.unwrap();
    assert_eq!(schedule.next_at, None);
    assert!((Utc::now() - at) < TimeDelta::seconds(2), "it fires when its moment comes");
});

on_both!(a_schedule_is_replaced_paused_resumed_triggered_and_removed, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    let schedules = atom.schedules();
    let first = schedules.put(new("nightly", cron("0 3 * * *"))).await.unwrap();
    assert_eq!(first.next_at.unwrap().hour(), 3);
    let second = schedules.put(new("nightly", cron("0 4 * * *"))).await.unwrap();
    assert_eq!((second.next_at.unwrap().hour(), second.created_at), (4, first.created_at));
    schedules.pause("nightly".into()).await.unwrap();
    assert!(schedules.list().await.unwrap()[0].is_paused);
    schedules.resume("nightly".into()).await.unwrap();
    let job = schedules.trigger("nightly".into()).await.unwrap();
    assert_eq!(atom.jobs().get(job.id).await.unwrap().state, JobState::Waiting);
    assert!(schedules.remove("nightly".into()).await.unwrap());
    assert!(!schedules.remove("nightly".into()).await.unwrap());
    for error in [
        schedules.get("nightly".into()).await.unwrap_err(),
        schedules.pause("nightly".into()).await.unwrap_err(),
        schedules.trigger("nightly".into()).await.unwrap_err(),
    ] {
        assert_eq!(error.reason(), "not_found");
    }
});

on_both!(a_paused_schedule_does_not_fire, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    atom.schedules().put(new("busy", every(1))).await.unwrap();
    atom.schedules().pause("busy".into()).await.unwrap();
    let _keeper = keeper(&atom).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(fired(&atom).await.is_empty());
});

on_both!(runs_of_a_schedule_do_not_overlap_when_its_job_is_unique, |database| async move {
    let clock = TestClock::new();
    let atom = builder(&database).clock(clock.clone()).open().await.unwrap();
    let mut schedule = new("hourly", every(3600));
    schedule.job.unique = Some(UniqueJob { key: Some("hourly".into()), ..Default::default() });
    schedule.missed = Some(MissedRuns::All);
    atom.schedules().put(schedule).await.unwrap();
    clock.advance(TimeDelta::hours(4));
    let _keeper = keeper(&atom).await;
    wait_for(&atom, 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fired(&atom).await.len(), 1);
});

on_both!(the_schedules_of_another_workspace_are_not_seen, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    let (session, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let schedule = ada.schedules().put(new("mine", every(1))).await.unwrap();
    assert_eq!(schedule.user_id, Some(session.user.id));
    assert!(bob.schedules().list().await.unwrap().is_empty());
    assert!(!bob.schedules().remove("mine".into()).await.unwrap());
    let _keeper = keeper(&atom).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(bob.jobs().list(JobFilter::default()).await.unwrap().items.is_empty());
    let jobs = ada.jobs().list(JobFilter::default()).await.unwrap().items;
    assert!(!jobs.is_empty() && jobs.iter().all(|job| job.user_id == Some(session.user.id)));
});

on_both!(what_cannot_be_a_schedule_is_refused_with_the_reason, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    let zone = |zone: &str| ScheduleRule::Cron { expression: "0 3 * * *".into(), time_zone: Some(zone.into()) };
    for (schedule, reason) in [
        (new("", every(1)), "malformed_schedule"),
        (new("x", every(0)), "malformed_interval"),
        (new("x", cron("every day")), "malformed_cron"),
        (new("x", cron("61 * * * *")), "malformed_cron"),
        (new("x", cron("0 0 31 2 *")), "cron_never_fires"),
        (new("x", zone("Mars/Olympus")), "unknown_time_zone"),
        (NewSchedule { job: NewJob { kind: "unheard".into(), ..Default::default() }, ..new("x", every(1)) }, "unknown_job_kind"),
        (
            NewSchedule {
                job: NewJob { delay_seconds: Some(1.0), kind: "report".into(), ..Default::default() },
                ..new("x", every(1))
            },
            "malformed_schedule",
        ),
    ] {
        assert_eq!(atom.schedules().put(schedule).await.unwrap_err().reason(), reason);
    }
});

on_both!(a_preview_shows_the_next_moments, |database| async move {
    let atom = builder(&database).open().await.unwrap();
    let moments = atom.schedules().preview(cron("15 * * * *"), 3).await.unwrap();
    assert!(moments.len() == 3 && moments.iter().all(|at| at.minute() == 15));
    assert_eq!(moments[2] - moments[0], TimeDelta::hours(2));
    assert_eq!(atom.schedules().preview(every(1), 0).await.unwrap_err().reason(), "malformed_schedule");
});
