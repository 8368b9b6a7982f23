"""Reports of tickets: where work goes back and forth, how long it takes, what comes of it."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from review.metrics import counts, story_counts
from review.metrics import definitions_workflows as definitions
from review.metrics.estimators import Moments
from review.metrics.figures import Bucket, Column, Figure, Row, count, rate, seconds, share_of_time
from review.metrics.meaning import Definition, Text
from review.metrics.report import ALL, GROUP_NAMES, Note, Report, RowOf, by_size, grouped, summed
from review.metrics.story_counts import REWORK, TOUCH, GroupMoments
from review.metrics.window import Scope
from review.models import StoryPath

# By key of the metric: what happened to a ticket, and the name of the column that counts it.
SHARES: Mapping[str, tuple[str, Text]] = {
    definitions.PING_PONG.key: ("returned", gettext_lazy("came back to an earlier team")),
    definitions.REASSIGNED.key: ("reassigned", gettext_lazy("went to another team")),
    definitions.RECATEGORISED.key: ("recategorised", gettext_lazy("changed its category")),
}
TIMES = {definitions.REWORK.key: REWORK, definitions.TOUCH.key: TOUCH}
# In the key of a bucket: all of ROUTES together.
ALL_ROUTES = "all"
ROUTES = (StoryPath.AUTO, StoryPath.ACCEPTED, StoryPath.OVERRIDDEN)
NO_TIME = Moments(0, 0.0, 0.0, 0.0, 0.0, 0.0)
OPENED = gettext_lazy("The days are those on which tickets were opened.")


def share_row(definition: Definition) -> RowOf:
    name, _label = SHARES[definition.key]

    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        hit = Bucket(definition.key, key, cell=name)
        n, k = number.get("n", 0), number.get(name, 0)
        figures = {
            "n": count(n, Bucket(definition.key, key)),
            "hit": count(k, hit),
            "rate": rate(k, n, definition, hit),
        }
        return Row((label,), figures, key)

    return row


def share(scope: Scope, key: str) -> Report:
    """Of one of SHARES."""
    definition = scope.definition(key)
    columns = [
        Column("n", _("opened")),
        Column("hit", SHARES[key][1]),
        Column("rate", _("share")),
    ]
    row = share_row(definition)
    notes = (Note(str(OPENED)),)
    return grouped(definition, scope, columns, story_counts.stories(scope), row, notes=notes)


def time_figures(definition: Definition, key: str, moments: Moments) -> dict[str, Figure]:
    bucket = Bucket(definition.key, key, cell=TIMES[definition.key][-1])
    return {
        "n": count(moments.n, bucket),
        "rate": share_of_time(moments, definition, bucket),
    }


def time_share(scope: Scope, key: str) -> Report:
    """Of one of TIMES."""
    definition = scope.definition(key)
    found = story_counts.moments(scope, TIMES[key])
    rows = by_size(
        Row((one.group.name,), time_figures(definition, one.group.key, one.moments), one.group.key)
        for one in found
        if one.moments.n
    )
    total = _altogether(found)
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=(Column("n", _("resolved")), Column("rate", _("share of time"))),
        rows=rows,
        totals=(Row((str(ALL),), time_figures(definition, "", total)),),
        size=total.n,
        notes=(Note(str(OPENED)),),
    )


def _altogether(found: Sequence[GroupMoments]) -> Moments:
    columns = zip(NO_TIME, *(one.moments for one in found), strict=True)
    return Moments(*(sum(column) for column in columns))


def novelty_row(definition: Definition) -> RowOf:
    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        hit = Bucket(definition.key, key, cell="novel")
        n, k = number.get("n", 0), number.get("hit", 0)
        figures = {
            "n": count(n, Bucket(definition.key, key)),
            "hit": count(k, hit),
            "rate": rate(k, n, definition, hit),
        }
        return Row((label,), figures, key)

    return row


def novelty(scope: Scope) -> Report:
    definition = scope.definition(definitions.NOVELTY.key)
    columns = [
        Column("n", _("seen by a model")),
        Column("hit", _("novel")),
        Column("rate", _("share")),
    ]
    usual = 100 - definition.value("quantile")
    found = story_counts.novelties(scope, usual)
    said = _("With a usual mix of tickets it is %(percent)d %%.") % {"percent": usual}
    row = novelty_row(definition)
    return grouped(definition, scope, columns, found, row, notes=(Note(said),))


def verified_row(definition: Definition) -> RowOf:
    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        n = number.get("n", 0)
        good = n - number.get("failed", 0)
        verified = Bucket(definition.key, key, cell="verified")
        figures = {"n": count(n, Bucket(definition.key, key))}
        for name in ("back", "bad"):
            figures[name] = count(number.get(name, 0), Bucket(definition.key, key, cell=name))
        figures["rate"] = rate(good, n, definition, verified)
        return Row((label,), figures, key)

    return row


def verified(scope: Scope) -> Report:
    definition = scope.definition(definitions.VERIFIED.key)
    days = definition.value("outcome_days")
    columns = [
        Column("n", _("closed by a playbook")),
        Column("back", _("came back")),
        Column("bad", _("rated bad")),
        Column("rate", _("verified")),
    ]
    found = story_counts.self_closed(scope, days)
    row = verified_row(definition)
    return grouped(definition, scope, columns, found, row, notes=_matured(days))


def outcome_figures(
    definition: Definition, key: str, path: str, number: Mapping[str, int]
) -> dict[str, Figure]:
    """Of the tickets of one route, or of ALL_ROUTES."""
    routes = ROUTES if path == ALL_ROUTES else (path,)

    def of(name: str = "") -> tuple[int, Bucket]:
        cell = f"{path}-{name}" if name else path
        counted = sum(number.get(f"{one}_{name}" if name else one, 0) for one in routes)
        return counted, Bucket(definition.key, key, cell=cell)

    n, everything = of()
    rated, ratings = of("rated")
    figures = {"n": count(n, everything)}
    for name in ("reopened", "contacted"):
        k, bucket = of(name)
        figures[name] = rate(k, n, definition, bucket)
    k, bucket = of("bad")
    return {
        **figures,
        "rated": count(rated, ratings),
        "bad": rate(k, rated, definition, bucket),
    }


def outcomes(scope: Scope) -> Report:
    definition = scope.definition(definitions.OUTCOMES.key)
    days = definition.value("outcome_days")
    found = story_counts.returns(scope, days)

    def row(label: str, key: str, path: StoryPath, number: Mapping[str, int]) -> Row:
        return Row((label, str(path.label)), outcome_figures(definition, key, path, number), key)

    rows = [row(g.group.name, g.group.key, path, g.counts) for g in found for path in ROUTES]
    total = summed(found)
    totals = tuple(row(str(ALL), "", path, total) for path in ROUTES if total[path])
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group], _("Proposal")),
        columns=(
            Column("n", _("resolved")),
            Column("reopened", _("reopened")),
            Column("contacted", _("reopened or commented on")),
            Column("rated", _("rated")),
            Column("bad", _("rated bad")),
        ),
        rows=by_size(one for one in rows if one.figures["n"].n),
        totals=totals,
        size=sum(one.figures["n"].n for one in totals),
        notes=_matured(days),
    )


def resolve_figures(definition: Definition, key: str, times: counts.Times) -> dict[str, Figure]:
    bucket = Bucket(definition.key, key, cell=times.verdict)
    return {
        "n": count(times.count, bucket),
        "median": median_to_resolve(definition, key, times),
        "ninth": seconds(times.bins, 0.9, definition, bucket),
    }


def median_to_resolve(definition: Definition, key: str, times: counts.Times) -> Figure:
    bucket = Bucket(definition.key, key, cell=times.verdict)
    return seconds(times.bins, 0.5, definition, bucket)


def time_to_resolve(scope: Scope) -> Report:
    definition = scope.definition(definitions.TIME_TO_RESOLVE.key)
    found = story_counts.resolve_times(scope)

    def row(times: counts.Times) -> Row:
        key, name = times.group or ("", str(ALL))
        labels = (name, str(StoryPath(times.verdict).label))
        return Row(labels, resolve_figures(definition, key, times), key)

    totals = by_size(row(times) for times in counts.altogether(found))
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group], _("Proposal")),
        columns=(
            Column("n", _("resolved")),
            Column("median", _("median")),
            Column("ninth", _("9 in 10 within")),
        ),
        rows=by_size(row(times) for times in found),
        totals=totals,
        size=sum(total.figures["n"].n for total in totals),
        notes=(Note(str(OPENED)),),
    )


def _matured(days: int) -> tuple[Note, ...]:
    text = ngettext(
        "Within %(days)d day after the first resolution. Only tickets whose window has passed, "
        "by the day on which they were opened.",
        "Within %(days)d days after the first resolution. Only tickets whose window has passed, "
        "by the day on which they were opened.",
        days,
    ) % {"days": days}
    return (Note(text),)
