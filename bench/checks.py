"""What a check is and what it answers; nothing else, so that every subject can import it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """`figure` is one line that a reader can judge: "1,000 tickets, 0 doubled"."""

    passed: bool
    figure: str


@dataclass(frozen=True)
class Check:
    """`run(stack, **sizes)` counts what really happened, never what was meant to happen.

    `full` are the sizes of `make chaos`, `small` those of the tests; both name the same things.
    """

    name: str
    run: Callable[..., Result]
    full: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
