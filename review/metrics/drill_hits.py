"""The report on drills: few rows, because a person gets but some in a week; counted as they are.

No figure stands on fewer people than the definition asks for, nor can one be found out by taking
the groups that are shown from the total.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from review.metrics import cohorts
from review.metrics.definitions_drills import DRILL_HITS
from review.metrics.estimators import jeffreys
from review.metrics.figures import Bucket, Column, Figure, Kind, Row, count
from review.metrics.groups import NONE, Columns, Named, name_groups
from review.metrics.meaning import Definition, Text
from review.metrics.report import ALL, GROUP_NAMES, Note, Report, by_size
from review.metrics.window import Group, Scope
from review.models import DrillAnswer
from triage.models import Proposal

WRONG, RIGHT = "wrong", "right"
VERDICTS = {WRONG: DrillAnswer.Verdict.OVERRIDDEN, RIGHT: DrillAnswer.Verdict.ACCEPTED}
HIT = "-hit"
CELLS: Mapping[str, Text] = {
    WRONG: _("wrong advice"),
    WRONG + HIT: _("wrong advice, overridden"),
    RIGHT: _("right advice"),
    RIGHT + HIT: _("right advice, accepted"),
}
# By what was advised, as proposals are by what was proposed.
COLUMNS = {
    Group.CATEGORY: Columns(
        key="drill__advice_id",
        names=("drill__advice__parent__name", "drill__advice__name"),
        source="drill__advice__field__source__name",
    ),
    Group.MODEL: Columns(
        key="drill__version_id",
        names=("drill__version__field__name", "drill__version__number"),
        source="drill__version__field__source__name",
        joint=" v",
    ),
    Group.SOURCE: Columns(
        key="drill__proposal__ticket__source_id",
        names=("drill__proposal__ticket__source__name",),
        source="drill__proposal__ticket__source__slug",
    ),
}
OF_PROPOSAL = {
    Group.CATEGORY: "drills__advice",
    Group.MODEL: "drills__version",
    Group.SOURCE: "ticket__source",
}


@dataclass
class Counted:
    """Drills of one kind in a group: `hits` of `n`, by these people."""

    n: int = 0
    hits: int = 0
    people: set[int] = field(default_factory=set)

    def add(self, other: "Counted") -> None:
        self.n += other.n
        self.hits += other.hits
        self.people |= other.people


Groups = dict[Named, Counted]


def drill_hits(scope: Scope) -> Report:
    definition = scope.definition(DRILL_HITS.key)
    by_kind = {kind: _groups(scope, kind) for kind in VERDICTS}
    shown = {kind: shown_groups(by_kind[kind], definition.min_people) for kind in VERDICTS}
    total = _row(
        Named("", str(ALL)),
        {kind: _total(by_kind[kind], definition.min_people) for kind in VERDICTS},
        definition,
    )
    names = dict.fromkeys(name for kind in VERDICTS for name in by_kind[kind])
    lines = [
        _row(
            name,
            {kind: by_kind[kind][name] for kind in VERDICTS if name in shown[kind]},
            definition,
        )
        for name in names
        if any(name in shown[kind] for kind in VERDICTS)
    ]
    size = sum(total.figures[kind].n for kind in VERDICTS)
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=(
            Column(WRONG, _("wrong advice")),
            Column(WRONG + HIT, _("of it overridden")),
            Column(f"{WRONG}_rate", _("caught")),
            Column(RIGHT, _("right advice")),
            Column(RIGHT + HIT, _("of it accepted")),
            Column(f"{RIGHT}_rate", _("kept")),
        ),
        rows=by_size(lines, (WRONG, RIGHT)),
        totals=(total,),
        size=size,
        notes=_notes(len(names) - len(lines), size, definition),
    )


def shown_groups(groups: Groups, least: int) -> set[Named]:
    """Those of at least so many people; the rest are so many together, or nobody.

    Otherwise what is left out could be told from the total.
    """
    by_people = sorted(groups, key=lambda name: (len(groups[name].people), name))
    shown = [name for name in by_people if len(groups[name].people) >= least]
    hidden = set[int]().union(*(groups[name].people for name in by_people if name not in shown))
    while shown and 0 < len(hidden) < least:
        hidden |= groups[shown.pop(0)].people
    return set(shown)


def rows(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """A proposal once for each drill with it; none where too few people stand behind."""
    kind, _dash, hit = bucket.cell.partition("-")
    of = Q()
    if bucket.of:
        of = Q((OF_PROPOSAL[scope.group], -1 if bucket.of == NONE else int(bucket.of)))
    if kind not in VERDICTS or not _may_list(scope, kind, bucket.of):
        return _proposals(scope).none()
    wanted = Q(
        drills__is_right=kind == RIGHT,
        drills__answer__answered_at__gte=scope.start,
        drills__answer__answered_at__lt=scope.end,
        drills__answer__verdict__in=[VERDICTS[kind]] if hit else VERDICTS.values(),
    )
    if scope.source:
        wanted &= Q(ticket__source=scope.source)
    return _proposals(scope).filter(wanted & of)


def _proposals(scope: Scope) -> QuerySet[Proposal]:
    """Whenever they were made: a drill is about a past ticket."""
    return cohorts.with_outcome(Proposal.objects.all(), scope)


def _may_list(scope: Scope, kind: str, of: str) -> bool:
    groups = _groups(scope, kind)
    least = scope.definition(DRILL_HITS.key).min_people
    if not of:
        return _total(groups, least).n > 0
    return of in {name.key for name in shown_groups(groups, least)}


def _groups(scope: Scope, kind: str) -> Groups:
    columns = COLUMNS[scope.group]
    answers = DrillAnswer.objects.filter(
        answered_at__gte=scope.start,
        answered_at__lt=scope.end,
        verdict__in=VERDICTS.values(),
        drill__is_right=kind == RIGHT,
    )
    if scope.source:
        answers = answers.filter(drill__proposal__ticket__source=scope.source)
    found: list[Any] = list(
        answers.values(*columns.all)
        .annotate(
            n=Count("pk"),
            hits=Count("pk", filter=Q(verdict=VERDICTS[kind])),
            people=ArrayAgg("drill__person", distinct=True),
        )
        .order_by()
    )
    groups: Groups = {}
    for name, row in zip(name_groups(found, columns), found, strict=True):
        groups[name] = Counted(row["n"], row["hits"], set(row["people"]))
    return groups


def _total(groups: Groups, least: int) -> Counted:
    """Of all groups; empty where they are too few people together."""
    total = Counted()
    for one in groups.values():
        total.add(one)
    return total if len(total.people) >= least else Counted()


def _row(name: Named, kinds: Mapping[str, Counted], definition: Definition) -> Row:
    figures: dict[str, Figure] = {}
    for kind in VERDICTS:
        one = kinds.get(kind, Counted())
        bucket = Bucket(definition.key, name.key, cell=kind)
        hit = replace(bucket, cell=kind + HIT)
        figures[kind] = count(one.n, bucket)
        figures[kind + HIT] = count(one.hits, hit)
        figures[f"{kind}_rate"] = _rate(one, definition, hit)
    return Row((name.name,), figures, name.key)


def _rate(one: Counted, definition: Definition, bucket: Bucket) -> Figure:
    enough = one.n >= max(1, definition.min_n)
    return Figure(
        Kind.RATE,
        one.hits / one.n if enough else None,
        one.n,
        one.hits,
        jeffreys(one.hits, one.n) if enough else None,
        definition.min_n,
        bucket,
    )


def _notes(hidden: int, size: int, definition: Definition) -> tuple[Note, ...]:
    least = definition.min_people
    said = []
    if not size:
        said.append(
            _("Nothing is shown before at least %(least)s people have answered drills.")
            % {"least": least}
        )
    elif hidden:
        said.append(
            ngettext(
                "%(n)d group is left out, because fewer than %(least)d people stand behind it or "
                "it would tell of such a one.",
                "%(n)d groups are left out, because fewer than %(least)d people stand behind them "
                "or they would tell of such ones.",
                hidden,
            )
            % {"n": hidden, "least": least}
        )
    said.append(str(_("A kind of advice that too few people were shown counts as none.")))
    return tuple(Note(str(text)) for text in said)
