"""Accounts, a token vault and connected services, embedded in your program.

Every operation is a coroutine and has a twin that ends in `_blocking` for programs without an event loop. Errors are
the classes of `atom_py.errors`.
"""

# The native module needs `datetime` and `_calls` later, perhaps in a daemon thread: there the end of the interpreter must not fall
# into an import.
import datetime as _datetime

from . import _atom, _calls, _steps, errors
from ._atom import *
from .errors import *

__all__: list[str] = []
__all__ += _atom.__all__
__all__ += errors.__all__

# The native class cannot take a function of Python in its own methods.
for _method in (_steps.step, _steps.step_blocking):
    setattr(RunningJob, _method.__name__, _method)
