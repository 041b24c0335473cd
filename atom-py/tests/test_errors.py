"""Errors: one class per kind, the same catalogue as in every other language."""

import copy
import json
import pickle
from pathlib import Path

import pytest

import atom_py
from atom_py import errors

CATALOGUE = json.loads((Path(__file__).parents[2] / "atom-core" / "testdata" / "errors.json").read_text("utf-8"))
BUILT_IN = {
    "invalid": ValueError,
    "forbidden": PermissionError,
    "not_found": LookupError,
    "unavailable": ConnectionError,
    "internal": RuntimeError,
}


def failure(code):
    with pytest.raises(atom_py.AtomError) as caught:
        atom_py.Probe.start_blocking().fail_blocking(code)
    return caught.value


def test_there_is_one_class_per_kind_and_each_is_exported():
    kinds = {kind.code: kind for kind in errors.AtomError.__subclasses__()}
    assert sorted(kinds) == sorted(entry["code"] for entry in CATALOGUE)
    assert sorted(errors.__all__) == sorted(kind.__name__ for kind in [errors.AtomError, errors.JobError, *kinds.values()])


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["code"])
def test_an_error_arrives_as_its_class_with_every_field(entry):
    error = failure(entry["code"])
    assert type(error).code == error.code == entry["code"]
    assert type(error).__name__ == entry["code"].title().replace("_", "") + "Error"
    assert isinstance(error, BUILT_IN.get(entry["code"], Exception))
    assert str(error) == f"{entry['code']} on purpose"
    assert (error.reason, error.provider, error.status, error.retry_after) == ("probe", "probe", 418, 1.5)
    assert error.retryable is entry["retryable"]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["code"])
def test_the_class_documents_what_to_do(entry):
    assert type(failure(entry["code"])).__doc__ == entry["advice"]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["code"])
def test_an_error_survives_pickling_and_copying(entry):
    error = failure(entry["code"])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error) and vars(twin) == vars(error)


def test_an_error_shows_its_reason():
    assert repr(failure("not_found")) == "NotFoundError('not_found on purpose', reason='probe')"
