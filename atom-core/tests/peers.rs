//! Journeys against servers that others wrote: a strict OpenID provider and a Google. They run where `ATOM_TEST_PEERS` names the
//! folder `peers` after `npm ci` in it; `cargo xtask test peers` does both.

#![allow(clippy::print_stdout)] // for whoever reads a failed or skipped test

mod browser;
mod google;
mod oidc;
mod server;

fn skipped() {
    println!("skipped: ATOM_TEST_PEERS is not set");
}
