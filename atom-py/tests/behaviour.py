"""Plays the scenarios of `atom-core/testdata/behaviour`: its README says what they mean."""

import base64
import json
import re
import uuid
from datetime import datetime, timezone
from pathlib import Path
from types import GetSetDescriptorType

import atom_py

SUITE = Path(__file__).parents[2] / "atom-core" / "testdata" / "behaviour"
PATH = re.compile(r"\$\w+(\.\w+)*")
KEY = base64.b64encode(bytes(range(32))).decode()


def scenarios():
    """Every scenario of the suite, with the name of its file."""
    return [(path.stem, entry) for path in sorted(SUITE.glob("*.json")) for entry in json.loads(path.read_text("utf-8"))]


async def asynchronous(target, method, *args):
    """Calls a method and awaits it."""
    return await getattr(target, method)(*args)


async def blocking(target, method, *args):
    """Calls the blocking twin of a method."""
    return getattr(target, f"{method}_blocking")(*args)


class Stage:
    """The names that the steps of one scenario know. The objects it may use are made when it first mentions them."""

    def __init__(self, scenario, database_url, call):
        self.needs = scenario.get("needs", [])
        self.database_url = database_url
        self.call = call
        self.unique = uuid.uuid4().hex[:8]
        self.names = {}

    async def play(self, steps):
        for number, step in enumerate(steps, start=1):
            try:
                await self.step(step)
            except Exception as error:
                raise AssertionError(f"step {number}, {step.get('call') or step.get('get')}: {error}") from error

    async def step(self, step):
        if "get" in step:
            result = await self.read(step["get"])
        else:
            path, _, method = step["call"].rpartition(".")
            target = await self.read(path)
            args = [await self.value(arg) for arg in step.get("args", [])]
            if "fails" in step:
                return await self.fail(step["fails"], target, method, args)
            result = await self.call(target, method, *args)
        if "save" in step:
            self.names[step["save"]] = result
        if "expect" in step:
            match(plain(result), plain(await self.value(step["expect"])), "result")

    async def fail(self, expected, target, method, args):
        try:
            result = await self.call(target, method, *args)
        except atom_py.AtomError as error:
            match({name: getattr(error, name) for name in expected}, expected, "error")
        else:
            raise AssertionError(f"expected an error, got {result!r}")

    async def root(self, name):
        if name not in self.names:
            self.names[name] = await self.make(name)
        return self.names[name]

    async def make(self, name):
        if name == "probe":
            return await self.call(atom_py.Probe, "start")
        if name == "google":
            return await self.call(atom_py.GoogleStandIn, "start")
        if name == "atom":
            greet = atom_py.JobKind(name="greet", queue="behaviour", priority=2, max_attempts=3)
            options = {"database_url": self.database_url, "key": KEY, "job_kinds": [greet]}
            options |= {"passkey_rp_id": "acme.example", "passkey_origins": ["https://acme.example"]}
            if "google" in self.needs:
                google = await self.root("google")
                options |= {"providers": [google.app], "sign_in_providers": [google.sign_in_provider]}
            return await self.call(atom_py.Atom, "open", atom_py.OpenOptions(**options))
        raise AssertionError(f"no earlier step saved {name!r}")

    async def read(self, path):
        root, *parts = path.split(".")
        value = await self.root(root)
        for part in parts:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        return value

    async def value(self, written):
        """The Python value for a value as the suite writes it."""
        if isinstance(written, str):
            if PATH.fullmatch(written) and written != "$unique":
                return await self.read(written[1:])
            return written.replace("$unique", self.unique)
        if isinstance(written, list):
            return [await self.value(item) for item in written]
        if not isinstance(written, dict):
            return written
        if "$json" in written:
            return written["$json"]
        if "$date" in written:
            return datetime.fromisoformat(written["$date"].replace("Z", "+00:00"))
        if "$bytes" in written:
            return base64.b64decode(written["$bytes"])
        fields = {name: await self.value(item) for name, item in written.items() if name not in ("$type", "$variant")}
        if "$type" not in written:
            return fields
        made = getattr(atom_py, written["$type"])
        if "$variant" not in written:
            return made(**fields)
        variant = written["$variant"]
        return getattr(made, variant.upper()) if is_string_enum(made) else getattr(made, camel(variant))(**fields)


def is_string_enum(kind):
    return any(isinstance(member, kind) for member in vars(kind).values())


def camel(snake):
    return "".join(word.capitalize() for word in snake.split("_"))


def snake(camel):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in camel).lstrip("_")


def plain(value):
    """A result as plain JSON."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    kind = type(value)
    if is_string_enum(kind):
        return value.value
    fields = [name for name, member in vars(kind).items() if isinstance(member, GetSetDescriptorType)]
    record = {name: plain(getattr(value, name)) for name in fields}
    if kind.__base__ is not object:
        record["type"] = snake(kind.__name__)
    return record


def match(actual, expected, where):
    """Fails unless `actual` is as expected; an expected object may name fewer fields than there are."""
    if expected == {"$any": True}:
        assert actual is not None, f"{where} is null"
    elif isinstance(expected, dict):
        assert isinstance(actual, dict), f"{where} is {actual!r}, not an object"
        for name, item in expected.items():
            match(actual.get(name), item, f"{where}.{name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list) and len(actual) == len(expected), f"{where} is {actual!r}, expected {expected!r}"
        for index, (one, other) in enumerate(zip(actual, expected)):
            match(one, other, f"{where}[{index}]")
    else:
        same = actual == expected and isinstance(actual, bool) == isinstance(expected, bool)
        assert same, f"{where} is {actual!r}, expected {expected!r}"
