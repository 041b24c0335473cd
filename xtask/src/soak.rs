//! `cargo xtask soak`: jobs over processes that are killed, frozen, cut off and overrun, tokens that many processes want at once, and keys that are rotated
//! by processes that are killed, for as long as their promises ask. The same tests run among all others with smaller numbers.

use crate::test::{Server, peer_servers};
use crate::{Result, shell};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const TESTS: &[&str] = &[
    "jobs::crash",
    "jobs::frozen",
    "jobs::chaos",
    "jobs::drain",
    "jobs::limits",
    "jobs::fairness",
    "refresh_over",
    "peers::race",
    "keys::crash",
];

/// Runs all of them, or those that were named. What they say is kept in `target/soak.log`.
pub(crate) fn run(wanted: &[&str]) -> Result<()> {
    let server = Server::start(&["soak"])?;
    let peers = peer_servers()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(shell::root()).args(["test", "--package", "atom-core", "--features", "testing", "--test", "suite", "--"]);
    cargo.args(["--nocapture", "--test-threads=1"]).args(if wanted.is_empty() { TESTS } else { wanted });
    cargo
        .env("ATOM_SOAK", "1")
        .env("ATOM_TEST_POSTGRES", server.url("soak"))
        .env("ATOM_TEST_PEERS", peers)
        .stdout(Stdio::piped());
    let mut child = cargo.spawn()?;
    let mut log = std::fs::File::create(shell::root().join("target/soak.log"))?;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        writeln!(log, "{line}")?;
    }
    if child.wait()?.success() { Ok(()) } else { Err("the soak failed: see above".into()) }
}
