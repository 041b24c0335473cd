"""Awaiting: coroutines, cancellation, many calls, many threads, many loops."""

import asyncio
import importlib.util
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import atom_py
from atom_py import Probe


def asyncio_run(coroutine):
    asyncio.run(coroutine)


def uvloop_run(coroutine):
    import uvloop

    uvloop.run(coroutine)


RUNNERS = [asyncio_run] + ([uvloop_run] if importlib.util.find_spec("uvloop") else [])


@pytest.fixture(params=RUNNERS, ids=lambda run: run.__name__)
def run(request):
    """Runs a coroutine to its end, on each kind of event loop that is installed."""
    return request.param


def test_200_gathered_calls_all_arrive(run):
    async def main():
        probe = await Probe.start()
        texts = [str(number) for number in range(200)]
        assert await asyncio.gather(*(probe.echo_optional(text) for text in texts)) == texts

    run(main())


def test_calls_run_at_the_same_time(run):
    async def main():
        probe = await Probe.start()
        started = time.monotonic()
        await asyncio.gather(*(probe.wait(200) for _ in range(50)))
        assert time.monotonic() - started < 5

    run(main())


def test_a_call_is_a_coroutine_so_tasks_and_timeouts_take_it(run):
    async def main():
        probe = await asyncio.create_task(Probe.start())
        assert asyncio.iscoroutine(waiting := probe.wait(60_000))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waiting, 0.05)

    run(main())


def test_a_single_call_needs_no_async_function():
    assert asyncio.run(Probe.start()).is_started


def test_a_call_does_nothing_until_it_is_awaited():
    async def main():
        probe = await Probe.start()
        probe.fail("internal").close()

    asyncio.run(main())


def test_a_cancelled_call_ends_at_once_and_later_calls_work(run):
    async def main():
        probe = await Probe.start()
        task = asyncio.ensure_future(probe.wait(60_000))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 1
        assert await probe.echo_optional("after") == "after"

    run(main())


def test_1000_cancelled_calls_leave_nothing_behind(run):
    async def main():
        probe = await Probe.start()
        tasks = [asyncio.ensure_future(probe.wait(60_000)) for _ in range(1000)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await probe.nothing()

    run(main())


def test_an_error_is_raised_where_the_call_is_awaited(run):
    async def main():
        probe = await Probe.start()
        results = await asyncio.gather(probe.nothing(), probe.fail("conflict"), return_exceptions=True)
        assert results[0] is None and isinstance(results[1], atom_py.ConflictError)

    run(main())


def test_a_handle_outlives_the_loop_it_was_made_on(run):
    made = []

    async def first():
        made.append(await Probe.start())

    async def second():
        assert await made[0].echo_optional("again") == "again"

    run(first())
    run(second())


def test_a_loop_closed_with_calls_in_flight_disturbs_no_other():
    loop = asyncio.new_event_loop()

    async def leave():
        probe = await Probe.start()
        asyncio.ensure_future(probe.wait(50)).add_done_callback(lambda _: None)
        await asyncio.sleep(0)
        return probe

    probe = loop.run_until_complete(leave())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False
    loop.close()
    time.sleep(0.1)
    assert asyncio.run(probe.echo_optional("alive")) == "alive"


def test_loops_in_several_threads_share_one_handle():
    probe = Probe.start_blocking()

    async def many(name):
        return await asyncio.gather(*(probe.echo_optional(f"{name}-{number}") for number in range(50)))

    with ThreadPoolExecutor(8) as pool:
        for name, texts in zip(range(8), pool.map(lambda name: asyncio.run(many(name)), range(8))):
            assert texts == [f"{name}-{number}" for number in range(50)]


def test_blocking_calls_in_several_threads_run_at_the_same_time():
    probe = Probe.start_blocking()
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: probe.wait_blocking(300), range(8)))
    assert time.monotonic() - started < 2


@pytest.fixture
def interrupt_key():
    """A shell starts its background jobs with the key ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_blocking_call_hears_the_interrupt_key(interrupt_key):
    probe = Probe.start_blocking()
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        probe.wait_blocking(60_000)
    assert time.monotonic() - started < 5


def test_a_call_awaited_without_a_loop_says_so():
    with pytest.raises(RuntimeError, match="no running event loop"):
        Probe.start().send(None)
