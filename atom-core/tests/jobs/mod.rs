//! Jobs: stored with the act, run by whoever lives, and never twice where once was promised.

mod enqueue;
mod running;
mod support;
