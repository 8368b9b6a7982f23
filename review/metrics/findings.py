"""Where to look first: what differs from all else, or from before, by more than chance explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.metrics import wording
from review.metrics.cohorts import Outcome
from review.metrics.estimators import newcombe
from review.metrics.figures import AI, Bucket, Figure, Row
from review.metrics.kpis import listing
from review.metrics.kpis.board import Board
from review.metrics.report import Report

ERROR = 0.05
SHOWN = 4


@dataclass(frozen=True)
class Comparison:
    """Two rates, each (k, n): one group's, and what it is held against."""

    name: str
    here: tuple[int, int]
    there: tuple[int, int]
    text: str | Promise
    more_helps: bool
    bucket: Bucket | None = None
    measure: str | Promise = ""
    href: str = ""


@dataclass(frozen=True)
class Finding:
    """`bucket` or `href` leads to what is behind it."""

    name: str
    text: str
    helps: bool
    weight: float
    bucket: Bucket | None
    href: str


def findings(
    acceptance: Report, escalated: Report, reopened: Report, boards: Sequence[Board] = ()
) -> list[Finding]:
    """At most SHOWN that help and SHOWN that hurt, those that touch most proposals first.

    The chance that any of them shows by luck alone stays below ERROR, however many groups are
    compared (Bonferroni). Only groups with enough cases are compared, and only with enough else.
    Of boards the shares of tickets are compared with their baseline: of all of them less is better.
    """
    comparisons = [
        *_with_the_rest(
            acceptance,
            ("accepted", "n"),
            _("accepted %(here)s of %(n)s, elsewhere %(there)s"),
            more_helps=True,
        ),
        *_with_the_rest(
            escalated,
            ("hit", "n"),
            _("escalated later %(here)s of %(n)s, elsewhere %(there)s"),
            more_helps=False,
        ),
        *_ai_with_person(reopened),
        *_now_with_before(boards),
    ]
    confidence = 1 - ERROR / max(len(comparisons), 1)
    found = [finding for c in comparisons if (finding := _finding(c, confidence))]
    found.sort(key=lambda finding: -finding.weight)
    helping = [finding for finding in found if finding.helps]
    hurting = [finding for finding in found if not finding.helps]
    return hurting[:SHOWN] + helping[:SHOWN]


def _with_the_rest(
    report: Report, names: tuple[str, str], text: str | Promise, *, more_helps: bool
) -> Iterator[Comparison]:
    k_name, n_name = names
    least = report.definition.min_n
    all_k = sum(row.figures[k_name].n for row in report.rows)
    all_n = sum(row.figures[n_name].n for row in report.rows)
    for row in report.rows:
        k, n = row.figures[k_name].n, row.figures[n_name].n
        if n >= least and all_n - n >= least:
            yield Comparison(
                name=row.labels[0],
                here=(k, n),
                there=(all_k - k, all_n - n),
                text=text,
                more_helps=more_helps,
                bucket=row.figures[k_name].bucket,
            )


def _ai_with_person(report: Report) -> Iterator[Comparison]:
    rows: Sequence[Row] = [*report.totals, *report.rows]
    # With a single group the total says the same once more.
    for row in rows if len(report.rows) > 1 else report.rows:
        if row.figures["difference"].value is not None:
            text = _("came back %(here)s of %(n)s after the AI's value, %(there)s after a person's")
            yield Comparison(
                name=row.labels[0],
                here=_rate(row.figures[AI]),
                there=_rate(row.figures[Outcome.OVERRIDDEN]),
                text=text,
                more_helps=False,
                bucket=row.figures[AI].bucket,
            )


def _now_with_before(boards: Sequence[Board]) -> Iterator[Comparison]:
    for board in boards:
        for line in board.lines:
            # Medians and shares of time have no counts that Newcombe's interval could take.
            if line.difference is None or line.before is None or line.now.k is None:
                continue
            if line.now.value is not None and line.before.value is not None:
                yield Comparison(
                    name=board.source.name,
                    here=_rate(line.now),
                    there=_rate(line.before),
                    text=_("%(measure)s: %(here)s of %(n)s, before automation %(there)s"),
                    more_helps=False,
                    measure=line.measure.definition.name,
                    href=listing.link(board.source, line.measure, line.days) if line.days else "",
                )


def _rate(figure: Figure) -> tuple[int, int]:
    return figure.k or 0, figure.n


def _finding(comparison: Comparison, confidence: float) -> Finding | None:
    (k, n), (other_k, other_n) = comparison.here, comparison.there
    difference = newcombe(comparison.here, comparison.there, confidence=confidence)
    if difference is None or difference.interval.low <= 0 <= difference.interval.high:
        return None
    is_more = difference.value > 0
    return Finding(
        name=comparison.name,
        text=str(comparison.text)
        % {
            "here": wording.percent(k / n),
            "n": wording.whole(n),
            "there": wording.percent(other_k / other_n),
            "measure": comparison.measure,
        },
        helps=is_more == comparison.more_helps,
        weight=abs(difference.value) * n,
        bucket=comparison.bucket,
        href=comparison.href,
    )
