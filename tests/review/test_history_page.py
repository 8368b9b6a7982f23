"""The history: what was decided, newest first, in pages that do not get slower."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review import decisions
from review.history import PAGE_SIZE
from review.models import Batch, Decision
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reasons,
    make_technician,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MOST_QUERIES = 12


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def maya() -> User:
    return make_technician("maya", first_name="Maya", last_name="Okafor")


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


def accept(
    desk: Desk, reviewer: User, subject: str, at: datetime = NOON, main: str = "network.vpn"
) -> Decision:
    proposal = make_proposal(desk, make_ticket(desk, subject=subject), main=main)
    decision = decisions.decide(
        proposal=proposal, reviewer=reviewer, choices={}, reasons={}, with_playbook=False
    )
    Decision.objects.filter(pk=decision.pk).update(decided_at=at)
    return decision


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/history/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def subjects(html: str) -> list[str]:
    return re.findall(r'class="subject" href="/tickets/\d+/">(.*?)</a>', html)


def test_the_newest_decision_is_on_top_and_leads_to_its_ticket(
    technician: Client, desk: Desk, maya: User
) -> None:
    accept(desk, maya, "older", NOON - timedelta(hours=1))
    newest = accept(desk, maya, "newer", NOON)

    html = page(technician)

    assert subjects(html) == ["newer", "older"]
    assert f'href="/tickets/{newest.proposal.ticket_id}/"' in html
    assert "<b>Accepted</b> by Maya Okafor: Network › VPN" in html


def test_an_override_shows_what_became_what_and_why(
    technician: Client, desk: Desk, maya: User
) -> None:
    reasons = make_reasons()
    decisions.decide(
        proposal=make_proposal(desk),
        reviewer=maya,
        choices={"category": desk["access.password"]},
        reasons={"category": reasons["override.other"]},
        with_playbook=False,
        text="<i>Locked</i> account.",
    )

    html = technician.get("/history/").content.decode()

    assert "<s>Network › VPN</s>" in html
    assert "Access › Password" in html
    assert "(Other (override))" in html
    assert "&lt;i&gt;Locked&lt;/i&gt; account." in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?verdict=accepted", {"mine", "theirs"}),
        ("?verdict=escalated", {"raised"}),
        ("?reviewer=me", {"mine", "raised"}),
        ("?choice=access", {"theirs"}),
        ("?choice=network.vpn", {"mine"}),
        ("?reason=wrong", {"raised"}),
        ("?since=2026-05-04", {"mine", "raised"}),
        ("?until=2026-05-03", {"theirs"}),
        ("?since=2026-05-03&until=2026-05-03", {"theirs"}),
        ("?verdict=accepted&reviewer=me", {"mine"}),
        ("?verdict=nonsense", set()),
    ],
)
def test_filters_live_in_the_url(
    technician: Client, desk: Desk, maya: User, query: str, shown: set[str]
) -> None:
    accept(desk, maya, "mine")
    accept(desk, make_technician("bob"), "theirs", NOON - timedelta(days=1), "access.password")
    raised = decisions.escalate(
        proposal=make_proposal(desk, make_ticket(desk, subject="raised")),
        reviewer=maya,
        reason=make_reasons()["escalate.wrong"],
    )
    Decision.objects.filter(pk=raised.pk).update(decided_at=NOON)

    html = page(technician, query)

    assert set(subjects(html)) == shown
    assert ("No decision matches this filter." in html) == (not shown)


def test_pages_follow_one_another_without_a_gap_even_where_moments_are_equal(
    technician: Client, desk: Desk, maya: User
) -> None:
    made = [accept(desk, maya, f"case {number}") for number in range(PAGE_SIZE + 2)]

    first = page(technician, "?verdict=accepted")
    older = re.search(r'rel="next" href="(.*?)"', first)
    assert older is not None
    second = page(technician, older.group(1))

    assert len(subjects(first)) == PAGE_SIZE
    assert subjects(second) == ["case 1", "case 0"]
    assert len({*subjects(first), *subjects(second)}) == len(made)
    assert 'rel="next"' not in second
    assert "verdict=accepted" in older.group(1)


@pytest.mark.parametrize(
    "cursor", ["x", "_", "2026-05-04T12:00:00_1", "9999-12-31T23:59:59+00:00_1", "_".join("ab")]
)
def test_a_broken_cursor_means_the_start(
    technician: Client, desk: Desk, maya: User, cursor: str
) -> None:
    accept(desk, maya, "only one")

    assert subjects(page(technician, f"?after={cursor}")) == ["only one"]


def test_a_date_that_is_none_is_named_and_narrows_nothing(
    technician: Client, desk: Desk, maya: User
) -> None:
    accept(desk, maya, "only one")

    for wrong in ("2026-02-30", "soon", "0001-01-01", "9999-12-31"):
        html = page(technician, f"?since={wrong}")

        assert f"“{wrong}” is not a date" in html
        assert subjects(html) == ["only one"]


def test_the_history_costs_the_same_queries_however_long_it_is(
    technician: Client, desk: Desk, maya: User
) -> None:
    accept(desk, maya, "first")
    page(technician)
    with CaptureQueriesContext(connection) as one:
        page(technician)
    for number in range(20):
        accept(desk, maya, f"case {number}")
    with CaptureQueriesContext(connection) as many:
        page(technician)

    assert len(many) == len(one) <= MOST_QUERIES


def test_nothing_decided_yet_has_its_own_words(technician: Client) -> None:
    assert "Nothing has been decided yet." in page(technician)


def test_the_history_is_for_those_who_may_see_decisions(client: Client) -> None:
    assert client.get("/history/").status_code == 302
    client.force_login(make_user("guest"))
    assert client.get("/history/").status_code == 403


# --- Search, batches, rules -----------------------------------------------------------------
def test_decisions_are_found_by_number_words_and_source(
    technician: Client, desk: Desk, maya: User
) -> None:
    found = accept(desk, maya, "Printer smokes")
    accept(desk, maya, "VPN drops")
    other = make_desk("other")
    foreign = accept(other, maya, "Printer of the other desk")
    number = found.proposal.ticket.external_id

    assert subjects(page(technician, "?q=printer+smokes")) == ["Printer smokes"]
    assert subjects(page(technician, f"?q={number}")) == ["Printer smokes"]
    assert subjects(page(technician, f"?q=%23{number}")) == ["Printer smokes"]
    assert subjects(page(technician, "?q=printer&source=other")) == [
        foreign.proposal.ticket.subject
    ]
    assert subjects(page(technician, "?q=nothing%00+%22")) == []
    assert "No decision matches this filter." in page(technician, "?source=nowhere")


def test_the_source_is_asked_only_where_there_are_several(
    technician: Client, desk: Desk, maya: User
) -> None:
    assert 'name="source"' not in page(technician)
    make_desk("other")
    assert 'name="source"' in page(technician)


def test_decisions_of_one_batch_stand_together_whoever_decided_in_between(
    technician: Client, desk: Desk, maya: User
) -> None:
    batch = Batch.objects.create(reviewer=maya, decided_at=NOON)
    first = accept(desk, maya, "first", NOON)
    between = accept(desk, make_technician("bob"), "between", NOON + timedelta(seconds=1))
    last = accept(desk, maya, "last", NOON + timedelta(seconds=2))
    Decision.objects.filter(pk__in=[first.pk, last.pk]).update(batch=batch)

    html = page(technician)

    assert subjects(html) == ["last", "first", "between"]
    assert html.count("Decided together by Maya Okafor: 2 proposals") == 1
    alone = page(technician, f"?q={last.proposal.ticket.external_id}")
    assert "Decided together" not in alone
    assert between.batch is None


def test_nobody_elses_decisions_can_be_singled_out(
    technician: Client, desk: Desk, maya: User
) -> None:
    bob = make_technician("bob")
    accept(desk, bob, "theirs")
    accept(desk, maya, "mine")

    for wanted in ("bob", str(bob.pk)):
        assert set(subjects(page(technician, f"?reviewer={wanted}"))) == {"mine", "theirs"}


def test_an_override_can_be_made_a_rule_by_those_who_write_rules(
    technician: Client, desk: Desk, maya: User
) -> None:
    proposal = make_proposal(desk)
    decisions.decide(
        proposal=proposal,
        reviewer=maya,
        choices={"category": desk["access.password"]},
        reasons={"category": make_reasons()["override.wrong"]},
        with_playbook=False,
    )
    way = (
        f"/admin/triage/escalationrule/add/?prompted_by={proposal.pk}"
        f"&choice={desk['access.password'].pk}"
    )

    assert "Make this a rule" not in page(technician)
    owner = make_user("olivia", "review.view_decision", "triage.add_escalationrule")
    technician.force_login(owner)
    for path in ("/history/", f"/tickets/{proposal.ticket_id}/"):
        assert way in unescape(technician.get(path).content.decode())
