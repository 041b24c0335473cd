//! Processes killed at random moments while they place orders, take jobs, record steps and complete.

use super::host::Host;
use super::processes::*;
use super::shop::Owner;
use crate::support::*;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(1);

on_both!(a01_a03_a05_orders_survive_the_death_of_any_process_at_any_moment, |database| async move {
    let _alone = alone().await;
    let host = Host::found(&database).await;
    let part = Part::new(Task::Shop, &database);
    let mut owner = Owner { atom: part.open().await, host, settled: HashSet::new() };
    let tasks = [Task::Shop, Task::Shop, Task::Shop, Task::Customer];
    let mut number = 0;
    let mut start = |task| {
        number += 1;
        Process::start(&Part { task, number, ..part.clone() })
    };
    let mut processes: Vec<_> = tasks.into_iter().map(&mut start).collect();

    let (kills, began, mut died) = (sized(30, 550), Instant::now(), HashMap::new());
    for kill in 0..kills {
        let victim = usize::try_from(random(tasks.len() as u64)).unwrap();
        processes[victim].ready().await;
        tokio::time::sleep(Duration::from_millis(random(400))).await;
        let dead = std::mem::replace(&mut processes[victim], start(tasks[victim]));
        died.insert(dead.number, dead.kill().await);
        owner.settle().await.unwrap();
        if kill % 50 == 49 {
            println!("{} kills in {:.0?}", kill + 1, began.elapsed());
        }
    }
    for process in &mut processes {
        process.ready().await;
    }
    processes.pop().unwrap().stop().await;
    let finished = owner.finish().await;
    for process in processes {
        process.stop().await;
    }

    assert_quiet(database.folder.path());
    let orders = owner.assert_balanced().await;
    let waits = owner.restarts(&died).await;
    let worst = *waits.last().expect("a process died with a job in its hands");
    println!(
        "{kills} kills in {:.0?}: {orders} orders, {} begun again, {} in doubt, the longest restart after {worst:.2?}, the end after {finished:.1?}",
        began.elapsed(),
        waits.len(),
        owner.settled.len()
    );
    assert!(worst < LEASE + Duration::from_secs(2), "{worst:?}");
});
