"""Workers: jobs that are done, fail, are repeated and cancelled, and how a worker ends."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import atom_py
from atom_py import (
    Atom,
    Effect,
    JobError,
    JobKind,
    JobProgress,
    JobState,
    NewJob,
    OpenOptions,
    RetryPolicy,
    WorkerOptions,
)

AT_ONCE = RetryPolicy(delay_seconds=0.01, factor=1.0)
KINDS = [
    JobKind(name="test", retry=AT_ONCE, max_attempts=3),
    JobKind(name="short", timeout_seconds=0.1, max_attempts=1),
]


@pytest.fixture
def options(tmp_path):
    url, key = f"sqlite:{tmp_path}/atom.db", f"{tmp_path}/atom.key"
    return OpenOptions(database_url=url, key_file=key, create_key_file=True, job_kinds=KINDS)


def play(options, scene, handler, kind="test"):
    """Plays a scene with the jobs of an installation that has a worker."""

    async def main():
        async with await Atom.open(options) as atom:
            async with await atom.start_worker({kind: handler}, WorkerOptions(grace_seconds=0.3)):
                await scene(atom.jobs)

    asyncio.run(main())


async def done(jobs, **fields):
    """A job that has ended."""
    enqueued = await jobs.enqueue(NewJob(**{"kind": "test", **fields}))
    return await jobs.wait(enqueued.id, 10)


async def until(condition):
    for _ in range(500):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 5 seconds")


async def in_a_coroutine(job):
    await asyncio.sleep(0)
    return {"got": job.input, "attempt": job.attempt}


def in_a_thread(job):
    return {"got": job.input, "attempt": job.attempt}


@pytest.mark.parametrize("handler", [in_a_coroutine, in_a_thread])
def test_a_job_is_done_and_its_output_kept(options, handler):
    async def scene(jobs):
        job = await done(jobs, input=["a", 1])
        assert (job.state, job.output) == (JobState.SUCCEEDED, {"got": ["a", 1], "attempt": 1})
        many = await jobs.enqueue_many([NewJob(kind="test", input=number) for number in range(100)])
        outputs = [(await jobs.wait(one.id)).output["got"] for one in many]
        assert outputs == list(range(100))

    play(options, scene, handler)


def test_a_failed_job_is_repeated_and_then_a_dead_letter(options):
    attempts = []

    def handler(job):
        attempts.append(job.attempt)
        if job.input == "heals" and job.attempt == 2:
            return "healed"
        raise ConnectionError("no route")

    async def scene(jobs):
        job = await done(jobs, input="heals")
        assert (job.state, job.output, job.attempt) == (JobState.SUCCEEDED, "healed", 2)
        job = await done(jobs)
        assert (job.state, job.error_reason, job.error_text) == (JobState.FAILED, "ConnectionError", "no route")
        assert attempts == [1, 2, 1, 2, 3]

    play(options, scene, handler)


def test_a_handler_decides_whether_and_when_a_job_is_repeated(options):
    async def handler(job):
        if job.input == "never":
            raise JobError("no_such_user", "nobody to write to", retryable=False)
        if job.attempt == 1:
            raise JobError("busy", "come back", retry_after=0.3)

    async def scene(jobs):
        job = await done(jobs, input="never")
        assert (job.state, job.attempt, job.error_reason) == (JobState.FAILED, 1, "no_such_user")
        started = time.monotonic()
        assert (await done(jobs)).attempt == 2
        assert time.monotonic() - started >= 0.3

    play(options, scene, handler)


def test_cancelling_a_job_reaches_its_handler_within_a_second(options):
    seen = []

    async def coroutine(job):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(time.monotonic())
            raise

    def plain(job):
        while not job.is_cancelled:
            time.sleep(0.005)
        seen.append(time.monotonic())
        raise JobError("stopped", "as it was told")

    async def scene(jobs):
        async def is_running():
            return (await jobs.get(job.id)).state == JobState.RUNNING

        job = await jobs.enqueue(NewJob(kind="test"))
        await until(is_running)
        cancelled = time.monotonic()
        assert await jobs.cancel(job.id)
        assert (await jobs.wait(job.id, 5)).state == JobState.CANCELLED
        assert 0 <= seen.pop() - cancelled < 1

    for handler in (coroutine, plain):
        play(options, scene, handler)


def test_a_handler_that_takes_too_long_is_ended(options):
    ended = []

    async def handler(job):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(job.is_cancelled)

    async def scene(jobs):
        job = await done(jobs, kind="short")
        assert (job.state, job.error_reason, ended) == (JobState.FAILED, "timed_out", [True])

    play(options, scene, handler, kind="short")


def test_a_handler_reports_how_far_it_has_come(options):
    async def scene(jobs):
        async def has_begun():
            return (await jobs.get(job.id)).progress == JobProgress(done=1, total=2, note="half")

        go_on.clear()
        job = await jobs.enqueue(NewJob(kind="test"))
        await until(has_begun)
        go_on.set()
        assert (await jobs.wait(job.id)).state == JobState.SUCCEEDED

    go_on = asyncio.Event()

    async def coroutine(job):
        await job.report(JobProgress(done=1, total=2, note="half"))
        await go_on.wait()

    def plain(job):
        job.report_blocking(JobProgress(done=1, total=2, note="half"))
        while not go_on.is_set():
            time.sleep(0.005)

    for handler in (coroutine, plain):
        play(options, scene, handler)


def test_a_step_that_is_done_is_not_repeated(options):
    charged = []

    def charge():
        charged.append(len(charged))
        return {"charge": "ch_1"}

    async def charge_later():
        return charge()

    async def coroutine(job):
        charge = await job.step("charge", Effect.ONCE, charge_later)
        if job.attempt == 1:
            raise ConnectionError("lost the answer")
        return charge

    def plain(job):
        result = job.step_blocking("charge", Effect.IDEMPOTENT, charge)
        if job.attempt == 1:
            raise ConnectionError("lost the answer")
        return result

    async def scene(jobs):
        job = await done(jobs)
        assert (job.output, job.attempt, charged) == ({"charge": "ch_1"}, 2, [0])

    for handler in (coroutine, plain):
        charged.clear()
        play(options, scene, handler)


def test_a_step_that_may_have_been_done_waits_for_somebody(options):
    async def handler(job):
        return await job.step("charge", Effect.ONCE, lambda: 1 / 0)

    async def scene(jobs):
        async def is_in_doubt():
            return (await jobs.get(job.id)).state == JobState.IN_DOUBT

        job = await jobs.enqueue(NewJob(kind="test"))
        await until(is_in_doubt)
        await jobs.settle(job.id, "charge", "ch_2")
        assert (await jobs.wait(job.id)).output == "ch_2"

    play(options, scene, handler)


def test_a_job_sleeps_without_an_attempt(options):
    async def handler(job):
        await job.sleep("nap", 0.1)
        return job.attempt

    async def scene(jobs):
        assert (await done(jobs)).output == 1

    play(options, scene, handler)


def test_a_worker_that_is_left_finishes_what_runs(options):
    async def main():
        atom, began = await Atom.open(options), asyncio.Event()

        async def handler(job):
            began.set()
            await asyncio.sleep(0.2)
            return "finished"

        async with await atom.start_worker({"test": handler}) as worker:
            job = await atom.jobs.enqueue(NewJob(kind="test"))
            await began.wait()
            assert worker.running == 1
        await worker.finished()
        assert (await atom.jobs.get(job.id)).output == "finished"

    asyncio.run(main())


def test_a_program_without_an_event_loop_runs_a_worker(options):
    with Atom.open_blocking(options) as atom:
        with atom.start_worker_blocking({"test": in_a_coroutine}):
            job = atom.jobs.enqueue_blocking(NewJob(kind="test", input=1))
            assert atom.jobs.wait_blocking(job.id).output == {"got": 1, "attempt": 1}


def test_a_worker_whose_loop_is_closed_gives_its_jobs_back(options):
    async def main():
        atom = await Atom.open(options)
        worker = await atom.start_worker({"test": in_a_coroutine}, WorkerOptions(poll_seconds=0.05))
        return atom, worker

    atom, worker = asyncio.run(main())
    job = atom.jobs.enqueue_blocking(NewJob(kind="test", input=1))
    worker.finished_blocking()
    stored = atom.jobs.get_blocking(job.id)
    assert (stored.state, stored.error_reason) == (JobState.WAITING, None)
    with atom.start_worker_blocking({"test": in_a_coroutine}):
        assert atom.jobs.wait_blocking(job.id).output == {"got": 1, "attempt": 1}
    atom.shut_down_blocking()


def test_what_cannot_work_is_refused(options):
    with Atom.open_blocking(options) as atom:
        with pytest.raises(atom_py.InvalidError) as caught:
            atom.start_worker_blocking({"unheard_of": in_a_thread})
        assert caught.value.reason == "unknown_job_kind"
        with pytest.raises(TypeError, match="a handler is a function"):
            atom.start_worker_blocking({"test": "in_a_thread"})


SERVICE = """
    import asyncio, signal, sys, time
    from atom_py import Atom, JobKind, OpenOptions

    folder = sys.argv[1]
    options = OpenOptions(
        database_url=f"sqlite:{folder}/atom.db", key_file=f"{folder}/atom.key", job_kinds=[JobKind(name="test")]
    )
"""
ASYNC_SERVICE = SERVICE + """
    async def handler(job):
        print("began", flush=True)
        await asyncio.sleep(0.5)
        return "finished"

    async def main():
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with await Atom.open(options) as atom:
            async with await atom.start_worker({"test": handler}):
                await stop.wait()

    asyncio.run(main())
"""
PLAIN_SERVICE = SERVICE + """
    def handler(job):
        print("began", flush=True)
        time.sleep(0.5)
        return "finished"

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    atom = Atom.open_blocking(options)
    with atom.start_worker_blocking({"test": handler}) as worker:
        worker.finished_blocking()
"""


@pytest.mark.parametrize("service", [ASYNC_SERVICE, PLAIN_SERVICE], ids=["async", "plain"])
def test_a_service_told_to_terminate_finishes_its_job(options, tmp_path, service):
    with Atom.open_blocking(options) as atom:
        job = atom.jobs.enqueue_blocking(NewJob(kind="test"))
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "python")}
        command = [sys.executable, "-c", textwrap.dedent(service), str(tmp_path)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "began\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        stored = atom.jobs.get_blocking(job.id)
        assert (stored.state, stored.output, stored.attempt) == (JobState.SUCCEEDED, "finished", 1)


def drain(options, ran):
    """Runs in a forked process: works until nothing is left to do."""

    async def main():
        atom = await Atom.open(options)

        async def handler(job):
            ran.put((os.getpid(), job.id))

        async with await atom.start_worker({"test": handler}, WorkerOptions(concurrency=8, prefetch=0)):
            while any(queue.waiting or queue.running for queue in await atom.queues.list()):
                await asyncio.sleep(0.05)
        await atom.shut_down()

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_two_forked_processes_share_the_jobs_of_one_file(options):
    with Atom.open_blocking(options) as atom:
        enqueued = {job.id for job in atom.jobs.enqueue_many_blocking([NewJob(kind="test")] * 500)}
    forks = multiprocessing.get_context("fork")
    ran = forks.Queue()
    children = [forks.Process(target=drain, args=(options, ran)) for _ in range(2)]
    for child in children:
        child.start()
    seen = [ran.get(timeout=30) for _ in enqueued]
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert ran.empty() and {job for _, job in seen} == enqueued
    assert len({process for process, _ in seen}) == 2
