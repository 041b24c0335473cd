"""Read by mypy, never run: what must be accepted and what must be refused by the stub."""

import asyncio
import datetime
import typing

from typing_extensions import assert_type

from atom_py._atom import Atom, Connection, OpenOptions, Probe, Sample, Shape, UsageQuery, Weight


async def values(sample: Sample) -> None:
    probe = await Probe.start()
    assert_type(probe.is_started, bool)
    assert_type(await probe.echo(sample), Sample)
    assert_type(probe.echo_many_blocking([sample]), list[Sample])
    assert_type(await probe.echo_optional(), str | None)
    assert_type(await asyncio.gather(probe.nothing(), probe.echo_secret("s")), tuple[None, str])
    assert_type(sample.at, datetime.datetime)
    assert_type(sample.weight.value, typing.Literal["light", "very_heavy"])
    assert_type(Weight.VERY_HEAVY, Weight)

    sample.text = "other"  # type: ignore[misc]  # records are frozen
    await probe.wait("long")  # type: ignore[arg-type]


def area(shape: Shape) -> float:
    match shape:
        case Shape.Circle(radius):
            return assert_type(radius, float)
        case Shape.Plane(label):
            assert_type(label, str | None)
    return 0.0


async def hooks(options: OpenOptions) -> None:
    async def calls(connection: Connection, given: dict[str, typing.Any]) -> int:
        return (await connection.usage(UsageQuery())).totals.calls

    assert_type(await Atom.open_with_hooks(options, {"calls": calls, "none": lambda connection, given: None}), Atom)
    await Atom.open_with_hooks(options, {"calls": 5})  # type: ignore[dict-item]
