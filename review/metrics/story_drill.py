"""The tickets behind figures that count tickets, and the proposals behind novelty."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from review.metrics import cohorts, story_counts
from review.metrics import definitions_workflows as definitions
from review.metrics.aggregates import PercentOf
from review.metrics.figures import Bucket
from review.metrics.groups import in_counted_group, in_group
from review.metrics.meaning import Text
from review.metrics.opening_counts import RESOLVED, WATCHED, opened
from review.metrics.stories import BAD_RATING
from review.metrics.story_counts import HITS
from review.metrics.window import Scope
from review.metrics.workflow_reports import ALL_ROUTES, ROUTES, SHARES
from review.models import StoryPath, TicketStory
from triage.models import Proposal

Stories = QuerySet[TicketStory]
Cells = Mapping[str, Text]
BAD = Q(rating__isnull=False, rating__lte=BAD_RATING)

ANY = _("resolved")
WHAT: Cells = {
    "reopened": _("reopened"),
    "contacted": _("reopened or commented on"),
    "rated": _("rated"),
    "bad": _("rated bad"),
}


def _outcome_words() -> Cells:
    """Of a route, and of what became of its tickets."""
    found: dict[str, Text] = {path.value: path.label for path in ROUTES}
    found |= {ALL_ROUTES: ANY, **{f"{ALL_ROUTES}-{name}": said for name, said in WHAT.items()}}
    for path in ROUTES:
        for name, said in WHAT.items():
            found[f"{path.value}-{name}"] = format_lazy("{}, {}", path.label, said)
    return found


CELLS: Mapping[str, Cells] = {
    **{key: {name: label} for key, (name, label) in SHARES.items()},
    definitions.REWORK.key: {"resolved": _("resolved")},
    definitions.TOUCH.key: {"watched": _("resolved, and its work was told")},
    definitions.NOVELTY.key: {"novel": _("novel")},
    definitions.VERIFIED.key: {
        "back": _("came back"),
        "bad": _("rated bad"),
        "verified": _("verified"),
    },
    definitions.TIME_TO_RESOLVE.key: {path.value: path.label for path in StoryPath},
    definitions.OUTCOMES.key: _outcome_words(),
}


def novel(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    rows = cohorts.predicted(scope)
    if bucket.cell:
        below = 100 - scope.definition(bucket.metric).value("quantile")
        percent = PercentOf(F("main__prediction__in_scope"))
        rows = rows.alias(scope_percent=percent).filter(Q(scope_percent__lt=below))
    return rows.filter(in_group(scope.group, bucket.of)) if bucket.of else rows


def _of_share(scope: Scope, bucket: Bucket, rows: Stories) -> Stories:
    return rows.filter(HITS[bucket.cell]) if bucket.cell else rows


def _of_time(scope: Scope, bucket: Bucket, rows: Stories) -> Stories:
    return rows.filter(WATCHED if bucket.metric == definitions.TOUCH.key else RESOLVED)


def _to_resolve(scope: Scope, bucket: Bucket, rows: Stories) -> Stories:
    rows = rows.filter(RESOLVED)
    return rows.filter(path=bucket.cell) if bucket.cell else rows


def _verified(scope: Scope, bucket: Bucket, rows: Stories) -> Stories:
    days = scope.definition(bucket.metric).value("outcome_days")
    back = Q(contacted_after__isnull=False, contacted_after__lte=days)
    rows = _matured(scope, days, rows).filter(is_self_closed=True)
    match bucket.cell:
        case "back":
            return rows.filter(back)
        case "bad":
            return rows.filter(BAD)
        case "verified":
            return rows.exclude(back | BAD)
    return rows


def _outcomes(scope: Scope, bucket: Bucket, rows: Stories) -> Stories:
    days = scope.definition(bucket.metric).value("outcome_days")
    rows = _matured(scope, days, rows)
    path, _dash, name = bucket.cell.partition("-")
    rows = rows.filter(path__in=ROUTES if path in ("", ALL_ROUTES) else (path,))
    match name:
        case "reopened":
            return rows.filter(reopened_after__lte=days)
        case "contacted":
            return rows.filter(contacted_after__lte=days)
        case "rated":
            return rows.filter(rating__isnull=False)
        case "bad":
            return rows.filter(BAD)
    return rows


def _matured(scope: Scope, days: int, rows: Stories) -> Stories:
    return rows.filter(RESOLVED, resolved_at__lt=story_counts.matured_before(scope, days))


KINDS: Mapping[str, Callable[[Scope, Bucket, Stories], Stories]] = {
    **dict.fromkeys(SHARES, _of_share),
    definitions.REWORK.key: _of_time,
    definitions.TOUCH.key: _of_time,
    definitions.VERIFIED.key: _verified,
    definitions.OUTCOMES.key: _outcomes,
    definitions.TIME_TO_RESOLVE.key: _to_resolve,
}


def stories(scope: Scope, bucket: Bucket) -> Stories:
    """Exactly the tickets that the figure of this bucket counts."""
    rows = KINDS[bucket.metric](scope, bucket, opened(scope))
    return rows.filter(in_counted_group(scope.group, bucket.of)) if bucket.of else rows


LISTED = (
    "ticket_id", "ticket__subject", "ticket__erased_at", "ticket__external_id",
    "ticket__source__name", "ticket__opened_at", "path",
)  # fmt: skip


def listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of the list shows of a ticket beside its words, by names of drill.Listed."""
    return {
        "ticket": row["ticket_id"],
        "external_id": row["ticket__external_id"],
        "source": row["ticket__source__name"],
        "version": 1,
        "created_at": row["ticket__opened_at"],
        "outcome": str(StoryPath(row["path"]).label),
    }
