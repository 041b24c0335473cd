"""Drives FlexiQ on SQLite by the line protocol of README.md."""

import os
import queue
import threading
import time

import driver

# It writes two lines per job otherwise.
os.environ["FLEXIQ_LOG_LEVEL"] = "WARNING"

from flexiq import Queue  # noqa: E402: it reads the level when it is imported

args = driver.arguments()
starts = queue.SimpleQueue()

# Its own benchmark leaves the defaults, which poll every 50 ms and claim one job at a time
# (https://docs.byteveda.org/flexiq/about/benchmarks). Event-driven dispatch has by far the shorter latency, but drains two jobs
# a second from SQLite: so each measure has the setting that is best for it.
TUNED = {"scheduler_poll_interval_ms": 1, "scheduler_batch_size": 100, "push_dispatch": args.mode == "latency"}
jobs = Queue(db_path=args.db.removeprefix("sqlite:"), **(TUNED if args.variant == "tuned" else {}))


@jobs.task()
def no_op(_):
    starts.put(time.monotonic())


def work():
    threading.Thread(target=jobs.run_worker, daemon=True).start()


def fill():
    jobs.enqueue_many(no_op.name, [(job,) for job in range(args.jobs)])


def drain():
    clock = time.monotonic()
    work()
    done = 0
    while done < args.jobs and time.monotonic() - clock < args.seconds:
        time.sleep(0.002)
        # Counting is not free: not before every handler has been called.
        if starts.qsize() == args.jobs or time.monotonic() - clock >= args.seconds:
            done = jobs.stats()["completed"]
    driver.rate(done, time.monotonic() - clock)


def latency():
    work()
    time.sleep(1)
    driver.latency(args.jobs, lambda: no_op.delay(0), starts.get)


match args.mode:
    case "enqueue-one":
        driver.timed(args.jobs, lambda: [no_op.delay(job) for job in range(args.jobs)])
    case "enqueue-many":
        driver.timed(args.jobs, fill)
    case "drain":
        drain()
    case "latency":
        latency()
# The worker ends on a signal only, and would keep the process.
os._exit(0)
