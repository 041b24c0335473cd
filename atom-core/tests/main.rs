//! The integration tests of atom-core: one binary, a file per domain. Each test runs on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod accounts;
mod audit;
mod behaviour;
mod connect;
mod consent;
mod email_proof;
mod emergency;
mod ending;
mod engine;
mod events;
mod events_over_processes;
mod factors;
mod fuzz;
mod installation;
mod integrations;
mod jobs;
mod keys;
mod leaks;
mod leases;
mod mail;
mod methods;
mod passwords;
mod peers;
mod policies;
mod process;
mod providers;
mod receiver;
mod refresh;
mod refresh_over_processes;
mod revoke;
mod schedules;
mod service_keys;
mod sessions;
mod sign_in_limits;
mod social;
mod step_up;
mod support;
mod token_cache;
mod usage;
mod users;
mod webhooks;
mod workspace_providers;
mod workspaces;
