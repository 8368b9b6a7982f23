"""A source's fields and choices as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChoiceSpec:
    """A live choice: where it stands and what follows from it (field key -> choice key).

    `target_minutes` is an owner's own figure, of a priority.
    `ancestors` are the keys of its parents, nearest first, retired ones among them.
    """

    key: str
    rank: int = 0
    ancestors: tuple[str, ...] = ()
    implies: Mapping[str, str] = field(default_factory=dict)
    target_minutes: int | None = None


@dataclass(frozen=True)
class Thresholds:
    """What a field asks of its model, 0 to 1; by default nothing.

    propose_from : lowest probability at which a value is proposed
    scope_from : lowest in-scope score at which one is
    settle_from : below this probability a choice gives way to a parent that reaches it; 0: never
    """

    propose_from: float = 0.0
    scope_from: float = 0.0
    settle_from: float = 0.0


@dataclass(frozen=True)
class FieldSpec:
    key: str
    is_main: bool
    is_ordered: bool
    choices: Mapping[str, ChoiceSpec]
    thresholds: Thresholds = field(default_factory=Thresholds)
