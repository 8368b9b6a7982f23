"""Figures of a report week by week, under each meaning that was in force in the window."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from django.utils.translation import gettext_lazy as _

from review.metrics import (
    checks,
    counts,
    definitions,
    definitions_checks,
    definitions_work,
    gate,
    reports,
    reports_checks,
    reports_work,
    review_counts,
    story_counts,
    versions,
    workflow_reports,
)
from review.metrics import definitions_workflows as workflows
from review.metrics.cohorts import Outcome
from review.metrics.counts import GroupCounts, Times
from review.metrics.estimators import Moments
from review.metrics.figures import AI, Figure
from review.metrics.groups import WEEK, Columns
from review.metrics.meaning import Definition, Text
from review.metrics.report import RowOf
from review.metrics.window import Scope
from review.models import StoryPath

TONES = {StoryPath.AUTO: "auto", StoryPath.ACCEPTED: "good", StoryPath.OVERRIDDEN: "accent"}
# A year and a quarter: more points than a chart can show apart, and a table that ends.
MOST_WEEKS = 65
WHOLE_WEEK = timedelta(days=6)
Figures = Mapping[str, Figure]
# The figures of each week that has any, by its Monday.
Weekly = Callable[[Scope, Definition], Mapping[date, Figures]]


@dataclass(frozen=True)
class Trended:
    """How a metric is counted by week; `columns` has name and tone of the figures drawn."""

    weekly: Weekly
    columns: Mapping[str, tuple[Text, str]]


@dataclass(frozen=True)
class Point:
    """A figure of one week; `scope` is that week, as far as it lies in the window."""

    scope: Scope
    figure: Figure


@dataclass(frozen=True)
class Line:
    """One figure from week to week; weeks without a case are left out."""

    name: Text
    tone: str
    definition: Definition
    is_in_force: bool
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Trend:
    """`changes` are the days in the window on which another version came into force."""

    lines: tuple[Line, ...]
    changes: tuple[tuple[date, int], ...]

    @property
    def weeks(self) -> list[date]:
        return sorted({point.scope.first for line in self.lines for point in line.points})

    @property
    def has_versions(self) -> bool:
        return len({line.definition.version for line in self.lines}) > 1


def trend(scope: Scope, key: str, trended: Trended) -> Trend:
    """The last MOST_WEEKS weeks of the window; one query for each meaning.

    Where a parameter of the metric has changed within the window, there is a line for each of its
    values, over the whole of it: what was in force then and what is now, of the same tickets.
    """
    standing = scope.definition(key)
    windows = versions.recent_history(key)
    lines = [
        line
        for definition in _meanings(scope, standing, windows)
        for line in _lines(scope, definition, trended, is_in_force=definition == standing)
    ]
    changes = tuple(
        (day, one.definition.version)
        for one in windows
        if one.start is not None
        and scope.first < (day := one.start.astimezone(scope.now.tzinfo).date()) <= scope.last
    )
    return _told(scope, standing, Trend(tuple(lines), changes))


def _told(scope: Scope, definition: Definition, found: Trend) -> Trend:
    """Of what is about people, only weeks behind which enough of them stand."""
    if not definition.is_about_people:
        return found
    # The first week may begin within it.
    shown = gate.weeks(scope, set(map(_monday_of, found.weeks)), definition.min_people)
    lines = (
        replace(line, points=tuple(p for p in line.points if _monday_of(p.scope.first) in shown))
        for line in found.lines
    )
    return replace(found, lines=tuple(lines))


def _meanings(
    scope: Scope, standing: Definition, windows: Sequence[versions.Window]
) -> list[Definition]:
    """The one in force, and before it those of the window that compute something else."""
    values = {_values(standing)}
    earlier = []
    for one in reversed(windows):
        ended = one.end is not None and one.end <= scope.start
        begun = one.start is None or one.start < min(scope.end, scope.now)
        if begun and not ended and _values(one.definition) not in values:
            values.add(_values(one.definition))
            earlier.append(one.definition)
    return [*reversed(earlier), standing]


def _values(definition: Definition) -> tuple[int, ...]:
    return tuple(definition.value(name) for name in definition.parameters)


def _lines(
    scope: Scope, definition: Definition, trended: Trended, *, is_in_force: bool
) -> list[Line]:
    scope = scope.under(definition)
    earliest = scope.last - timedelta(days=scope.last.weekday(), weeks=MOST_WEEKS - 1)
    scope = replace(scope, first=max(scope.first, earliest))
    found = sorted(trended.weekly(scope, definition).items())
    return [
        Line(
            name,
            tone,
            definition,
            is_in_force,
            tuple(
                Point(_week(scope, monday), _dated(figures[key], definition, is_in_force))
                for monday, figures in found
                if key in figures and figures[key].n
            ),
        )
        for key, (name, tone) in trended.columns.items()
    ]


def _week(scope: Scope, monday: date) -> Scope:
    first, last = max(scope.first, monday), min(scope.last, monday + WHOLE_WEEK)
    return replace(scope, first=first, last=last, days=None)


def _dated(figure: Figure, definition: Definition, is_in_force: bool) -> Figure:
    """Its list is counted by the version that the figure is."""
    if is_in_force or figure.bucket is None:
        return figure
    return replace(figure, bucket=replace(figure.bucket, version=str(definition.version)))


def _of_groups(
    read: Callable[[Scope, Columns | None], list[GroupCounts]],
    row_of: Callable[[Definition], RowOf],
) -> Weekly:
    def weekly(scope: Scope, definition: Definition) -> dict[date, Figures]:
        row = row_of(definition)
        return {
            _monday(one.group.key): row("", "", one.counts).figures for one in read(scope, WEEK)
        }

    return weekly


def _of_moments(scope: Scope, definition: Definition) -> dict[date, Figures]:
    def figures(moments: Moments) -> Figures:
        return workflow_reports.time_figures(definition, "", moments)

    of = workflow_reports.TIMES[definition.key]
    found = story_counts.moments(scope, of, WEEK)
    return {_monday(one.group.key): figures(one.moments) for one in found}


def _of_skill(scope: Scope, definition: Definition) -> dict[date, Figures]:
    by_week: dict[date, list[checks.Cell]] = {}
    for cell in checks.cells(scope, WEEK):
        by_week.setdefault(_monday(cell.group.key), []).append(cell)
    skill = partial(reports_checks.skill, definition)
    return {monday: {"rate": skill(some)} for monday, some in by_week.items()}


def _of_reviews(scope: Scope, definition: Definition) -> dict[date, Figures]:
    found = review_counts.by_source(scope, definition.value("fast_seconds"), WEEK)
    return {_monday(one.group.key): reports_work.load_figures(definition, one) for one in found}


def _of_returns(scope: Scope, definition: Definition) -> dict[date, Figures]:
    """Of all routes together: of each alone there are too few in most weeks."""
    found = story_counts.returns(scope, definition.value("outcome_days"), WEEK)
    of = partial(workflow_reports.outcome_figures, definition, "", workflow_reports.ALL_ROUTES)
    return {_monday(one.group.key): of(one.counts) for one in found}


def _of_resolve_times(scope: Scope, definition: Definition) -> dict[date, Figures]:
    """Medians by route."""
    found: dict[date, dict[str, Figure]] = {}
    for one in story_counts.resolve_times(scope, WEEK):
        times = Times(None, one.verdict, one.bins)
        figure = workflow_reports.median_to_resolve(definition, "", times)
        if one.group is not None:
            found.setdefault(_monday(one.group.key), {})[one.verdict] = figure
    return dict(found)


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _monday(key: str) -> date:
    return date.fromisoformat(key)


def _self_closed(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    days = scope.definition(workflows.VERIFIED.key).value("outcome_days")
    return story_counts.self_closed(scope, days, columns)


def _novelties(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    usual = 100 - scope.definition(workflows.NOVELTY.key).value("quantile")
    return story_counts.novelties(scope, usual, columns)


TRENDS: Mapping[str, Trended] = {
    definitions.UNTOUCHED.key: Trended(
        _of_groups(counts.outcomes, reports.untouched_row), {"share": (_("untouched"), "accent")}
    ),
    definitions.ACCEPTANCE.key: Trended(
        _of_groups(counts.answers, reports.acceptance_row), {"rate": (_("acceptance"), "good")}
    ),
    definitions.ESCALATED.key: Trended(
        _of_groups(counts.escalations, reports.escalated_row),
        {"rate": (_("escalated later"), "bad")},
    ),
    definitions.REOPENED.key: Trended(
        _of_groups(counts.reopenings, reports.reopened_row),
        {
            AI: (_("after the AI's value"), "good"),
            Outcome.OVERRIDDEN.value: (_("after a person's value"), "accent"),
        },
    ),
    **{
        key: Trended(
            _of_groups(story_counts.stories, workflow_reports.share_row),
            {"rate": (label, "accent")},
        )
        for key, (_name, label) in workflow_reports.SHARES.items()
    },
    definitions_checks.UNAIDED.key: Trended(
        _of_skill, {"rate": (_("right without the advice"), "accent")}
    ),
    definitions_work.REVIEW_LOAD.key: Trended(_of_reviews, {"fast": (_("accepted fast"), "warn")}),
    workflows.REWORK.key: Trended(_of_moments, {"rate": (_("rework"), "accent")}),
    workflows.TOUCH.key: Trended(_of_moments, {"rate": (_("in work"), "accent")}),
    workflows.NOVELTY.key: Trended(
        _of_groups(_novelties, workflow_reports.novelty_row), {"rate": (_("novel"), "accent")}
    ),
    workflows.VERIFIED.key: Trended(
        _of_groups(_self_closed, workflow_reports.verified_row), {"rate": (_("verified"), "good")}
    ),
    workflows.OUTCOMES.key: Trended(_of_returns, {"reopened": (_("reopened"), "bad")}),
    workflows.TIME_TO_RESOLVE.key: Trended(
        _of_resolve_times,
        {path.value: (path.label, TONES[path]) for path in workflow_reports.ROUTES},
    ),
}
