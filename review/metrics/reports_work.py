"""Reports of the work itself: how much there is to review, and what it costs people."""

from collections.abc import Callable
from dataclasses import replace

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.load import agreement
from review.metrics import cohorts, definitions_work, review_counts, story_counts, wording
from review.metrics.estimators import Estimate, Moments, poisson_rate, ratio_from_moments
from review.metrics.figures import (
    Bucket,
    Column,
    Figure,
    Kind,
    Row,
    count,
    estimated,
    rate,
)
from review.metrics.groups import Named, in_group
from review.metrics.meaning import Definition
from review.metrics.report import ALL, GROUP_NAMES, Note, Report, by_size
from review.metrics.review_counts import Reviews
from review.metrics.window import Group, Scope
from triage.models import Proposal

CELLS = {"reviewed": gettext_lazy("followed another review")}


def review_load(scope: Scope) -> Report:
    """By source, whatever the scope is split by: how people work is not told by category."""
    definition = scope.definition(definitions_work.REVIEW_LOAD.key)
    said = _("The team agreed to stop at %(cap)s reviews an hour.") % {
        "cap": wording.whole(agreement().reviews_per_hour)
    }
    fast = _("Fast: accepted in less than %(seconds)s seconds.") % {
        "seconds": definition.value("fast_seconds")
    }
    columns = (
        Column("n", _("reviews")),
        Column("load", _("an hour of reviewing")),
        Column("accepted", _("accepted")),
        Column("fast", _("of them fast")),
    )
    found = review_counts.by_source(scope, definition.value("fast_seconds"))
    return _by_source(
        scope, definition, columns, found, load_figures, notes=(Note(said), Note(fast))
    )


def load_figures(definition: Definition, some: Reviews) -> dict[str, Figure]:
    return {
        "n": _reviews(definition, some),
        "load": _per_hour(definition, some.n, some, some.n),
        "accepted": count(some.accepted, None),
        # No list: it would name who was fast.
        "fast": rate(some.fast, some.accepted, definition, None),
    }


def meta_work(scope: Scope) -> Report:
    """Of all sources together: time in work is told by ticket, not by who worked."""
    definition = scope.definition(definitions_work.META_WORK.key)
    some = review_counts.altogether(review_counts.by_source(scope), Named("", str(ALL)))
    found = story_counts.moments(scope, story_counts.TOUCH)
    worked = sum(one.moments.x for one in found)
    share = ratio_from_moments(_moments(some, worked)) if some.n >= definition.min_n else None
    figures = {
        "n": _reviews(definition, some),
        "reviewing": _hours(some.seconds),
        "worked": _hours(worked),
        "rate": estimated(Kind.RATE, share, some.n, definition),
    }
    columns = (
        Column("n", _("reviews")),
        Column("reviewing", _("hours of reviewing")),
        Column("worked", _("hours of work that helpdesks tell")),
        Column("rate", _("meta-work")),
    )
    total = Row((str(ALL),), figures)
    labels = (GROUP_NAMES[Group.SOURCE],)
    return Report(definition, scope, labels, columns, (), (total,), some.n)


def interruptions(scope: Scope) -> Report:
    definition = scope.definition(definitions_work.INTERRUPTIONS.key)
    columns = (
        Column("n", _("reviews")),
        Column("skips", _("passed over")),
        Column("rate", _("an hour of reviewing")),
    )
    found = review_counts.by_source(scope)
    return _by_source(scope, definition, columns, found, interruption_figures)


def interruption_figures(definition: Definition, some: Reviews) -> dict[str, Figure]:
    return {
        "n": _reviews(definition, some),
        "skips": count(some.skips, None),
        "rate": _per_hour(definition, some.skips, some, some.n),
    }


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """The proposals whose review followed another."""
    rows = cohorts.proposals(scope).filter(decision__seconds_since_last__isnull=False)
    return rows.filter(in_group(Group.SOURCE, bucket.of)) if bucket.of else rows


def _by_source(
    scope: Scope,
    definition: Definition,
    columns: tuple[Column, ...],
    found: list[Reviews],
    figures: Callable[[Definition, Reviews], dict[str, Figure]],
    *,
    notes: tuple[Note, ...] = (),
) -> Report:
    total = review_counts.altogether(found, Named("", str(ALL)))

    def row(some: Reviews) -> Row:
        return Row((some.group.name,), figures(definition, some), some.group.key)

    return Report(
        definition,
        replace(scope, group=Group.SOURCE),
        labels=(GROUP_NAMES[Group.SOURCE],),
        columns=columns,
        rows=by_size(row(some) for some in found),
        totals=(row(total),),
        size=total.n,
        notes=notes,
        is_by_group=True,
    )


def _reviews(definition: Definition, some: Reviews) -> Figure:
    return count(some.n, Bucket(definition.key, some.group.key, cell="reviewed"))


def _per_hour(definition: Definition, events: int, some: Reviews, n: int) -> Figure:
    found = poisson_rate(events, some.hours)
    told = Estimate(found.value, found.interval, n) if found else None
    return estimated(Kind.NUMBER, told, n, definition)


def _hours(seconds: float) -> Figure:
    return Figure(Kind.NUMBER, seconds / 3600, round(seconds / 3600))


def _moments(some: Reviews, worked: float) -> Moments:
    """The time in work, which hangs on no review, is shared out evenly among them."""
    each = worked / some.n if some.n else 0.0
    return Moments(
        n=some.n,
        x=some.meta_seconds,
        y=some.seconds + worked,
        xx=some.meta_squares,
        yy=some.squares + 2 * each * some.seconds + some.n * each**2,
        xy=some.meta_squares + each * some.meta_seconds,
    )
