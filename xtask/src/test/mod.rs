//! `cargo xtask test`: every suite of every language, with all it needs, and one table at the end.

mod count;
mod key_stores;
mod postgres;
mod readme;
mod suites;
mod workshop;

pub(crate) use postgres::Server;

use crate::Result;
use std::time::Instant;
use workshop::Workshop;

/// What a suite that ran has to report.
pub(super) struct Ran {
    passed: usize,
    failed: usize,
    /// Tests that were left out, and what was not tested at all.
    skipped: usize,
    note: String,
    /// The program ended well; a crash after the last test is a failure too.
    ended_well: bool,
    output: String,
}

impl Ran {
    /// Notes what could not be tested on this machine.
    fn without(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        let note = format!("{what}: {}", why.lines().next().unwrap_or_default());
        self.note = if self.note.is_empty() { note } else { format!("{}; {note}", self.note) };
    }
}

/// Why a suite did not run to its end.
pub(super) enum Stop {
    /// Something is missing on this machine.
    Skip(String),
    /// Something is wrong.
    Fail(String),
}

impl<E: std::fmt::Display> From<E> for Stop {
    fn from(why: E) -> Self {
        Self::Fail(why.to_string())
    }
}

/// The folder with the servers that others wrote, installed.
pub(crate) fn peer_servers() -> Result<std::path::PathBuf> {
    suites::peer_servers(&Workshop::new()).map_err(|stop| match stop {
        Stop::Skip(why) | Stop::Fail(why) => why.into(),
    })
}

struct Row {
    suite: &'static str,
    result: String,
    seconds: f64,
    reason: String,
}

pub(crate) fn run(args: &[&str]) -> Result<()> {
    let require_all = args.contains(&"--require-all");
    let wanted: Vec<&str> = args.iter().copied().filter(|a| *a != "--require-all").collect();
    if let Some(unknown) = wanted.iter().find(|w| !suites::ALL.iter().any(|(name, _)| name == *w)) {
        let names: Vec<_> = suites::ALL.iter().map(|(name, _)| *name).collect();
        return Err(format!("no suite `{unknown}`: there are {}", names.join(", ")).into());
    }
    let workshop = Workshop::new();
    let (mut rows, mut told, mut passed, mut failed, mut skipped) = (Vec::new(), Vec::new(), 0, 0, 0);
    for (suite, play) in suites::ALL {
        if !wanted.is_empty() && !wanted.contains(suite) {
            continue;
        }
        println!("{suite} …");
        let start = Instant::now();
        let outcome = play(&workshop);
        let seconds = start.elapsed().as_secs_f64();
        let (result, reason) = match outcome {
            Ok(ran) if ran.failed == 0 && ran.passed > 0 && ran.ended_well && !(require_all && ran.skipped > 0) => {
                passed += 1;
                (format!("passed {}", ran.passed), ran.note)
            }
            Ok(ran) => {
                failed += 1;
                println!("{}", ran.output);
                told.extend(count::failures(&ran.output).map(|line| format!("{suite}: {line}")));
                let reason = match (ran.passed + ran.failed, ran.ended_well) {
                    (0, _) => "no test ran".to_owned(),
                    (_, false) if ran.failed == 0 => "ended badly".to_owned(),
                    _ if ran.failed == 0 => format!("may not be skipped: {}", ran.note),
                    _ => ran.note,
                };
                (format!("failed {}", ran.failed.max(1)), reason)
            }
            Err(Stop::Skip(reason)) if !require_all => {
                skipped += 1;
                ("skipped".to_owned(), reason)
            }
            Err(Stop::Skip(reason)) => {
                failed += 1;
                ("failed".to_owned(), format!("may not be skipped: {reason}"))
            }
            Err(Stop::Fail(why)) => {
                failed += 1;
                println!("{why}");
                ("failed".to_owned(), why.lines().next().unwrap_or_default().to_owned())
            }
        };
        println!("{suite}: {result}{}{reason}", if reason.is_empty() { "" } else { ", " });
        rows.push(Row { suite, result, seconds, reason });
    }
    drop(workshop);
    print_table(&rows);
    // Once more at the end: what a log of an hour begins with, nobody finds.
    told.iter().for_each(|line| println!("{line}"));
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { Ok(()) } else { Err("".into()) }
}

fn print_table(rows: &[Row]) {
    println!("\n| {:<13} | {:<10} | {:>7} | why skipped", "suite", "result", "seconds");
    println!("| {:-<13} | {:-<10} | {:->7} | -----------", "", "", "");
    for row in rows {
        println!("| {:<13} | {:<10} | {:>7.1} | {}", row.suite, row.result, row.seconds, row.reason);
    }
    println!();
}
