//! Database errors, sorted once: every other file only uses `?`.

use crate::{Error, ErrorKind};
use sqlx::error::DatabaseError;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use std::io::ErrorKind as Io;
        let new = |kind, reason, text: &str| Error::new(kind, reason, text);
        let sorted = match &error {
            sqlx::Error::Database(db) => from_database(db.as_ref()),
            sqlx::Error::Io(io) if matches!(io.kind(), Io::NotFound | Io::PermissionDenied) => new(
                ErrorKind::Invalid,
                "database_unreadable",
                "the database file cannot be opened: check its folder and its permissions",
            ),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => new(
                ErrorKind::Unavailable,
                "database_unreachable",
                "the database does not answer: check that it runs and that its address is right",
            ),
            sqlx::Error::PoolTimedOut => new(
                ErrorKind::Unavailable,
                "database_busy",
                "no database connection became free in time: call again, or do less at once",
            ),
            sqlx::Error::PoolClosed => new(ErrorKind::Cancelled, "closed", "this Atom was closed: open it again"),
            sqlx::Error::RowNotFound => {
                new(ErrorKind::NotFound, "not_found", "no such row is visible here: check the id and the workspace")
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => new(
                ErrorKind::Sealed,
                "database_damaged",
                "the database holds a value that Atom never wrote: restore the last backup",
            ),
            sqlx::Error::Configuration(_) => new(
                ErrorKind::Invalid,
                "malformed_database_url",
                "the database URL cannot be used: compare it with the documentation",
            ),
            _ => new(ErrorKind::Internal, "database", "an unexpected database error: see the log"),
        };
        sorted.with_source(error)
    }
}

fn from_database(error: &dyn DatabaseError) -> Error {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    let of = |kind, reason, text: &str| Error::new(kind, reason, text);
    let full = || {
        of(ErrorKind::Unavailable, "disk_full", "the disk of the database is full: make room and call again; nothing was changed")
    };
    let damaged =
        || of(ErrorKind::Sealed, "database_damaged", "the database file is damaged or is no database: restore the last backup");
    if error.is_unique_violation() {
        return of(ErrorKind::Conflict, "exists_already", "it exists already: read it again and decide");
    }
    if error.is_foreign_key_violation() {
        return of(ErrorKind::NotFound, "not_found", "what this belongs to no longer exists: read it again");
    }
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // Extended result codes keep the primary code in the low byte: https://sqlite.org/rescode.html
        return match code.parse::<i32>().unwrap_or_default() & 0xff {
            5 | 6 => {
                of(ErrorKind::Unavailable, "database_busy", "another process kept the database locked for too long: call again")
            }
            8 => of(ErrorKind::Invalid, "database_read_only", "the database file is read-only: check its permissions"),
            10 => of(
                ErrorKind::Unavailable,
                "database_io",
                "the disk of the database fails: check it and call again; nothing was changed",
            ),
            13 => full(),
            11 | 26 => damaged(),
            14 => of(
                ErrorKind::Invalid,
                "database_unreadable",
                "the database file cannot be opened: check its folder and its permissions",
            ),
            _ => of(ErrorKind::Internal, "database", "an unexpected SQLite error: see the log"),
        };
    }
    // SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
    match code {
        "28000" | "28P01" => {
            of(ErrorKind::Invalid, "database_credentials", "PostgreSQL refused the user or the password: check the database URL")
        }
        "3D000" => of(
            ErrorKind::Invalid,
            "database_missing",
            "PostgreSQL has no database of this name: create it, or correct the database URL",
        ),
        "42501" => {
            of(ErrorKind::Invalid, "database_permission", "the database user may not do this: grant it rights on the schema")
        }
        "53100" => full(),
        "XX001" | "XX002" => damaged(),
        "25P03" => of(
            ErrorKind::Unavailable,
            "database_unreachable",
            "this process slept in a transaction, which PostgreSQL then gave up: call again; nothing was changed",
        ),
        "40001" | "40P01" => of(ErrorKind::Unavailable, "database_busy", "two transactions met: call again"),
        _ if code.starts_with("53") || code.starts_with("57P") || code.starts_with("08") => {
            of(ErrorKind::Unavailable, "database_unreachable", "PostgreSQL is not taking requests: call again")
        }
        _ => of(ErrorKind::Internal, "database", "an unexpected PostgreSQL error: see the log"),
    }
}
