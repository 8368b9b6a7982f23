"""Proposals that say the same, decided in one go: which they are, and what becomes of each."""

from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from review import batches, decisions
from review.models import Batch, Decision, Lease, Reason
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import (
    Delivery,
    Effect,
    Label,
    LedgerEntry,
    Playbook,
    Proposal,
    TicketVersion,
    Waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya() -> User:
    return make_technician()


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


def words(response: Any) -> str:
    return unescape(response.content.decode())


def listed(client: Client, proposal: Proposal, query: str = "") -> list[int]:
    response = client.get(f"/equal/{proposal.pk}/{query}")
    assert response.status_code == 200
    page = response.context["page"]
    return [member.waiting.proposal_id for member in page.members]


def lease(proposal: Proposal, holder: User, **over: Any) -> Lease:
    now = timezone.now()
    times = {"taken_at": now, "until": now + timedelta(seconds=45)}
    return Lease.objects.create(
        ticket=proposal.ticket, holder=holder, window=uuid4(), **{**times, **over}
    )


def change(proposal: Proposal) -> None:
    """The helpdesk sends a newer version of the ticket."""
    delivery = Delivery.objects.create(
        source=proposal.ticket.source,
        webhook_id=f"w{proposal.pk}",
        body=b"{}",
        outcome=Delivery.Outcome.APPLIED,
    )
    TicketVersion.objects.create(
        ticket=proposal.ticket, version=9, subject="x", body="y", delivery=delivery
    )


def test_those_that_say_the_same_are_listed_with_this_one(technician: Client, desk: Desk) -> None:
    first = make_proposal(desk)
    same = make_proposal(desk)
    make_proposal(desk, main="network.wifi")
    make_proposal(desk, priority="high")
    make_proposal(desk, team=None)
    make_proposal(make_desk("other"))
    make_proposal(
        desk,
        playbook=Playbook.objects.create(
            source=desk.source, name="Roll back", owner=desk.owner, reply="x"
        ),
    )
    make_proposal(desk, waits=False)

    assert listed(technician, first) == [first.pk, same.pk]
    line = words(technician.get(f"/equal/{first.pk}/count"))
    assert "1 more like this" in line
    assert 'data-key="g"' in line


def test_what_is_open_in_the_same_fields_is_the_same_but_an_open_category_is_not(
    technician: Client, desk: Desk
) -> None:
    first = make_proposal(desk, team=None)
    same = make_proposal(desk, team=None)
    open_one = make_proposal(desk, main=None)
    make_proposal(desk, main=None)

    assert listed(technician, first) == [first.pk, same.pk]
    assert listed(technician, open_one) == []


def test_what_is_held_leased_or_to_be_answered_blind_is_left_out(
    technician: Client, maya: User, desk: Desk
) -> None:
    first, held, taken, mine, free_again, blind = (
        make_proposal(desk, route=route)
        for route in ["review", "hold", "review", "review", "review", "review"]
    )
    tom = make_technician("tom")
    lease(taken, tom)
    lease(mine, maya)
    lease(free_again, tom, until=timezone.now() - timedelta(seconds=1))
    Waiting.objects.filter(proposal=blind).update(blind_at=0.1)

    assert listed(technician, first) == [first.pk, mine.pk, free_again.pk]
    for alone in (held, taken, blind):
        response = technician.get(f"/equal/{alone.pk}/")
        assert response.status_code == 200
        assert "decided on its own" in words(response)
        assert "VPN drops" not in words(response)


def test_the_filter_narrows_and_goes_along(technician: Client, desk: Desk) -> None:
    first = make_proposal(desk, make_ticket(desk, subject="Outlook rules"))
    make_proposal(desk, make_ticket(desk, subject="VPN client"))
    third = make_proposal(desk, make_ticket(desk, subject="Outlook again"))

    assert listed(technician, first, "?q=outlook") == [first.pk, third.pk]
    page = words(technician.get(f"/equal/{first.pk}/?q=outlook"))
    assert "/together/?q=outlook" in page


def test_the_unsure_are_not_ticked_unless_all_are(technician: Client, desk: Desk) -> None:
    sure = make_proposal(desk, probability=0.9)
    unsure = make_proposal(desk, probability=0.6)

    def ticked(query: str) -> list[int]:
        members = technician.get(f"/equal/{sure.pk}/{query}").context["page"].members
        return [member.waiting.proposal_id for member in members if member.is_ticked]

    assert ticked("") == [sure.pk]
    assert ticked("?tick=all") == [sure.pk, unsure.pk]
    assert ticked("?tick=none") == []


def test_accepting_makes_a_decision_of_its_own_of_each(
    technician: Client, maya: User, desk: Desk
) -> None:
    made = [make_proposal(desk) for _ in range(3)]

    response = technician.post("/together/", {"do": "accept", "proposal": [one.pk for one in made]})

    batch = Batch.objects.get()
    assert response["Location"] == f"/batches/{batch.pk}/"
    decided = Decision.objects.order_by("pk")
    assert [(d.proposal_id, d.verdict, d.reviewer) for d in decided] == [
        (one.pk, "accepted", maya) for one in made
    ]
    assert {d.batch_id for d in decided} == {batch.pk}
    assert Label.objects.filter(origin=Label.Origin.DECISION).count() == 9
    assert Effect.objects.filter(kind=Effect.Kind.VALUES).count() == 3
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.DECISION).count() == 3
    assert "3 tickets decided" in words(technician.get(response["Location"]))


def test_overriding_takes_along_what_follows_and_needs_one_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = [make_proposal(desk) for _ in range(2)]
    said = {"do": "override", "choice": desk["access.password"].pk}
    ids = {"proposal": [one.pk for one in made], "listed": [one.pk for one in made]}

    refused = technician.post("/together/", said | ids)
    done = technician.post(
        "/together/", said | ids | {"override_reason": reasons["override.wrong"].pk}
    )

    assert refused.status_code == 422
    assert "Choose a reason." in words(refused)
    assert refused.context["active"] == "override"
    assert done.status_code == 302
    for decision in Decision.objects.all():
        finals = {value.field.key: value.final for value in decision.values.all()}
        assert decision.verdict == "overridden"
        assert finals["category"] == desk["access.password"]
        assert finals["team"] == desk["team.id"]
        assert finals["priority"] == desk["normal"]


def test_escalating_asks_for_words_where_the_reason_does(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_proposal(desk)
    said = {
        "do": "escalate",
        "proposal": made.pk,
        "escalate_reason": reasons["escalate.other"].pk,
    }

    refused = technician.post("/together/", said)
    technician.post("/together/", said | {"text": "All from one site."})

    assert refused.status_code == 422
    decision = Decision.objects.get()
    assert (decision.verdict, decision.text) == ("escalated", "All from one site.")


def test_those_decided_changed_or_taken_meanwhile_are_left_and_named(
    technician: Client, desk: Desk
) -> None:
    good, decided, changed, taken, held, blind = (
        make_proposal(desk, route="hold" if n == 4 else "review") for n in range(6)
    )
    tom = make_technician("tom", first_name="Tom", last_name="Ray")
    decisions.decide(proposal=decided, reviewer=tom, choices={}, reasons={}, with_playbook=False)
    change(changed)
    lease(taken, tom)
    Waiting.objects.filter(proposal=blind).update(blind_at=0.1)
    asked = [good, decided, changed, taken, held, blind]

    response = technician.post(
        "/together/", {"do": "accept", "proposal": [one.pk for one in asked]}
    )

    assert list(Decision.objects.filter(batch__isnull=False).values_list("proposal")) == [
        (good.pk,)
    ]
    page = words(technician.get(response["Location"]))
    assert "One ticket decided, 5 left" in page
    assert "Tom Ray was faster: accepted" in page
    assert "Tom Ray is looking at it." in page
    assert "changed, closed or proposed anew" in page
    assert "A rule holds it" in page
    assert "answered before its proposal is shown" in page


def test_a_run_goes_on_in_chunks_and_decides_nothing_twice(technician: Client, desk: Desk) -> None:
    made = [make_proposal(desk) for _ in range(45)]
    htmx = {"HX-Request": "true"}

    first = technician.post(
        "/together/?q=vpn", {"do": "accept", "proposal": [one.pk for one in made]}, headers=htmx
    )
    batch = Batch.objects.get()
    assert "20 of 45" in words(first)
    assert batch.decisions.count() == 20
    going_on = {"do": "accept", "batch": batch.pk, "proposal": first.context["rest"]}
    technician.post("/together/?q=vpn", going_on, headers=htmx)
    again = technician.post("/together/?q=vpn", going_on, headers=htmx)
    assert "40 of 45" in words(again)
    assert again.context["left"] == []
    last = technician.post(
        "/together/?q=vpn", going_on | {"proposal": again.context["rest"]}, headers=htmx
    )

    assert last.status_code == 204
    assert last["HX-Redirect"] == f"/batches/{batch.pk}/?q=vpn"
    assert batch.decisions.count() == 45
    assert Decision.objects.count() == 45


def test_undoing_all_takes_back_what_can_be_and_says_what_cannot(
    technician: Client, desk: Desk
) -> None:
    made = [make_proposal(desk) for _ in range(3)]
    technician.post("/together/", {"do": "accept", "proposal": [one.pk for one in made]})
    batch = Batch.objects.get()
    change(made[1])
    assert "Undo all 2" in words(technician.get(f"/batches/{batch.pk}/"))

    response = technician.post(f"/batches/{batch.pk}/undo?q=vpn")

    assert response["Location"] == f"/batches/{batch.pk}/?q=vpn"
    standing = Decision.objects.filter(stands_for__isnull=False)
    assert [one.proposal for one in standing] == [made[1]]
    assert Waiting.objects.filter(proposal__in=[made[0], made[2]]).count() == 2
    page = words(technician.get(response["Location"]))
    assert "2 decisions undone" in page
    assert page.count("taken back") == 2
    assert "can no longer be undone" in page
    assert "Undo all" not in page


def test_nobody_undoes_the_batch_of_another(client: Client, technician: Client, desk: Desk) -> None:
    made = make_proposal(desk)
    technician.post("/together/", {"do": "accept", "proposal": made.pk})
    batch = Batch.objects.get()
    client.force_login(make_technician("tom"))

    assert client.post(f"/batches/{batch.pk}/undo").status_code == 404
    assert "/undo" not in words(client.get(f"/batches/{batch.pk}/")).partition("<main")[2]
    assert Decision.objects.get().stands_for == made


def test_nobody_goes_on_with_the_batch_of_another(technician: Client, desk: Desk) -> None:
    batch = batches.begin(make_technician("tom"))
    made = make_proposal(desk)

    response = technician.post(
        "/together/", {"do": "accept", "batch": batch.pk, "proposal": made.pk}
    )

    assert response.status_code == 404
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"do": "accept"}, "Nothing is ticked"),
        ({"do": "accept", "proposal": ["x", "9" * 40, "-1", "\0"]}, "Nothing is ticked"),
        ({"do": "accept", "proposal": list(range(1, 102))}, "100 at most"),
        ({"proposal": "1"}, ""),
        ({"do": "delete", "proposal": "1"}, ""),
        ({"do": "override", "proposal": "1", "choice": "9" * 40, "text": "\0"}, ""),
        ({"do": "accept", "proposal": "1", "text": "x" * 9000}, ""),
    ],
)
def test_nonsense_is_refused_with_words(
    technician: Client, data: dict[str, Any], said: str
) -> None:
    response = technician.post("/together/", data)

    assert response.status_code == 422
    assert said in words(response)
    assert not Batch.objects.exists()


def test_unknown_numbers_are_not_found(technician: Client, desk: Desk) -> None:
    shadow = make_proposal(desk, route=Proposal.Route.SHADOW, waits=False)

    for path in (
        "/equal/0/", f"/equal/{2**70}/", f"/equal/{shadow.pk}/", "/equal/0/count",
        "/batches/0/", f"/batches/{2**70}/",
    ):  # fmt: skip
        assert technician.get(path).status_code == 404, path
    batch = batches.begin(make_technician("tom"))
    response = technician.get(
        f"/batches/{batch.pk}/?left=x&left=1.gone&left={9**30}.held&left=1.held"
    )
    assert response.status_code == 200


def test_who_may_not_decide_sees_no_bulk(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    client.force_login(make_reader())

    assert client.get(f"/equal/{proposal.pk}/").status_code == 403
    assert client.get(f"/equal/{proposal.pk}/count").status_code == 403
    assert client.post("/together/", {"do": "accept", "proposal": proposal.pk}).status_code == 403
    assert not Decision.objects.exists()


def test_the_page_costs_the_same_for_two_as_for_many(
    technician: Client, desk: Desk, django_assert_max_num_queries: Any
) -> None:
    first = make_proposal(desk)
    make_proposal(desk)
    technician.get(f"/equal/{first.pk}/")
    with django_assert_max_num_queries(16) as few:
        technician.get(f"/equal/{first.pk}/")
    for _ in range(30):
        make_proposal(desk)
    with django_assert_max_num_queries(len(few)):
        technician.get(f"/equal/{first.pk}/")
