"""Reports of checked proposals: is the AI right, and do people follow it where it is?"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from review.metrics import checks, definitions_checks
from review.metrics.checks import Cell, Cells, Which
from review.metrics.estimators import complementarity as better_together
from review.metrics.estimators import detection, override_net_benefit
from review.metrics.figures import (
    Bucket,
    Column,
    Figure,
    Kind,
    Row,
    count,
    estimated,
    rate,
    weighted,
)
from review.metrics.groups import Named
from review.metrics.meaning import Definition, Text
from review.metrics.report import ALL, GROUP_NAMES, Report, by_size
from review.metrics.window import Scope

WORDS: Mapping[str, Text] = {
    "checked": _("checked"),
    "wrong": _("AI wrong"),
    "auto": _("applied without a person"),
    "auto-wrong": _("applied without a person, and wrong"),
    "wrong-decided": _("AI wrong, decided by a person"),
    "wrong-kept": _("AI wrong, kept"),
    "wrong-changed": _("AI wrong, changed"),
    "right-decided": _("AI right, decided by a person"),
    "right-kept": _("AI right, kept"),
    "right-changed": _("AI right, changed"),
    "overridden": _("changed"),
    "mended": _("changed from wrong to right"),
    "spoilt": _("changed from right to wrong"),
    "correctable": _("first answer wrong, advice right"),
    "corrected": _("first answer wrong, advice right, right in the end"),
    "at-stake": _("first answer right, advice wrong"),
    "kept-own": _("first answer right, advice wrong, right in the end"),
    "differed": _("first answer differed from the advice"),
    "switched": _("took the advice"),
    "switched-from-right": _("took the advice, the first answer had been right"),
    "decided": _("decided by a person"),
    "answered": _("answered first, then decided"),
    "first-right": _("answered first, and right"),
}


def ai_error(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.AI_ERROR.key)
    return _weighted(
        scope, definition, lambda cell: True, lambda cell: not cell.is_right, ("checked", "wrong")
    )


def auto_error(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.AUTO_ERROR.key)
    return _weighted(
        scope,
        definition,
        lambda cell: cell.is_auto,
        lambda cell: not cell.is_right,
        ("auto", "auto-wrong"),
    )


def over_reliance(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.OVER_RELIANCE.key)
    return _weighted(
        scope,
        definition,
        lambda cell: checks.is_decided(cell) and not cell.is_right,
        lambda cell: cell.kept is True,
        ("wrong-decided", "wrong-kept"),
    )


def under_reliance(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.UNDER_RELIANCE.key)
    return _weighted(
        scope,
        definition,
        lambda cell: checks.is_decided(cell) and cell.is_right,
        lambda cell: cell.kept is False,
        ("right-decided", "right-changed"),
    )


def rair(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.RAIR.key)
    return _plain(
        scope,
        definition,
        lambda cell: checks.is_answered(cell) and not cell.first_right and cell.is_right,
        {"rate": ("corrected", lambda cell: cell.final_right is True)},
        "correctable",
    )


def rsr(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.RSR.key)
    return _plain(
        scope,
        definition,
        lambda cell: checks.is_answered(cell) and cell.first_right is True and not cell.is_right,
        {"rate": ("kept-own", lambda cell: cell.final_right is True)},
        "at-stake",
    )


def switching(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.SWITCHING.key)
    return _plain(
        scope,
        definition,
        lambda cell: checks.is_answered(cell) and cell.first_agreed is False,
        {
            "rate": ("switched", lambda cell: cell.kept is True),
            "harmful": (
                "switched-from-right",
                lambda cell: cell.kept is True and cell.first_right is True,
            ),
        },
        "differed",
    )


def unaided(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.UNAIDED.key)
    return _weighted(
        scope, definition, checks.is_answered, _first_right, ("answered", "first-right")
    )


def skill(definition: Definition, some: Cells) -> Figure:
    """Of one week."""
    answered = [cell for cell in some if checks.is_answered(cell)]
    hits = checks.count([cell for cell in answered if _first_right(cell)])
    bucket = _bucket(definition, "first-right")
    return weighted(hits, checks.sums(answered, _first_right), definition, bucket)


def net_benefit(scope: Scope) -> Report:
    """By reason, not by group: a reason says what was thought to be wrong."""
    definition = scope.definition(definitions_checks.NET_BENEFIT.key)
    overridden = [
        cell for cell in scope.once(checks.cells) if checks.is_decided(cell) and cell.kept is False
    ]
    by_reason: dict[Named, list[Cell]] = defaultdict(list)
    for cell in overridden:
        if cell.reason is not None:
            by_reason[cell.reason].append(cell)

    def row(name: str, key: str, some: Cells) -> Row:
        found = override_net_benefit(
            checks.column(some, lambda cell: cell.is_right),
            checks.column(some, lambda cell: cell.final_right is True),
            checks.repeated(some),
            checks.weights(some),
        )
        figures = {
            "n": count(checks.count(some), _bucket(definition, "overridden", reason=key)),
            "mended": _count(some, "mended", _mended, definition, reason=key),
            "spoilt": _count(some, "spoilt", _spoilt, definition, reason=key),
            "benefit": estimated(
                Kind.DIFFERENCE,
                found,
                checks.count(some),
                definition,
                _bucket(definition, "overridden", reason=key),
            ),
        }
        return Row((name,), figures, key)

    return Report(
        definition,
        scope,
        labels=(_("Reason"),),
        columns=(
            Column("n", _("changed")),
            Column("mended", _("mended")),
            Column("spoilt", _("spoilt")),
            Column("benefit", _("net benefit")),
        ),
        rows=by_size(row(reason.name, reason.key, some) for reason, some in by_reason.items()),
        totals=(row(str(ALL), "", overridden),),
        size=checks.count(overridden),
    )


def telling(scope: Scope) -> Report:
    """Of all together: split further, few groups would have the numbers for it."""
    definition = scope.definition(definitions_checks.DETECTION.key)
    some = [cell for cell in scope.once(checks.cells) if checks.is_decided(cell)]
    found = detection(
        checks.column(some, lambda cell: cell.is_right),
        checks.column(some, lambda cell: cell.kept is False),
        checks.repeated(some),
        checks.weights(some),
    )
    n, bucket = checks.count(some), _bucket(definition, "decided")
    figures = {
        "n": count(n, bucket),
        "sensitivity": estimated(
            Kind.NUMBER, found.sensitivity if found else None, n, definition, bucket
        ),
        "criterion": estimated(
            Kind.NUMBER, found.criterion if found else None, n, definition, bucket
        ),
    }
    columns = (
        Column("n", _("decided")),
        Column("sensitivity", _("sensitivity d′")),
        Column("criterion", _("criterion c")),
    )
    return _alone(scope, definition, columns, figures, n)


def complementarity(scope: Scope) -> Report:
    definition = scope.definition(definitions_checks.COMPLEMENTARITY.key)
    some = [cell for cell in scope.once(checks.cells) if checks.is_answered(cell)]
    found = better_together(
        checks.column(some, lambda cell: cell.final_right is True),
        checks.column(some, lambda cell: cell.is_right),
        checks.column(some, lambda cell: cell.first_right is True),
        checks.repeated(some),
        checks.weights(some),
    )
    n, bucket = checks.count(some), _bucket(definition, "answered")
    figures = {
        "n": count(n, bucket),
        "gain": estimated(Kind.DIFFERENCE, found, n, definition, bucket),
    }
    columns = (Column("n", _("answered first")), Column("gain", _("pair minus the better one")))
    return _alone(scope, definition, columns, figures, n)


def _weighted(
    scope: Scope, definition: Definition, counts: Which, is_hit: Which, names: tuple[str, str]
) -> Report:
    """By group: how many checks count, how many are hits, and the weighted rate."""
    whole, part = names

    def row(group: Named, some: Cells) -> Row:
        hits = checks.count([cell for cell in some if is_hit(cell)])
        figures = {
            "n": count(checks.count(some), _bucket(definition, whole, group.key)),
            "rate": weighted(
                hits, checks.sums(some, is_hit), definition, _bucket(definition, part, group.key)
            ),
        }
        return Row((group.name,), figures, group.key)

    columns = (Column("n", WORDS[whole]), Column("rate", _("share")))
    return _by_group(scope, definition, counts, row, columns)


def _plain(
    scope: Scope,
    definition: Definition,
    counts: Which,
    rates: Mapping[str, tuple[str, Which]],
    whole: str,
) -> Report:
    """By group: unweighted rates of the same tickets."""

    def row(group: Named, some: Cells) -> Row:
        n = checks.count(some)
        figures = {"n": count(n, _bucket(definition, whole, group.key))}
        for name, (part, is_hit) in rates.items():
            hits = checks.count([cell for cell in some if is_hit(cell)])
            figures[name] = rate(hits, n, definition, _bucket(definition, part, group.key))
        return Row((group.name,), figures, group.key)

    shares = [Column(name, WORDS[part]) for name, (part, _hit) in rates.items()]
    return _by_group(scope, definition, counts, row, (Column("n", WORDS[whole]), *shares))


def _by_group(
    scope: Scope,
    definition: Definition,
    counts: Which,
    row: Callable[[Named, Cells], Row],
    columns: Sequence[Column],
) -> Report:
    some = [cell for cell in scope.once(checks.cells) if counts(cell)]
    groups: dict[Named, list[Cell]] = defaultdict(list)
    for cell in some:
        groups[cell.group].append(cell)
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=tuple(columns),
        rows=by_size(row(group, cells) for group, cells in groups.items()),
        totals=(row(Named("", str(ALL)), some),),
        size=checks.count(some),
        is_by_group=True,
    )


def _alone(
    scope: Scope,
    definition: Definition,
    columns: tuple[Column, ...],
    figures: Mapping[str, Figure],
    n: int,
) -> Report:
    total = Row((str(ALL),), figures)
    return Report(definition, scope, (GROUP_NAMES[scope.group],), columns, (), (total,), n)


def _count(
    some: Cells, cell: str, which: Which, definition: Definition, *, reason: str = ""
) -> Figure:
    n = checks.count([one for one in some if which(one)])
    return count(n, _bucket(definition, cell, reason=reason))


def _first_right(cell: Cell) -> bool:
    return cell.first_right is True


def _mended(cell: Cell) -> bool:
    return not cell.is_right and cell.final_right is True


def _spoilt(cell: Cell) -> bool:
    return cell.is_right and not cell.final_right


def _bucket(definition: Definition, cell: str, of: str = "", *, reason: str = "") -> Bucket:
    return Bucket(definition.key, of, cell=cell, reason=reason)
