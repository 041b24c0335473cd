//! Jobs: stored with the act, run by whoever lives, and never twice where once was promised.

mod chaos;
mod crash;
mod drain;
mod enqueue;
mod fairness;
mod frozen;
mod host;
mod kit;
mod limits;
mod processes;
mod running;
mod server;
mod shop;
mod support;
