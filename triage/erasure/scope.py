"""Which rows hold what a requester wrote: tickets, and deliveries that led to none."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q

from triage.helpdesks import UnknownHelpdesk, dialect
from triage.helpdesks.base import Message, TicketMessage, Unreadable
from triage.models import Delivery, RuleVersion, Source, Ticket

AT_ONCE = 500
# Bodies that name an address, and those in which it may be written otherwise: with an escaped
# letter or slash, or in UTF-16 and UTF-32, which JSON allows and in which zeros stand.
MAY_NAME = """
    SELECT id FROM triage_delivery
    WHERE source_id = %(source)s AND erased_at IS NULL AND (
        position(lower(encode(%(address)s, 'escape')) IN lower(encode(body, 'escape'))) > 0
        OR position(%(letter)s IN body) > 0
        OR position(%(slash)s IN body) > 0
        OR position(%(zero)s IN body) > 0)
    ORDER BY id
"""
OTHERWISE = {"letter": b"\\u", "slash": b"\\/", "zero": b"\x00"}


class ErasureRefused(Exception):
    """Nothing can be erased as asked; the message says why."""


@dataclass(frozen=True)
class Whose:
    """One ticket of a source, or all that a requester wrote to a source (None: to any of them).

    `requester` is a mail address or login; capitals do not matter. ErasureRefused unless it is
    one or the other, and the ticket's source is given.
    """

    source: Source | None
    requester: str = ""
    ticket: str = ""

    def __post_init__(self) -> None:
        if bool(self.address) == bool(self.ticket):
            raise ErasureRefused("Name a requester or the number of a ticket, one of the two.")
        if self.ticket and self.source is None:
            raise ErasureRefused("Name the source of the ticket: numbers are not unique without.")

    @property
    def address(self) -> str:
        """As tickets have it."""
        return self.requester.strip().lower()[:254]

    @property
    def sources(self) -> list[Source]:
        return list(Source.objects.order_by("pk")) if self.source is None else [self.source]


@dataclass
class Found:
    """Primary keys of the tickets, and of all deliveries that brought something of them."""

    tickets: set[int] = field(default_factory=set)
    deliveries: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.tickets or self.deliveries)


def find(whose: Whose) -> Found:
    """Everything that is theirs now.

    A ticket is a requester's if it carries the address, or if a delivery of it did. A delivery
    that led to a row goes with that row's ticket. One that led to none (not read yet, refused,
    repeated) goes if it is about one of the tickets, or if the address stands anywhere in it.
    Every body of the sources is looked at once: seconds for a hundred thousand.
    """
    found = Found()
    for source in whose.sources:
        tickets = Ticket.objects.filter(source=source)
        if whose.ticket:
            own = tickets.filter(external_id=whose.ticket)
        else:
            sent = _sent_by(source, whose.address)
            own = tickets.filter(Q(requester=whose.address) | Q(external_id__in=sent))
        numbers = dict(own.values_list("external_id", "pk"))
        found.tickets.update(numbers.values())
        found.deliveries |= _linked(numbers.values())
        found.deliveries |= _stray(source, whose.address, {*numbers, whose.ticket} - {""})
    return found


def rules_naming(address: str) -> list[str]:
    """Rules whose newest version lists the address; only an owner can change these."""
    newest = RuleVersion.objects.order_by("rule_id", "-number").distinct("rule_id")
    return sorted(
        f"{version.rule} ({version.rule.source})"
        for version in newest.select_related("rule__source")
        if address in _strings([version.conditions, version.actions])
    )


def _linked(tickets: Collection[int]) -> set[int]:
    """Deliveries that led to a version or an event of the tickets."""
    either = Q(versions__ticket__in=tickets) | Q(events__ticket__in=tickets)
    return set(Delivery.objects.filter(either).values_list("pk", flat=True))


def _sent_by(source: Source, address: str) -> set[str]:
    """Numbers of the tickets that a delivery gave this requester."""
    written = json.dumps(address)[1:-1].encode()
    wanted: dict[str, int | bytes] = {"source": source.pk, "address": written, **OTHERWISE}
    with connection.cursor() as cursor:
        cursor.execute(MAY_NAME, wanted)
        maybe = [pk for (pk,) in cursor.fetchall()]
    if not address.isascii():
        # PostgreSQL makes only the ASCII letters of bytes small.
        rows = Delivery.objects.filter(source=source, erased_at__isnull=True)
        maybe = list(rows.values_list("pk", flat=True))
    messages = (_message(delivery) for delivery in _loaded(maybe))
    return {
        message.external_id
        for message in messages
        if isinstance(message, TicketMessage) and message.requester == address
    }


def _stray(source: Source, address: str, numbers: Collection[str]) -> set[int]:
    """Deliveries that led to no row and are about one of the numbers or name the address."""
    rows = Delivery.objects.filter(
        source=source, erased_at__isnull=True, versions__isnull=True, events__isnull=True
    )
    found = set()
    for delivery in _loaded(list(rows.order_by("pk").values_list("pk", flat=True))):
        message = _message(delivery)
        said = _strings(_payload(delivery))
        if message is not None:
            is_about = message.external_id in numbers
        else:
            is_about = not said.isdisjoint(number.lower() for number in numbers)
        if is_about or (address and any(address in text for text in said)):
            found.add(delivery.pk)
    return found


def _loaded(pks: Sequence[int]) -> Iterator[Delivery]:
    for start in range(0, len(pks), AT_ONCE):
        some = pks[start : start + AT_ONCE]
        yield from Delivery.objects.filter(pk__in=some).select_related("source")


def _payload(delivery: Delivery) -> object:
    try:
        return json.loads(bytes(delivery.body))
    except (ValueError, RecursionError):
        return None


def _message(delivery: Delivery) -> Message | None:
    try:
        return dialect(delivery.source).parse(_payload(delivery))
    except (Unreadable, UnknownHelpdesk, ValueError, RecursionError):
        return None


def _strings(value: object) -> set[str]:
    """Every text in it, at any depth, in small letters."""
    found: set[str] = set()
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.add(item.lower())
        elif isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            left += item
    return found
