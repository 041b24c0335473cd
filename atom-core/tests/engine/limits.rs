//! Limits: the vendor's, in all its dialects, and our own.

use super::server::{json as reply, status};
use super::*;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const OPERATIONS: &str = r#"
[services.main.operations."tasks.get"]
vendor_op = "get"
path = "/get"
effect = "read"
record = "task"
[services.main.operations."tasks.create"]
vendor_op = "create"
path = "/create"
effect = "once"
body = { encoding = "json", record = "task" }
record = "task"
[services.main.operations."tasks.search"]
vendor_op = "search"
path = "/search"
effect = "read"
items = ""
"#;

on_both!(every_dialect_of_retry_after_reaches_the_caller, |database| async move {
    let now = chrono::Utc::now();
    for (source, header, value) in [
        ("", "retry-after", "90".to_owned()),
        ("", "retry-after", (now + chrono::TimeDelta::seconds(92)).format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("{ header = \"x-reset\", format = \"epoch\" }", "x-reset", (now.timestamp() + 92).to_string()),
        ("{ header = \"x-reset\", format = \"epoch_millis\" }", "x-reset", (now.timestamp_millis() + 92_000).to_string()),
        ("{ header = \"x-reset\", format = \"iso\" }", "x-reset", (now + chrono::TimeDelta::seconds(92)).to_rfc3339()),
        ("{ header = \"x-reset\", format = \"duration\" }", "x-reset", "1m30s".into()),
        ("{ header = \"x-reset\", format = \"millis\" }", "x-reset", "90000".into()),
        ("{ path = \"wait.seconds\", format = \"seconds\" }", "x", "90".into()),
        ("{ header = \"x-none\" }", "retry-after", "90".into()),
    ] {
        let provider = format!("[limits]\nretry_after = [{source}]\n");
        let (name, text) = (header, value.clone());
        let stage = Stage::new(&database, &provider, OPERATIONS, move |_| {
            reply(json!({"wait": {"seconds": 90}})).status(429).with(name, &text)
        });
        let stage = stage.await;
        let error = stage.refused("tasks.get", json!({})).await;
        let wait = error.retry_after().map_or(0, |wait| wait.as_secs());
        assert!(error.kind() == ErrorKind::RateLimited && (80..=92).contains(&wait), "{source} {value}: {wait}");
        // Everyone else of this connection is told without asking again.
        let other = stage.refused("tasks.create", json!({"title": "x"})).await;
        assert_eq!((other.reason(), stage.server.asked().len()), ("local_budget", 1), "{source}");
        assert!(other.retry_after().is_some_and(|wait| wait.as_secs() >= 60));
    }
});

on_both!(what_the_vendor_had_too_much_of_is_sent_again_even_if_it_writes, |database| async move {
    let left = Mutex::new(2);
    let stage = Stage::new(&database, "", OPERATIONS, move |_| {
        let mut left = left.lock().unwrap();
        *left -= 1;
        if *left >= 0 { status(429).with("retry-after", 0) } else { reply(json!({"id": "1"})) }
    });
    let stage = stage.await;
    assert_eq!(stage.call("tasks.create", json!({"title": "x"})).await.unwrap()["id"], "1");
    assert_eq!(stage.server.asked().len(), 3);
});

on_both!(a_count_at_its_end_holds_everyone_until_it_begins_again, |database| async move {
    let provider = "[limits]\nremaining = \"x-remaining\"\nretry_after = [{ header = \"x-reset\", format = \"seconds\" }]\n";
    let times = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let stage = Stage::new(&database, provider, OPERATIONS, move |_| {
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        reply(json!({"id": "1"})).with("x-remaining", if seen.len() == 1 { 0 } else { 9 }).with("x-reset", "0.8")
    });
    let stage = stage.await;
    for _ in 0..3 {
        stage.call("tasks.get", json!({})).await.unwrap();
    }
    let seen = times.lock().unwrap();
    assert!(seen[1] - seen[0] >= Duration::from_millis(800), "the second waits for the reset");
    assert!(seen[2] - seen[1] < Duration::from_millis(700), "the third does not");
});

on_both!(sixty_four_callers_keep_to_the_budget_and_no_write_is_lost_or_doubled, |database| async move {
    const LIMIT: usize = 20;
    let provider = "[limits.buckets.default]\nrequests = 20\nseconds = 1\nconcurrent = 8\n";
    // The vendor's own window of one second, in which it takes so many and refuses the rest.
    let world = std::sync::Arc::new(Mutex::new((Vec::<Instant>::new(), Vec::<String>::new(), 0)));
    let vendor = world.clone();
    let stage = Stage::new(&database, provider, OPERATIONS, move |asked| {
        let mut world = vendor.lock().unwrap();
        let now = Instant::now();
        // A tenth less, because what is sent evenly arrives unevenly.
        world.0.retain(|at| now - *at < Duration::from_millis(900));
        if world.0.len() >= LIMIT {
            world.2 += 1;
            return status(429).with("retry-after", 1);
        }
        world.0.push(now);
        world.1.push(asked.json()["name"].as_str().unwrap().to_owned());
        reply(json!({"id": "1"}))
    });
    let stage = std::sync::Arc::new(stage.await);
    let begun = Instant::now();
    let callers = (0..64).map(|n| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.call("tasks.create", json!({"title": format!("w{n}")})).await.unwrap() })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let world = world.lock().unwrap();
    let names: std::collections::HashSet<_> = world.1.iter().collect();
    assert_eq!((world.1.len(), names.len()), (64, 64), "each write happened, and once");
    assert_eq!(world.2, 0, "nobody was refused");
    assert!(begun.elapsed() >= Duration::from_secs(3), "64 at 20 a second");
});

on_both!(sixty_four_callers_without_a_known_budget_are_slowed_down_by_the_vendor, |database| async move {
    let world = std::sync::Arc::new(Mutex::new((Vec::<Instant>::new(), Vec::<String>::new())));
    let vendor = world.clone();
    let stage = Stage::new(&database, "", OPERATIONS, move |asked| {
        let mut world = vendor.lock().unwrap();
        let now = Instant::now();
        world.0.retain(|at| now - *at < Duration::from_millis(1000));
        if world.0.len() >= 25 {
            return status(429).with("retry-after", 1);
        }
        world.0.push(now);
        world.1.push(asked.json()["name"].as_str().unwrap().to_owned());
        reply(json!({"id": "1"}))
    });
    let stage = std::sync::Arc::new(stage.await);
    let callers = (0..64).map(|n| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.call("tasks.create", json!({"title": format!("w{n}")})).await })
    });
    let mut done = 0;
    for caller in callers.collect::<Vec<_>>() {
        match caller.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::RateLimited),
        }
    }
    let world = world.lock().unwrap();
    let names: std::collections::HashSet<_> = world.1.iter().collect();
    assert_eq!((world.1.len(), names.len()), (done, done), "what succeeded happened once, and what failed did not happen");
    assert!(done >= 50, "{done}");
});

on_both!(a_bucket_of_an_operation_is_its_own, |database| async move {
    let provider = "[limits.buckets.search]\nrequests = 1\nseconds = 20\n";
    let operations = format!("{OPERATIONS}bucket = \"search\"\n");
    let stage = Stage::new(&database, provider, &operations, |_| reply(json!([]))).await;
    stage.call("tasks.search", json!({})).await.unwrap();
    let (one, two) = tokio::join!(
        tokio::time::timeout(Duration::from_millis(300), stage.call("tasks.search", json!({}))),
        tokio::time::timeout(Duration::from_secs(10), stage.call("tasks.search", json!({}))),
    );
    assert!(one.is_err(), "the second waits for its turn");
    assert_eq!(two.unwrap().unwrap_err().reason(), "local_budget", "the third would wait for 40 seconds");
    for _ in 0..3 {
        stage.call("tasks.get", json!({})).await.unwrap();
    }
});
