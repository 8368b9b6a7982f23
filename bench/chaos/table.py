"""The fault and abuse plan: every check, run one by one, each followed by the invariant."""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connections

from bench.chaos import (
    access,
    addresses,
    bodies,
    broker,
    burst,
    database,
    decisions,
    effects,
    erasure,
    inbound,
    ledger,
    models,
    pages,
    poison,
    rules,
    schema,
    undoing,
    workers,
)
from bench.checks import Check, Result
from bench.invariant import broken, until_quiet
from bench.stack import Stack

CHECKS: tuple[Check, ...] = (
    *inbound.CHECKS,
    *bodies.CHECKS,
    *pages.CHECKS,
    *rules.CHECKS,
    *schema.CHECKS,
    *addresses.CHECKS,
    *effects.CHECKS,
    *decisions.CHECKS,
    *undoing.CHECKS,
    *access.CHECKS,
    *models.CHECKS,
    *erasure.CHECKS,
    *ledger.CHECKS,
    *workers.CHECKS,
    *poison.CHECKS,
    *broker.CHECKS,
    *database.CHECKS,
    *burst.CHECKS,
)
QUIET_SECONDS = 120.0
NAME_WIDTH, SIZE_WIDTH = 36, 30


@dataclass(frozen=True)
class Row:
    """What one check showed; `size` are its sizes as text."""

    name: str
    size: str
    figure: str
    passed: bool
    seconds: float

    def line(self) -> str:
        word = "pass" if self.passed else "FAIL"
        return (
            f"{word}  {self.name:<{NAME_WIDTH}}  {self.size:<{SIZE_WIDTH}}  "
            f"{self.seconds:7.1f} s  {self.figure}"
        )

    def record(self) -> dict[str, Any]:
        return asdict(self)


def names() -> list[str]:
    return [check.name for check in CHECKS]


def run(checks: Sequence[Check], *, small: bool, tell: Callable[[Row], None]) -> list[Row]:
    """Run the checks on one stack; `tell` gets each row as it is known."""
    rows = []
    with Stack() as stack:
        known: set[str] = set()
        for check in checks:
            row = _row(stack, check, check.small if small else check.full, known)
            tell(row)
            rows.append(row)
    return rows


def _row(stack: Stack, check: Check, sizes: Mapping[str, Any], known: set[str]) -> Row:
    """A check that raises has failed; the next one finds all parts running again."""
    began = time.monotonic()
    try:
        stack.up()
        began = time.monotonic()
        result = check.run(stack, **sizes)
        result = _with_invariant(stack, result, known)
    except Exception as error:
        traceback.print_exc()
        result = Result(False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    size = ", ".join(f"{name} {value}" for name, value in sizes.items())
    return Row(check.name, size, result.figure, result.passed, time.monotonic() - began)


def _with_invariant(stack: Stack, result: Result, known: set[str]) -> Result:
    """The result, failed if the invariant is broken in a way that no earlier check had shown."""
    stack.up("postgres", "sweeper")
    # A check may have restarted the database under this connection.
    connections.close_all()
    until_quiet(QUIET_SECONDS)
    fresh = [breach for breach in broken() if breach not in known]
    known.update(fresh)
    if fresh:
        return Result(False, f"{result.figure}; broken: {'; '.join(fresh)}")
    return result
