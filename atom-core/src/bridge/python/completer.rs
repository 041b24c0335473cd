//! The thread that brings to Python what is due there: results to those who wait, jobs to their handlers.
//!
//! It hands over in batches, through `call_soon_threadsafe`. It is closed and joined from `atexit`, so that no thread of ours touches
//! Python while the interpreter ends; it belongs to one process id, so that a forked child gets its own.

use super::handler::{Attempt, Duty, HandlerCall};
use super::{Outcome, known, lock};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// Something to be done in Python.
pub(super) enum Errand {
    /// Answers the future of a call.
    Answer { event_loop: Py<PyAny>, future: Py<PyAny>, outcome: Outcome },
    /// Calls a handler.
    Begin(Duty),
    /// Awaits what a plain function returned.
    Follow(Duty, Py<PyAny>),
    /// Ends an attempt.
    Cancel(Arc<Attempt>),
    /// Lets go of an object. Released by any other thread it would pass through a lock of pyo3, which a fork could catch locked.
    Release(Py<PyAny>),
}

/// Where errands are left; any thread may, also one that does not hold the interpreter.
#[derive(Clone)]
pub(super) struct Queue {
    pid: u32,
    sender: mpsc::Sender<Option<Errand>>,
}

impl Queue {
    /// Whether somebody will take it.
    pub(super) fn push(&self, errand: Errand) -> bool {
        // In a forked child the thread and the locks of the queue stayed with the parent.
        let is_open = self.pid == std::process::id() && !CLOSED.load(Ordering::Relaxed);
        let unsent = if is_open { self.sender.send(Some(errand)).err().and_then(|e| e.0) } else { Some(errand) };
        let is_taken = unsent.is_none();
        std::mem::forget(unsent);
        is_taken
    }
}

struct Completer {
    queue: Queue,
    thread: std::thread::JoinHandle<()>,
}

/// None before the first errand and after interpreter exit.
static COMPLETER: Mutex<Option<Completer>> = Mutex::new(None);

/// Set at interpreter exit, when a new completer would outlive the interpreter.
static CLOSED: AtomicBool = AtomicBool::new(false);

pub(super) fn completer(py: Python<'_>) -> PyResult<Queue> {
    let running = |slot: &Option<Completer>| slot.as_ref().filter(|c| c.queue.pid == std::process::id()).map(|c| c.queue.clone());
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
    let (sender, incoming) = mpsc::channel();
    let queue = Queue { pid: std::process::id(), sender };
    let thread = std::thread::Builder::new().name("atom-asyncio".into()).spawn(move || run(incoming))?;
    // A completer of the parent process is forgotten, not dropped: its thread and its locks do not exist here.
    std::mem::forget(slot.replace(Completer { queue: queue.clone(), thread }));
    Ok(queue)
}

fn run(incoming: mpsc::Receiver<Option<Errand>>) {
    let mut house = House::default();
    while let Ok(Some(first)) = incoming.recv() {
        let mut batch = vec![first];
        let mut last = false;
        for errand in incoming.try_iter() {
            match errand {
                Some(errand) => batch.push(errand),
                None => {
                    last = true;
                    break;
                }
            }
        }
        Python::attach(|py| {
            if let Err(error) = house.deliver(py, batch) {
                error.print(py);
            }
        });
        if last {
            break;
        }
    }
    Python::attach(|_| {
        drop(house);
        incoming.try_iter().for_each(drop);
    });
    // What comes too late stays where it is: nobody may release it any more.
    std::mem::forget(incoming);
}

/// What the thread keeps for handlers, made when the first of them needs it.
#[derive(Default)]
struct House {
    /// For coroutine functions that came from a thread without an event loop.
    event_loop: Option<Py<PyAny>>,
    /// For plain functions.
    threads: Option<Py<PyAny>>,
}

impl House {
    fn deliver(&mut self, py: Python<'_>, batch: Vec<Errand>) -> PyResult<()> {
        let known = known(py)?;
        let mut rounds: Vec<Round<'_>> = Vec::new();
        for errand in batch {
            let one = match errand {
                Errand::Answer { event_loop, future, outcome } => {
                    let (ok, value) = match outcome(py) {
                        Ok(value) => (true, value),
                        Err(error) => (false, error.into_value(py).into_any()),
                    };
                    Round::add(&mut rounds, event_loop.bind(py), (&known.resolve, future, ok, value))
                }
                Errand::Begin(duty) => self.begin(py, &mut rounds, duty),
                Errand::Follow(duty, awaitable) => self
                    .home(py, &duty.attempt)
                    .and_then(|home| Round::add(&mut rounds, home.bind(py), (&known.follow, HandlerCall::new(duty), awaitable))),
                Errand::Cancel(attempt) => self.cancel(py, &mut rounds, attempt),
                Errand::Release(object) => {
                    drop(object);
                    Ok(())
                }
            };
            // One that fails must not take the others with it; a handler's attempt is answered when its duty is dropped.
            if let Err(error) = one {
                error.print(py);
            }
        }
        for Round { event_loop, tasks, cancelled } in rounds {
            if event_loop.call_method1(&known.call_soon_threadsafe, (&known.perform, tasks)).is_err() {
                // A loop that was closed meanwhile has nobody left to tell, and runs no handler any more.
                cancelled.iter().for_each(|attempt| drop(attempt.take_task()));
            }
        }
        Ok(())
    }

    fn begin<'py>(&mut self, py: Python<'py>, rounds: &mut Vec<Round<'py>>, duty: Duty) -> PyResult<()> {
        if duty.is_plain(py)? {
            return self.threads(py)?.call_method1(py, "run", (HandlerCall::new(duty),)).map(drop);
        }
        let home = self.home(py, &duty.attempt)?;
        Round::add(rounds, home.bind(py), (&known(py)?.begin, HandlerCall::new(duty)))
    }

    fn cancel<'py>(&mut self, py: Python<'py>, rounds: &mut Vec<Round<'py>>, attempt: Arc<Attempt>) -> PyResult<()> {
        // What has no task yet sees for itself that it is cancelled.
        let Some(task) = attempt.task(py) else { return Ok(()) };
        let home = self.home(py, &attempt)?;
        Round::add(rounds, home.bind(py), (task.getattr(py, "cancel")?,))?;
        if let Some(round) = rounds.last_mut() {
            round.cancelled.push(attempt);
        }
        Ok(())
    }

    /// The event loop where the coroutines of a handler run.
    fn home(&mut self, py: Python<'_>, attempt: &Attempt) -> PyResult<Py<PyAny>> {
        match (attempt.event_loop(), &self.event_loop) {
            (Some(given), _) => Ok(given.clone_ref(py)),
            (None, Some(own)) => Ok(own.clone_ref(py)),
            (None, None) => {
                let own = known(py)?.start_loop.call0(py)?;
                Ok(self.event_loop.insert(own).clone_ref(py))
            }
        }
    }

    fn threads(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(threads) = &self.threads {
            return Ok(threads.clone_ref(py));
        }
        let threads = known(py)?.threads.call0(py)?;
        Ok(self.threads.insert(threads).clone_ref(py))
    }
}

/// What one turn of an event loop has to do for us.
struct Round<'py> {
    event_loop: Bound<'py, PyAny>,
    /// Functions with their arguments.
    tasks: Bound<'py, PyList>,
    cancelled: Vec<Arc<Attempt>>,
}

impl<'py> Round<'py> {
    fn add(rounds: &mut Vec<Self>, event_loop: &Bound<'py, PyAny>, task: impl IntoPyObject<'py>) -> PyResult<()> {
        let py = event_loop.py();
        match rounds.last() {
            Some(last) if last.event_loop.is(event_loop) => last.tasks.append(task),
            _ => {
                let tasks = PyList::empty(py);
                tasks.append(task)?;
                rounds.push(Self { event_loop: event_loop.clone(), tasks, cancelled: Vec::new() });
                Ok(())
            }
        }
    }
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
            Some(completer) if completer.queue.pid == std::process::id() => {
                let _ = completer.queue.sender.send(None);
                let _ = completer.thread.join();
            }
            parents => std::mem::forget(parents),
        }
    });
}
