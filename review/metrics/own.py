"""A person's own figures, for that person alone and from a hundred cases on; never ranked.

No function here takes anybody but the person who asks.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from review.metrics import cohorts, wording
from review.metrics.estimators import rate
from review.metrics.meaning import Text
from review.metrics.window import Scope
from review.models import Decision
from review.models.definitions import LEAST_OWN_N
from triage.models import Field

WINDOW = timedelta(days=365)


@dataclass(frozen=True)
class Own:
    """One own rate, `k` of `n`. Below LEAST_OWN_N there is no rate, only how many are missing."""

    name: Text
    meaning: Text
    k: int
    n: int

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST_OWN_N

    @property
    def missing(self) -> int:
        return max(0, LEAST_OWN_N - self.n)

    @property
    def text(self) -> str:
        return wording.percent(self.k / self.n) if self.is_enough else ""

    @property
    def interval(self) -> str:
        found = rate(self.k, self.n) if self.is_enough else None
        return wording.percent_range(found.interval) if found else ""


def own_figures(person: User, now: datetime) -> list[Own]:
    """Of the last year, by the day of the proposal. Two queries, whatever was decided."""
    decided = _decided(person, now)
    checked = _checked(person, now)
    return [
        Own(
            _("Proposals that you changed"),
            _("overridden ÷ accepted or overridden. Neither high nor low is good in itself."),
            decided["overridden"],
            decided["answered"],
        ),
        Own(
            _("Right answers before you saw the advice"),
            _("right first answers ÷ first answers on tickets that a second person checked too"),
            checked["first_right"],
            checked["first"],
        ),
        Own(
            _("Wrong advice that you kept"),
            _("kept ÷ wrong main values that you decided on and a second person checked"),
            checked["wrong_kept"],
            checked["wrong"],
        ),
        Own(
            _("Right advice that you changed"),
            _("changed ÷ right main values that you decided on and a second person checked"),
            checked["right_changed"],
            checked["right"],
        ),
    ]


def _decided(person: User, now: datetime) -> dict[str, int]:
    verdicts = Decision.Verdict
    own = Decision.objects.filter(
        reviewer=person, decided_at__gte=now - WINDOW, stands_for__isnull=False
    )
    return own.aggregate(
        answered=Count("pk", filter=Q(verdict__in=[verdicts.ACCEPTED, verdicts.OVERRIDDEN])),
        overridden=Count("pk", filter=Q(verdict=verdicts.OVERRIDDEN)),
    )


def _checked(person: User, now: datetime) -> Counter[str]:
    scope = Scope(
        first=(now - WINDOW).date(),
        last=now.date(),
        now=now,
        outcome_days=0,
        main_fields=tuple(Field.objects.filter(is_main=True).values_list("pk", flat=True)),
    )
    rows: QuerySet[Any] = cohorts.checked(scope)
    own = (
        rows.filter(decision__reviewer=person, is_twice=True)
        .values("is_right", "kept", "first_right")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found: Counter[str] = Counter()
    for row in own:
        side = "right" if row["is_right"] else "wrong"
        if row["first_right"] is not None:
            found["first"] += row["n"]
            found["first_right"] += row["n"] * row["first_right"]
        if row["kept"] is not None:
            found[side] += row["n"]
            found[f"{side}_{'kept' if row['kept'] else 'changed'}"] += row["n"]
    return found
