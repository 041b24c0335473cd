"""Why a call failed: one class per kind, all of them an `AtomError`.

The class says what to do, `reason` names the exact cause for programs, and the text names the cause and the mend for
people. None of them ever holds a secret or personal data.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar, Optional

__all__ = [
    "AtomError",
    "CancelledError",
    "ConflictError",
    "ForbiddenError",
    "InternalError",
    "InvalidError",
    "JobError",
    "NotConnectedError",
    "NotFoundError",
    "ProviderError",
    "RateLimitedError",
    "ReauthRequiredError",
    "SealedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsupportedError",
]


class AtomError(Exception):
    """The base of every error that Atom raises."""

    code: ClassVar[str] = "internal"
    """The stable name of the kind, the same in every language: `not_found`."""

    reason: str
    """The exact cause, stable and in snake_case: `weak_password`, `wrong_key`."""

    provider: Optional[str]
    """The provider that was involved, if one was."""

    status: Optional[int]
    """The HTTP status that the provider answered, if it answered."""

    retry_after: Optional[float]
    """How many seconds to wait before calling again, where that is known."""

    retryable: bool
    """Whether the same call may succeed later without any change."""

    def __init__(
        self,
        text: str,
        *,
        reason: str,
        provider: Optional[str] = None,
        status: Optional[int] = None,
        retry_after: Optional[float] = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.provider = provider
        self.status = status
        self.retry_after = retry_after
        self.retryable = retryable

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r}, reason={self.reason!r})"

    # An exception is unpickled from its positional arguments, which are not all that it holds.
    def __reduce__(self) -> tuple[Any, ...]:
        return from_core, (
            self.code,
            self.reason,
            str(self),
            self.provider,
            self.status,
            self.retry_after,
            self.retryable,
        )


class InvalidError(AtomError, ValueError):
    """The input is not acceptable: correct the field that the text names and call again."""

    code = "invalid"


class UnauthenticatedError(AtomError):
    """There is no valid session: sign in, or refresh the session, and call again."""

    code = "unauthenticated"


class ForbiddenError(AtomError, PermissionError):
    """The principal may not do this: ask someone with the role that the text names."""

    code = "forbidden"


class NotFoundError(AtomError, LookupError):
    """Nothing with this id is visible to the principal: check the id and the workspace."""

    code = "not_found"


class ConflictError(AtomError):
    """It exists already or has changed since it was read: read it again and decide."""

    code = "conflict"


class NotConnectedError(AtomError):
    """The user has no connection to this provider: start one and send the user to its URL."""

    code = "not_connected"


class ReauthRequiredError(AtomError):
    """The provider no longer accepts the stored grant: send the user through the connection again."""

    code = "reauth_required"


class RateLimitedError(AtomError):
    """Too many requests, ours or the provider's: wait for `retry_after` and call again."""

    code = "rate_limited"


class ProviderError(AtomError):
    """The provider refused the request: read `status` and the text; a repetition will be refused too."""

    code = "provider"


class UnavailableError(AtomError, ConnectionError):
    """A network, a database or a service does not answer: call again, later each time."""

    code = "unavailable"


class SealedError(AtomError):
    """A key is missing or wrong, or a stored record was altered: restore the key or the record; nothing was changed."""

    code = "sealed"


class UnsupportedError(AtomError):
    """This provider has no such capability: ask `capabilities` before offering it."""

    code = "unsupported"


class CancelledError(AtomError):
    """The caller or a shutdown cancelled the work before it took effect."""

    # Not an `asyncio.CancelledError`: that one ends the task that sees it, which only the task's owner may decide.
    code = "cancelled"


class InternalError(AtomError, RuntimeError):
    """A fault in Atom: please report it with the text and the log."""

    code = "internal"


_BY_CODE = {kind.code: kind for kind in AtomError.__subclasses__()}


def from_core(
    code: str,
    reason: str,
    text: str,
    provider: Optional[str],
    status: Optional[int],
    retry_after: Optional[float],
    retryable: bool,
) -> AtomError:
    """Builds the exception for an error of the native module, which calls this by name."""
    return _BY_CODE[code](
        text, reason=reason, provider=provider, status=status, retry_after=retry_after, retryable=retryable
    )


class JobError(Exception):
    """What a job handler raises to say exactly how the attempt failed.

    Any other exception counts as a failure that may be repeated, with the name of its class as the reason. An `AtomError`
    keeps its reason, whether it is retryable and when.
    """

    reason: str
    """A stable name for programs: `smtp_refused`."""

    retryable: bool
    """Whether another attempt may succeed. If not, the job goes to the dead letters at once."""

    retry_after: Optional[float]
    """The least number of seconds to wait before the next attempt, where that is known."""

    def __init__(self, reason: str, text: str, retryable: bool = True, retry_after: Optional[float] = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.retryable = retryable
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"JobError({self.reason!r}, {str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return JobError, (self.reason, str(self), self.retryable, self.retry_after)


_LOG = logging.getLogger("atom_py")


def to_failure(error: BaseException, what: str) -> tuple[str, str, bool, Optional[float]]:
    """What an exception says about a call of the host's function, for the native module."""
    if isinstance(error, (AtomError, JobError)):
        return error.reason, str(error), error.retryable, error.retry_after
    if isinstance(error, asyncio.CancelledError):
        return "cancelled", "the handler was cancelled", True, None
    # Nobody expected this one, and only here is it known where it came from.
    _LOG.warning("%s failed", what, exc_info=error)
    return type(error).__name__, str(error), True, None
