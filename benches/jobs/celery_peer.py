"""Drives Celery with Redis by the line protocol of README.md. The worker is a process of its own, as its documentation has it."""

import os
import socket
import subprocess
import sys
import tempfile
import time

from celery import Celery

STARTS = "ATOM_BENCH_STARTS"

app = Celery("celery_peer", broker=os.environ.get("ATOM_BENCH_REDIS"))
app.conf.update(
    # Nobody reads the results, and none are kept: https://docs.celeryq.dev/en/stable/userguide/tasks.html#ignore-results-you-don-t-want
    task_ignore_result=True,
    # Many short tasks: https://docs.celeryq.dev/en/stable/userguide/optimizing.html#prefetch-limits
    worker_prefetch_multiplier=128,
    worker_disable_rate_limits=True,
)
teller = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


@app.task
def no_op(_):
    pass


@app.task
def tell(_):
    # One clock for all processes of the machine.
    now = time.monotonic()
    teller.sendto(str(now).encode(), os.environ[STARTS])


def work(path=""):
    quiet = ["--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", "celery_peer", "worker", "--pool", "prefork", "--concurrency", "2", *quiet]
    return subprocess.Popen(command, env={**os.environ, STARTS: path, "C_FORCE_ROOT": "1"}, stdout=subprocess.DEVNULL)


def main():
    import driver

    args = driver.arguments()
    app.conf.broker_url = os.environ["ATOM_BENCH_REDIS"] = args.db
    redis = app.connection().default_channel.client

    def fill():
        # There is no bulk form: a group too is sent task by task. This spares only the look-up of the connection.
        with app.producer_pool.acquire() as producer:
            for job in range(args.jobs):
                no_op.apply_async((job,), producer=producer)

    def left():
        return redis.llen("celery") + redis.hlen("unacked")

    worker = None
    match args.mode:
        case "enqueue-one":
            driver.timed(args.jobs, lambda: [no_op.delay(job) for job in range(args.jobs)])
        case "enqueue-many":
            driver.timed(args.jobs, fill)
        case "drain":
            worker = work()
            # The start of its processes takes a second or two and is not counted.
            while redis.llen("celery") == args.jobs:
                time.sleep(0.001)
            clock = time.monotonic()
            unfinished = args.jobs
            while unfinished > 0 and time.monotonic() - clock < args.seconds:
                time.sleep(0.005)
                unfinished = left()
            driver.rate(args.jobs - unfinished, time.monotonic() - clock)
        case "latency":
            with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
                path = os.path.join(folder, "starts")
                listener.bind(path)
                worker = work(path)
                started = lambda: float(listener.recv(64))
                tell.delay(0)
                started()
                driver.latency(args.jobs, lambda: tell.delay(0), started)
    if worker:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    main()
