"""The page of one ticket: the words, the proposal and what it rests on, and each state it meets."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import decisions, leases
from review.lines import LEAST_DECISIONS
from review.templatetags.wording import age, cited, in_ten, percent
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reasons,
    make_technician,
    make_ticket,
    ticket_page,
)
from triage.models import (
    Effect,
    EscalationRule,
    Playbook,
    Proposal,
    ProposedValue,
    RuleHit,
    RuleVersion,
    Ticket,
    TicketEvent,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12


@pytest.fixture
def technician(client: Client) -> Client:
    client.force_login(make_technician())
    return client


def test_the_words_are_text_and_the_cited_ones_are_marked(technician: Client) -> None:
    desk = make_desk()
    ticket = make_ticket(desk, body="The VPN drops. <b>My password</b> is asked again.")
    make_proposal(
        desk, ticket, model=make_model(desk), words_for=["VPN"], words_against=["password"]
    )

    html = technician.get(f"/tickets/{ticket.pk}/").content.decode()

    assert "The <mark>VPN</mark> drops. &lt;b&gt;My " in html
    assert '<mark class="against">password</mark>&lt;/b&gt;' in html


def test_citing_marks_whole_words_and_escapes_everything() -> None:
    assert (
        cited("vpn-client: VPNs & <Office>", ["VPN"], ["office"])
        == '<mark>vpn</mark>-client: VPNs &amp; &lt;<mark class="against">Office</mark>&gt;'
    )
    assert cited("a < b", [], []) == "a &lt; b"
    assert cited("Straße (x) Straße", ["straße", "(x)"], []).count("<mark>") == 3
    assert cited("tool chain", ["tool", "tool chain"], []) == "<mark>tool chain</mark>"


def test_a_probability_is_said_as_cases_with_how_far_such_figures_were_off(
    technician: Client,
) -> None:
    desk = make_desk()
    proposal = make_proposal(desk, model=make_model(desk), probability=0.91)

    html = ticket_page(technician, proposal.ticket)

    assert "The model expects about 9 in 10 like this to be right." in html
    assert "Tested on 72 tickets, such figures were off by 2.1 points on average." in html
    assert "Otherwise most likely Access › Password." in html
    assert "Model version 1, owned by Olga Owner" in html


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.999, "more than 99 in 100"),
        (0.98, "about 49 in 50"),
        (0.95, "about 19 in 20"),
        (0.92, "about 9 in 10"),
        (0.46, "about 5 in 10"),
        (0.06, "about 1 in 10"),
        (0.01, "fewer than 1 in 20"),
    ],
)
def test_probabilities_in_words(probability: float, words: str) -> None:
    assert in_ten(probability) == words


def test_percent_never_claims_certainty_it_does_not_have() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "0 %",
        "< 1 %",
        "50 %",
        "> 99 %",
        "100 %",
    ]


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=4, seconds=30), "4 min"),
        (timedelta(hours=3, minutes=59), "3 h"),
        (timedelta(days=1, hours=2), "1 day"),
        (timedelta(days=12), "12 days"),
    ],
)
def test_ages_in_words(passed: timedelta, words: str) -> None:
    assert age(timezone.now() - passed) == words


def test_how_often_a_choice_was_overridden_is_measured_from_ten_decisions_on(
    technician: Client,
) -> None:
    desk, reasons, bob = make_desk(), make_reasons(), make_technician("bob")
    for number in range(LEAST_DECISIONS):
        proposal = make_proposal(desk)
        changes = {"category": desk["network.wifi"]} if number < 2 else {}
        if number == LEAST_DECISIONS - 1:
            html = ticket_page(technician, proposal.ticket)
            leases.release_ticket(proposal.ticket_id)
            assert "Not enough decisions on this choice yet" in html
        decisions.decide(
            proposal=proposal,
            reviewer=bob,
            choices=changes,
            reasons={"category": reasons["override.wrong"]},
            with_playbook=False,
        )

    html = ticket_page(technician, make_proposal(desk).ticket)

    assert "Overridden in 2 of the last 10 decisions (6–51 %)." in html
    assert "Being accepted is not the same as being right." in html
    assert "Overridden in 0 of the last 10 decisions (0–28 %)." in html


def test_each_value_says_what_it_rests_on(technician: Client) -> None:
    desk = make_desk()
    rule = EscalationRule.objects.create(source=desk.source, name="Call today", owner=desk.owner)
    version = RuleVersion.objects.create(
        rule=rule, number=3, conditions=[], actions=[], author=desk.owner
    )
    proposal = make_proposal(desk)
    proposal.values.filter(field=desk.priority).update(
        basis=ProposedValue.Basis.RULE, rule_version=version
    )
    RuleHit.objects.create(proposal=proposal, rule_version=version)
    other = EscalationRule.objects.create(source=desk.source, name="Look", owner=desk.owner)
    looked = RuleVersion.objects.create(
        rule=other, number=1, conditions=[], actions=[], author=desk.owner
    )
    RuleHit.objects.create(proposal=proposal, rule_version=looked)

    html = ticket_page(technician, proposal.ticket)

    assert "follows from the category" in html
    assert "Rule “Call today”, owned by Olga Owner" in html
    assert "“Look” (version 1), owned by Olga Owner" in html
    assert "“Call today” (version 3)" not in html


def test_the_reply_on_offer_is_quoted_and_goes_with_accepting_unless_unticked(
    technician: Client,
) -> None:
    desk = make_desk()
    playbook = Playbook.objects.create(
        source=desk.source,
        name="Roll back",
        owner=desk.owner,
        reply="x",
        is_reversible=False,
        follow_up=Playbook.FollowUp.PENDING,
    )
    proposal = make_proposal(desk, playbook=playbook, reply="Hello Ann,\nit is <queued>.")

    html = technician.get(f"/tickets/{proposal.ticket_id}/").content.decode()

    assert "Hello Ann,\nit is &lt;queued&gt;." in html
    assert 'name="with_playbook" value="1" checked form="accept"' in html
    assert "cannot be undone" in html
    assert "The ticket then waits for the requester." in html


def test_what_accepting_does_is_said_before(technician: Client) -> None:
    desk, quiet = make_desk(), make_desk("quiet", api_url="")

    assert (
        "On accept, Norvik gets: Category Network › VPN, Team Network operations,"
        " and an internal note" in ticket_page(technician, make_proposal(desk).ticket)
    )
    assert "Nothing is written to Quiet, because no address for it is set up." in ticket_page(
        technician, make_proposal(quiet).ticket
    )


def test_similar_tickets_come_with_their_outcome(technician: Client) -> None:
    desk = make_desk()
    now = timezone.now()
    alike = make_ticket(
        desk,
        subject="VPN drops at home",
        closed_at=now - timedelta(days=2),
        values={"category": "network.vpn"},
        resolution="\n Profile renewed. \nFor the record: asset 7",
    )
    looser = make_ticket(
        desk, subject="No tunnel", closed_at=now, resolution="<script>alert(1)</script>"
    )
    answer_by_playbook(desk, alike, "Renew")
    kind = TicketEvent.Kind
    for number, (what, score) in enumerate(
        [(kind.REASSIGNED, None), (kind.REASSIGNED, None), (kind.RATED, 2)]
    ):
        TicketEvent.objects.create(
            ticket=alike, key=f"e{number}", kind=what, score=score, happened_at=now
        )

    html = page_with_similar(technician, desk, {looser.pk: 0.41, alike.pk: 0.87, 0: 0.2})

    assert html.index("VPN drops at home") < html.index("No tunnel")
    for words in (
        "87 % alike",
        "Network › VPN",
        "answered by “Renew” without a person",
        "sent on 2 times",
        "rated 2 of 5",
        "closed 2 days ago",
        '<p class="soft resolution">Profile renewed.</p>',
    ):
        assert words in html
    assert "asset 7" not in html
    proposal = Proposal.objects.latest("pk")
    assert b"&lt;script&gt;" in technician.get(f"/tickets/{proposal.ticket_id}/").content


def test_a_similar_ticket_that_came_back_says_so(technician: Client) -> None:
    desk = make_desk()
    again = make_ticket(desk, subject="Tunnel, third time", reopened_count=2)

    html = page_with_similar(technician, desk, {again.pk: 0.3})

    assert "came back 2 times" in html
    assert "open again" in html


def answer_by_playbook(desk: Desk, ticket: Ticket, name: str) -> None:
    """The reply of a playbook went out to the requester, without a person."""
    playbook = Playbook.objects.create(source=desk.source, name=name, owner=desk.owner, reply="x")
    proposal = make_proposal(
        desk, ticket, playbook=playbook, route=Proposal.Route.AUTO, waits=False
    )
    Effect.objects.create(
        key=f"p{proposal.pk}-reply",
        ticket=ticket,
        proposal=proposal,
        kind=Effect.Kind.REPLY,
        payload={},
        seen_version=1,
        state=Effect.State.APPLIED,
    )


def page_with_similar(client: Client, desk: Desk, alike: dict[int, float]) -> str:
    similar = [{"ticket": pk, "similarity": similarity} for pk, similarity in alike.items()]
    return ticket_page(client, make_proposal(desk, similar=similar).ticket)


def test_the_requester_is_known_by_the_tickets_before(technician: Client) -> None:
    desk = make_desk()
    now = timezone.now()
    first = make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(days=90)))
    make_ticket(desk, opened_at=now - timedelta(days=3))
    last = make_proposal(desk, make_ticket(desk, opened_at=now))

    assert "first ticket of this person" in ticket_page(technician, first.ticket)
    assert "their ticket no. 3, 2 in 30 days" in ticket_page(technician, last.ticket)


def test_only_web_addresses_become_links(technician: Client) -> None:
    desk = make_desk()
    good = make_proposal(desk, make_ticket(desk, url="https://desk.example.org/7"))
    bad = make_proposal(desk, make_ticket(desk, url="javascript:alert(1)"))

    assert 'href="https://desk.example.org/7"' in ticket_page(technician, good.ticket)
    assert "javascript:" not in ticket_page(technician, bad.ticket)


def test_the_list_beside_the_ticket_keeps_the_filter_and_marks_the_ticket(
    technician: Client,
) -> None:
    desk = make_desk()
    make_proposal(desk, main="access.password")
    proposal = make_proposal(desk)

    html = ticket_page(technician, proposal.ticket, "?category=network")

    assert html.count("data-row") == 1
    assert 'aria-current="true"' in html
    assert f"/proposals/{proposal.pk}/accept?category=network" in html


def test_the_page_costs_the_same_queries_whatever_it_shows(technician: Client) -> None:
    desk, model, reasons = make_desk(), make_model(make_desk("other")), make_reasons()
    bare = make_proposal(desk)
    ticket_page(technician, bare.ticket)
    with CaptureQueriesContext(connection) as few:
        ticket_page(technician, bare.ticket)
    rich = make_proposal(desk, model=model)
    for number in range(8):
        other = make_proposal(desk)
        decisions.send_back(proposal=other, reviewer=desk.owner, reason=reasons["send_back.wrong"])
        rich.similar.append({"ticket": other.ticket_id, "similarity": 0.5})
        TicketEvent.objects.create(
            ticket=rich.ticket,
            key=str(number),
            kind=TicketEvent.Kind.COMMENTED,
            happened_at=timezone.now(),
        )
    Proposal.objects.filter(pk=rich.pk).update(similar=rich.similar)
    with CaptureQueriesContext(connection) as many:
        ticket_page(technician, rich.ticket)

    # How the similar tickets went takes one, however many they are.
    assert len(many) <= len(few) + 1
    assert len(many) <= MOST_QUERIES


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_what_is_not_there_is_404_with_words(technician: Client, pk: int) -> None:
    response = technician.get(f"/tickets/{pk}/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
