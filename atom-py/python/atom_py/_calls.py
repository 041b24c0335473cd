"""What the native module cannot say itself: coroutines, threads and an event loop that Python made."""

import asyncio
import atexit
import inspect
import os
import queue
import threading
from functools import partial
from typing import Any, Awaitable, Callable, Protocol


async def call(start: Callable[[], Awaitable[Any]]) -> Any:
    """Starts the work when it is awaited, as every coroutine does, so that `asyncio.run` and task groups accept it."""
    return await start()


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


class PlainCall(Protocol):
    """A call of a plain function, made by the native module."""

    def parts(self) -> tuple[Callable[[Any], Any], Any]: ...
    def succeed(self, value: Any) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class Threads:
    """As many threads as plain functions run at the same time. They end with the interpreter, or when nothing came for a while."""

    IDLE_SECONDS = 10.0

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[PlainCall] = queue.SimpleQueue()
        # Counts the threads that wait for a call which nobody else counts on.
        self._idle = threading.Semaphore(0)

    def run(self, call: PlainCall) -> None:
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


def _make(call: PlainCall) -> Callable[[], None]:
    function, job = call.parts()
    try:
        value = function(job)
    except BaseException as error:
        return partial(call.fail, error)
    return partial(call.succeed, value)
