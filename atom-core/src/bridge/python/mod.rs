//! Futures in, coroutines out; functions in, jobs out to them.
//!
//! The runtime and the one thread that speaks to event loops belong to one process id, so that a forked child gets its own instead of
//! waiting for threads that do not exist there.
//!
//! No lock is held while Python code runs: that code may let another thread run, which would wait for the lock with the
//! interpreter in its hands, or fork and leave the child with a lock that nobody opens. So there is no `PyOnceLock` and no
//! `intern!` here either: they give the interpreter away in the middle of their first use.

mod completer;
mod fork;
mod handler;
mod hook;
mod key;
mod mail;
mod values;

pub(crate) use values::{repr, repr_variant, string_like, text};

use super::{at_once, guarded};
use crate::{Error, ErrorKind, Result};
use completer::{Errand, Queue, completer};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::any::TypeId;
use std::pin::Pin;
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
    // Of `atom_py._calls`:
    begin: Py<PyAny>,
    call: Py<PyAny>,
    follow: Py<PyAny>,
    is_coroutine_function: Py<PyAny>,
    perform: Py<PyAny>,
    resolve: Py<PyAny>,
    start_loop: Py<PyAny>,
    threads: Py<PyAny>,
    /// `atom_py.errors.from_core`
    from_core: Py<PyAny>,
    call_soon_threadsafe: Py<PyString>,
    cancelled: Py<PyString>,
}

fn known(py: Python<'_>) -> PyResult<&'static Known> {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    fork::guard(py)?;
    // pyo3 keeps the classes of `datetime` in locks of that kind, which are now filled on a thread of the caller.
    chrono::DateTime::UNIX_EPOCH.into_pyobject(py)?;
    let function = |module: &str, name: &str| PyResult::Ok(py.import(module)?.getattr(name)?.unbind());
    let calls = |name: &str| function("atom_py._calls", name);
    let name = |text: &str| PyString::intern(py, text).unbind();
    let found = Known {
        get_running_loop: function("asyncio", "get_running_loop")?,
        begin: calls("begin")?,
        call: calls("call")?,
        follow: calls("follow")?,
        is_coroutine_function: calls("is_coroutine_function")?,
        perform: calls("perform")?,
        resolve: calls("resolve")?,
        start_loop: calls("start_loop")?,
        threads: calls("Threads")?,
        from_core: function("atom_py.errors", "from_core")?,
        call_soon_threadsafe: name("call_soon_threadsafe"),
        cancelled: name("cancelled"),
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

/// A call that was not made yet.
trait Call: Send {
    /// What it comes to, if it need not wait.
    fn at_once(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>>;

    /// Goes on with it for the future that waits for it, and returns what that future does when it is done.
    fn go_on(self: Box<Self>, py: Python<'_>, waiter: Waiter) -> PyResult<AbortOnCancel>;
}

struct Work<T, F> {
    work: Pin<Box<F>>,
    convert: Convert<T>,
}

impl<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static> Call for Work<T, F> {
    fn at_once(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let runtime = runtime()?;
        let done = py.detach(|| {
            let _entered = runtime.enter();
            at_once(self.work.as_mut())
        });
        done.map(|result| outcome(py, result, self.convert)).transpose()
    }

    fn go_on(self: Box<Self>, py: Python<'_>, waiter: Waiter) -> PyResult<AbortOnCancel> {
        let Self { work, convert } = *self;
        let mut ticket = Ticket { queue: completer(py)?, waiter: Some(waiter) };
        let task = runtime()?.spawn(async move {
            let result = work.await;
            ticket.answer(Box::new(move |py| outcome(py, result, convert)));
        });
        Ok(AbortOnCancel { pid: std::process::id(), task: task.abort_handle() })
    }
}

fn outcome<T>(py: Python<'_>, result: Result<T>, convert: Convert<T>) -> PyResult<Py<PyAny>> {
    result.map_err(|error| to_exception(py, &error)).and_then(|value| convert(py, value))
}

/// What a coroutine does when it is first awaited.
#[pyclass(frozen)]
struct Start(Mutex<Option<Box<dyn Call>>>);

impl Start {
    fn take(&self) -> PyResult<Box<dyn Call>> {
        lock(&self.0).take().ok_or_else(|| PyRuntimeError::new_err("a coroutine is awaited once"))
    }
}

#[pymethods]
impl Start {
    /// The result in a tuple, or none if there is something to wait for.
    fn at_once(&self, py: Python<'_>) -> PyResult<Option<(Py<PyAny>,)>> {
        let mut call = self.take()?;
        let done = call.at_once(py)?;
        if done.is_none() {
            *lock(&self.0) = Some(call);
        }
        Ok(done.map(|value| (value,)))
    }

    fn go_on(&self, py: Python<'_>, event_loop: Py<PyAny>, future: Py<PyAny>) -> PyResult<AbortOnCancel> {
        self.take()?.go_on(py, Waiter { event_loop, future })
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
    let call = Work { work: Box::pin(guarded(work)), convert };
    known(py)?.call.bind(py).call1((Start(Mutex::new(Some(Box::new(call)))),))
}

/// How long a blocking call keeps Ctrl-C waiting.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `work` to its end on this thread, with the interpreter released.
pub(crate) fn blocking<T: Send>(py: Python<'_>, work: impl Future<Output = Result<T>> + Send) -> PyResult<T> {
    fork::guard(py)?;
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
