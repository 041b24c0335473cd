"""What the native module cannot say itself: a coroutine that Python made."""

from typing import Any, Awaitable, Callable


async def call(start: Callable[[], Awaitable[Any]]) -> Any:
    """Starts the work when it is awaited, as every coroutine does, so that `asyncio.run` and task groups accept it."""
    return await start()
