//! Python functions that run jobs, carry out operations, keep keys or send mail.
//!
//! A coroutine function runs as a task of the event loop on which it was handed over, or of a loop of ours where there was none. A plain
//! function runs in a thread that Python made. Either is called by `atom_py._calls`, never from Rust: a thread that the interpreter
//! stops at its end must have no frame of Rust below one of Python.

use super::completer::{Errand, Queue, completer};
use super::{known, lock};
use crate::bridge::returned::Returned;
use crate::{Connection, Error, Handler, JobFailure, Json, OutgoingMail, RunningJob};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

impl<'a, 'py> FromPyObject<'a, 'py> for Handler {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let function = Arc::new(Function::new(&object, "a handler")?);
        Ok(Self::new(move |job| run(Arc::clone(&function), job)))
    }
}

async fn run(function: Arc<Function>, job: RunningJob) -> Result<Json, JobFailure> {
    let ends = job.clone();
    let cancelled = async move { drop(ends.cancelled().await) };
    match call(function, Arguments::Job(job), cancelled).await? {
        Output::Json(output) => Ok(output),
        Output::Bytes(_) | Output::Text(_) | Output::Refusal(_) => Err(gone()),
    }
}

/// Calls a function, and cancels the call when that is wanted. Whoever drops this wants it to end.
pub(super) async fn call(
    function: Arc<Function>,
    arguments: Arguments,
    cancelled: impl Future<Output = ()>,
) -> Result<Output, JobFailure> {
    let (answer, outcome) = oneshot::channel();
    let attempt = Arc::new(Attempt { function, arguments, state: Mutex::default() });
    let duty = Duty { attempt: Arc::clone(&attempt), answer: Some(answer) };
    if !attempt.function.queue.push(Errand::Begin(duty)) {
        return Err(gone());
    }
    let mut guard = CancelOnDrop(Some(attempt));
    tokio::pin!(outcome);
    let answered = tokio::select! {
        biased;
        answered = &mut outcome => answered,
        () = cancelled => {
            guard.cancel();
            outcome.await
        }
    };
    guard.0 = None;
    answered.unwrap_or_else(|_| Err(gone()))
}

/// What a function is called with, which says what it has to return.
pub(super) enum Arguments {
    /// It returns any JSON.
    Job(RunningJob),
    /// A data key, wrapped or not, and its context. It returns bytes.
    Key(Zeroizing<Vec<u8>>, Vec<u8>),
    /// A connection and the input of an operation. It returns any JSON.
    Hook(Connection, Json),
    /// A mail to send. It returns a text, or nothing.
    Mail(Box<OutgoingMail>),
}

pub(super) enum Output {
    Json(Json),
    Bytes(Zeroizing<Vec<u8>>),
    Text(Option<String>),
    /// An error of ours that a hook or a mail sender raised.
    Refusal(Error),
}

fn gone() -> JobFailure {
    JobFailure::gone("the event loop of the handler is closed: stop the worker before the loop ends")
}

/// A function that was handed over.
pub(super) struct Function {
    /// Present until this is dropped.
    callable: Option<Py<PyAny>>,
    event_loop: Option<Py<PyAny>>,
    /// Found out at the first call: it takes code in Python.
    is_plain: OnceLock<bool>,
    queue: Queue,
}

impl Function {
    pub(super) fn new(callable: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        let py = callable.py();
        if !callable.is_callable() {
            return Err(PyTypeError::new_err(format!("{what} is a function, not a {}", callable.get_type().name()?)));
        }
        Ok(Self {
            callable: Some(callable.clone().unbind()),
            event_loop: known(py)?.get_running_loop.call0(py).ok(),
            is_plain: OnceLock::new(),
            queue: completer(py)?,
        })
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        for object in self.callable.take().into_iter().chain(self.event_loop.take()) {
            self.queue.push(Errand::Release(object));
        }
    }
}

/// One run of a function.
pub(super) struct Attempt {
    function: Arc<Function>,
    arguments: Arguments,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_cancelled: bool,
    /// The task of the event loop, while it runs.
    task: Option<Py<PyAny>>,
}

impl Attempt {
    /// Where the function was handed over.
    pub(super) fn event_loop(&self) -> Option<&Py<PyAny>> {
        self.function.event_loop.as_ref()
    }

    /// What an event loop runs of it now.
    pub(super) fn task(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.state).task.as_ref().map(|task| task.clone_ref(py))
    }

    /// Unties the task from its callbacks, which hold it through this. The caller releases it after the lock is open again.
    pub(super) fn take_task(&self) -> Option<Py<PyAny>> {
        lock(&self.state).task.take()
    }

    /// Ends it, from any thread: at once if it runs on an event loop, else as soon as it comes there.
    fn cancel(this: &Arc<Self>) {
        if !std::mem::replace(&mut lock(&this.state).is_cancelled, true) {
            this.function.queue.push(Errand::Cancel(Arc::clone(this)));
        }
    }
}

struct CancelOnDrop(Option<Arc<Attempt>>);

impl CancelOnDrop {
    fn cancel(&self) {
        self.0.iter().for_each(Attempt::cancel);
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The duty to answer for one attempt. Dropped unanswered, it says that nobody is left who could.
pub(super) struct Duty {
    pub(super) attempt: Arc<Attempt>,
    answer: Option<oneshot::Sender<Result<Output, JobFailure>>>,
}

impl Drop for Duty {
    fn drop(&mut self) {
        drop(self.attempt.take_task());
    }
}

impl Duty {
    /// Whether it needs no event loop, but a thread.
    pub(super) fn is_plain(&self, py: Python<'_>) -> PyResult<bool> {
        let function = &self.attempt.function;
        if let Some(known) = function.is_plain.get() {
            return Ok(*known);
        }
        let is_plain = !known(py)?.is_coroutine_function.call1(py, (&function.callable,))?.is_truthy(py)?;
        Ok(*function.is_plain.get_or_init(|| is_plain))
    }

    fn answer(mut self, result: Result<Output, JobFailure>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(result);
        }
    }
}

/// The call of a handler for one attempt, as `atom_py._calls` sees it.
#[pyclass(frozen)]
pub(super) struct HandlerCall {
    attempt: Arc<Attempt>,
    duty: Mutex<Option<Duty>>,
}

impl HandlerCall {
    pub(super) fn new(duty: Duty) -> Self {
        Self { attempt: Arc::clone(&duty.attempt), duty: Mutex::new(Some(duty)) }
    }

    fn duty(&self) -> PyResult<Duty> {
        lock(&self.duty).take().ok_or_else(|| PyRuntimeError::new_err("a call is answered once"))
    }
}

#[pymethods]
impl HandlerCall {
    #[getter]
    fn function(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.attempt.function.callable.as_ref().map(|callable| callable.clone_ref(py))
    }

    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match &self.attempt.arguments {
            Arguments::Job(job) => PyTuple::new(py, [job.clone().into_pyobject(py)?.into_any()]),
            Arguments::Hook(connection, input) => {
                let connection = connection.clone().into_pyobject(py)?.into_any();
                PyTuple::new(py, [connection, input.clone().into_pyobject(py)?])
            }
            Arguments::Mail(mail) => PyTuple::new(py, [OutgoingMail::clone(mail).into_pyobject(py)?.into_any()]),
            Arguments::Key(input, context) => PyTuple::new(py, [PyBytes::new(py, input), PyBytes::new(py, context)]),
        }
    }

    /// Whether what is raised may hold a key, so that nothing but its class may be told.
    #[getter]
    fn is_secret(&self) -> bool {
        matches!(self.attempt.arguments, Arguments::Key(..))
    }

    /// Whether an error of ours that is raised reaches the caller as it is.
    #[getter]
    fn is_hook(&self) -> bool {
        matches!(self.attempt.arguments, Arguments::Hook(..) | Arguments::Mail(_))
    }

    /// What the function is, for whoever reads the log.
    #[getter]
    fn what(&self) -> &'static str {
        match self.attempt.arguments {
            Arguments::Job(_) => "a job handler",
            Arguments::Hook(..) => "an operation's hook",
            Arguments::Mail(_) => "a mail sender",
            Arguments::Key(..) => "a key provider",
        }
    }

    #[getter]
    fn is_cancelled(&self) -> bool {
        lock(&self.attempt.state).is_cancelled
    }

    /// Keeps the task, so that it can be cancelled from now on.
    fn watch(&self, task: Bound<'_, PyAny>) {
        lock(&self.attempt.state).task = Some(task.unbind());
    }

    /// Has the event loop await what a plain function returned.
    fn follow(&self, awaitable: Bound<'_, PyAny>) -> PyResult<()> {
        self.attempt.function.queue.push(Errand::Follow(self.duty()?, awaitable.unbind()));
        Ok(())
    }

    fn succeed(&self, output: &Bound<'_, PyAny>) -> PyResult<()> {
        let malformed = |why: PyErr| match why.value(output.py()).str() {
            Ok(text) => JobFailure::fatal("malformed_output", text.to_string()),
            Err(_) => JobFailure::fatal("malformed_output", "the handler returned no JSON value"),
        };
        let result = match &self.attempt.arguments {
            Arguments::Job(_) | Arguments::Hook(..) => output.extract().map(Output::Json).map_err(malformed),
            Arguments::Mail(_) => output.extract().map(Output::Text).map_err(|_| JobFailure::fatal("it returned no text", "")),
            Arguments::Key(..) => match output.cast::<PyBytes>() {
                Ok(bytes) => Ok(Output::Bytes(Zeroizing::new(bytes.as_bytes().to_vec()))),
                Err(_) => Err(JobFailure::fatal("it returned no bytes", "")),
            },
        };
        self.duty()?.answer(result);
        Ok(())
    }

    fn fail(&self, reason: String, text: String, retryable: bool, retry_after: Option<f64>) -> PyResult<()> {
        let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        self.duty()?.answer(Err(JobFailure { reason, text, retryable, retry_after }));
        Ok(())
    }

    fn refuse(
        &self,
        code: String,
        reason: String,
        text: String,
        provider: Option<String>,
        status: Option<u16>,
        retry_after: Option<f64>,
    ) -> PyResult<()> {
        let error = Returned { code, reason, text, provider, status, retry_after }.error();
        self.duty()?.answer(Ok(Output::Refusal(error)));
        Ok(())
    }
}
