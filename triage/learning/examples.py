"""What a field's models learn from: one label a ticket, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, OuterRef, Value, When

from triage.learning.text import document
from triage.models import Choice, Field, Label, LabelDoubt

# Best truth first: of several labels for one ticket, the first of these counts. What happened
# later comes before the decision that it may have corrected.
TRUST = (Label.Origin.SPOT_CHECK, Label.Origin.OUTCOME, Label.Origin.DECISION, Label.Origin.HISTORY)
# How much a label counts. Who gave a blind one had not seen what the model said. What happened
# later is right where it speaks, but mostly nobody corrects a ticket that was settled as proposed.
# A decision saw the advice: with wrong advice people commit the machine's error in half of the
# cases, so two decisions weigh as much as one blind label.
WEIGHTS: dict[str, float] = {
    Label.Origin.HISTORY: 1.0,
    Label.Origin.SPOT_CHECK: 1.0,
    Label.Origin.OUTCOME: 0.8,
    Label.Origin.DECISION: 0.5,
}
BLIND = (Label.Origin.HISTORY, Label.Origin.SPOT_CHECK)

ERASED = "the ticket was erased"
RETIRED = "the choice is retired"
COARSE = "a decision for a choice that has choices below it"
WRONG = "the owner called the label wrong"
LESS_TRUSTED = "another label of the ticket is trusted more"
EMPTY = "the ticket has no text"
SMALL = "the choice has too few labels"


@dataclass(frozen=True)
class Example:
    """A text and the key of its choice. `label` is the primary key of the label it is by."""

    text: str
    choice: str
    origin: str
    label: int
    opened_at: datetime


@dataclass(frozen=True)
class Examples:
    """Examples, oldest ticket first, and how many labels were left out for which reason."""

    rows: list[Example]
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.rows]

    @property
    def labels(self) -> list[str]:
        return [row.choice for row in self.rows]

    @property
    def weights(self) -> list[float]:
        return [WEIGHTS[row.origin] for row in self.rows]

    @property
    def origins(self) -> Counter[str]:
        return Counter(row.origin for row in self.rows)

    def without(self, choices: Iterable[str]) -> Examples:
        """Without the examples of these choices, which are counted as too small."""
        small = set(choices)
        kept = [row for row in self.rows if row.choice not in small]
        gone = Counter({SMALL: len(self.rows) - len(kept)})
        return replace(self, rows=kept, left_out=self.left_out + gone)


def examples(field: Field, *, read: Callable[[int], None] = lambda count: None) -> Examples:
    """One example per ticket, by the most trusted of its labels that may teach.

    Untouched AI output is never a label, so it never teaches. `read` is told now and then how many
    labels were read.
    """
    rows: list[Example] = []
    left_out: Counter[str] = Counter()
    last = None
    for number, row in enumerate(_labels(field)):
        if number % 500 == 0:
            read(number)
        reason = _unfit(row) or (LESS_TRUSTED if row["ticket_id"] == last else "")
        if not reason:
            last = row["ticket_id"]
            text = document(row["ticket__subject"], row["ticket__body"])
            if text.strip():
                rows.append(_example(row, text))
                continue
            reason = EMPTY
        left_out[reason] += 1
    return Examples(rows, left_out)


def _labels(field: Field) -> Iterator[Mapping[str, Any]]:
    """Every label of the field, tickets oldest first and of a ticket the most trusted first."""
    called_wrong = LabelDoubt.objects.filter(
        label=OuterRef("pk"), given=OuterRef("choice"), verdict=LabelDoubt.Verdict.WRONG
    )
    below = Choice.objects.filter(parent=OuterRef("choice"), retired_at__isnull=True)
    trust = Case(*[When(origin=origin, then=Value(rank)) for rank, origin in enumerate(TRUST)])
    rows = (
        Label.objects.filter(field=field)
        .annotate(is_wrong=Exists(called_wrong), has_children=Exists(below), trust=trust)
        .order_by("ticket__opened_at", "ticket_id", "trust")
        .values(
            "pk",
            "ticket_id",
            "origin",
            "is_wrong",
            "has_children",
            "choice__key",
            "choice__retired_at",
            "ticket__subject",
            "ticket__body",
            "ticket__opened_at",
            "ticket__erased_at",
        )
    )
    return rows.iterator(chunk_size=2000)


def _unfit(row: Mapping[str, Any]) -> str:
    """Why a label may not teach, whatever else its ticket has; "" if it may."""
    if row["ticket__erased_at"] is not None:
        return ERASED
    if row["choice__retired_at"] is not None:
        return RETIRED
    # Accepted where the model was torn between its children: it does not say which of them it is,
    # and learnt as a choice of its own it would compete with them.
    if row["has_children"] and row["origin"] == Label.Origin.DECISION:
        return COARSE
    return WRONG if row["is_wrong"] else ""


def _example(row: Mapping[str, Any], text: str) -> Example:
    return Example(text, row["choice__key"], row["origin"], row["pk"], row["ticket__opened_at"])
