"""How many tickets a model version's second tier answered lately, and what each tier costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from triage.admin import evidence
from triage.admin.evidence import Table
from triage.models import ModelVersion, Prediction

DAYS = 30
WEEK = 7
NAMES = {1: "First: linear model alone", 2: "Second: sentence vectors beside it"}
UNKNOWN = "not measured"


@dataclass(frozen=True)
class Day:
    """Tickets that the version answered on one day, and those of them that its second tier did."""

    day: date
    tickets: int = 0
    second: int = 0

    @property
    def share(self) -> float:
        return self.second / self.tickets if self.tickets else 0.0


@dataclass(frozen=True)
class Tiers:
    """What the page of a version shows; `per_day` is None where nothing was answered."""

    summary: Table
    per_day: Table | None


def read(version: ModelVersion) -> Tiers:
    """One aggregate over the days shown, which an index starts from; today counts as a day."""
    days = _days(version)
    return Tiers(_summary(version, days), _per_day(days) if any(d.tickets for d in days) else None)


def _days(version: ModelVersion) -> list[Day]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=DAYS - 1)
    rows = (
        Prediction.objects.filter(model_version=version, created_at__gte=start)
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(tickets=Count("pk"), second=Count("pk", filter=Q(tier=2)))
        .order_by()
    )
    found = {row["day"]: Day(**row) for row in rows}
    dates = [start.date() + timedelta(days=number) for number in range(DAYS)]
    return [found.get(one, Day(one)) for one in dates]


def _summary(version: ModelVersion, days: list[Day]) -> Table:
    rows = []
    for tier, name in NAMES.items():
        counted = [_said(tier, days[-span:]) for span in (WEEK, DAYS)]
        rows.append([name, *counted, _measured(version, tier)])
    head = ["Tier", f"Last {WEEK} days", f"Last {DAYS} days", "When it was measured"]
    return Table("Two tiers", head, rows)


def _said(tier: int, days: list[Day]) -> str:
    tickets, second = (sum(getattr(day, name) for day in days) for name in ("tickets", "second"))
    answered = second if tier == 2 else tickets - second
    return f"{answered / tickets:.1%} ({answered:,} of {tickets:,})" if tickets else "no ticket"


def _measured(version: ModelVersion, tier: int) -> str:
    """What the evidence says of the tier: milliseconds a text, and its share then."""
    evidence_of = version.evidence if isinstance(version.evidence, Mapping) else {}
    tiers = evidence_of.get("tiers")
    told = tiers.get(str(tier)) if isinstance(tiers, Mapping) else None
    figures = told if isinstance(told, Mapping) else {}
    cost, share = figures.get("ms_per_text"), figures.get("share")
    parts = [f"{cost:.2f} ms a text" if evidence.is_number(cost) else UNKNOWN]
    parts += [f"{share:.1%} of texts"] if evidence.is_number(share) else []
    return ", ".join(parts)


def _per_day(days: list[Day]) -> Table:
    labels = [f"{day.day:%d %b}" for day in days]
    return Table(
        "Share of tickets that the second tier answered, by day",
        ["Day", "Tickets", "By the second tier", "Share"],
        [
            [label, f"{day.tickets:,}", f"{day.second:,}", f"{day.share:.1%}"]
            if day.tickets
            else [label, "0", "-", "-"]
            for label, day in zip(labels, days, strict=True)
        ],
        evidence.chart_of(labels, {"Second tier": [round(day.share, 4) for day in days]}),
    )
