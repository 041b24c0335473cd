"""Operation hooks through UniFFI's Python bindings: the border that Kotlin and Swift share, without their tools."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import atom
import pytest

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
"""


class Vendor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"id": self.path, "name": self.headers.get("X-Key")}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Hook(atom.OperationHook):
    def __init__(self, run):
        self._run = run

    async def run(self, connection, input):
        return await self._run(connection, json.loads(input))


def options(url):
    app = atom.ProviderApp(provider="stage", client_id="", redirect_uri="", manifest=MANIFEST.replace("URL", url))
    return atom.OpenOptions(database_url="memory:", providers=[app])


def call(url, run, timeout=None):
    async def main():
        # The bindings do not remember on which loop a hook was handed over.
        atom.uniffi_set_event_loop(asyncio.get_running_loop())
        try:
            opened = await atom.Atom.open_with_hooks(options(url), {"both_halves": Hook(run)})
            ada = atom.NewAccount(email="ada@example.com", password="an engine of brass and thought")
            session = await opened.accounts().sign_up(ada)
            scope = await opened.authenticate(session.access_token)
            connection = await scope.connections().connect(atom.ConnectWith(provider="stage", fields={"api_key": "k"}))
            page = await asyncio.wait_for(connection.call("tasks.list", json.dumps({"at": url})), timeout)
            await opened.shut_down()
            return json.loads(page)
        finally:
            atom.uniffi_set_event_loop(None)

    return asyncio.run(main())


def test_a_hook_carries_out_an_operation_with_requests_of_its_own(url):
    async def both_halves(connection, given):
        requests = (atom.RawRequest(method="GET", url=f"{given['at']}/{half}") for half in ("first", "second"))
        answers = await asyncio.gather(*(connection.request(request) for request in requests))
        return json.dumps({"found": [json.loads(answer.json) for answer in answers]})

    items = call(url, both_halves)["items"]
    assert [(item["id"], item["title"]) for item in items] == [("/first", "k"), ("/second", "k")]


def raises(error):
    async def run(connection, given):
        raise error

    return run


def failure(url, run):
    with pytest.raises(atom.AtomError) as caught:
        call(url, run)
    return caught.value


def test_what_a_hook_raises_is_told_by_its_class(url, capsys):
    for error in [ValueError(CANARY), atom.hook_error("ValueError")]:
        details = failure(url, raises(error)).details()
        assert (details.code, details.reason) == ("provider", "hook_failed")
        assert "ValueError" in details.text and CANARY not in details.text


def test_an_error_of_atom_reaches_the_caller_as_it_is(url):
    fields = {"provider": "stage", "status": 409, "retry_after_seconds": 7.5, "retryable": False}
    conflict = atom.AtomError.Conflict(reason="album_exists", text="twice", **fields)
    error = failure(url, raises(conflict))
    details = error.details()
    assert isinstance(error, atom.AtomError.Conflict)
    found = (details.reason, details.text, details.provider, details.status, details.retry_after_seconds)
    assert found == ("album_exists", "twice", "stage", 409, 7.5)


def test_what_is_no_json_is_a_failed_hook(url):
    async def gives(connection, given):
        return "{"

    details = failure(url, gives).details()
    assert details.reason == "hook_failed" and "malformed_output" in details.text


def test_a_caller_that_is_cancelled_ends_its_hook(url):
    ended = threading.Event()

    async def waits(connection, given):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return "{}"

    with pytest.raises(asyncio.TimeoutError):
        call(url, waits, timeout=0.3)
    assert ended.wait(5)


def test_a_hook_that_is_missing_is_refused_when_opening(url):
    with pytest.raises(atom.AtomError.Invalid) as caught:
        asyncio.run(atom.Atom.open(options(url)))
    details = caught.value.details()
    assert details.reason == "unknown_hook" and "`both_halves`" in details.text
