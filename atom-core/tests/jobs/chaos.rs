//! A database that goes away and comes back, again and again, while the shop is open.

use super::host::Host;
use super::processes::*;
use super::server::{End, Server};
use super::shop::Owner;
use super::support::{new, on, open, quick};
use crate::support::*;
use std::collections::HashSet;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a07_orders_survive_the_restarts_of_the_database() {
    let Some(mut server) = Server::start() else { return println!("skipped: the programs of PostgreSQL are not installed") };
    let database = Database { url: server.url(), folder: tempfile::tempdir().unwrap() };
    let host = Host::found(&database).await;
    let part = Part { lease_seconds: 2.0, ..Part::new(Task::Shop, &database) };
    let mut owner = Owner { atom: part.open().await, host, settled: HashSet::new() };
    let tasks = [Task::Shop, Task::Shop, Task::Shop, Task::Customer];
    let mut processes: Vec<_> =
        (1..).zip(tasks).map(|(number, task)| Process::start(&Part { task, number, ..part.clone() })).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let (time, pauses) = sized((Duration::from_secs(7), 2000..3000), (Duration::from_secs(180), 5000..20_000));
    let (began, mut restarts) = (Instant::now(), 0);
    while began.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(pauses.start + random(pauses.end - pauses.start))).await;
        let end = if restarts % 2 == 0 { End::Immediate } else { End::Fast };
        tokio::task::block_in_place(|| {
            server.down(end);
            std::thread::sleep(Duration::from_millis(random(1500)));
            server.up();
        });
        restarts += 1;
        // This connection of ours was broken, too.
        while owner.settle().await.is_err() {}
        println!("{restarts} restarts in {:.0?}", began.elapsed());
    }
    processes.pop().unwrap().stop().await;
    let finished = owner.finish().await;
    for process in processes {
        process.stop().await;
    }
    assert!(!logs(database.folder.path()).contains("panicked"));
    let orders = owner.assert_balanced().await;
    println!("{restarts} restarts in {:.0?}: {orders} orders, the end after {finished:.1?}", began.elapsed());
    assert!(restarts >= 2 && finished < Duration::from_secs(15), "{restarts} restarts, {finished:?}");
    owner.atom.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_database_is_gone_stops_when_its_lease_has_ended() {
    let Some(mut server) = Server::start() else { return println!("skipped: the programs of PostgreSQL are not installed") };
    let database = Database { url: server.url(), folder: tempfile::tempdir().unwrap() };
    let atom = open(&database).await;
    let (running, mut runs) = tokio::sync::mpsc::unbounded_channel();
    let handlers = on("echo", move |job| {
        let running = running.clone();
        async move {
            running.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(job.input())
        }
    });
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    atom.jobs().enqueue(new("echo", serde_json::json!(1))).await.unwrap();
    runs.recv().await.unwrap();
    server.down(End::Immediate);
    let stopped = tokio::time::timeout(Duration::from_secs(30), worker.stop()).await;
    assert!(stopped.expect("it gives up what it cannot store").is_ok());
}
