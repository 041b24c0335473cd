"""Processes: leaving with work in flight, and forking."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXITS = int(os.environ.get("ATOM_TEST_EXITS", "40"))
PACKAGE = Path(__file__).parents[1] / "python"


def run_script(text):
    """Runs a script in a process of its own and returns what went wrong, if anything did."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(text)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return (done.returncode, done.stderr) if done.returncode or done.stderr else None


AWAITED = """
    import asyncio, atom_py
    async def main():
        probe = await atom_py.Probe.start()
        await asyncio.gather(*(probe.nothing() for _ in range(20)))
        for millis in range(40):
            asyncio.ensure_future(probe.wait(millis % 7))
        await asyncio.sleep(0.002)
    asyncio.run(main())
"""
UNFINISHED_LOOP = """
    import asyncio, atom_py
    async def main():
        probe = await atom_py.Probe.start()
        for millis in range(40):
            task = asyncio.ensure_future(probe.wait(millis % 7))
            task._log_destroy_pending = False
        await asyncio.sleep(0.002)
    asyncio.new_event_loop().run_until_complete(main())
"""
DAEMON_THREADS = """
    import asyncio, threading, time, atom_py
    probe = atom_py.Probe.start_blocking()
    def block():
        while True:
            probe.wait_blocking(1)
    async def spin():
        while True:
            await asyncio.gather(*(probe.wait(1) for _ in range(5)))
    def await_():
        try:
            asyncio.run(spin())
        except RuntimeError:
            pass  # the interpreter is shutting down
    for target in (block, await_, block, await_):
        threading.Thread(target=target, daemon=True).start()
    time.sleep(0.02)
"""
EXIT_HOOK = """
    import atexit, atom_py
    probe = atom_py.Probe.start_blocking()
    def late():
        import asyncio
        assert probe.echo_optional_blocking("late") == "late"
        try:
            asyncio.run(probe.nothing())
        except RuntimeError as error:
            assert "shutting down" in str(error)
    atexit.register(late)
    import asyncio
    asyncio.run(probe.nothing())
"""
HANDLERS = """
    import asyncio, threading, time, atom_py
    async def short(job):
        await asyncio.sleep(0.001)
        return job.input
    async def long(job):
        await asyncio.sleep(60)
    def plain(job):
        time.sleep(0.001)
        return job.input
    def busy(job):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
    def trial(**fields):
        return atom_py.Trial(**{"kind": "test", "input": 1, "jobs": 8, **fields})
"""
HANDLERS_ON_A_LOOP = HANDLERS + """
    async def main():
        probe = await atom_py.Probe.start()
        for handler in (short, plain, long, busy):
            asyncio.ensure_future(probe.run({"test": handler}, trial()))
        await asyncio.sleep(0.1)
    asyncio.run(main())
"""
HANDLERS_WITHOUT_A_LOOP = HANDLERS + """
    probe = atom_py.Probe.start_blocking()
    def run(handler):
        try:
            while True:
                probe.run_blocking({"test": handler}, trial())
        except RuntimeError:
            pass  # the interpreter is shutting down
    for handler in (short, plain, long, short, plain):
        threading.Thread(target=run, args=(handler,), daemon=True).start()
    time.sleep(0.1)
"""
HANDLERS_THAT_WILL_NOT_END = HANDLERS + """
    async def stubborn(job):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
    from atom_py import _calls
    _calls.LOOP_SECONDS = 0.05
    probe = atom_py.Probe.start_blocking()
    run = lambda: probe.run_blocking({"test": stubborn}, trial())
    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.1)
"""
HANDLERS_IN_AN_EXIT_HOOK = HANDLERS + """
    import atexit
    probe = atom_py.Probe.start_blocking()
    def late():
        for handler in (short, plain):
            try:
                outcomes = probe.run_blocking({"test": handler}, trial(jobs=1))
                assert outcomes[0].reason in ("handler_gone", "RuntimeError"), outcomes
            except RuntimeError as error:
                assert "shutting down" in str(error), error
    atexit.register(late)
    for handler in (short, plain):
        assert probe.run_blocking({"test": handler}, trial(jobs=1))[0].output == 1
"""
EXITS_IN_FLIGHT = {
    "awaited": AWAITED,
    "unfinished": UNFINISHED_LOOP,
    "daemons": DAEMON_THREADS,
    "hook": EXIT_HOOK,
    "handlers on a loop": HANDLERS_ON_A_LOOP,
    "handlers without a loop": HANDLERS_WITHOUT_A_LOOP,
    "handlers that will not end": HANDLERS_THAT_WILL_NOT_END,
    "handlers in a hook": HANDLERS_IN_AN_EXIT_HOOK,
}


@pytest.mark.parametrize("script", EXITS_IN_FLIGHT.values(), ids=EXITS_IN_FLIGHT)
def test_a_script_may_end_while_its_calls_are_in_flight(script):
    with ThreadPoolExecutor(4) as pool:
        failures = [failure for failure in pool.map(run_script, [script] * EXITS) if failure]
    assert not failures, f"{len(failures)} of {EXITS} scripts failed, the first with {failures[0]}"


FORKING = """
    import asyncio, os, signal, threading, time, atom_py

    inherited = atom_py.Probe.start_blocking()

    async def on_loop(job):
        await asyncio.sleep(0.001)
        return job.input

    def plain(job):
        time.sleep(0.001)
        return job.input

    async def run_handlers():
        trial = atom_py.Trial(kind="test", input="done", jobs=20)
        for handler in (on_loop, plain):
            outcomes = await inherited.run({"test": handler}, trial)
            assert {outcome.output for outcome in outcomes} == {"done"}, outcomes
            outcomes = await asyncio.to_thread(inherited.run_blocking, {"test": handler}, trial)
            assert {outcome.output for outcome in outcomes} == {"done"}, outcomes

    async def use():
        await run_handlers()
        probe = await atom_py.Probe.start()
        texts = [str(number) for number in range(20)]
        assert await asyncio.gather(*(probe.echo_optional(text) for text in texts)) == texts
        assert await inherited.echo_optional("here") == "here"
        assert atom_py.Probe.start_blocking().echo_optional_blocking("b") == "b"
        waiting = asyncio.ensure_future(probe.wait(60_000))
        await asyncio.sleep(0.01)
        waiting.cancel()

    def fork():
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            code = 1
            try:
                asyncio.run(use())
                code = 0
            finally:
                os._exit(code)
        return child

    def join(children):
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert codes == [0] * 9, codes
"""
BEFORE_ANY_CALL = FORKING + """
    join([fork() for _ in range(9)])
"""
AFTER_A_CALL = FORKING + """
    asyncio.run(use())
    join([fork() for _ in range(9)])
    asyncio.run(use())
"""
IN_FLIGHT = FORKING + """
    def keep_busy():
        async def spin():
            probe = await atom_py.Probe.start()
            while True:
                tasks = [asyncio.ensure_future(probe.wait(1)) for _ in range(50)]
                tasks += [asyncio.ensure_future(run_handlers()) for _ in range(2)]
                await asyncio.sleep(0)
                for task in tasks[::2]:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        try:
            asyncio.run(spin())
        except RuntimeError:
            pass  # the interpreter is shutting down

    threading.Thread(target=keep_busy, daemon=True).start()
    time.sleep(0.1)
    children = []
    for _ in range(9):
        time.sleep(0.003)
        children.append(fork())
    join(children)
"""
FROM_A_COROUTINE = FORKING + """
    async def main():
        probe = await atom_py.Probe.start()
        tasks = [asyncio.ensure_future(probe.wait(300)) for _ in range(20)]
        tasks += [asyncio.ensure_future(run_handlers()) for _ in range(20)]
        await asyncio.sleep(0.01)
        join([fork() for _ in range(9)])
        await asyncio.gather(*tasks)
    asyncio.run(main())
"""
CHILD_ENDS_NORMALLY = FORKING + """
    asyncio.run(use())
    children = []
    for _ in range(9):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            asyncio.run(use())
            raise SystemExit(0)
        children.append(child)
    join(children)
"""
MULTIPROCESSING = FORKING + """
    import multiprocessing

    def work(_):
        asyncio.run(use())
        return True

    asyncio.run(use())
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map_async(work, range(9)).get(timeout=60) == [True] * 9
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    "script",
    [BEFORE_ANY_CALL, AFTER_A_CALL, IN_FLIGHT, FROM_A_COROUTINE, CHILD_ENDS_NORMALLY, MULTIPROCESSING],
    ids=["before any call", "after a call", "calls in flight", "from a coroutine", "child ends normally", "multiprocessing"],
)
def test_nine_forked_children_can_call(script):
    assert run_script(script) is None


OPENED_BEFORE_THE_FORK = """
    import os, signal, tempfile, traceback, atom_py

    temporary = tempfile.TemporaryDirectory()
    folder = temporary.name
    options = atom_py.OpenOptions(database_url=f"sqlite:{folder}/atom.db", key_file=f"{folder}/atom.key", create_key_file=True)

    def account(name):
        return atom_py.NewAccount(email=f"{name}@example.test", password="correct horse battery staple")

    atom = atom_py.Atom.open_blocking(options)
    session = atom.accounts.sign_up_blocking(account("parent"))
    scope = atom.authenticate_blocking(session.access_token)
    schema = atom_py.Schema.connect_blocking(options.database_url)

    def refused(call, *arguments):
        try:
            call(*arguments)
        except atom_py.InvalidError as error:
            assert error.reason == "opened_before_fork" and "open it again in the child" in str(error), repr(error)
        else:
            raise AssertionError("a call on the parent's handle succeeded")

    def work(name):
        refused(atom.schema.migrations_blocking)
        refused(schema.migrate_blocking)
        refused(atom.accounts.sign_up_blocking, account(name))
        refused(atom.authenticate_blocking, session.access_token)
        refused(scope.connections.list_blocking)
        refused(atom.shut_down_blocking)
        own = atom_py.Atom.open_blocking(options)
        own.authenticate_blocking(own.accounts.sign_up_blocking(account(name)).access_token)
        own.authenticate_blocking(session.access_token)
        own.shut_down_blocking()

    def start_worker(name):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            try:
                work(name)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        return child

    children = [start_worker(f"child-{number}") for number in range(3)]
    atom.accounts.sign_up_blocking(account("meanwhile"))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * 3, codes

    for name in ("parent", "meanwhile", "child-0", "child-1", "child-2"):
        credentials = atom_py.Credentials(email=f"{name}@example.test", password="correct horse battery staple")
        atom.accounts.sign_in_blocking(credentials)
    atom.shut_down_blocking()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_three_forked_workers_refuse_the_parents_installation_and_open_their_own():
    assert run_script(OPENED_BEFORE_THE_FORK) is None
