//! Futures in, coroutines out; functions in, jobs out to them.
//!
//! The runtime and the one thread that speaks to event loops belong to one process id, so that a forked child gets its own instead of
//! waiting for threads that do not exist there.
//!
//! No lock is held while Python code runs: that code may let another thread run, which would wait for the lock with the
//! interpreter in its hands, or fork and leave the child with a lock that nobody opens. So there is no `PyOnceLock` and no
//! `intern!` here either: they give the interpreter away in the middle of their first use.

mod completer;
mod handler;
mod values;

pub(crate) use values::{repr, repr_variant, string_like, text};

use super::guarded;
use completer::{Errand, Queue, completer};
use crate::{Error, ErrorKind, Result};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::any::TypeId;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runtime of this process; a forked child makes its own.
fn runtime() -> PyResult<&'static Runtime> {
    static SLOT: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);
    let mut slot = lock(&SLOT);
    match *slot {
        Some((pid, runtime)) if pid == std::process::id() => Ok(runtime),
        _ => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("atom").build()?;
            // Leaked on purpose: dropping it after a fork would join threads that only the parent has.
            let runtime: &'static Runtime = Box::leak(Box::new(runtime));
            *slot = Some((std::process::id(), runtime));
            Ok(runtime)
        }
    }
}

type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// What the bridge uses of Python, looked up once.
struct Known {
    get_running_loop: Py<PyAny>,
    ensure_future: Py<PyAny>,
    /// `atom_py._calls.call`
    call: Py<PyAny>,
    /// `atom_py._calls.start_loop`
    start_loop: Py<PyAny>,
    /// `atom_py._calls.Threads`
    threads: Py<PyAny>,
    /// `atom_py.errors.from_core`
    from_core: Py<PyAny>,
    /// `atom_py.errors.to_failure`
    to_failure: Py<PyAny>,
    is_coroutine_function: Py<PyAny>,
    create_future: Py<PyString>,
    create_task: Py<PyString>,
    add_done_callback: Py<PyString>,
    call_soon_threadsafe: Py<PyString>,
    done: Py<PyString>,
    cancel: Py<PyString>,
    cancelled: Py<PyString>,
    result: Py<PyString>,
    set_result: Py<PyString>,
    set_exception: Py<PyString>,
}

fn known(py: Python<'_>) -> PyResult<&'static Known> {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    // pyo3 keeps the classes of `datetime` in locks of that kind, which are now filled on a thread of the caller.
    chrono::DateTime::UNIX_EPOCH.into_pyobject(py)?;
    let function = |module: &str, name: &str| PyResult::Ok(py.import(module)?.getattr(name)?.unbind());
    let name = |text: &str| PyString::intern(py, text).unbind();
    let found = Known {
        get_running_loop: function("asyncio", "get_running_loop")?,
        ensure_future: function("asyncio", "ensure_future")?,
        call: function("atom_py._calls", "call")?,
        start_loop: function("atom_py._calls", "start_loop")?,
        threads: function("atom_py._calls", "Threads")?,
        from_core: function("atom_py.errors", "from_core")?,
        to_failure: function("atom_py.errors", "to_failure")?,
        is_coroutine_function: function("atom_py._calls", "is_coroutine_function")?,
        create_future: name("create_future"),
        create_task: name("create_task"),
        add_done_callback: name("add_done_callback"),
        call_soon_threadsafe: name("call_soon_threadsafe"),
        done: name("done"),
        cancel: name("cancel"),
        cancelled: name("cancelled"),
        result: name("result"),
        set_result: name("set_result"),
        set_exception: name("set_exception"),
    };
    Ok(KNOWN.get_or_init(|| found))
}

/// The duty to answer one waiter. A cancelled call drops it unanswered; then too it goes to the completer.
struct Ticket {
    queue: Queue,
    waiter: Option<Waiter>,
}

/// Who waits for a result.
struct Waiter {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

impl Ticket {
    fn answer(&mut self, outcome: Outcome) {
        if let Some(Waiter { event_loop, future }) = self.waiter.take() {
            self.queue.push(Errand::Answer { event_loop, future, outcome });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let dropped = Error::new(ErrorKind::Cancelled, "dropped", "the call was cancelled");
        self.answer(Box::new(move |py| Err(to_exception(py, &dropped))));
    }
}

/// Stops the work of a call whose asyncio future was cancelled.
#[pyclass(frozen)]
struct AbortOnCancel {
    pid: u32,
    task: tokio::task::AbortHandle,
}

#[pymethods]
impl AbortOnCancel {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        // In a forked child the task belongs to a runtime whose threads and locks stayed with the parent.
        if self.pid == std::process::id() && future.call_method0(&known(future.py())?.cancelled)?.is_truthy()? {
            self.task.abort();
        }
        Ok(())
    }
}

/// What a coroutine does when it is first awaited.
#[pyclass(frozen)]
struct Start(Mutex<Option<Outcome>>);

#[pymethods]
impl Start {
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let start = lock(&self.0).take();
        start.ok_or_else(|| PyRuntimeError::new_err("a coroutine is awaited once"))?(py)
    }
}

/// A coroutine that runs `work` when it is awaited. Python makes it, so that `asyncio.run` and task groups accept it.
pub(crate) fn awaitable<'py, T>(
    py: Python<'py>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    T: for<'a> IntoPyObject<'a> + Send + 'static,
{
    coroutine(py, work, |py, value| {
        // pyo3 makes `None` of a unit that a function returns, but an empty tuple of one that is converted.
        if TypeId::of::<T>() == TypeId::of::<()>() { Ok(py.None()) } else { value.into_py_any(py) }
    })
}

/// The same for the next item of a stream, whose end is an exception of its own.
pub(crate) fn awaitable_next<'py, T>(
    py: Python<'py>,
    work: impl Future<Output = Result<Option<T>>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    T: for<'a> IntoPyObject<'a> + Send + 'static,
{
    coroutine(py, work, |py, item| item.ok_or_else(|| PyStopAsyncIteration::new_err(()))?.into_py_any(py))
}

/// How a value becomes an object, or an exception.
type Convert<T> = fn(Python<'_>, T) -> PyResult<Py<PyAny>>;

fn coroutine<'py, T: Send + 'static>(
    py: Python<'py>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    convert: Convert<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let start: Outcome = Box::new(move |py| spawn(py, work, convert));
    known(py)?.call.bind(py).call1((Start(Mutex::new(Some(start))),))
}

/// Runs `work` on the runtime of this process and returns an asyncio future for it.
fn spawn<T: Send + 'static>(
    py: Python<'_>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    convert: Convert<T>,
) -> PyResult<Py<PyAny>> {
    let known = known(py)?;
    let event_loop = known.get_running_loop.bind(py).call0()?;
    let future = event_loop.call_method0(&known.create_future)?;
    let waiter = Waiter { event_loop: event_loop.unbind(), future: future.clone().unbind() };
    let mut ticket = Ticket { queue: completer(py)?, waiter: Some(waiter) };
    let task = runtime()?.spawn(async move {
        let result = guarded(work).await;
        ticket.answer(Box::new(move |py| match result {
            Ok(value) => convert(py, value),
            Err(error) => Err(to_exception(py, &error)),
        }));
    });
    let stop = AbortOnCancel { pid: std::process::id(), task: task.abort_handle() };
    future.call_method1(&known.add_done_callback, (stop,))?;
    Ok(future.unbind())
}

/// How long a blocking call keeps Ctrl-C waiting.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `work` to its end on this thread, with the interpreter released.
pub(crate) fn blocking<T: Send>(py: Python<'_>, work: impl Future<Output = Result<T>> + Send) -> PyResult<T> {
    let runtime = runtime()?;
    let mut work = std::pin::pin!(guarded(work));
    loop {
        let turn = py.detach(|| runtime.block_on(async { tokio::time::timeout(SIGNAL_INTERVAL, work.as_mut()).await }));
        match turn {
            Ok(result) => return result.map_err(|e| to_exception(py, &e)),
            Err(_) => py.check_signals()?,
        }
    }
}

/// The exception for an error: a class of `atom_py.errors`, which is plain Python, so that it pickles and documents itself.
fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    let build = || {
        known(py)?.from_core.bind(py).call1((
            error.code(),
            error.reason(),
            error.to_string(),
            error.provider(),
            error.status(),
            error.retry_after().map(|d| d.as_secs_f64()),
            error.is_retryable(),
        ))
    };
    match build() {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| to_exception(py, &error))
    }
}
