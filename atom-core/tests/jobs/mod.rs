//! Jobs: stored with the act, run by whoever lives, and never twice where once was promised.

#![allow(clippy::print_stdout)] // a soak shows its figures

mod anything;
mod batches;
mod cancel;
mod chaos;
mod crash;
mod drain;
mod enqueue;
mod fairness;
mod frozen;
mod host;
mod inspection;
mod keys;
mod kit;
mod limits;
mod order;
pub(crate) mod processes;
mod refusals;
mod retention;
mod retries;
mod running;
mod server;
mod shop;
mod steps;
mod support;
mod transactions;
mod unique;
mod workers;
