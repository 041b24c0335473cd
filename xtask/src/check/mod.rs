//! `cargo xtask check`: all that can be said about the sources without running them.

mod layers;
mod lengths;
mod licence;
mod policy;
mod promises;

use crate::{Result, bindings, shell};
use std::process::Command;

type Step = fn() -> Result<()>;

const STEPS: &[(&str, Step)] = &[
    ("file lengths", lengths::check),
    ("layers of atom-core", layers::check),
    ("dependencies", policy::check),
    ("tests of promises", promises::check),
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("bindings", bindings::check),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])),
    // What a Rust program gets without asking for more: no bridge, and nothing that only a bridge would need.
    ("default build", || cargo(&["clippy", "-p", "atom-core", "--", "-D", "warnings"])),
    ("documentation", documentation),
];

pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("{name} …");
        if let Err(why) = step() {
            println!("{why}");
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        println!("{} checks passed", STEPS.len());
        return Ok(());
    }
    Err(format!("failed: {}", failed.join(", ")).into())
}

fn cargo(args: &[&str]) -> Result<()> {
    shell::output(Command::new("cargo").current_dir(shell::root()).args(args)).map(drop)
}

/// As docs.rs would build it: one crate, without the bridges.
fn documentation() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(shell::root()).env("RUSTDOCFLAGS", "-D warnings");
    shell::output(cargo.args(["doc", "--no-deps", "-p", "atom-core", "--features", "testing"])).map(drop)
}
