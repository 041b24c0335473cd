//! The developer's commands: `cargo xtask bindings | check | conformance | soak | test`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command-line tool speaks through them

mod bindings;
mod check;
mod conformance;
mod shell;
mod soak;
mod surface;
mod test;

use std::process::ExitCode;

/// A sentence for the person at the terminal is all that a failed command needs.
type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const HELP: &str = "\
cargo xtask <command>

  bindings [--check]                  write the stubs, types and module list of the bindings from atom-core/src,
                                      or say what is out of date or missing in a language
  check                               format, lints, documentation, dependencies, layers, file lengths, bindings
  conformance [--write]               get the vendors' descriptions and check every integration against them, or write what is covered
  soak [test...]                      kill, freeze and overrun the processes that run jobs or rotate keys, for about an hour
  test [--require-all] [suite...]     run every test suite of every language, or some; a skip is a failure on request
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["bindings"] => bindings::write(),
        ["bindings", "--check"] => bindings::check(),
        ["check"] => check::run(),
        ["conformance"] => conformance::run(false),
        ["conformance", "--write"] => conformance::run(true),
        ["soak", rest @ ..] => soak::run(rest),
        ["test", rest @ ..] => test::run(rest),
        _ => Err(HELP.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let why = why.to_string();
            // A table of results says it all, and its last line stays the last.
            if !why.is_empty() {
                eprintln!("{why}");
            }
            ExitCode::FAILURE
        }
    }
}
