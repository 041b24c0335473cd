"""What the drivers in Python share: the arguments, the loops and the line of the protocol in README.md."""

import argparse
import asyncio
import itertools
import json
import time
from pathlib import Path

AT_ONCE = 64
# Verifications between two looks at the clock.
BATCH = 64


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", required=True)
    parser.add_argument("--mode", required=True, choices=["one", "many"])
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--blocking", action="store_true")
    args = parser.parse_args()
    args.given = json.loads(Path(args.file).read_text())
    args.tokens = args.given["tokens"]
    return args


def say(verified, seconds):
    print(json.dumps({"verified": verified, "seconds": seconds}), flush=True)


def blocking(args, verify):
    """One caller of a function that returns for whom a token speaks."""
    turns = itertools.cycle(args.tokens)

    def during(seconds):
        verified, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            for _ in range(BATCH):
                if verify(next(turns)) != args.given["user"]:
                    raise RuntimeError("the token speaks for somebody else")
            verified += BATCH
        return verified, passed

    during(args.seconds / 4)
    say(*during(args.seconds))


async def awaited(args, verify):
    """The same of a coroutine function, by one caller or by many."""
    turns = itertools.cycle(args.tokens)

    async def check():
        if await verify(next(turns)) != args.given["user"]:
            raise RuntimeError("the token speaks for somebody else")

    async def one():
        for _ in range(BATCH):
            await check()

    async def many():
        await asyncio.gather(*(check() for _ in range(AT_ONCE)))

    async def during(seconds):
        verified, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            await (one() if args.mode == "one" else many())
            verified += BATCH if args.mode == "one" else AT_ONCE
        return verified, passed

    await during(args.seconds / 4)
    say(*await during(args.seconds))
