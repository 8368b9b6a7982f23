"""What a comparison found: one ratio a round, summed up as their median."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Target:
    """What the ratio should be: at least or at most a bound."""

    bound: float
    at_most: bool = False

    def is_met(self, ratio: float) -> bool:
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True)
class Pair:
    """Both sides of one round, measured within seconds of each other."""

    ours: float
    against: float

    @property
    def ratio(self) -> float:
        return self.ours / self.against


@dataclass(frozen=True)
class Row:
    """One comparison. `notes` are lines that a reader needs to judge it."""

    name: str
    compared: str
    unit: str
    pairs: Sequence[Pair]
    target: Target | None = None
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def ratio(self) -> float:
        return median(pair.ratio for pair in self.pairs)

    def figures(self) -> dict[str, Any]:
        ratios = [pair.ratio for pair in self.pairs]
        return {
            "name": self.name,
            "ratio": self.ratio,
            "ours": median(pair.ours for pair in self.pairs),
            "against": median(pair.against for pair in self.pairs),
            "unit": self.unit,
            "compared": self.compared,
            "lowest": min(ratios),
            "highest": max(ratios),
            "rounds": len(ratios),
            "target": str(self.target) if self.target else "",
            "met": self.target.is_met(self.ratio) if self.target else None,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        found = self.figures()
        verdict = ""
        if self.target:
            verdict = f", target {self.target}: {'met' if found['met'] else 'MISSED'}"
        return [
            f"{self.name}: {self.compared}",
            f"    {number(found['ours'])} against {number(found['against'])} {self.unit}, "
            f"ratio {self.ratio:.3g}{verdict}; "
            f"{found['lowest']:.3g} to {found['highest']:.3g} over {found['rounds']} "
            f"{'round' if found['rounds'] == 1 else 'rounds'}",
            *(f"    {note}" for note in self.notes),
        ]


def number(value: float) -> str:
    """Readable at any size: 1,137 or 0.0312."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 10_000) // 10_000) - 1)]
