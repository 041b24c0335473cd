//! Forks while other threads are inside SQLite. SQLite has a few locks for the whole process; a child that is forked while a thread has one
//! of them would wait for it for ever, because that thread does not exist there. So whoever forks takes them all first.
#![allow(unsafe_code)] // SQLite's locks are C

use libsqlite3_sys as sqlite;
use pyo3::prelude::*;
use std::sync::OnceLock;

/// The process-wide locks that SQLite takes, each before those that it takes while holding it.
const LOCKS: [i32; 9] = [
    sqlite::SQLITE_MUTEX_STATIC_MAIN,
    sqlite::SQLITE_MUTEX_STATIC_OPEN,
    sqlite::SQLITE_MUTEX_STATIC_VFS1,
    sqlite::SQLITE_MUTEX_STATIC_VFS2,
    sqlite::SQLITE_MUTEX_STATIC_VFS3,
    sqlite::SQLITE_MUTEX_STATIC_LRU,
    sqlite::SQLITE_MUTEX_STATIC_PMEM,
    sqlite::SQLITE_MUTEX_STATIC_PRNG,
    sqlite::SQLITE_MUTEX_STATIC_MEM,
];

#[pyfunction]
fn hold() {
    for id in LOCKS {
        // SAFETY: asked for a static lock, SQLite gives one that is never freed, or null, which it takes for no lock.
        unsafe { sqlite::sqlite3_mutex_enter(sqlite::sqlite3_mutex_alloc(id)) };
    }
}

#[pyfunction]
fn release() {
    for id in LOCKS.into_iter().rev() {
        // SAFETY: as above; the thread that forks has them, in the parent and in the child.
        unsafe { sqlite::sqlite3_mutex_leave(sqlite::sqlite3_mutex_alloc(id)) };
    }
}

/// Has Python call these around every fork of this process and its children.
pub(super) fn guard(py: Python<'_>) -> PyResult<()> {
    static GUARDED: OnceLock<()> = OnceLock::new();
    if GUARDED.set(()).is_err() {
        return Ok(());
    }
    let os = py.import("os")?;
    // Where there is no fork, there is nothing to guard.
    let Ok(register) = os.getattr("register_at_fork") else { return Ok(()) };
    let hooks = pyo3::types::PyDict::new(py);
    hooks.set_item("before", pyo3::wrap_pyfunction!(hold, py)?)?;
    hooks.set_item("after_in_parent", pyo3::wrap_pyfunction!(release, py)?)?;
    hooks.set_item("after_in_child", pyo3::wrap_pyfunction!(release, py)?)?;
    register.call((), Some(&hooks)).map(drop)
}
