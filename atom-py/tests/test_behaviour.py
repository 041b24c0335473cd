"""The behaviour suite, awaited and blocking, on every database that is at hand."""

import asyncio
import os

import pytest

import behaviour

DATABASES = ["sqlite"] + (["postgres"] if os.environ.get("ATOM_TEST_POSTGRES") else [])
SCENARIOS = behaviour.scenarios()


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("call", [behaviour.asynchronous, behaviour.blocking], ids=lambda call: call.__name__)
@pytest.mark.parametrize("scenario", [entry for _, entry in SCENARIOS], ids=[f"{f}: {s['name']}" for f, s in SCENARIOS])
def test_scenario(scenario, call, database, tmp_path):
    url = f"sqlite://{tmp_path}/atom.db" if database == "sqlite" else os.environ["ATOM_TEST_POSTGRES"]
    asyncio.run(behaviour.Stage(scenario, url, call).play(scenario["steps"]))
