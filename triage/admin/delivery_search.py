"""Finding deliveries among very many: every way rests on an index, and nothing is counted."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.contrib.filters.forms import RangeDateForm

from triage.admin.came_of import BEING_READ, DEAD, WAITS
from triage.models import Delivery, Job, Source, TicketEvent, TicketVersion


def found(rows: QuerySet[Delivery], words: str) -> QuerySet[Delivery]:
    """Those with this webhook id or number, or that brought something to a ticket of this id."""
    term = words.strip()
    # With the sources named, the unique indexes that begin with the source answer.
    sources = list(Source.objects.values_list("pk", flat=True))
    by_id = Delivery.objects.filter(source__in=sources, webhook_id=term).values("pk")
    ticket = {"ticket__source__in": sources, "ticket__external_id": term.lstrip("#")}
    versions = TicketVersion.objects.filter(**ticket, delivery__isnull=False).order_by()
    events = TicketEvent.objects.filter(**ticket, delivery__isnull=False).order_by()
    parts: list[QuerySet[Any]] = [versions.values("delivery"), events.values("delivery")]
    if term.isascii() and term.isdecimal() and len(term) < 19:
        parts.append(Delivery.objects.filter(pk=int(term)).values("pk"))
    return rows.filter(pk__in=by_id.union(*parts))


def dead() -> QuerySet[Any]:
    """Deliveries, by primary key, whose reading or whose ticket's triage is a dead letter."""
    letters = Job.objects.filter(dead_at__isnull=False)
    unreadable = letters.filter(kind=Job.Kind.RECEIVE).values("subject")
    untriaged = letters.filter(kind=Job.Kind.PROPOSE).values("subject")
    versions = TicketVersion.objects.filter(pk__in=untriaged, delivery__isnull=False)
    found: QuerySet[Any] = unreadable.union(versions.values("delivery"))
    return found


def unread(rows: QuerySet[Any]) -> QuerySet[Any]:
    """By length, of which the database has no statistics: it then begins with the few jobs.

    Where nothing waited when it last counted, an empty outcome looks so rare to it that it reads
    the whole table at once instead.
    """
    measured: QuerySet[Any] = rows.annotate(outcome_length=Length("outcome"))
    return measured.filter(outcome_length=0)


class OutcomeFilter(admin.SimpleListFilter):
    """By what the log calls the outcome. What waits is asked of the jobs, which are few."""

    title = "outcome"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (WAITS, BEING_READ, *Delivery.Outcome.values, DEAD)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        wanted = self.value()
        if wanted == DEAD:
            return queryset.filter(pk__in=dead())
        if wanted in (WAITS, BEING_READ):
            jobs = Job.objects.filter(kind=Job.Kind.RECEIVE, dead_at__isnull=True)
            now = timezone.now()
            leased = Q(lease_until__gt=now)
            free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
            subjects = jobs.filter(leased if wanted == BEING_READ else free).values("subject")
            return unread(queryset).filter(pk__in=subjects)
        if wanted in Delivery.Outcome.values:
            return queryset.filter(outcome=wanted)
        return queryset


class DaysForm(RangeDateForm):  # type: ignore[misc]  # the theme has no types
    """With the browser's own date boxes: the theme's need a script that is not on the page yet."""

    class Media:
        extend = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            named = field.widget.attrs.pop("placeholder")
            attrs = {**field.widget.attrs, "aria-label": f"Received {named}", "type": "date"}
            field.widget = forms.DateInput(attrs, format="%Y-%m-%d")


class ReceivedFilter(RangeDateFilter):  # type: ignore[misc]  # the theme has no types
    """From one day to another, both included, in the desk's time zone."""

    form_class = DaysForm

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first = _day(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = _day(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first is not None:
            queryset = queryset.filter(received_at__gte=_midnight(first))
        if last is not None:
            queryset = queryset.filter(received_at__lt=_midnight(last + timedelta(days=1)))
        return queryset


def _day(written: object) -> date | None:
    """None for what is no date, and for one that has no day after it."""
    try:
        day = parse_date(str(written or ""))
    except ValueError:
        return None
    return day if day is not None and 1970 <= day.year <= 2200 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
