//! Limits over several processes: never more at once, never more in any stretch of time.

use super::processes::*;
use super::support::on;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KEYS: usize = 50;
const RUNNING: i32 = 2;
const STARTS: usize = 4;

/// The part of a worker.
pub(super) async fn work(part: &Part, atom: &Atom) {
    let done = Arc::new(Mutex::new(BufWriter::new(part.file("done"))));
    let notes = Arc::clone(&done);
    let handlers = on("note", move |job| {
        let (notes, began) = (Arc::clone(&notes), now());
        async move {
            tokio::time::sleep(Duration::from_millis(10 + random(40))).await;
            writeln!(notes.lock().unwrap(), "{} {began} {}", job.input().0, now()).unwrap();
            Ok(Json::default())
        }
    });
    part.work(atom, handlers).await;
    done.lock().unwrap().flush().unwrap();
}

/// Keys of three sorts: some limit what runs at once, some what starts in a second, some both.
fn limit(key: usize) -> JobLimit {
    JobLimit {
        key: format!("key {key}"),
        max_running: (key % 3 != 1).then_some(RUNNING),
        max_starts: (!key.is_multiple_of(3)).then_some(i32::try_from(STARTS).unwrap()),
        per_seconds: None,
    }
}

on_both!(a16_no_key_runs_or_starts_more_than_its_limit_over_four_processes, |database| async move {
    let _alone = alone().await;
    let part = Part { lease_seconds: 20.0, ..Part::new(Task::Limits, &database) };
    let atom = part.open().await;
    let total = sized(1_000, 10_000);
    let new = |i| NewJob {
        kind: "note".into(),
        input: Some(Json(json!(i % KEYS))),
        limit: Some(limit(i % KEYS)),
        ..Default::default()
    };
    for start in (0..total).step_by(1000) {
        atom.jobs().enqueue_many((start..start + 1000).map(new).collect()).await.unwrap();
    }
    let mut processes: Vec<_> = (1..=4).map(|number| Process::start(&Part { number, ..part.clone() })).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let began = Instant::now();
    loop {
        let counts = atom.jobs().counts().await.unwrap();
        if counts.iter().all(|count| count.state == JobState::Succeeded) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(240), "{counts:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    for process in processes {
        process.stop().await;
    }

    let mut runs: HashMap<usize, Vec<(i64, i64)>> = HashMap::new();
    for entry in std::fs::read_dir(database.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "done") {
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let numbers: Vec<i64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
                runs.entry(usize::try_from(numbers[0]).unwrap()).or_default().push((numbers[1], numbers[2]));
            }
        }
    }
    assert_eq!(runs.values().map(Vec::len).sum::<usize>(), total);
    let mut nearest = i64::MAX;
    for (key, runs) in &mut runs {
        runs.sort_unstable();
        if limit(*key).max_starts.is_some() {
            for pair in runs.windows(STARTS + 1) {
                nearest = nearest.min(pair[STARTS].0 - pair[0].0);
            }
        }
        if let Some(most) = limit(*key).max_running {
            let at_once = |moment| runs.iter().filter(|(began, ended)| *began <= moment && moment < *ended).count();
            let most_seen = runs.iter().map(|(began, _)| at_once(*began)).max().unwrap();
            assert!(most_seen <= usize::try_from(most).unwrap(), "key {key}: {most_seen} at once");
        }
    }
    let nearest = Duration::from_micros(u64::try_from(nearest).unwrap());
    println!("{total} jobs over {KEYS} keys in {took:.1?}; {} starts of a key within {nearest:.3?} at the least", STARTS + 1);
    assert!(nearest > Duration::from_secs(1), "{} starts within {nearest:?}", STARTS + 1);
    assert_quiet(database.folder.path());
});
