"""Measures calls from Python: `python.py <asyncio|uvloop> <seconds>`. Prints a JSON object per caller and operation."""

import asyncio
import base64
import json
import sys
import tempfile
import time
from datetime import datetime, timezone

import atom_py

AT_ONCE = 64
MANY = 1000
ROUNDS = 20


class Bench:
    def __init__(self, caller, seconds):
        self.caller = caller
        self.seconds = seconds

    async def awaited(self, operation, call, *args):
        async def some(count):
            for _ in range(count):
                await call(*args)

        await self.rounds(self.caller, operation, some)

    async def gathered(self, operation, call, *args):
        async def some(count):
            for _ in range(count):
                await asyncio.gather(*(call(*args) for _ in range(AT_ONCE)))

        await self.rounds(self.caller, f"{operation}_{AT_ONCE}", some, calls=AT_ONCE)

    async def blocking(self, operation, call, *args):
        async def some(count):
            for _ in range(count):
                call(*args)

        await self.rounds("python_blocking", operation, some)

    async def rounds(self, caller, operation, some, calls=1):
        """Reports nanoseconds per call, round by round. The warm-up, as long as all rounds, tells how many calls fill one."""
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < self.seconds:
            await some(1)
            done += 1
        count = max(1, done // ROUNDS)
        nanoseconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter_ns()
            await some(count)
            nanoseconds.append((time.perf_counter_ns() - start) / count / calls)
        print(json.dumps({"caller": caller, "operation": operation, "nanoseconds": nanoseconds}), flush=True)


def sample():
    return atom_py.Sample(
        text="The quick brown fox jumps over the lazy dog",
        count=42,
        ratio=0.5,
        flag=True,
        at=datetime(2026, 11, 21, 8, tzinfo=timezone.utc),
        connection="01890a5d-ac96-774b-bcce-b302099a8057",
        weight=atom_py.Weight.VERY_HEAVY,
        shape=atom_py.Shape.Circle(radius=1.5),
        tags=["one", "two"],
        labels={"colour": "red"},
        raw={"starred": True},
        content=bytes(range(16)),
        note="a note",
    )


async def connect(database, token_cache_seconds):
    """Signs somebody up and connects their account, once."""
    google = await atom_py.GoogleStandIn.start()
    key = base64.b64encode(bytes(range(32))).decode()
    options = atom_py.OpenOptions(
        database_url=f"sqlite:{database}", key=key, providers=[google.app], token_cache_seconds=token_cache_seconds
    )
    atom = await atom_py.Atom.open(options)
    account = atom_py.NewAccount(email="ada@example.com", password="an engine of brass and thought")
    session = await atom.accounts.sign_up(account)
    connections = (await atom.authenticate(session.access_token)).connections
    authorization = await connections.start(atom_py.StartConnection(provider="google"))
    return await connections.complete(await google.approve(authorization.url, "ada@example.com"))


async def main(loop, seconds):
    bench = Bench("python" if loop == "asyncio" else f"python_{loop}", seconds)
    probe = await atom_py.Probe.start()
    one, many = sample(), [sample()] * MANY
    with tempfile.TemporaryDirectory() as folder:
        connection = await connect(f"{folder}/atom.db", 0)
        cached = await connect(f"{folder}/cached.db", 60)

        await bench.awaited("nothing", probe.nothing)
        await bench.gathered("nothing", probe.nothing)
        await bench.awaited("echo", probe.echo, one)
        await bench.awaited("echo_many", probe.echo_many, many)
        await bench.awaited("token", connection.access_token)
        await bench.gathered("token", connection.access_token)
        await bench.awaited("token_cached", cached.access_token)
        await bench.gathered("token_cached", cached.access_token)
        if loop == "asyncio":
            await bench.blocking("nothing", probe.nothing_blocking)
            await bench.blocking("echo", probe.echo_blocking, one)
            await bench.blocking("echo_many", probe.echo_many_blocking, many)
            await bench.blocking("token", connection.access_token_blocking)
            await bench.blocking("token_cached", cached.access_token_blocking)


if __name__ == "__main__":
    loop, seconds = sys.argv[1], float(sys.argv[2])
    if loop == "uvloop":
        import uvloop

        uvloop.run(main(loop, seconds))
    else:
        asyncio.run(main(loop, seconds))
