//! Futures in, coroutines out.
//!
//! One thread of ours hands finished results to asyncio, in batches, through `call_soon_threadsafe`. It is closed and
//! joined from `atexit`, so that no thread touches Python while the interpreter ends; it and the runtime belong to one
//! process id, so that a forked child gets its own instead of waiting for threads that do not exist there.
//!
//! No lock is held while Python code runs: that code may let another thread run, which would wait for the lock with the
//! interpreter in its hands, or fork and leave the child with a lock that nobody opens. So there is no `PyOnceLock` and no
//! `intern!` here either: they give the interpreter away in the middle of their first use.

mod values;

pub(crate) use values::{repr, repr_variant, string_like, text};

use super::guarded;
use crate::{Error, ErrorKind, Result};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
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
    /// `atom_py._calls.call`
    call: Py<PyAny>,
    /// `atom_py.errors.from_core`
    from_core: Py<PyAny>,
    resolve: Py<PyAny>,
    create_future: Py<PyString>,
    add_done_callback: Py<PyString>,
    call_soon_threadsafe: Py<PyString>,
    done: Py<PyString>,
    cancelled: Py<PyString>,
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
        call: function("atom_py._calls", "call")?,
        from_core: function("atom_py.errors", "from_core")?,
        resolve: pyo3::wrap_pyfunction!(resolve, py)?.into_any().unbind(),
        create_future: name("create_future"),
        add_done_callback: name("add_done_callback"),
        call_soon_threadsafe: name("call_soon_threadsafe"),
        done: name("done"),
        cancelled: name("cancelled"),
        set_result: name("set_result"),
        set_exception: name("set_exception"),
    };
    Ok(KNOWN.get_or_init(|| found))
}

/// Who waits for a result.
struct Waiter {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

struct Done {
    waiter: Waiter,
    outcome: Outcome,
}

/// The duty to answer one waiter. A cancelled call drops it unanswered; then too it goes to the completer, because
/// Python objects that a worker releases pass through a lock of pyo3, which a fork could catch locked.
struct Ticket {
    queue: mpsc::Sender<Option<Done>>,
    waiter: Option<Waiter>,
}

impl Ticket {
    fn answer(&mut self, outcome: Outcome) {
        if let Some(waiter) = self.waiter.take() {
            let _ = self.queue.send(Some(Done { waiter, outcome }));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let dropped = Error::new(ErrorKind::Cancelled, "dropped", "the call was cancelled");
        self.answer(Box::new(move |py| Err(to_exception(py, &dropped))));
    }
}

struct Completer {
    pid: u32,
    queue: mpsc::Sender<Option<Done>>,
    thread: std::thread::JoinHandle<()>,
}

/// The thread that delivers results: none before the first awaited call and after interpreter exit.
static COMPLETER: Mutex<Option<Completer>> = Mutex::new(None);

/// Set at interpreter exit, when a new completer would outlive the interpreter.
static CLOSED: AtomicBool = AtomicBool::new(false);

fn completer(py: Python<'_>) -> PyResult<mpsc::Sender<Option<Done>>> {
    let running = |slot: &Option<Completer>| slot.as_ref().filter(|c| c.pid == std::process::id()).map(|c| c.queue.clone());
    if let Some(queue) = running(&lock(&COMPLETER)) {
        return Ok(queue);
    }
    // Two threads may both come here: closing twice does nothing twice.
    py.import("atexit")?.call_method1("register", (pyo3::wrap_pyfunction!(close, py)?,))?;
    let mut slot = lock(&COMPLETER);
    if CLOSED.load(Ordering::Relaxed) {
        return Err(PyRuntimeError::new_err("the interpreter is shutting down: no call can be awaited any more"));
    }
    if let Some(queue) = running(&slot) {
        return Ok(queue);
    }
    let (queue, incoming) = mpsc::channel();
    let thread = std::thread::Builder::new().name("atom-asyncio".into()).spawn(move || run_completer(&incoming))?;
    // A completer of the parent process is forgotten, not dropped: its thread and its locks do not exist here.
    std::mem::forget(slot.replace(Completer { pid: std::process::id(), queue: queue.clone(), thread }));
    Ok(queue)
}

fn run_completer(incoming: &mpsc::Receiver<Option<Done>>) {
    while let Ok(Some(first)) = incoming.recv() {
        let mut batch = vec![first];
        let mut last = false;
        for done in incoming.try_iter() {
            match done {
                Some(done) => batch.push(done),
                None => {
                    last = true;
                    break;
                }
            }
        }
        Python::attach(|py| {
            if let Err(error) = deliver(py, batch) {
                error.print(py);
            }
        });
        if last {
            break;
        }
    }
}

fn deliver(py: Python<'_>, batch: Vec<Done>) -> PyResult<()> {
    let known = known(py)?;
    let mut rest = batch.into_iter().peekable();
    while let Some(first) = rest.next() {
        let event_loop = first.waiter.event_loop.clone_ref(py);
        let list = PyList::empty(py);
        let push = |done: Done| -> PyResult<()> {
            let (ok, value) = match (done.outcome)(py) {
                Ok(value) => (true, value),
                Err(error) => (false, error.into_value(py).into_any()),
            };
            list.append((done.waiter.future, ok, value))
        };
        push(first)?;
        while let Some(done) = rest.next_if(|d| d.waiter.event_loop.is(&event_loop)) {
            push(done)?;
        }
        // A loop that was closed meanwhile has nobody left to tell.
        let _ = event_loop.call_method1(py, &known.call_soon_threadsafe, (&known.resolve, &list));
    }
    Ok(())
}

#[pyfunction]
fn resolve(py: Python<'_>, batch: Vec<(Py<PyAny>, bool, Py<PyAny>)>) -> PyResult<()> {
    let known = known(py)?;
    for (future, ok, value) in batch {
        if future.call_method0(py, &known.done)?.is_truthy(py)? {
            continue;
        }
        future.call_method1(py, if ok { &known.set_result } else { &known.set_exception }, (value,))?;
    }
    Ok(())
}

/// Runs at interpreter exit: after this no thread of ours touches Python again.
#[pyfunction]
fn close(py: Python<'_>) {
    py.detach(|| {
        let taken = {
            let mut slot = lock(&COMPLETER);
            CLOSED.store(true, Ordering::Relaxed);
            slot.take()
        };
        match taken {
            Some(completer) if completer.pid == std::process::id() => {
                let _ = completer.queue.send(None);
                let _ = completer.thread.join();
            }
            parents => std::mem::forget(parents),
        }
    });
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
    let start: Outcome = Box::new(move |py| spawn(py, work));
    known(py)?.call.bind(py).call1((Start(Mutex::new(Some(start))),))
}

/// Runs `work` on the runtime of this process and returns an asyncio future for it.
fn spawn<T>(py: Python<'_>, work: impl Future<Output = Result<T>> + Send + 'static) -> PyResult<Py<PyAny>>
where
    T: for<'a> IntoPyObject<'a> + Send + 'static,
{
    let known = known(py)?;
    let event_loop = known.get_running_loop.bind(py).call0()?;
    let future = event_loop.call_method0(&known.create_future)?;
    let waiter = Waiter { event_loop: event_loop.unbind(), future: future.clone().unbind() };
    let mut ticket = Ticket { queue: completer(py)?, waiter: Some(waiter) };
    let task = runtime()?.spawn(async move {
        let result = guarded(work).await;
        ticket.answer(Box::new(move |py| match result {
            // pyo3 makes `None` of a unit that a function returns, but an empty tuple of one that is converted.
            Ok(_) if TypeId::of::<T>() == TypeId::of::<()>() => Ok(py.None()),
            Ok(value) => value.into_py_any(py),
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
