//! Jobs: stored with the act, run by whoever lives, and never twice where once was promised.

mod enqueue;
mod limits;
mod order;
mod refusals;
mod running;
mod support;
mod transactions;
