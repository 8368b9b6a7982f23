"""Every page of the review room, from its address table; a new one is walked or fails loudly."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from review.metrics.definitions import DEFINITIONS
from review.models import Decision
from triage.models import Ticket

NAMESPACE = "review"


class NotOnTheMap(AssertionError):
    """A route whose arguments nobody has given here."""


@dataclass(frozen=True)
class Address:
    """Where a route leads, with rows that are there; some pages need a query."""

    name: str
    path: str


def arguments(ticket: Ticket) -> dict[str, object]:
    """By argument of a route; where routes mean different rows by one name, by `route.argument`."""
    decision = Decision.objects.latest("pk")
    return {
        "pk": ticket.pk,
        "ticket.pk": ticket.pk,
        "effects.pk": ticket.pk,
        "key": next(iter(DEFINITIONS)),
        "decision": decision.pk,
    }


# What a page is opened with besides its bare address.
QUERIES = {
    "queue": ("?category=access.nothing",),
    "ticket": ("?do=override", "?do=escalate"),
    "history": ("?since=soon",),
    "metrics_tickets": ("?metric=acceptance",),
}


def addresses(ticket: Ticket) -> list[Address]:
    known = arguments(ticket)
    found = []
    for name, wanted in sorted(_routes()):
        missing = {one for one in wanted if one not in known and f"{name}.{one}" not in known}
        if missing:
            raise NotOnTheMap(f"{name} wants {sorted(missing)}: say in walk.arguments which.")
        given = {one: known.get(f"{name}.{one}", known.get(one)) for one in wanted}
        path = reverse(f"{NAMESPACE}:{name}", kwargs=given)
        found += [Address(name, f"{path}{query}") for query in ("", *QUERIES.get(name, ()))]
    return found


def pages(client: Client, found: list[Address]) -> Iterator[tuple[Address, str]]:
    """Those that answer a GET with a whole page, and its HTML. Nothing may break at one."""
    for address in found:
        answer = client.get(address.path)
        assert answer.status_code < 500, address
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code == 200 and kind.startswith("text/html") and not answer.streaming:
            html = answer.content.decode()
            if html.lstrip().lower().startswith("<!doctype html"):
                yield address, html


def _routes() -> set[tuple[str, tuple[str, ...]]]:
    resolver = next(
        one
        for one in get_resolver().url_patterns
        if isinstance(one, URLResolver) and one.namespace == NAMESPACE
    )
    return set(_below(resolver.url_patterns, ()))


def _below(
    patterns: list[URLPattern | URLResolver], outer: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in patterns:
        wanted = (*outer, *one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from _below(one.url_patterns, wanted)
        elif one.name:
            yield one.name, wanted
