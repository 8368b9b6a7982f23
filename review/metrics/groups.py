"""The names of the groups that figures are split by."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Aggregate, Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.metrics.window import Group, Scope

NONE = "none"


class Named(NamedTuple):
    """`key` names it in a URL, `name` on a page."""

    key: str
    name: str


class Columns(NamedTuple):
    """Columns of a proposal, `main` being the alias of its main value.

    `names` are joined with `joint`, from the outermost inwards. `source`, where given, tells equal
    names apart.
    """

    key: str
    names: tuple[str, ...]
    source: str = ""
    joint: str = " › "
    nameless: str | Promise = ""

    @property
    def all(self) -> tuple[str, ...]:
        names = (self.key, *self.names, self.source)
        return tuple(dict.fromkeys(name for name in names if name))


VERSION = "main__prediction__model_version"
COLUMNS = {
    Group.CATEGORY: Columns(
        key="main__choice_id",
        names=("main__choice__parent__name", "main__choice__name"),
        source="main__choice__field__source__name",
        nameless=_("left open"),
    ),
    Group.MODEL: Columns(
        key="main__prediction__model_version_id",
        names=(f"{VERSION}__field__name", f"{VERSION}__number"),
        source=f"{VERSION}__field__source__name",
        joint=" v",
        nameless=_("without a model"),
    ),
    Group.SOURCE: Columns(
        key="ticket__source_id", names=("ticket__source__name",), source="ticket__source__slug"
    ),
}

# The same groups in rows of counts.
COUNTED_COLUMNS = {
    Group.CATEGORY: Columns(
        key="choice_id",
        names=("choice__parent__name", "choice__name"),
        source="choice__field__source__name",
        nameless=_("left open"),
    ),
    Group.MODEL: Columns(
        key="version_id",
        names=("version__field__name", "version__number"),
        source="version__field__source__name",
        joint=" v",
        nameless=_("without a model"),
    ),
    Group.SOURCE: Columns(key="source_id", names=("source__name",), source="source__slug"),
}
# And in counts of tickets, whose category is the one that they had at last.
STORY_COLUMNS = {
    **COUNTED_COLUMNS,
    Group.CATEGORY: COUNTED_COLUMNS[Group.CATEGORY]._replace(nameless=_("no category known")),
}
# Not a group to split a report by: the Monday of the day that was counted, for trends.
WEEK = Columns(key="week", names=("week",))


def in_group(group: Group, key: str) -> Q:
    """The proposals of one group by its Named.key. Raises ValueError if that is no number."""
    column = COLUMNS[group].key
    return Q((f"{column}__isnull", True)) if key == NONE else Q((column, int(key)))


def in_counted_group(group: Group, key: str) -> Q:
    """The same, of rows that have the columns of counts."""
    column = COUNTED_COLUMNS[group].key
    return Q((f"{column}__isnull", True)) if key == NONE else Q((column, int(key)))


def rows_by(
    rows: QuerySet[Any],
    scope: Scope,
    columns: Columns,
    sums: Mapping[str, Aggregate],
    *split: str,
) -> list[tuple[Any, ...]]:
    """Sums of rows of counts by group and by further columns: (Named, *split, *sums) each.

    Added up by keys; the few names are looked up then, once a page, instead of being joined to
    every row. As tuples, because there can be thousands.
    """
    found = list(rows.values_list(columns.key, *split).annotate(**sums).order_by())
    names = names_of({row[0] for row in found}, rows.model, scope, columns)
    return [(names[key], *others) for key, *others in found]


def names_of(
    keys: Collection[Any], model: type[Model], scope: Scope, columns: Columns
) -> dict[Any, Named]:
    """The names of groups by what rows of a model have in the column of their keys."""
    rows: list[dict[str, Any]] = [{columns.key: key} for key in keys]
    _add_names(rows, model, scope, columns)
    return dict(zip(keys, name_groups(rows, columns), strict=True))


def _add_names(
    found: Sequence[dict[str, Any]], model: type[Model], scope: Scope, columns: Columns
) -> None:
    """The columns that name the groups, to rows of a model that have their keys."""
    relation = columns.key.removesuffix("_id")
    paths = tuple(name for name in columns.all if name.startswith(f"{relation}__"))
    if paths:
        known = scope.memory.setdefault((relation, paths), {None: {}})
        missing = {row[columns.key] for row in found} - known.keys()
        known.update(_names(model, relation, paths, missing))
        for row in found:
            row.update(dict.fromkeys(paths), **known.get(row[columns.key], {}))


def _names(
    model: type[Model], relation: str, paths: Sequence[str], keys: set[Any]
) -> dict[Any, dict[str, Any]]:
    """What each path says, by the key of the row that it begins at."""
    if not keys:
        return {}
    named: Any = model._meta.get_field(relation).related_model
    short = [path.removeprefix(f"{relation}__") for path in paths]
    found = named._default_manager.filter(pk__in=keys).values_list("pk", *short)
    return {row[0]: dict(zip(paths, row[1:], strict=True)) for row in found}


def name_groups(rows: Sequence[Mapping[str, Any]], columns: Columns) -> list[Named]:
    """One name a row, in their order; equal names of different keys also bear their source's."""
    known: dict[Any, Named] = {}
    plain = []
    for row in rows:
        if row[columns.key] not in known:
            known[row[columns.key]] = _named(row, columns)
        plain.append(known[row[columns.key]])
    if not columns.source:
        return plain
    bearers = Counter(name for _key, name in set(known.values()))
    return [
        Named(key, f"{name} ({row[columns.source]})" if bearers[name] > 1 else name)
        for (key, name), row in zip(plain, rows, strict=True)
    ]


def _named(row: Mapping[str, Any], columns: Columns) -> Named:
    if row[columns.key] is None:
        return Named(NONE, str(columns.nameless))
    parts = [str(row[name]) for name in columns.names if row[name] is not None]
    return Named(str(row[columns.key]), columns.joint.join(parts))
