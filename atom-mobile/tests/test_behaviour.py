"""Plays the behaviour suite on UniFFI's Python bindings: the border that Kotlin and Swift share, without their tools."""

import asyncio
import base64
import datetime
import enum
import json
import os
import pathlib
import re
import uuid

import atom
import pytest

SUITE = pathlib.Path(__file__).parents[2] / "atom-core/testdata/behaviour"
SCENARIOS = [scenario for file in sorted(SUITE.glob("*.json")) for scenario in json.loads(file.read_text())]
DATABASES = ["sqlite"] + (["postgres"] if "ATOM_TEST_POSTGRES" in os.environ else [])
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_the_scenario_plays(scenario, database, tmp_path):
    url = f"sqlite://{tmp_path}/atom.db" if database == "sqlite" else os.environ["ATOM_TEST_POSTGRES"]
    asyncio.run(Stage(scenario, url).play())


class Stage:
    """One scenario on its way: the names it has saved, and the handles it started."""

    def __init__(self, scenario, database):
        self.scenario = scenario
        self.database = database
        self.names = {}
        self.unique = uuid.uuid4().hex[:8]

    async def play(self):
        for step in self.scenario["steps"]:
            try:
                result = await self.perform(step)
            except atom.AtomError as error:
                if "fails" not in step:
                    raise
                await self.compare(step["fails"], plain(error.details()), "the error")
                continue
            assert "fails" not in step, "succeeded"
            if "save" in step:
                self.names[step["save"]] = result
            if "expect" in step:
                await self.compare(step["expect"], plain(result), "the result")

    async def perform(self, step):
        if "get" in step:
            return await self.at(step["get"])
        owner, _, method = step["call"].rpartition(".")
        args = [await self.read(written) for written in step.get("args", [])]
        return await getattr(await self.at(owner), method)(*args)

    async def start(self, name):
        if name == "probe":
            return await atom.Probe.start()
        if name == "google":
            return await atom.GoogleStandIn.start()
        if name == "atom":
            providers = [await self.at(f"{needed}.app") for needed in self.scenario.get("needs", [])]
            greet = atom.JobKind(name="greet", queue="behaviour", priority=2, max_attempts=3)
            social = [await self.at(f"{needed}.sign_in_provider") for needed in self.scenario.get("needs", [])]
            passkeys = {"passkey_rp_id": "acme.example", "passkey_origins": ["https://acme.example"]}
            options = atom.OpenOptions(
                database_url=self.database, key=KEY, providers=providers, sign_in_providers=social, job_kinds=[greet], **passkeys
            )
            return await atom.Atom.open(options)
        raise AssertionError(f"nothing is saved as {name}")

    async def at(self, path):
        root, *parts = path.split(".")
        if root not in self.names:
            self.names[root] = await self.start(root)
        value = self.names[root]
        for part in parts:
            value = getattr(value, part)
            value = value() if callable(value) else value
        return value

    async def read(self, written):
        """What a written value stands for."""
        if isinstance(written, str):
            if written.startswith("$") and not written.startswith("$unique"):
                return await self.at(written[1:])
            return written.replace("$unique", self.unique)
        if isinstance(written, list):
            return [await self.read(item) for item in written]
        if not isinstance(written, dict):
            return written
        match list(written.items()):
            case [("$date", text)]:
                return datetime.datetime.fromisoformat(text)
            case [("$bytes", text)]:
                return base64.b64decode(text)
            case [("$json", value)]:
                return json.dumps(value)
        fields = {name: await self.read(value) for name, value in written.items() if name not in ("$type", "$variant")}
        if "$type" not in written:
            return fields
        kind = getattr(atom, written["$type"])
        if "$variant" in written:
            kind = getattr(kind, written["$variant"].upper())
        return kind if isinstance(kind, enum.Enum) else kind(**fields)

    async def compare(self, expected, found, at):
        # A field of type `Json` is a text on mobile, and nothing but the expectation tells it from other texts.
        if isinstance(found, str) and not isinstance(expected, str) and expected != {"$any": True}:
            found = json.loads(found)
        if expected == {"$any": True}:
            assert found is not None, at
        elif isinstance(expected, dict):
            assert isinstance(found, dict), at
            for name, value in expected.items():
                await self.compare(value, found.get(name), f"{at}.{name}")
        elif isinstance(expected, list):
            assert isinstance(found, list) and len(found) == len(expected), f"{at}: {found}"
            for index, (value, item) in enumerate(zip(expected, found)):
                await self.compare(value, item, f"{at}[{index}]")
        else:
            # An expected text may be data that merely starts with a `$`.
            is_path = isinstance(expected, str) and expected.startswith("$") and expected[1:].split(".")[0] in self.names
            value = plain(await self.at(expected[1:])) if is_path else expected
            if isinstance(value, str):
                value = value.replace("$unique", self.unique)
            assert (found, type(found) is bool) == (value, type(value) is bool), at


def plain(value):
    """The plain JSON of a result."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat()
        return re.sub(r"(\.\d+?)0*\+00:00$", r"\1Z", text).replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    fields = {name: plain(item) for name, item in vars(value).items() if not name.startswith("_")}
    _, _, variant = type(value).__name__.partition(".")
    return fields | {"type": variant.lower()} if variant else fields
