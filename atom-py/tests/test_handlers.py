"""Functions that run jobs: coroutine functions and plain ones, what they return, raise and do when a job is cancelled."""

import asyncio
import contextvars
import copy
import functools
import gc
import logging
import pickle
import threading
import time
import weakref

import pytest

import atom_py
from atom_py import JobError, Probe, RunningJob, Trial, _calls


def trial(**fields):
    return Trial(**{"kind": "test", "input": None, "jobs": 1, **fields})


def outcomes(handler, **fields):
    """What comes of jobs whose handler was handed over on an event loop."""

    async def main():
        return await (await Probe.start()).run({"test": handler}, trial(**fields))

    return asyncio.run(main())


def outcomes_blocking(handler, **fields):
    """What comes of jobs whose handler was handed over where no event loop ran."""
    return Probe.start_blocking().run_blocking({"test": handler}, trial(**fields))


@pytest.fixture(params=[outcomes, outcomes_blocking], ids=["on a loop", "without a loop"])
def try_(request):
    return request.param


def one(results):
    assert len(results) == 1
    return results[0]


async def echo(job):
    await asyncio.sleep(0)
    return job.input


def plain_echo(job):
    return job.input


class Callable:
    async def __call__(self, job):
        return await echo(job)

    async def method(self, job):
        return await echo(job)


ECHOES = [
    echo,
    plain_echo,
    lambda job: job.input,
    lambda job: echo(job),
    functools.partial(echo),
    functools.partial(plain_echo),
    Callable(),
    Callable().method,
]
ECHO_NAMES = ["coroutine", "plain", "lambda", "lambda of a coroutine", "partial", "plain partial", "object", "method"]


@pytest.mark.parametrize("handler", ECHOES, ids=ECHO_NAMES)
@pytest.mark.parametrize("value", [None, True, 1 << 62, 0.5, "naïve 🌍", [1, [2]], {"a": {"b": []}}], ids=repr)
def test_any_json_goes_in_and_comes_back(try_, handler, value):
    outcome = one(try_(handler, input=value))
    assert (outcome.reason, outcome.output) == (None, value)


def test_200_jobs_run_at_the_same_time_in_coroutines(try_):
    async def handler(job):
        await asyncio.sleep(0.3)
        return job.id

    started = time.monotonic()
    results = try_(handler, jobs=200)
    assert time.monotonic() - started < 5
    assert len({result.output for result in results}) == 200


def test_200_jobs_run_at_the_same_time_in_plain_functions(try_):
    def handler(job):
        # Longer than it takes a busy machine to start them all.
        time.sleep(1.5)
        return threading.get_ident()

    started = time.monotonic()
    results = try_(handler, jobs=200)
    assert time.monotonic() - started < 15
    assert len({result.output for result in results}) == 200
    assert threading.get_ident() not in {result.output for result in results}


def test_plain_functions_one_after_the_other_share_a_thread(try_):
    try_(plain_echo)
    before = threading.active_count()
    try_(plain_echo, jobs=200, at_once=1)
    assert threading.active_count() <= before + 1


def test_threads_end_when_nothing_came_for_a_while():
    class Call:
        arguments, is_cancelled, is_secret = (None,), False, False

        def function(self, job):
            return threading.current_thread()

        def succeed(self, output):
            self.thread = output

    threads, call = _calls.Threads(), Call()
    threads.IDLE_SECONDS = 0.05
    threads.run(call)
    time.sleep(0.5)
    assert not call.thread.is_alive()
    threads.run(again := Call())
    time.sleep(0.1)
    assert again.thread is not call.thread


def test_a_coroutine_runs_on_the_loop_on_which_it_was_handed_over():
    async def main():
        async def handler(job):
            return asyncio.get_running_loop() is loop and threading.get_ident() == thread

        loop, thread = asyncio.get_running_loop(), threading.get_ident()
        return one(await (await Probe.start()).run({"test": handler}, trial())).output

    assert asyncio.run(main()) is True


def test_without_a_loop_all_coroutines_share_one_of_their_own(try_):
    async def handler(job):
        return id(asyncio.get_running_loop()), threading.current_thread().name

    first, second = outcomes_blocking(handler, jobs=2)
    assert first.output == second.output == one(outcomes_blocking(handler)).output
    assert first.output[1] == "atom-handlers"


def test_a_handler_sees_its_job(try_):
    def handler(job):
        assert isinstance(job, RunningJob) and isinstance(job.user_id, str)
        return [job.kind, job.input, job.attempt, job.is_cancelled, len(job.id), len(job.workspace_id)]

    assert one(try_(handler, input={"to": "ada"})).output == ["test", {"to": "ada"}, 1, False, 36, 36]


VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")


def test_context_variables_stay_as_they_are_for_every_job():
    async def handler(job):
        before = VARIABLE.get()
        VARIABLE.set("by a job")
        await asyncio.sleep(0)
        return before, VARIABLE.get()

    async def main():
        VARIABLE.set("by the program")
        results = await (await Probe.start()).run({"test": handler}, trial(jobs=20))
        assert VARIABLE.get() == "by the program"
        return results

    assert {tuple(result.output) for result in asyncio.run(main())} == {("unset", "by a job")}


class Boiled(Exception):
    """An exception of the program."""


def fails_with(error):
    async def coroutine(job):
        raise error

    def plain(job):
        raise error

    return [coroutine, plain]


def failure(result):
    return result.reason, result.text, result.retryable, result.retry_after


FAILURES = {
    "an exception": (Boiled("too hot"), ("Boiled", "too hot", True, None)),
    "a built-in exception": (ZeroDivisionError("division by zero"), ("ZeroDivisionError", "division by zero", True, None)),
    "a job error": (JobError("smtp_refused", "it said no"), ("smtp_refused", "it said no", True, None)),
    "a final job error": (JobError("no_such_user", "gone", retryable=False), ("no_such_user", "gone", False, None)),
    "a job error that waits": (JobError("busy", "later", retry_after=90), ("busy", "later", True, 90.0)),
    "an error of Atom": (
        atom_py.RateLimitedError("slow down", reason="quota", retry_after=1.5, retryable=True),
        ("quota", "slow down", True, 1.5),
    ),
    "a final error of Atom": (atom_py.NotFoundError("no such file", reason="no_file"), ("no_file", "no such file", False, None)),
    "a cancelled error": (asyncio.CancelledError(), ("cancelled", "the handler was cancelled", True, None)),
    "a nonsensical wait": (JobError("busy", "later", retry_after=float("nan")), ("busy", "later", True, None)),
    "an unreadable one": (
        JobError(None, "what"),
        ("unreadable_exception", "the handler raised an exception that cannot be read", True, None),
    ),
}


@pytest.mark.parametrize(("error", "expected"), FAILURES.values(), ids=FAILURES)
def test_what_a_handler_raises_becomes_the_failure_of_the_attempt(try_, error, expected):
    for handler in fails_with(error):
        assert failure(one(try_(handler))) == expected


def test_an_exception_that_nobody_expected_is_logged_with_its_traceback(caplog):
    for error, logged in [(Boiled("too hot"), 1), (JobError("busy", "later"), 0), (asyncio.CancelledError(), 0)]:
        caplog.clear()
        one(outcomes(fails_with(error)[0]))
        assert len(caplog.records) == logged
    one(outcomes(fails_with(Boiled("too hot"))[0]))
    assert caplog.records[0].name == "atom_py" and caplog.records[0].levelno == logging.WARNING
    assert "in coroutine" in caplog.text


def test_errors_of_calls_inside_a_handler_pass_through(try_):
    probe = Probe.start_blocking()

    async def handler(job):
        await probe.fail("unavailable")

    assert failure(one(try_(handler))) == ("probe", "unavailable on purpose", True, 1.5)


@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), {"a": {1, 2}}, "\ud800", 1 << 70], ids=repr)
def test_what_is_not_json_is_a_final_failure(try_, value):
    async def coroutine(job):
        return value

    for handler in (coroutine, lambda job: value):
        result = one(try_(handler))
        assert (result.reason, result.retryable) == ("malformed_output", False)
        assert result.text


def test_a_function_that_takes_no_job_is_a_failure(try_):
    async def coroutine():
        return 1

    for handler in (coroutine, lambda: 1):
        assert one(try_(handler)).reason == "TypeError"


@pytest.mark.parametrize("handler", [None, 5, "send_mail", [echo]], ids=repr)
def test_what_is_no_function_is_refused(handler):
    with pytest.raises(TypeError, match="a handler is a function"):
        Probe.start_blocking().run_blocking({"test": handler}, trial())


def test_a_cancelled_job_cancels_its_task(try_):
    seen = []

    async def handler(job):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(job.is_cancelled)
            raise

    started = time.monotonic()
    results = try_(handler, jobs=20, cancel_after=50)
    assert time.monotonic() - started < 5
    assert {failure(result) for result in results} == {("cancelled", "the handler was cancelled", True, None)}
    assert seen == [True] * 20


def test_a_cancelled_job_may_end_in_order(try_):
    async def handler(job):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            return "put away"

    assert one(try_(handler, cancel_after=50)).output == "put away"


def test_a_plain_function_looks_whether_its_job_is_cancelled(try_):
    def handler(job):
        while not job.is_cancelled:
            time.sleep(0.005)
        return "stopped"

    assert one(try_(handler, cancel_after=50)).output == "stopped"


def test_what_a_plain_function_left_to_await_is_cancelled_too(try_):
    def handler(job):
        async def rest():
            await asyncio.sleep(60)

        time.sleep(0.1)
        return rest()

    assert one(try_(handler, cancel_after=50)).reason == "cancelled"


def test_a_job_tells_when_it_is_cancelled(try_):
    async def handler(job):
        watcher = asyncio.ensure_future(job.cancelled())
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await watcher
            return "told"

    assert one(try_(handler, cancel_after=50)).output == "told"


def test_a_handler_that_does_not_end_is_abandoned(try_):
    ended = threading.Event()

    async def coroutine(job):
        for _ in range(3):
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                pass

    def plain(job):
        time.sleep(0.4)
        ended.set()

    for handler in (coroutine, plain):
        assert one(try_(handler, cancel_after=20, abandon_after=20)).reason == "abandoned"
    assert ended.wait(5)


def test_handlers_under_way_end_with_their_caller():
    async def main():
        probe, began, ended = await Probe.start(), asyncio.Event(), asyncio.Event()

        async def handler(job):
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

        caller = asyncio.ensure_future(probe.run({"test": handler}, trial()))
        await began.wait()
        caller.cancel()
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(main())


def test_64_handlers_leave_the_event_loop_its_turns():
    async def main():
        probe, begun, most = await Probe.start(), 0, 0

        async def handler(job):
            nonlocal begun
            begun += 1
            await asyncio.sleep(0)

        async def others():
            nonlocal most
            while True:
                before = begun
                await asyncio.sleep(0)
                most = max(most, begun - before)

        turns = asyncio.ensure_future(others())
        await probe.run({"test": handler}, trial(jobs=5_000, at_once=64))
        turns.cancel()
        assert begun == 5_000
        return most

    assert asyncio.run(main()) <= 64


def test_a_loop_closed_under_its_handlers_disturbs_no_other(recwarn):
    probe, loop, began = Probe.start_blocking(), asyncio.new_event_loop(), asyncio.Event()
    left = []

    async def handler(job):
        began.set()
        await asyncio.sleep(60)

    async def leave():
        left.append(asyncio.ensure_future(probe.run({"test": handler}, trial(jobs=3, cancel_after=400))))
        await began.wait()

    loop.run_until_complete(leave())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False
    loop.close()
    time.sleep(0.5)
    assert one(outcomes(echo, input="alive")).output == "alive"
    assert one(outcomes_blocking(echo, input="alive")).output == "alive"


def test_a_handler_whose_loop_is_closed_says_that_it_is_gone():
    probe, loop = Probe.start_blocking(), asyncio.new_event_loop()

    async def hand_over():
        return probe.run({"test": echo}, trial())

    there = loop.run_until_complete(hand_over())
    loop.close()
    result = one(asyncio.run(there))
    assert (result.reason, result.retryable) == ("handler_gone", True)


def test_a_handler_is_let_go_with_its_worker():
    class Owner:
        async def handle(self, job):
            return None

    owner = Owner()
    gone = weakref.ref(owner)
    outcomes(owner.handle, jobs=10)
    del owner
    deadline = time.monotonic() + 5
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert gone() is None


def test_a_job_error_is_pickled_and_copied_whole():
    error = JobError("busy", "come back", retryable=False, retry_after=3)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (twin.reason, str(twin), twin.retryable, twin.retry_after) == ("busy", "come back", False, 3)
    assert repr(error) == "JobError('busy', 'come back')"
