"""Drives the library's own jobs with handlers in Python, by the line protocol of README.md."""

import asyncio
import time

import driver
from atom_py import Atom, JobKind, JobState, NewJob, OpenOptions, WorkerOptions

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

args = driver.arguments()
starts = asyncio.Queue()
seen = 0


async def coroutine(_):
    global seen
    now = time.monotonic()
    seen += 1
    starts.put_nowait(now)


def plain(_):
    """Runs in a thread, as a function that waits for something would want."""
    now = time.monotonic()
    loop.call_soon_threadsafe(started, now)


def started(now):
    global seen
    seen += 1
    starts.put_nowait(now)


def new(number):
    return NewJob(kind="no_op", input=number)


async def unfinished(jobs):
    return sum(count.count for count in await jobs.counts() if count.state in (JobState.WAITING, JobState.RUNNING))


async def main():
    global loop
    loop = asyncio.get_running_loop()
    kinds = [JobKind(name="no_op", keep_seconds=0)]
    atom = await Atom.open(OpenOptions(database_url=args.db, key=KEY, job_kinds=kinds))
    jobs = atom.jobs
    handler = plain if args.variant == "plain" else coroutine

    async def work():
        return await atom.start_worker({"no_op": handler}, WorkerOptions(concurrency=24))

    clock = time.monotonic()
    match args.mode:
        case "enqueue-one":
            for number in range(args.jobs):
                await jobs.enqueue(new(number))
            driver.rate(args.jobs, time.monotonic() - clock)
        case "enqueue-many":
            await jobs.enqueue_many([new(number) for number in range(args.jobs)])
            driver.rate(args.jobs, time.monotonic() - clock)
        case "drain":
            await work()
            left = args.jobs
            while left > 0 and time.monotonic() - clock < args.seconds:
                await asyncio.sleep(0.002)
                # Counting is not free: not before every handler has been called.
                if seen >= args.jobs or time.monotonic() - clock >= args.seconds:
                    left = await unfinished(jobs)
            driver.rate(args.jobs - left, time.monotonic() - clock)
        case "held":
            await jobs.enqueue_many([new(number) for number in range(args.jobs)])
            worker = await atom.start_worker({"no_op": handler}, WorkerOptions(concurrency=64))
            late = []
            while seen < args.jobs:
                clock = time.monotonic()
                await asyncio.sleep(0.001)
                late.append(max(0.0, time.monotonic() - clock - 0.001))
            await worker.stop()
            driver.tell(late)
        case "latency":
            await work()
            samples = []
            for number in range(args.jobs):
                await asyncio.sleep(driver.pause(number))
                clock = time.monotonic()
                await jobs.enqueue(new(number))
                samples.append(await starts.get() - clock)
            driver.tell(samples)
    await atom.shut_down()


asyncio.run(main())
