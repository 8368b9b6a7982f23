"""What a requester wrote goes from every row; that it was there still counts."""

import json
from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from bench import traces
from tests.conftest import new_ticket
from tests.triage.ann import (
    ANN,
    BOB,
    BODY,
    CANARIES,
    SUBJECT,
    VALUE,
    Deliver,
    Work,
    by_ann,
    tell_ann,
)
from triage import erasure, ledger
from triage.erasure import ErasureRefused, Whose
from triage.models import (
    Choice,
    Delivery,
    Effect,
    EscalationRule,
    Label,
    LedgerEntry,
    Prediction,
    Proposal,
    RuleVersion,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work) -> Ticket:
    return tell_ann(source, catalogue, deliver, work)


def whole_text(ticket: Ticket) -> list[str]:
    ticket.refresh_from_db()
    return [
        ticket.subject,
        ticket.body,
        ticket.requester,
        ticket.requester_name,
        ticket.url,
        ticket.resolution,
    ]


def test_no_column_of_any_table_holds_what_the_requester_wrote(
    told: Ticket, source: Source
) -> None:
    before = traces.in_database(CANARIES)
    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert {"triage_ticket.subject", "triage_ticketversion.subject", "triage_proposal.reply"} <= (
        before[SUBJECT]
    )
    assert "triage_delivery.body" in before[BODY]
    assert before.keys() == set(CANARIES)
    assert traces.in_database(CANARIES) == {}


def test_the_rows_stay_and_say_when_they_were_emptied(told: Ticket, source: Source) -> None:
    tables = (Ticket, TicketVersion, TicketEvent, Delivery, Proposal, Prediction, Effect, Label)
    before = [table.objects.count() for table in tables]
    opened, closed, values = told.opened_at, told.closed_at, told.values

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert [table.objects.count() for table in tables] == before
    assert whole_text(told) == [""] * 6
    assert (told.opened_at, told.closed_at, told.external_id) == (opened, closed, "A-1")
    assert told.values == values == {"category": "network"}
    assert told.erased_at is not None
    assert str(told) == "#A-1 (erased)"
    assert set(
        Delivery.objects.filter(erased_at__isnull=False).values_list("body_sha256", flat=True)
    ) == set(
        Delivery.objects.exclude(versions__ticket__external_id="B-1").values_list(
            "body_sha256", flat=True
        )
    )


def test_values_that_no_catalogue_lists_go_and_the_others_stay(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    said = {"category": "network", "priority": VALUE, "room": VALUE}
    ticket = new_ticket(source, values=said)

    erasure.erase(Whose(source, ticket=ticket.external_id), by=source.owner)

    assert Ticket.objects.get().values == {"category": "network"}
    assert TicketVersion.objects.get().values == {"category": "network"}


def test_others_tickets_and_the_same_number_elsewhere_are_left_alone(
    told: Ticket, source: Source, make_source: Callable[..., Source]
) -> None:
    elsewhere = new_ticket(make_source(), external_id="A-1", requester=ANN)
    bobs = Ticket.objects.get(external_id="B-1")
    before = [whole_text(elsewhere), whole_text(bobs)]

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert [whole_text(elsewhere), whole_text(bobs)] == before
    assert bytes(Delivery.objects.get(versions__ticket=bobs).body)


def test_across_all_sources_each_is_searched(
    told: Ticket, make_source: Callable[..., Source], source: Source
) -> None:
    elsewhere = new_ticket(make_source(), requester=ANN)

    report = erasure.erase(Whose(None, requester=" ANN@example.org "), by=source.owner)

    assert report.counts.tickets == 2
    assert whole_text(elsewhere) == [""] * 6


def test_a_single_ticket_goes_by_its_number(told: Ticket, source: Source) -> None:
    other = new_ticket(source, requester=ANN)

    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    assert whole_text(told) == [""] * 6
    assert whole_text(other)[2] == ANN


def test_a_ticket_that_once_was_the_requesters_is_theirs(
    source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work
) -> None:
    deliver(source, by_ann())
    work()
    deliver(source, by_ann(version=2, requester={"address": BOB, "name": "Bob"}))
    work()

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert traces.in_database(CANARIES) == {}


def test_a_requester_or_a_ticket_of_a_source_has_to_be_named(source: Source) -> None:
    with pytest.raises(ErasureRefused, match="one of the two"):
        Whose(source)
    with pytest.raises(ErasureRefused, match="one of the two"):
        Whose(source, requester=ANN, ticket="A-1")
    with pytest.raises(ErasureRefused, match="Name the source"):
        Whose(None, ticket="A-1")


def test_a_preview_counts_and_changes_nothing(told: Ticket, source: Source) -> None:
    before = whole_text(told)

    preview = erasure.preview(Whose(source, requester=ANN)).counts.named()
    done = erasure.erase(Whose(source, requester=ANN), by=source.owner).counts.named()

    assert whole_text(told) != before
    assert preview == done
    assert (done["tickets"], done["ticket versions"], done["stored deliveries"]) == (1, 2, 3)


def test_erasing_again_finds_nothing_and_records_nothing(told: Ticket, source: Source) -> None:
    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)
    when = Ticket.objects.get(external_id="A-1").erased_at
    entries = LedgerEntry.objects.count()

    report = erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    assert report.is_empty
    assert Ticket.objects.get(external_id="A-1").erased_at == when
    assert LedgerEntry.objects.count() == entries


def test_the_ledger_says_who_and_how_many_and_never_whom(told: Ticket, source: Source) -> None:
    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    entry = LedgerEntry.objects.get(kind="erasure")
    assert (entry.subject, entry.actor) == (f"source:{source.pk}", f"user:{source.owner_id}")
    assert entry.payload["rows"]["tickets"] == 1
    assert "ann" not in json.dumps(entry.payload).lower()
    assert ledger.verify() is None


def test_the_desks_history_of_changes_forgets_the_subject(told: Ticket, source: Source) -> None:
    LogEntry.objects.create(
        user=source.owner,
        content_type=ContentType.objects.get_for_model(Ticket),
        object_id=str(told.pk),
        object_repr=str(told),
        action_flag=CHANGE,
    )
    assert SUBJECT in traces.in_database(CANARIES)

    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    assert LogEntry.objects.get().object_repr == "(erased)"


def test_rules_that_list_the_address_are_named_and_not_changed(source: Source) -> None:
    rule = EscalationRule.objects.create(source=source, owner=source.owner, name="VIPs")
    said = [{"kind": "requester_is", "addresses": [ANN]}]
    RuleVersion.objects.create(
        rule=rule, number=1, author=source.owner, conditions=said, actions=[]
    )

    report = erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert report.rules == ["VIPs (Desk)"]
    assert RuleVersion.objects.get().conditions == said
