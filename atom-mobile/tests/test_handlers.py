"""Handlers and streams through UniFFI's Python bindings: the border that Kotlin and Swift share, without their tools."""

import asyncio

import atom


class Handler(atom.JobHandler):
    def __init__(self, handle):
        self._handle = handle

    async def handle(self, job):
        return await self._handle(job)


async def outcomes(handle, jobs=1, cancel_after=None):
    trial = atom.Trial(kind="test", input='{"a": 1}', jobs=jobs, cancel_after=cancel_after)
    # The bindings do not remember on which loop a handler was handed over.
    atom.uniffi_set_event_loop(asyncio.get_running_loop())
    try:
        return await (await atom.Probe.start()).run({"test": Handler(handle)}, trial)
    finally:
        atom.uniffi_set_event_loop(None)


def outcome(handle, **options):
    (only,) = asyncio.run(outcomes(handle, **options))
    return only


def failure(handle):
    found = outcome(handle)
    return found.reason, found.text, found.retryable, found.retry_after


def test_json_goes_in_and_comes_back():
    async def handle(job):
        return job.input()

    assert outcome(handle).output == '{"a":1}'


def test_200_jobs_run_at_the_same_time():
    async def handle(job):
        await asyncio.sleep(0.2)
        return f'"{job.id()}"'

    assert len({found.output for found in asyncio.run(outcomes(handle, jobs=200))}) == 200


def test_what_a_handler_raises_becomes_the_failure_of_the_attempt(capsys):
    def raises(error):
        async def handle(job):
            raise error

        return handle

    assert failure(raises(ValueError("no"))) == ("ValueError", "ValueError('no')", True, None)
    assert failure(raises(atom.job_error("busy", "later", True, 90.0))) == ("busy", "later", True, 90.0)
    assert failure(raises(atom.job_error("gone", "no such user", False))) == ("gone", "no such user", False, None)


def test_what_is_not_json_is_a_final_failure():
    async def handle(job):
        return "no JSON"

    reason, _, retryable, _ = failure(handle)
    assert (reason, retryable) == ("malformed_output", False)


def test_a_cancelled_job_cancels_its_task():
    async def main():
        ended = asyncio.Event()

        async def handle(job):
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

        (only,) = await outcomes(handle, cancel_after=50)
        await asyncio.wait_for(ended.wait(), 5)
        return only

    assert asyncio.run(main()).reason == "cancelled"


def test_a_stream_ends_with_none():
    async def main():
        ticks = await (await atom.Probe.start()).count_to(2)
        return [await ticks.next() for _ in range(4)]

    assert asyncio.run(main()) == [1, 2, None, None]
