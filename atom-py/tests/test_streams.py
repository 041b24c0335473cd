"""Streams: `async for`, `for`, and the `next` below them."""

import asyncio

import pytest

import atom_py
from atom_py import Probe


def test_async_for_gives_every_item_and_ends():
    async def main():
        ticks = await (await Probe.start()).count_to(100)
        assert [number async for number in ticks] == list(range(1, 101))
        assert [number async for number in ticks] == []
        assert await ticks.next() is None

    asyncio.run(main())


def test_for_gives_every_item_and_ends():
    ticks = Probe.start_blocking().count_to_blocking(100)
    assert list(ticks) == list(range(1, 101))
    assert list(ticks) == []
    assert ticks.next_blocking() is None


def test_a_loop_that_is_left_can_be_taken_up_again():
    async def main():
        ticks = await (await Probe.start()).count_to(5)
        async for number in ticks:
            if number == 2:
                break
        assert [number async for number in ticks] == [3, 4, 5]

    asyncio.run(main())


def test_an_error_is_raised_in_the_loop_and_the_stream_goes_on():
    async def main():
        ticks, seen = await (await Probe.start()).count_to(4, fails_at=3), []
        with pytest.raises(atom_py.ConflictError):
            async for number in ticks:
                seen.append(number)
        assert seen + [number async for number in ticks] == [1, 2, 3, 4]

    asyncio.run(main())
    ticks = Probe.start_blocking().count_to_blocking(4, fails_at=3)
    with pytest.raises(atom_py.ConflictError):
        list(ticks)
    assert list(ticks) == [3, 4]


def test_anext_and_time_outs_take_a_stream():
    async def main():
        ticks = await (await Probe.start()).count_to(2)
        assert await anext(ticks) == 1
        assert await asyncio.wait_for(anext(ticks), 5) == 2
        assert await anext(ticks, "end") == "end"

    asyncio.run(main())
