//! The integration tests of atom-core: one binary, a file per domain. Each test runs on SQLite and on PostgreSQL.

mod accounts;
mod connect;
mod installation;
mod integrations;
mod support;
