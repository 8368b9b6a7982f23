"""The other tickets of one requester, in keyset pages, newest first."""

from dataclasses import dataclass
from urllib.parse import urlencode

from review.beside import settled_path
from review.catalogue import Catalogue
from review.keyset import cursor_of, place_at
from triage.models import Ticket, Waiting
from triage.outcomes import Outcome, outcomes

PAGE_SIZE = 20


@dataclass(frozen=True)
class Earlier:
    """One ticket of the requester, with what it was settled as and how it went."""

    outcome: Outcome
    path: str
    waits: bool

    @property
    def ticket(self) -> Ticket:
        return self.outcome.ticket


@dataclass(frozen=True)
class RequesterPage:
    """`ticket` is the one from whose page the others are looked at."""

    ticket: Ticket
    rows: list[Earlier]
    older: str
    is_first: bool


def requester_page(pk: int, choices: Catalogue, *, after: str = "") -> RequesterPage:
    """Of one source only. Raises Ticket.DoesNotExist; an erased ticket has no requester."""
    ticket = Ticket.objects.select_related("source").defer("body", "search").get(pk=pk)
    if not ticket.requester:
        return RequesterPage(ticket, [], "", is_first=True)
    theirs = Ticket.objects.filter(source=ticket.source_id, requester=ticket.requester)
    place = place_at(after)
    if place is not None:
        at, key = place
        theirs = theirs.filter(opened_at__lte=at).exclude(opened_at=at, pk__gte=key)
    found = list(theirs.only("pk", "opened_at").order_by("-opened_at", "-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    keys = [one.pk for one in shown]
    went = outcomes(keys)
    rows_waiting = Waiting.objects.filter(ticket__in=keys)
    waiting = dict(rows_waiting.values_list("ticket_id", "blind_at"))
    rows = [
        Earlier(went[key], settled_path(went[key].ticket, choices), key in waiting)
        for key in keys
        # How one went that is to be answered blind would be advice.
        if key in went and waiting.get(key) is None
    ]
    older = ""
    if len(found) > PAGE_SIZE:
        older = f"?{urlencode({'after': cursor_of(shown[-1].opened_at, shown[-1].pk)})}"
    return RequesterPage(ticket, rows, older, place is None)
