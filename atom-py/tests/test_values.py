"""Values: what crosses the border, and what is refused there with a readable text."""

import inspect
import sys
from datetime import datetime, timezone

import pytest

import atom_py
from atom_py import Probe, Sample, Shape, Weight


def sample(**changes):
    fields = {
        "text": "hello",
        "count": 1,
        "ratio": 0.5,
        "flag": True,
        "at": datetime(2026, 11, 21, 8, tzinfo=timezone.utc),
        "connection": "01890a5d-ac96-774b-bcce-b302099a8057",
        "weight": Weight.LIGHT,
        "shape": Shape.Circle(radius=1.5),
        "tags": [],
        "labels": {},
        "raw": None,
        "content": b"",
    }
    return Sample(**{**fields, **changes})


def echoed_json(raw):
    return Probe.start_blocking().echo_blocking(sample(raw=raw)).raw


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_the_package_exports_all_of_the_native_module_and_of_the_errors():
    public = {name for name in vars(atom_py._atom) if not name.startswith("_")}
    assert public | set(atom_py.errors.__all__) == set(atom_py.__all__)
    assert all(hasattr(atom_py, name) for name in atom_py.__all__)


def test_every_async_method_has_a_blocking_twin_with_the_same_arguments():
    classes = [member for _, member in inspect.getmembers(atom_py, inspect.isclass)]
    twins = [(kind, name) for kind in classes for name in vars(kind) if name.endswith("_blocking")]
    assert (Probe, "wait_blocking") in twins
    for kind, name in twins:
        awaited = getattr(kind, name.removesuffix("_blocking"))
        assert inspect.signature(awaited) == inspect.signature(getattr(kind, name))


def test_a_record_shows_its_fields():
    text = repr(sample(tags=["a"], note="n"))
    assert text.startswith("Sample(text='hello', count=1, ratio=0.5, flag=True, at=datetime.datetime(2026, 11, 21, 8, 0,")
    assert "weight=Weight.LIGHT, shape=Shape.Circle(radius=1.5), tags=['a']" in text
    assert text.endswith("content=b'', note='n')")


def test_records_are_frozen_and_compare_by_value():
    record = sample()
    with pytest.raises(AttributeError):
        record.text = "changed"
    with pytest.raises(AttributeError):
        record.shape.radius = 2.0
    with pytest.raises(AttributeError):
        record.extra = 1
    assert record == sample() and record != sample(text="other")


def test_enums_carry_their_stable_name_and_match():
    assert (Weight.VERY_HEAVY.value, str(Weight.VERY_HEAVY)) == ("very_heavy", "very_heavy")
    assert {Weight.LIGHT: 1}[Weight.LIGHT] == 1
    match Shape.Plane(label="floor"):
        case Shape.Plane(label=label):
            assert label == "floor"
    assert Shape.Plane().label is None


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"text": 5}, TypeError, "'text'"),
        ({"count": "5"}, TypeError, "'count'"),
        ({"count": 2**63}, OverflowError, "too large"),
        ({"flag": "yes"}, TypeError, "'flag'"),
        ({"at": "2026-11-21"}, TypeError, "'at'"),
        ({"at": datetime(2026, 11, 21)}, TypeError, "tzinfo"),
        ({"weight": "light"}, TypeError, "'weight'"),
        ({"shape": {"radius": 1}}, TypeError, "'shape'"),
        ({"tags": "abc"}, TypeError, "'tags'"),
        ({"content": "text"}, TypeError, "'content'"),
        ({"colour": "red"}, TypeError, "unexpected keyword argument 'colour'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_argument_is_refused_by_name(changes, kind, text):
    names_itself = sys.version_info >= (3, 11) or "unexpected" in text  # older exceptions take no notes
    with pytest.raises(kind, match=text if names_itself else None):
        sample(**changes)


def test_a_missing_argument_is_refused_by_name():
    with pytest.raises(TypeError, match="text"):
        Sample(count=1)


def test_a_malformed_id_is_invalid_before_any_call():
    with pytest.raises(atom_py.InvalidError, match="not a ConnectionId") as caught:
        sample(connection="users/1")
    assert caught.value.reason == "malformed_id"


@pytest.mark.parametrize("value", [0, -(2**63), 2**64 - 1, 1e300, "", "東京", [], {}, (1, 2), {"a": [None, True]}])
def test_json_comes_back_unchanged(value):
    assert echoed_json(value) == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (float("nan"), ValueError, "NaN"),
        (2**64, ValueError, "64 bits"),
        ({1: "one"}, TypeError, "keys of a JSON object are text"),
        ({"when": datetime(2026, 1, 1)}, TypeError, "a datetime is not a JSON value"),
        (nested(128), ValueError, "127 levels"),
    ],
    ids=["NaN", "a large integer", "a number as key", "a datetime", "too deep"],
)
def test_what_json_cannot_say_is_refused(value, kind, text):
    with pytest.raises(kind, match=text):
        echoed_json(value)


def test_a_list_that_contains_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="127 levels"):
        echoed_json(endless)


def test_json_at_the_depth_limit_is_accepted():
    assert echoed_json(nested(127)) == nested(127)
