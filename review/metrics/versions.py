"""Which version of a metric's meaning is in force, which were, and what differs between two.

The service's own version is in force whenever no version of a team's is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy, override
from django.utils.translation import gettext_lazy as _

from review import recalled
from review.metrics.definitions import DEFINITIONS, Audience, Definition, Text
from review.models import MetricDefinition

KEPT_SECONDS = 10.0
RECALLED = "definitions"


@dataclass(frozen=True)
class Window:
    """When a version was in force. No start: from the first figure on. No end: it still is."""

    definition: Definition
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Difference:
    """One thing that a version says, and what the one in force says instead."""

    name: Text
    now: Text
    then: Text

    @property
    def is_changed(self) -> bool:
        return str(self.now) != str(self.then)


def in_force(now: datetime) -> Mapping[str, Definition]:
    """By key, as of a moment. Read in one query that is remembered for ten seconds."""
    rows = recalled.recalled(RECALLED, KEPT_SECONDS, _ever_active)
    return _at(now, rows, DEFINITIONS)


def in_force_of(key: str, now: datetime) -> Definition:
    """As in_force, of one metric and read afresh; KeyError for a key that the service lacks."""
    return _at(now, _ever_active(key), {key: DEFINITIONS[key]})[key]


def history(key: str) -> list[Window]:
    """The windows of a metric's versions, oldest first and without a gap; KeyError as above."""
    return _windows(key, _ever_active(key))


def recent_history(key: str) -> list[Window]:
    """The same from what in_force remembers, for pages that ask of many metrics."""
    rows = recalled.recalled(RECALLED, KEPT_SECONDS, _ever_active)
    return _windows(key, [row for row in rows if row.key == key])


def _windows(key: str, rows: Iterable[MetricDefinition]) -> list[Window]:
    service = DEFINITIONS[key]
    windows = [Window(service, None, None)]
    for row in rows:
        # Since when the service computes something else is not known here.
        if row.retired_at is None and not _is_of_the_service(row):
            continue
        windows[-1] = replace(windows[-1], end=row.activated_at)
        windows.append(Window(as_definition(row), row.activated_at, row.retired_at))
        if row.retired_at is not None:
            windows.append(Window(service, row.retired_at, None))
    return [one for one in windows if one.start is None or one.start != one.end]


def forget() -> None:
    """What was just committed is in force at once in this process, elsewhere within seconds."""
    transaction.on_commit(lambda: recalled.forget(RECALLED))


def as_definition(row: MetricDefinition) -> Definition:
    """A team's version over what the service computes. Its words are translated if they are ours.

    KeyError where the service has no such metric any more.
    """
    service = DEFINITIONS[row.key]
    return replace(
        service,
        version=row.version,
        formula=gettext_lazy(row.formula),
        purpose=gettext_lazy(row.purpose),
        caveat=gettext_lazy(row.caveat),
        audience=Audience(row.audience),
        min_n=row.min_n,
        min_people=row.min_people,
        values={
            name: min(max(value, one.least), one.most)
            for name, one in service.parameters.items()
            if (value := row.parameters.get(name)) is not None
        },
        is_ratified=row.is_ratified,
        unratified=row.unratified_because,
    )


def in_english(text: Text) -> str:
    """As it is kept: gettext finds the translation of our own words by it."""
    with override("en"):
        return str(text)


def differences(old: Definition, new: Definition) -> list[Difference]:
    """Everything that a version may change, changed or not, in the order of the form."""
    found = [
        Difference(_("Purpose"), old.purpose, new.purpose),
        Difference(_("Who sees it"), old.audience.label, new.audience.label),
        Difference(_("Least number of cases"), str(old.min_n), str(new.min_n)),
        Difference(_("Least number of people"), str(old.min_people), str(new.min_people)),
        Difference(_("Caveat"), old.caveat, new.caveat),
    ]
    for name, parameter in new.parameters.items():
        now, then = (str(one.value(name)) for one in (old, new))
        found.append(Difference(f"{parameter.label} ({parameter.unit})", now, then))
    return found


def _ever_active(key: str = "") -> tuple[MetricDefinition, ...]:
    """In the order in which they came into force."""
    rows = MetricDefinition.objects.filter(activated_at__isnull=False).order_by("activated_at")
    return tuple(rows.filter(key=key) if key else rows)


def _at(
    now: datetime, rows: Iterable[MetricDefinition], found: Mapping[str, Definition]
) -> dict[str, Definition]:
    standing = dict(found)
    for row in rows:
        begun = row.activated_at is not None and row.activated_at <= now
        is_over = row.retired_at is not None and row.retired_at <= now
        if begun and not is_over and _is_of_the_service(row):
            standing[row.key] = as_definition(row)
    return standing


def _is_of_the_service(row: MetricDefinition) -> bool:
    """Not one of a metric that is gone, or that computes something else since."""
    service = DEFINITIONS.get(row.key)
    return service is not None and service.version < row.version
