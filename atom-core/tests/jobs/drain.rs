//! Many jobs, done by several processes at once: each by one of them, once.

use super::processes::*;
use super::support::on;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::io::{BufWriter, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The part of a worker.
pub(super) async fn work(part: &Part, atom: &Atom) {
    let done = Arc::new(Mutex::new(BufWriter::new(part.file("done"))));
    let notes = Arc::clone(&done);
    let handlers = on("note", move |job| {
        writeln!(notes.lock().unwrap(), "{}", job.input().0).unwrap();
        async { Ok(Json::default()) }
    });
    part.work(atom, handlers).await;
    done.lock().unwrap().flush().unwrap();
}

on_both!(a08_processes_drain_a_queue_and_each_job_is_done_once, |database| async move {
    let _alone = alone().await;
    let is_sqlite = database.url.starts_with("sqlite:");
    let part = Part { lease_seconds: 20.0, ..Part::new(Task::Drain, &database) };
    let atom = part.open().await;
    let total = sized(5_000, 50_000);
    let enqueue = async |numbers: std::ops::Range<usize>| {
        let new = |i| NewJob { kind: "note".into(), input: Some(Json(json!(i))), ..Default::default() };
        atom.jobs().enqueue_many(numbers.map(new).collect()).await.unwrap();
    };
    // Half of them are there before, the others come while the workers work.
    atom.queues().pause("default".into()).await.unwrap();
    for start in (0..total / 2).step_by(1000) {
        enqueue(start..(start + 1000).min(total / 2)).await;
    }
    let processes = if is_sqlite { 2 } else { 4 };
    let mut processes: Vec<_> = (1..=processes).map(|number| Process::start(&Part { number, ..part.clone() })).collect();
    for process in &mut processes {
        process.ready().await;
    }
    atom.queues().resume("default".into()).await.unwrap();
    let began = Instant::now();
    for start in (total / 2..total).step_by(100) {
        enqueue(start..(start + 100).min(total)).await;
    }
    loop {
        let counts = atom.jobs().counts().await.unwrap();
        let done: i64 = counts.iter().filter(|count| count.state == JobState::Succeeded).map(|count| count.count).sum();
        if done == total as i64 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{counts:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    for process in processes {
        process.stop().await;
    }
    let mut done: Vec<usize> = Vec::new();
    let mut shares = Vec::new();
    for entry in std::fs::read_dir(database.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "done") {
            let before = done.len();
            done.extend(std::fs::read_to_string(path).unwrap().lines().map(|line| line.parse::<usize>().unwrap()));
            shares.push(done.len() - before);
        }
    }
    done.sort_unstable();
    assert!(done.iter().copied().eq(0..total), "a job was done twice, or not at all");
    println!("{total} jobs in {took:.1?}, {:.0} per second: {shares:?}", total as f64 / took.as_secs_f64());
    assert!(shares.iter().all(|share| *share > 0), "every process has done its share: {shares:?}");
    let mut filter = JobFilter { page_size: Some(1000), ..Default::default() };
    loop {
        let page = atom.jobs().list(filter.clone()).await.unwrap();
        assert!(page.items.iter().all(|job| job.attempt == 1));
        filter.cursor = page.next_cursor;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_quiet(database.folder.path());
});
