"""What the drivers in Python share: the arguments, the loops and the lines of the protocol in README.md."""

import argparse
import asyncio
import itertools
import json
import time

AT_ONCE = 64
# Reads between two looks at the clock.
BATCH = 64

ACCESS_TOKEN, REFRESH_TOKEN = "ya29." + 32 * "a", "1//" + 32 * "r"
SCOPE = "https://www.googleapis.com/auth/drive"
LIFETIME = 12 * 3600


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--mode", required=True, choices=["fill", "one", "many"])
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--variant", default="default")
    parser.add_argument("--blocking", action="store_true")
    return parser.parse_args()


def say(**line):
    print(json.dumps(line), flush=True)


def check(token):
    if not token.startswith("ya29.") or len(token) != len(ACCESS_TOKEN):
        raise RuntimeError("this is not the token that was stored")


def blocking(args, accounts, read):
    """One caller of a function; it is given an account and returns its access token."""
    turns = itertools.cycle(accounts)
    check(read(next(turns)))

    def during(seconds):
        reads, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            for _ in range(BATCH):
                read(next(turns))
            reads += BATCH
        return reads, passed

    during(args.seconds / 4)
    reads, seconds = during(args.seconds)
    samples = []
    for _ in range(args.samples):
        account = next(turns)
        start = time.perf_counter_ns()
        read(account)
        samples.append(time.perf_counter_ns() - start)
    say(reads=reads, seconds=seconds, samples_ns=samples)


async def awaited(args, accounts, read):
    """The same of a coroutine function, by one caller or by many."""
    turns = itertools.cycle(accounts)
    check(await read(next(turns)))

    async def one():
        for _ in range(BATCH):
            await read(next(turns))

    async def many():
        await asyncio.gather(*(read(next(turns)) for _ in range(AT_ONCE)))

    async def during(seconds):
        reads, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            await (one() if args.mode == "one" else many())
            reads += BATCH if args.mode == "one" else AT_ONCE
        return reads, passed

    await during(args.seconds / 4)
    reads, seconds = await during(args.seconds)
    if args.mode == "many":
        return say(reads=reads, seconds=seconds)
    samples = []
    for _ in range(args.samples):
        account = next(turns)
        start = time.perf_counter_ns()
        await read(account)
        samples.append(time.perf_counter_ns() - start)
    say(reads=reads, seconds=seconds, samples_ns=samples)
