//! Futures in, awaitables out.
//!
//! One thread of ours hands finished results to asyncio, in batches, through `call_soon_threadsafe`. It is closed and
//! joined from `atexit`, so that no thread touches Python while the interpreter ends; it and the runtime belong to one
//! process id, so that a forked child gets its own instead of waiting for threads that do not exist there.

use crate::{Bytes, Error, Json, Result};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{IntoPyObjectExt, intern};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
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

struct Done {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
    outcome: Outcome,
}

struct Completer {
    pid: u32,
    queue: mpsc::Sender<Option<Done>>,
    thread: std::thread::JoinHandle<()>,
}

/// The thread that delivers results. `None` before the first awaited call and after interpreter exit.
static COMPLETER: Mutex<Option<Completer>> = Mutex::new(None);

fn completer(py: Python<'_>) -> PyResult<mpsc::Sender<Option<Done>>> {
    let mut slot = lock(&COMPLETER);
    if let Some(running) = slot.as_ref().filter(|c| c.pid == std::process::id()) {
        return Ok(running.queue.clone());
    }
    let (queue, incoming) = mpsc::channel();
    let thread = std::thread::Builder::new().name("atom-asyncio".into()).spawn(move || run_completer(&incoming))?;
    py.import("atexit")?.call_method1("register", (pyo3::wrap_pyfunction!(close, py)?,))?;
    // A completer of the parent process is forgotten, not joined: its thread does not exist here.
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
    static RESOLVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let resolve = RESOLVE.get_or_try_init(py, || PyResult::Ok(pyo3::wrap_pyfunction!(resolve, py)?.into_any().unbind()))?;
    let mut rest = batch.into_iter().peekable();
    while let Some(first) = rest.next() {
        let event_loop = first.event_loop.clone_ref(py);
        let list = PyList::empty(py);
        let push = |done: Done| -> PyResult<()> {
            let (ok, value) = match (done.outcome)(py) {
                Ok(value) => (true, value),
                Err(error) => (false, error.into_value(py).into_any()),
            };
            list.append((done.future, ok, value))
        };
        push(first)?;
        while let Some(done) = rest.next_if(|d| d.event_loop.is(&event_loop)) {
            push(done)?;
        }
        // A loop that was closed meanwhile has nobody left to tell.
        let _ = event_loop.call_method1(py, intern!(py, "call_soon_threadsafe"), (resolve, &list));
    }
    Ok(())
}

#[pyfunction]
fn resolve(py: Python<'_>, batch: Vec<(Py<PyAny>, bool, Py<PyAny>)>) -> PyResult<()> {
    for (future, ok, value) in batch {
        if future.call_method0(py, intern!(py, "done"))?.is_truthy(py)? {
            continue;
        }
        future.call_method1(py, if ok { intern!(py, "set_result") } else { intern!(py, "set_exception") }, (value,))?;
    }
    Ok(())
}

/// Runs at interpreter exit: after this no thread of ours touches Python again.
#[pyfunction]
fn close(py: Python<'_>) {
    py.detach(|| {
        let running = lock(&COMPLETER).take().filter(|c| c.pid == std::process::id());
        if let Some(completer) = running {
            let _ = completer.queue.send(None);
            let _ = completer.thread.join();
        }
    });
}

#[pyclass(frozen)]
struct AbortOnCancel(tokio::task::AbortHandle);

#[pymethods]
impl AbortOnCancel {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0(intern!(future.py(), "cancelled"))?.is_truthy()? {
            self.0.abort();
        }
        Ok(())
    }
}

/// Runs `work` on the runtime of this process and returns an asyncio future for it.
pub(crate) fn awaitable<'py, T>(
    py: Python<'py>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    T: for<'a> IntoPyObject<'a> + Send + 'static,
{
    static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let event_loop = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?.call0()?;
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let (queue, event_loop, target) = (completer(py)?, event_loop.unbind(), future.clone().unbind());
    let task = runtime()?.spawn(async move {
        let result = work.await;
        let outcome: Outcome = Box::new(move |py| result.map_err(|e| to_exception(py, &e))?.into_py_any(py));
        let _ = queue.send(Some(Done { event_loop, future: target, outcome }));
    });
    future.call_method1(intern!(py, "add_done_callback"), (AbortOnCancel(task.abort_handle()),))?;
    Ok(future)
}

/// Runs `work` to its end on this thread, with the interpreter released.
pub(crate) fn blocking<T: Send>(py: Python<'_>, work: impl Future<Output = Result<T>> + Send) -> PyResult<T> {
    let runtime = runtime()?;
    py.detach(|| runtime.block_on(work)).map_err(|e| to_exception(py, &e))
}

/// The exception for an error: a class of `atom_py.errors`, which is plain Python, so that it pickles and documents itself.
fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    static RAISE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let build = || -> PyResult<Bound<'_, PyAny>> {
        RAISE.import(py, "atom_py.errors", "from_core")?.call1((
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

/// `Name(a=1, b='x')`, from the attributes of a record.
pub(crate) fn repr(object: &Bound<'_, PyAny>, name: &str, fields: &[&str]) -> PyResult<String> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        parts.push(format!("{field}={}", object.getattr(*field)?.repr()?));
    }
    Ok(format!("{name}({})", parts.join(", ")))
}

impl<'py> IntoPyObject<'py> for Bytes {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = std::convert::Infallible;
    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBytes::new(py, &self.0))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.cast::<PyBytes>()?.as_bytes().to_vec()))
    }
}

impl<'py> IntoPyObject<'py> for Json {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        json_to_python(py, &self.0)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Json {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        json_from_python(&object, 0).map(Self)
    }
}

fn json_to_python<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value;
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(b) => b.into_bound_py_any(py)?,
        Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => i.into_bound_py_any(py)?,
            (_, Some(u)) => u.into_bound_py_any(py)?,
            _ => n.as_f64().into_bound_py_any(py)?,
        },
        Value::String(s) => s.into_bound_py_any(py)?,
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(json_to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, item) in entries {
                dict.set_item(key, json_to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// serde_json refuses deeper texts when reading; the same bound keeps a self-containing list from exhausting the stack.
const MAX_DEPTH: usize = 128;

fn json_from_python(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<serde_json::Value> {
    use serde_json::Value;
    if depth > MAX_DEPTH {
        return Err(PyValueError::new_err("JSON values nest at most 128 levels deep"));
    }
    if object.is_none() {
        Ok(Value::Null)
    } else if object.is_instance_of::<PyBool>() {
        Ok(Value::Bool(object.extract()?))
    } else if object.is_instance_of::<PyInt>() {
        Ok(object.extract::<i64>().map(Value::from).or_else(|_| object.extract::<u64>().map(Value::from))?)
    } else if object.is_instance_of::<PyFloat>() {
        let number = object.extract::<f64>()?;
        serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| PyValueError::new_err("JSON has no NaN or infinity"))
    } else if object.is_instance_of::<PyString>() {
        Ok(Value::String(object.extract()?))
    } else if let Ok(dict) = object.cast::<PyDict>() {
        let entries = dict.iter().map(|(k, v)| Ok((k.extract::<String>()?, json_from_python(&v, depth + 1)?)));
        Ok(Value::Object(entries.collect::<PyResult<_>>()?))
    } else if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        Ok(Value::Array(object.try_iter()?.map(|item| json_from_python(&item?, depth + 1)).collect::<PyResult<_>>()?))
    } else {
        Err(PyValueError::new_err(format!("a {} is not a JSON value", object.get_type().name()?)))
    }
}

/// Makes a Rust type a `str` in Python.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        impl<'py> ::pyo3::IntoPyObject<'py> for $name {
            type Target = ::pyo3::types::PyString;
            type Output = ::pyo3::Bound<'py, ::pyo3::types::PyString>;
            type Error = ::std::convert::Infallible;
            fn into_pyobject(self, py: ::pyo3::Python<'py>) -> ::std::result::Result<Self::Output, Self::Error> {
                let print: fn($name) -> String = $print;
                Ok(::pyo3::types::PyString::new(py, &print(self)))
            }
        }

        impl<'a, 'py> ::pyo3::FromPyObject<'a, 'py> for $name {
            type Error = ::pyo3::PyErr;
            fn extract(object: ::pyo3::Borrowed<'a, 'py, ::pyo3::PyAny>) -> ::pyo3::PyResult<Self> {
                let parse: fn(String) -> ::std::result::Result<$name, $crate::Error> = $parse;
                Ok(parse(object.extract::<String>()?)?)
            }
        }
    };
}
pub(crate) use string_like;
