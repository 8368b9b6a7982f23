"""Answers kept for some seconds in this process, for figures that may be a little old.

Not in Valkey: a page must not wait for a broker that is away.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_kept: dict[str, tuple[float, Any]] = {}


def recalled(name: str, seconds: float, work: Callable[[], Answer]) -> Answer:
    """What `work` answered at most so many seconds ago under this name, else what it answers now.

    Names are few and fixed: nothing is ever thrown away.
    """
    kept = _kept.get(name)
    if kept is not None and monotonic() - kept[0] < seconds:
        answer: Answer = kept[1]
        return answer
    answer = work()
    _kept[name] = (monotonic(), answer)
    return answer


def forget(name: str = "") -> None:
    """What is kept under a name; without one, everything."""
    if name:
        _kept.pop(name, None)
    else:
        _kept.clear()
