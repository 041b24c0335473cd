"""Operations that functions of Python carry out: plain ones and coroutine functions, from an event loop, from threads, after a fork."""

import asyncio
import gc
import json
import logging
import os
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from atom_py import (
    Atom,
    ConflictError,
    ConnectWith,
    InvalidError,
    JobError,
    NewAccount,
    NotFoundError,
    OpenOptions,
    ProviderApp,
    ProviderError,
    RateLimitedError,
    RawRequest,
    UsageQuery,
)

CANARY = "canary-of-a-customer"

MANIFEST = """
schema = 1
name = "stage"
title = "Stage"
docs = "https://stage.example/docs"
verified_at = "2026-11-28"
hosts = ["127.0.0.1"]
[methods.key]
type = "api_key"
title = "Key"
send = { headers = { X-Key = "{api_key}" } }
[identity]
url = "URL/me"
account_id = "id"
[services.main]
base_url = "URL"
[services.main.records.task]
id = "id"
title = "name"
[services.main.operations."tasks.list"]
vendor_op = "two requests"
effect = "read"
items = "found"
record = "task"
hook = "both_halves"
[services.main.operations."stage.refuse"]
vendor_op = "refuse"
path = "/refuse"
effect = "read"
"""


class Vendor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"id": self.path, "name": self.headers.get("X-Key")}).encode()
        self.send_response(404 if self.path == "/refuse" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def options(url, database="memory:", **fields):
    app = ProviderApp(provider="stage", client_id="", redirect_uri="", manifest=MANIFEST.replace("URL", url))
    return OpenOptions(database_url=database, providers=[app], **fields)


def asked(url, half):
    return RawRequest(method="GET", url=f"{url}/{half}")


KEY = ConnectWith(provider="stage", fields={"api_key": "k"})


def account():
    return NewAccount(email=f"ada-{os.urandom(6).hex()}@example.com", password="an engine of brass and thought")


async def connected(atom):
    session = await atom.accounts.sign_up(account())
    scope = await atom.authenticate(session.access_token)
    return await scope.connections.connect(KEY)


def connected_blocking(atom):
    session = atom.accounts.sign_up_blocking(account())
    return atom.authenticate_blocking(session.access_token).connections.connect_blocking(KEY)


async def both_halves(connection, given):
    """Asks twice, at the same time, through the connection."""
    first, second = await asyncio.gather(*(connection.request(asked(given["at"], half)) for half in ("first", "second")))
    return {"found": [first.json, second.json]}


def both_halves_blocking(connection, given):
    return {"found": [connection.request_blocking(asked(given["at"], half)).json for half in ("first", "second")]}


HOOKS = {
    "coroutine": both_halves,
    "plain": both_halves_blocking,
    "plain that gives a coroutine": lambda connection, given: both_halves(connection, given),
}


def is_right(page):
    return [(item["id"], item["title"]) for item in page["items"]] == [("/first", "k"), ("/second", "k")]


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_a_hook_carries_out_an_operation_with_requests_of_its_own(url, hook):
    async def main():
        async with await Atom.open_with_hooks(options(url), {"both_halves": hook}) as atom:
            connection = await connected(atom)
            pages = await asyncio.gather(*(connection.call("tasks.list", {"at": url}) for _ in range(20)))
            assert all(is_right(page) for page in pages)
            calls = (await connection.usage(UsageQuery())).totals.calls
            assert calls >= 40, "requests of a hook are counted like any other"

    asyncio.run(main())


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_a_hook_is_called_from_threads_without_an_event_loop(url, hook):
    with Atom.open_with_hooks_blocking(options(url), {"both_halves": hook}) as atom:
        connection = connected_blocking(atom)
        with ThreadPoolExecutor(8) as threads:
            pages = list(threads.map(lambda _: connection.call_blocking("tasks.list", {"at": url}), range(24)))
        assert all(is_right(page) for page in pages)


def test_a_hook_of_an_event_loop_is_called_from_threads(url):
    async def main():
        async with await Atom.open_with_hooks(options(url), {"both_halves": both_halves}) as atom:
            connection = await connected(atom)
            calls = (asyncio.to_thread(connection.call_blocking, "tasks.list", {"at": url}) for _ in range(4))
            assert all(is_right(page) for page in await asyncio.gather(*calls))

    asyncio.run(main())


def refused(url, hook, caller=None):
    with Atom.open_with_hooks_blocking(options(url), {"both_halves": hook}) as atom:
        connection = connected_blocking(atom)
        with pytest.raises(Exception) as caught:
            connection.call_blocking("tasks.list", {"at": url})
        return caught.value


class Boiled(Exception):
    pass


def raises(error):
    def hook(connection, given):
        raise error

    return hook


def raises_later(error):
    async def hook(connection, given):
        raise error

    return hook


@pytest.mark.parametrize("how", [raises, raises_later], ids=["plain", "coroutine"])
def test_what_a_hook_raises_is_told_by_its_class_and_logged_where_it_was_raised(url, how, caplog):
    caplog.set_level(logging.WARNING, "atom_py")
    error = refused(url, how(Boiled(CANARY)))
    assert type(error) is ProviderError and error.reason == "hook_failed" and "Boiled" in str(error)
    assert CANARY not in f"{error}{error!r}{error.__cause__}{error.__context__}"
    assert CANARY in caplog.text and "hook" in caplog.text
    assert "boiled_over" in str(refused(url, how(JobError("boiled_over", CANARY))))


@pytest.mark.parametrize("how", [raises, raises_later], ids=["plain", "coroutine"])
def test_an_error_of_atom_reaches_the_caller_as_it_is(url, how):
    limited = RateLimitedError("wait for it", reason="album_busy", provider="stage", status=429, retry_after=7.5)
    error = refused(url, how(limited))
    assert type(error) is RateLimitedError and str(error) == "wait for it"
    assert (error.reason, error.provider, error.status, error.retry_after) == ("album_busy", "stage", 429, 7.5)
    assert type(refused(url, how(ConflictError("twice", reason="album_exists")))) is ConflictError
    assert refused(url, how(ConflictError(CANARY, reason="Ada Lovelace"))).reason == "hook_failed"

    def passes(connection, given):
        connection.call_blocking("stage.refuse", {})

    error = refused(url, passes)
    assert type(error) is NotFoundError and error.status == 404


OUTPUTS = {"an object": object(), "a set": {1}, "not a number": float("nan"), "bytes": b"x"}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_what_is_no_json_is_a_failed_hook(url, output):
    error = refused(url, lambda connection, given: output)
    assert type(error) is ProviderError and error.reason == "hook_failed" and "malformed_output" in str(error)


def test_a_hook_that_is_missing_is_refused_when_opening(url):
    with pytest.raises(InvalidError) as caught:
        Atom.open_with_hooks_blocking(options(url), {"another": both_halves})
    assert caught.value.reason == "unknown_hook"
    assert all(name in str(caught.value) for name in ("`stage`", "`tasks.list`", "`both_halves`"))
    with pytest.raises(InvalidError):
        Atom.open_blocking(options(url))
    for wrong in [5, "both_halves", None]:
        with pytest.raises(TypeError):
            Atom.open_with_hooks_blocking(options(url), {"both_halves": wrong})


def test_a_caller_that_is_cancelled_ends_its_hook(url):
    ended = threading.Event()

    async def waits(connection, given):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def main():
        async with await Atom.open_with_hooks(options(url), {"both_halves": waits}) as atom:
            connection = await connected(atom)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.call("tasks.list", {"at": url}), 0.2)
            deadline = time.monotonic() + 5
            while not ended.is_set() and time.monotonic() < deadline:
                await asyncio.sleep(0.01)

    asyncio.run(main())
    assert ended.is_set()


def test_a_loop_that_has_ended_is_an_error_and_no_hang(url):
    async def main():
        atom = await Atom.open_with_hooks(options(url), {"both_halves": both_halves})
        return atom, await connected(atom)

    atom, connection = asyncio.run(main())
    with pytest.raises(ProviderError) as caught:
        connection.call_blocking("tasks.list", {"at": url})
    assert caught.value.reason == "hook_failed" and "closed" in str(caught.value)
    atom.shut_down_blocking()


def test_a_hook_is_released_with_its_installation(url):
    class Hook:
        def __call__(self, connection, given):
            return {"found": []}

    hook = Hook()
    known = weakref.ref(hook)
    with Atom.open_with_hooks_blocking(options(url), {"both_halves": hook}) as atom:
        connected_blocking(atom).call_blocking("tasks.list", {})
    del atom, hook
    deadline = time.monotonic() + 5
    while known() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert known() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_opens_its_own_and_its_hooks_work(url, tmp_path):
    given = options(url, f"sqlite:{tmp_path / 'atom.db'}", key_file=str(tmp_path / "key"), create_key_file=True)
    with Atom.open_with_hooks_blocking(given, {"both_halves": both_halves}) as atom:
        connection = connected_blocking(atom)
        assert is_right(connection.call_blocking("tasks.list", {"at": url}))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                own = Atom.open_with_hooks_blocking(given, {"both_halves": both_halves})
                code = 0 if is_right(connected_blocking(own).call_blocking("tasks.list", {"at": url})) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert is_right(connection.call_blocking("tasks.list", {"at": url}))
