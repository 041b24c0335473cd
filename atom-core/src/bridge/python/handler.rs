//! Python functions that run jobs.
//!
//! A coroutine function runs as a task of the event loop on which it was handed over, or of a loop of ours where there was none. A plain
//! function runs in a thread that Python made: one that the interpreter stops at its end must have no frame of Rust below Python's.

use super::completer::{Errand, Queue, completer};
use super::{known, lock};
use crate::{Handler, JobFailure, Json, RunningJob};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

impl<'a, 'py> FromPyObject<'a, 'py> for Handler {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let function = Arc::new(Function::new(&object)?);
        Ok(Self::new(move |job| run(Arc::clone(&function), job)))
    }
}

/// Runs one attempt. Whoever drops this wants the attempt to end.
async fn run(function: Arc<Function>, job: RunningJob) -> Result<Json, JobFailure> {
    let (answer, outcome) = oneshot::channel();
    let attempt = Arc::new(Attempt { function, job: job.clone(), state: Mutex::default() });
    let duty = Duty { attempt: Arc::clone(&attempt), answer: Some(answer) };
    if !attempt.function.queue.push(Errand::Begin(duty)) {
        return Err(gone());
    }
    let mut guard = CancelOnDrop(Some(attempt));
    tokio::pin!(outcome);
    let answered = tokio::select! {
        biased;
        answered = &mut outcome => answered,
        _ = job.cancelled() => {
            guard.cancel();
            outcome.await
        }
    };
    guard.0 = None;
    answered.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> JobFailure {
    JobFailure::gone("the event loop of the handler is closed: stop the worker before the loop ends")
}

/// A function that was handed over.
struct Function {
    /// Present until this is dropped.
    callable: Option<Py<PyAny>>,
    event_loop: Option<Py<PyAny>>,
    is_plain: bool,
    queue: Queue,
}

impl Function {
    fn new(callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = callable.py();
        if !callable.is_callable() {
            return Err(PyTypeError::new_err(format!("a handler is a function, not a {}", callable.get_type().name()?)));
        }
        let known = known(py)?;
        Ok(Self {
            is_plain: !known.is_coroutine_function.call1(py, (callable,))?.is_truthy(py)?,
            callable: Some(callable.clone().unbind()),
            event_loop: known.get_running_loop.call0(py).ok(),
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
    job: RunningJob,
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

    /// Whether an event loop runs it now.
    pub(super) fn is_under_way(&self) -> bool {
        lock(&self.state).task.is_some()
    }

    fn is_cancelled(&self) -> bool {
        lock(&self.state).is_cancelled
    }

    /// Ends it, from any thread: at once if it runs on an event loop, else as soon as it comes there.
    fn cancel(this: &Arc<Self>) {
        if !std::mem::replace(&mut lock(&this.state).is_cancelled, true) {
            this.function.queue.push(Errand::Cancel(Arc::clone(this)));
        }
    }

    /// On the thread of the event loop.
    pub(super) fn cancel_task(&self, py: Python<'_>) -> PyResult<()> {
        let task = lock(&self.state).task.as_ref().map(|task| task.clone_ref(py));
        task.map_or(Ok(()), |task| task.call_method0(py, &known(py)?.cancel).map(drop))
    }

    /// The event loop is closed and runs it no more.
    pub(super) fn forget_task(&self, _: Python<'_>) {
        // Released only after the lock is.
        let _task = lock(&self.state).task.take();
    }

    fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let callable = self.function.callable.as_ref().ok_or_else(|| PyTypeError::new_err("the handler was released"))?;
        callable.call1(py, (self.job.clone(),))
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
    attempt: Arc<Attempt>,
    answer: Option<oneshot::Sender<Result<Json, JobFailure>>>,
}

impl Drop for Duty {
    fn drop(&mut self) {
        // A task and its callbacks hold each other: whoever answers unties them.
        let _task = lock(&self.attempt.state).task.take();
    }
}

impl Duty {
    pub(super) fn attempt(&self) -> &Arc<Attempt> {
        &self.attempt
    }

    pub(super) fn is_plain(&self) -> bool {
        self.attempt.function.is_plain
    }

    fn answer(mut self, result: Result<Json, JobFailure>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(result);
        }
    }

    pub(super) fn fail(self, py: Python<'_>, error: PyErr) {
        self.answer(Err(failure(py, error)));
    }

    /// Answers with what a function returned.
    fn succeed(self, value: &Bound<'_, PyAny>) {
        let output = value.extract::<Json>();
        self.answer(output.map_err(|why| JobFailure::fatal("malformed_output", text_of(value.py(), &why))));
    }

    /// Calls a coroutine function, on the thread of its event loop.
    pub(super) fn begin(self, event_loop: &Bound<'_, PyAny>) {
        let py = event_loop.py();
        if self.attempt.is_cancelled() {
            return self.answer(Err(cancelled()));
        }
        let call = || event_loop.call_method1(&known(py)?.create_task, (self.attempt.call(py)?,));
        let task = call();
        self.watch(py, task);
    }

    /// Awaits what a plain function returned, on the thread of an event loop.
    pub(super) fn follow(self, event_loop: &Bound<'_, PyAny>, awaitable: &Bound<'_, PyAny>) {
        let py = event_loop.py();
        self.watch(py, known(py).and_then(|known| known.ensure_future.bind(py).call1((awaitable,))));
    }

    fn watch(self, py: Python<'_>, task: PyResult<Bound<'_, PyAny>>) {
        let attempt = Arc::clone(&self.attempt);
        let task = match task {
            Ok(task) => task,
            Err(error) => return self.fail(py, error),
        };
        let is_cancelled = {
            let mut state = lock(&attempt.state);
            state.task = Some(task.clone().unbind());
            state.is_cancelled
        };
        let finish = Finish(Mutex::new(Some(self)));
        let added = known(py).and_then(|known| task.call_method1(&known.add_done_callback, (finish,)));
        if added.is_err() || is_cancelled {
            let _ = attempt.cancel_task(py);
        }
    }

    /// Calls a plain function, in a thread of `threads`.
    pub(super) fn call_in(self, py: Python<'_>, threads: &Py<PyAny>) {
        if self.attempt.is_cancelled() {
            return self.answer(Err(cancelled()));
        }
        let call = Py::new(py, PlainCall(Mutex::new(Some(self))));
        if let Err(error) = call.and_then(|call| threads.call_method1(py, "run", (call,))) {
            error.print(py);
        }
    }
}

/// What the task of a coroutine does when it is done.
#[pyclass(frozen)]
struct Finish(Mutex<Option<Duty>>);

#[pymethods]
impl Finish {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = task.py();
        let Some(duty) = lock(&self.0).take() else { return Ok(()) };
        match task.call_method0(&known(py)?.result) {
            Ok(value) => duty.succeed(&value),
            Err(error) => duty.fail(py, error),
        }
        Ok(())
    }
}

/// A call of a plain function, as the thread that makes it sees it.
#[pyclass(frozen)]
struct PlainCall(Mutex<Option<Duty>>);

impl PlainCall {
    fn take(&self) -> PyResult<Duty> {
        lock(&self.0).take().ok_or_else(|| PyTypeError::new_err("a call ends once"))
    }
}

#[pymethods]
impl PlainCall {
    /// The function and its job.
    fn parts(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, RunningJob)> {
        let attempt = lock(&self.0).as_ref().map(|duty| Arc::clone(&duty.attempt));
        let attempt = attempt.ok_or_else(|| PyTypeError::new_err("a call is made once"))?;
        let callable = attempt.function.callable.as_ref().map(|callable| callable.clone_ref(py));
        Ok((callable.ok_or_else(|| PyTypeError::new_err("the handler was released"))?, attempt.job.clone()))
    }

    fn succeed(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let duty = self.take()?;
        // A lambda around a coroutine function is a plain function to whoever looks at it.
        if value.get_type().hasattr("__await__")? {
            let queue = duty.attempt.function.queue.clone();
            queue.push(Errand::Await(duty, value.clone().unbind()));
        } else {
            duty.succeed(value);
        }
        Ok(())
    }

    fn fail(&self, error: Bound<'_, PyAny>) -> PyResult<()> {
        let py = error.py();
        self.take()?.fail(py, PyErr::from_value(error));
        Ok(())
    }
}

fn cancelled() -> JobFailure {
    JobFailure::new("cancelled", "the job was cancelled before its handler began")
}

/// What an exception says about the attempt.
fn failure(py: Python<'_>, error: PyErr) -> JobFailure {
    let read = || -> PyResult<JobFailure> {
        let (reason, text, retryable, retry_after) =
            known(py)?.to_failure.bind(py).call1((error.value(py),))?.extract::<(String, String, bool, Option<f64>)>()?;
        let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(JobFailure { reason, text, retryable, retry_after })
    };
    read().unwrap_or_else(|_| JobFailure::new("unreadable_exception", "the handler raised an exception that cannot be read"))
}

fn text_of(py: Python<'_>, error: &PyErr) -> String {
    error.value(py).str().map_or_else(|_| "the handler returned no JSON value".to_owned(), |text| text.to_string())
}
