"""What the drivers in Python share: the arguments and the lines of the protocol in README.md."""

import argparse
import json
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--mode", required=True, choices=["enqueue-one", "enqueue-many", "drain", "latency", "held"])
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--variant", default="default")
    return parser.parse_args()


def rate(jobs, seconds):
    print(json.dumps({"jobs": jobs, "seconds": seconds}), flush=True)


def timed(jobs, act):
    clock = time.monotonic()
    act()
    rate(jobs, time.monotonic() - clock)


def pause(job):
    """How long a worker is left idle before a job: from 20 to 520 ms, in no step with anybody's polling."""
    return (20 + job * 197 % 500) / 1000


def latency(jobs, enqueue, started):
    """One job at a time on an idle worker, from before the call to the start of the handler."""
    samples = []
    for job in range(jobs):
        time.sleep(pause(job))
        clock = time.monotonic()
        enqueue()
        samples.append(started() - clock)
    tell(samples)


def tell(samples):
    print(json.dumps({"samples_us": [round(sample * 1e6) for sample in samples]}), flush=True)
