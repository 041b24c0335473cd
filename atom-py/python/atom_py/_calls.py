"""What only Python can do for the native module: make coroutines, threads and an event loop, and call its functions."""

import asyncio
import atexit
import inspect
import os
import queue
import threading
from functools import partial
from typing import Any, Callable, Optional, Protocol

from .errors import AtomError, to_failure


class Start(Protocol):
    """A call of the native module that was not made yet."""

    def at_once(self) -> Optional[tuple[Any]]: ...
    def go_on(self, loop: Any, future: Any) -> Callable[[Any], None]: ...


async def call(start: Start) -> Any:
    """Starts the work when it is awaited, as every coroutine does, so that `asyncio.run` and task groups accept it."""
    done = start.at_once()
    if done is not None:
        return done[0]
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.add_done_callback(start.go_on(loop, future))
    return await future


def perform(tasks: list[tuple[Any, ...]]) -> None:
    """Does what the native module wants of one turn of an event loop."""
    for function, *arguments in tasks:
        function(*arguments)


def resolve(future: Any, ok: bool, value: Any) -> None:
    """Answers a call. Its caller may be gone."""
    if not future.done():
        (future.set_result if ok else future.set_exception)(value)


class HandlerCall(Protocol):
    """The call of a job handler, of an operation's hook or of a key provider, which the native module wants to be made and answered."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_cancelled: bool
    is_secret: bool
    is_hook: bool
    what: str

    def watch(self, task: Any) -> None: ...
    def follow(self, awaitable: Any) -> None: ...
    def succeed(self, output: Any) -> None: ...
    def fail(self, reason: str, text: str, retryable: bool, retry_after: Optional[float]) -> None: ...
    def refuse(
        self,
        code: str,
        reason: str,
        text: str,
        provider: Optional[str],
        status: Optional[int],
        retry_after: Optional[float],
    ) -> None: ...


def begin(call: HandlerCall) -> None:
    """Calls a coroutine function, on its event loop."""
    if call.is_cancelled:
        return fail(call, asyncio.CancelledError())
    try:
        task = asyncio.get_running_loop().create_task(call.function(*call.arguments))
    except BaseException as error:
        return fail(call, error)
    watch(call, task)


def follow(call: HandlerCall, awaitable: Any) -> None:
    """Awaits what a plain function returned, on an event loop."""
    try:
        task = asyncio.ensure_future(awaitable)
    except BaseException as error:
        return fail(call, error)
    watch(call, task)


def watch(call: HandlerCall, task: "asyncio.Future[Any]") -> None:
    """Answers a call when its task is done, and keeps the task from now on where a cancellation finds it."""
    task.add_done_callback(partial(finish, call))
    call.watch(task)
    if call.is_cancelled:
        task.cancel()


def finish(call: HandlerCall, task: "asyncio.Future[Any]") -> None:
    """Answers a call with what came of its task."""
    try:
        output = task.result()
    except BaseException as error:
        fail(call, error)
    else:
        call.succeed(output)


def fail(call: HandlerCall, error: BaseException) -> None:
    """Answers a call whose function raised."""
    if call.is_secret:
        return call.fail(type(error).__name__, "", False, None)
    try:
        if call.is_hook and isinstance(error, AtomError):
            call.refuse(error.code, error.reason, str(error), error.provider, error.status, error.retry_after)
        else:
            call.fail(*to_failure(error, call.what))
    except Exception:
        call.fail("unreadable_exception", "the handler raised an exception that cannot be read", True, None)


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine; also for an object with such a `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


LOOP_SECONDS = 2.0
"""How long the tasks of that loop may take to end. One that will not end must not keep the process."""


def start_loop() -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own, which ends with the interpreter."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run_loop, args=(loop,), name="atom-handlers", daemon=True)
    thread.start()
    atexit.register(_stop_loop, loop, thread, os.getpid())
    return loop


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _stop_loop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, pid: int) -> None:
    # A forked child has neither the thread nor the loop.
    if os.getpid() == pid:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=LOOP_SECONDS)


class Threads:
    """As many threads as plain functions run at the same time. They end with the interpreter, or when nothing came for a while."""

    IDLE_SECONDS = 10.0

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[HandlerCall] = queue.SimpleQueue()
        # Counts the threads that wait for a call which nobody else counts on.
        self._idle = threading.Semaphore(0)

    def run(self, call: HandlerCall) -> None:
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._serve, name="atom-handler", daemon=True).start()
        self._calls.put(call)

    def _serve(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=self.IDLE_SECONDS)
            except queue.Empty:
                if self._idle.acquire(blocking=False):
                    return
                continue
            answer = _make(call)
            # Counted before the answer goes out, because the next call may follow on it at once.
            self._idle.release()
            answer()
            del call, answer


def _make(call: HandlerCall) -> Callable[[], None]:
    """Calls a plain function and returns how to answer."""
    if call.is_cancelled:
        return partial(fail, call, asyncio.CancelledError())
    try:
        output = call.function(*call.arguments)
    except BaseException as error:
        return partial(fail, call, error)
    # A lambda around a coroutine function is a plain function to whoever looks at it.
    return partial(call.follow if hasattr(output, "__await__") else call.succeed, output)
