//! A line that shows how far a long queue is, and when it will be done.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// The progress of so many jobs: one line that is drawn again on a terminal, and a line for each tenth elsewhere.
pub(crate) struct Progress {
    name: &'static str,
    total: i64,
    since: Instant,
    tenth: i64,
}

impl Progress {
    pub(crate) fn new(name: &'static str, total: i64) -> Self {
        Self { name, total, since: Instant::now(), tenth: -1 }
    }

    pub(crate) fn show(&mut self, done: i64, failed: i64) {
        let total = self.total.max(1);
        let tenth = done * 10 / total;
        let terminal = std::io::stdout().is_terminal();
        if !terminal && tenth == self.tenth {
            return;
        }
        self.tenth = tenth;
        #[allow(clippy::cast_precision_loss)] // for people
        let rate = done as f64 / self.since.elapsed().as_secs_f64().max(0.001);
        #[allow(clippy::cast_precision_loss)]
        let left = (total - done) as f64 / rate.max(0.001);
        let filled = usize::try_from(done * 30 / total).unwrap_or_default().min(30);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(30 - filled));
        let line = format!("{} {bar} {done}/{total}, {failed} failed, {rate:.0}/s, {left:.0} s to go", self.name);
        if terminal && done < total {
            print!("\r{line}   ");
            let _ = std::io::stdout().flush();
        } else {
            println!("{}{line}   ", if terminal { "\r" } else { "" });
        }
    }
}
