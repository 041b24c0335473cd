"""Steps of a running job, with the work that is done in them."""

from typing import Any, Callable

from ._atom import Effect, RunningJob


async def step(self: RunningJob, step: str, effect: Effect, work: Callable[[], Any]) -> Any:
    """Does a step unless an earlier attempt has done it, and returns its outcome, any JSON; what `work` returns may be awaitable.

    What `work` raises leaves the step undone. Raises `ConflictError` (`step_in_doubt`) where an earlier attempt may have done a step
    that must not be repeated, and `CancelledError` (`job_lost`): let both leave the handler.
    """
    recorded = await self.begin_step(step, effect)
    if recorded is not None:
        return recorded.output
    output = work()
    if hasattr(output, "__await__"):
        output = await output
    await self.finish_step(step, output)
    return output


def step_blocking(self: RunningJob, step: str, effect: Effect, work: Callable[[], Any]) -> Any:
    """`step`, but the thread waits until it is done."""
    recorded = self.begin_step_blocking(step, effect)
    if recorded is not None:
        return recorded.output
    output = work()
    self.finish_step_blocking(step, output)
    return output
