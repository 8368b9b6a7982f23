"""Which proposals a report is about: time window, source and grouping, as they stand in a URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar, TypeVarTuple

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from review.metrics.definitions import DEFINITIONS, REOPENED
from review.metrics.meaning import Definition
from review.metrics.versions import in_force
from triage.models import Field, Source

DEFAULT_DAYS = 30
Read = TypeVar("Read")
More = TypeVarTuple("More")
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


class Group(StrEnum):
    """What reports can be split by. A person is not among them, and never will be."""

    CATEGORY = "category"
    MODEL = "model"
    SOURCE = "source"


@dataclass(frozen=True)
class Scope:
    """Proposals made on whole days, first and last included, in the time zone of the clock `now`.

    `now` also tells which outcome windows have passed; they are `outcome_days` long.
    `main_fields` are the keys of the fields that reports are grouped by, one a source. `meanings`
    are the definitions in force, by key. `memory` is what reports of one page share.
    """

    first: date
    last: date
    now: datetime
    outcome_days: int
    group: Group = Group.CATEGORY
    source: Source | None = None
    days: int | None = None
    main_fields: tuple[int, ...] = ()
    meanings: Mapping[str, Definition] = field(default_factory=dict)
    memory: dict[tuple[Any, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, read: Callable[["Scope", *More], Read], *more: *More) -> Read:
        """What `read` finds in this window; several reports of one page ask for the same rows.

        It goes by window, source and group alone, and by what more it is given. It is shared with
        every scope made from this one.
        """
        key = (read, self.first, self.last, self.group, self.source and self.source.pk, *more)
        if key not in self.memory:
            self.memory[key] = read(self, *more)
        found: Read = self.memory[key]
        return found

    def definition(self, key: str) -> Definition:
        """What the metric means in this scope: the version in force, else the service's own."""
        return self.meanings.get(key, DEFINITIONS[key])

    def under(self, definition: Definition) -> "Scope":
        """The same, as if this version of its metric were in force."""
        is_reopened = definition.key == REOPENED.key
        days = definition.value("outcome_days") if is_reopened else self.outcome_days
        meanings = {**self.meanings, definition.key: definition}
        return replace(self, outcome_days=days, meanings=meanings)

    @property
    def start(self) -> datetime:
        return self._midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after the window."""
        return self._midnight(self.last + timedelta(days=1))

    @property
    def matured_before(self) -> datetime:
        """What was settled before this midnight has had its whole outcome window."""
        return self._midnight(self.now.date() - timedelta(days=self.outcome_days))

    @property
    def time_zone(self) -> str:
        return str(self.now.tzinfo)

    @property
    def source_slug(self) -> str:
        return self.source.slug if self.source else ""

    def query(self, **more: str) -> str:
        """The query string that leads back to the same window, source and grouping.

        Dates, not a number of days, so that a link says the same tomorrow.
        """
        parts = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        if self.source:
            parts["source"] = self.source.slug
        return urlencode({**parts, "group": self.group.value, **more})

    def _midnight(self, day: date) -> datetime:
        # Combined anew for each day: adding 24 hours would miss it when the clocks change.
        return datetime.combine(day, time.min, tzinfo=self.now.tzinfo)


def sources() -> list[tuple[str, str | Promise]]:
    found = Source.objects.order_by("name").values_list("slug", "name")
    return [("", _("all sources")), *found]


class ScopeForm(forms.Form):
    """Reads a Scope from query parameters; what is missing has a default, what is wrong is told."""

    days = forms.TypedChoiceField(
        label=_("Window"),
        choices=[
            (7, _("last 7 days")),
            (30, _("last 30 days")),
            (90, _("last 90 days")),
            ("", _("from … to …")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
    )
    to = forms.DateField(label=_("To"), required=False)
    source = forms.ChoiceField(label=_("Source"), choices=sources, required=False)
    group = forms.ChoiceField(
        label=_("Split by"),
        choices=[
            (Group.CATEGORY.value, _("category")),
            (Group.MODEL.value, _("model version")),
            (Group.SOURCE.value, _("source")),
        ],
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language and cannot be written as an attribute above.
        self.fields["from"] = forms.DateField(label=_("From"), required=False)
        for name in ("from", "to"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean_source(self) -> Source | None:
        slug = self.cleaned_data["source"]
        return Source.objects.get(slug=slug) if slug else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("from"), cleaned.get("to")
        for name, day in (("from", first), ("to", last)):
            if day and not EARLIEST <= day <= LATEST:
                self.add_error(name, _("Choose a day between 2000 and 2199."))
        if first and last and first > last:
            self.add_error("to", _("The last day lies before the first."))
        return cleaned

    def scope(self, now: datetime) -> Scope:
        """What was asked for, seen from `now` (aware). Only after is_valid().

        Dates win over a number of days. One date alone leaves the other side to the default:
        up to today, or from 30 days before.
        """
        cleaned = self.cleaned_data
        today = now.date()
        first, last, days = cleaned.get("from"), cleaned.get("to"), None
        if first is None and last is None:
            days = cleaned.get("days") or DEFAULT_DAYS
        last = last or max(today, first or today)
        first = first or last - timedelta(days=(days or DEFAULT_DAYS) - 1)
        meanings = in_force(now)
        return Scope(
            first=first,
            last=last,
            now=now,
            outcome_days=meanings[REOPENED.key].value("outcome_days"),
            group=Group(cleaned.get("group") or Group.CATEGORY),
            source=cleaned.get("source"),
            days=days,
            main_fields=tuple(Field.objects.filter(is_main=True).values_list("pk", flat=True)),
            meanings=meanings,
        )


def local_now() -> datetime:
    """Now in the service's time zone: a day of the figures is the same day for everybody."""
    return timezone.localtime(timezone=timezone.get_default_timezone())
