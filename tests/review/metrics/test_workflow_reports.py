"""Reports of tickets over small worlds that can be counted by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from review.metrics import definitions_workflows as definitions
from review.metrics import drill, story_counts, workflow_reports
from review.metrics.definitions_work import LEGITIMACY
from review.metrics.estimators import wilson
from review.metrics.figures import Figure
from review.metrics.registry import ENTRIES
from review.metrics.report import Report
from review.metrics.window import Group, Scope
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    accept,
    close_itself,
    live,
    make_desk,
    make_proposal,
    make_scope,
    make_ticket,
    override,
)
from triage.models import Proposal, Ticket

pytestmark = pytest.mark.django_db
HOUR, DAY = 60, 24 * 60


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def total(report: Report) -> dict[str, Figure]:
    return dict(report.totals[0].figures)


def figures(report: Report, name: str) -> dict[tuple[str, ...], tuple[int | None, int]]:
    """Of each row and total: k and n."""
    rows = (*report.totals, *report.rows)
    return {row.labels: (row.figures[name].k, row.figures[name].n) for row in rows}


def closed_by_playbook(desk: Desk, *told: tuple[Any, ...], **over: Any) -> Ticket:
    proposal = make_proposal(desk, route=Proposal.Route.AUTO, **over)
    close_itself(proposal)
    return live(proposal.ticket, (HOUR, "resolved"), *told)


def test_ping_pong_is_the_share_of_tickets_that_a_team_got_twice(desk: Desk) -> None:
    net, identity = desk.choices["net"], desk.choices["id"]
    for number in range(20):
        ticket = accept(make_proposal(desk)).proposal.ticket
        moves = [(1, "reassigned", net), (2, "reassigned", identity), (3, "reassigned", net)]
        live(ticket, *moves[: number % 4])

    scope = make_scope()
    returned = workflow_reports.share(scope, definitions.PING_PONG.key)
    moved = workflow_reports.share(scope, definitions.REASSIGNED.key)

    assert figures(returned, "rate") == {("all",): (5, 20), ("Network › VPN",): (5, 20)}
    assert total(returned)["rate"].interval == wilson(5, 20)
    assert total(moved)["rate"].k == 15


def test_tickets_count_on_the_day_of_their_opening_proposed_or_not(desk: Desk) -> None:
    make_ticket(desk, opened_at=NOW)
    make_ticket(desk, opened_at=NOW - timedelta(days=40))
    late = make_ticket(desk, opened_at=NOW - timedelta(days=40))
    make_proposal(desk, ticket=late, at=NOW)

    found = workflow_reports.share(make_scope(), definitions.RECATEGORISED.key)

    assert figures(found, "n") == {("all",): (None, 1), ("no category known",): (None, 1)}


def test_rework_is_what_comes_after_the_first_resolution(desk: Desk) -> None:
    for number in range(30):
        again = [(5 * HOUR, "reopened"), (8 * HOUR, "resolved")] if number < 10 else []
        live(accept(make_proposal(desk)).proposal.ticket, (HOUR, "resolved"), *again)
    live(make_ticket(desk), (9 * HOUR, "started"))

    share = total(workflow_reports.time_share(make_scope(), definitions.REWORK.key))["rate"]

    # 10 tickets of 3 hours after one, and 20 of one hour: 30 of 60 hours.
    assert (share.value, share.n, share.k) == (0.5, 30, None)
    assert share.interval is not None
    assert share.interval.low < 0.5 < share.interval.high


def test_waiting_for_the_requester_is_no_part_of_the_touch_ratio(desk: Desk) -> None:
    for _ in range(30):
        ticket = accept(make_proposal(desk)).proposal.ticket
        live(ticket, (20, "started"), (40, "awaiting"), (HOUR, "paused"), (80, "resolved"))
    live(make_ticket(desk), (HOUR, "resolved"))
    live(make_ticket(desk), (HOUR, "started"))

    share = total(workflow_reports.time_share(make_scope(), definitions.TOUCH.key))["rate"]

    assert share.value == pytest.approx(1 / 3)
    assert share.n == 30
    assert share.interval is None


def test_below_thirty_tickets_a_share_of_time_is_not_given(desk: Desk) -> None:
    live(make_ticket(desk), (20, "started"), (40, "resolved"))

    share = total(workflow_reports.time_share(make_scope(), definitions.TOUCH.key))["rate"]

    assert (share.value, share.n, share.text) == (None, 1, "too few (1)")


def test_what_a_playbook_closed_is_verified_if_it_stays_and_nobody_is_unhappy(desk: Desk) -> None:
    for _ in range(17):
        closed_by_playbook(desk, (DAY, "rated", None, 3), (9 * DAY, "commented"))
    closed_by_playbook(desk, (DAY, "commented"))
    closed_by_playbook(desk, (DAY, "reopened"), (2 * DAY, "rated", None, 1))
    closed_by_playbook(desk, (DAY, "rated", None, 2))
    recent = make_ticket(desk, opened_at=NOW - timedelta(days=3))
    closed_by_playbook(desk, ticket=recent, at=recent.opened_at)
    live(accept(make_proposal(desk)).proposal.ticket, (HOUR, "resolved"))

    found = total(workflow_reports.verified(make_scope()))

    assert [found[name].n for name in ("n", "back", "bad")] == [20, 2, 2]
    assert (found["rate"].k, found["rate"].n) == (17, 20)


@pytest.mark.parametrize(
    ("minutes", "is_verified"), [(HOUR + 7 * DAY, False), (HOUR + 7 * DAY + 1, True)]
)
def test_only_contact_within_the_outcome_window_counts(
    desk: Desk, minutes: int, is_verified: bool
) -> None:
    closed_by_playbook(desk, (minutes, "commented"))

    assert total(workflow_reports.verified(make_scope()))["rate"].k == int(is_verified)


def test_another_outcome_window_counts_other_tickets(desk: Desk) -> None:
    closed_by_playbook(desk, (HOUR + 9 * DAY, "commented"))
    scope = make_scope()
    longer = replace(definitions.VERIFIED, version=2, values={"outcome_days": 10})

    assert total(workflow_reports.verified(scope))["rate"].k == 1
    assert total(workflow_reports.verified(scope.under(longer)))["rate"].k == 0


def test_outcomes_are_told_apart_by_who_had_the_last_word(desk: Desk) -> None:
    for number in range(3):
        back = [(DAY, "reopened")] if number else [(DAY, "commented")]
        live(accept(make_proposal(desk)).proposal.ticket, (HOUR, "resolved"), *back)
    override(changed := make_proposal(desk), category=desk.choices["wifi"])
    live(changed.ticket, (HOUR, "resolved"), (DAY, "rated", None, 1))
    closed_by_playbook(desk, (DAY, "rated", None, 5))
    live(make_ticket(desk), (HOUR, "resolved"), (DAY, "reopened"))

    report = workflow_reports.outcomes(make_scope())

    def of_all(name: str) -> dict[str, tuple[int | None, int]]:
        return {who[1]: pair for who, pair in figures(report, name).items() if who[0] == "all"}

    auto, accepted, overridden = (str(path.label) for path in workflow_reports.ROUTES)
    assert of_all("reopened") == {auto: (0, 1), accepted: (2, 3), overridden: (0, 1)}
    assert of_all("contacted") == {auto: (0, 1), accepted: (3, 3), overridden: (0, 1)}
    assert of_all("bad") == {auto: (0, 1), accepted: (0, 0), overridden: (1, 1)}
    assert report.size == 5


def test_time_to_resolve_is_given_by_route(desk: Desk) -> None:
    for minutes in range(1, 12):
        live(accept(make_proposal(desk)).proposal.ticket, (minutes, "resolved"))
        live(make_ticket(desk), (10 * minutes, "resolved"), (DAY, "reopened"), (DAY, "resolved"))
    live(make_ticket(desk), (5, "started"))

    totals = workflow_reports.time_to_resolve(make_scope()).totals

    medians = {row.labels[1]: row.figures["median"] for row in totals}
    assert medians["accepted by a person"].value == pytest.approx(360)
    assert medians["before the service"].value == pytest.approx(3600)
    assert {figure.n for figure in medians.values()} == {11}


@pytest.mark.parametrize(("in_scope", "is_novel"), [(0.0499, True), (0.05, False), (1.0, False)])
def test_novel_is_what_lies_beyond_the_quantile(
    desk: Desk, in_scope: float, is_novel: bool
) -> None:
    make_proposal(desk, in_scope=in_scope)
    make_proposal(desk, None, in_scope=0.2, basis="none")

    found = total(workflow_reports.novelty(make_scope()))

    assert (found["n"].n, found["hit"].n) == (1, int(is_novel))


def test_a_share_of_the_novel_follows_the_quantile_that_is_in_force(desk: Desk) -> None:
    for percent in (1, 5, 12, 19, 20, 21, 90):
        make_proposal(desk, in_scope=percent / 100)
    scope = make_scope()

    def novel(quantile: int) -> int:
        version = replace(definitions.NOVELTY, values={"quantile": quantile})
        found = total(workflow_reports.novelty(scope.under(version)))["hit"]
        assert found.bucket is not None
        listed = drill.listed(scope.under(version), found.bucket)
        assert len(listed) == found.n
        return found.n

    assert [novel(quantile) for quantile in (99, 95, 88, 87, 80)] == [0, 1, 2, 3, 4]


def test_a_list_of_tickets_says_when_they_were_opened_and_what_they_are_filed_under(
    desk: Desk,
) -> None:
    ticket = live(make_ticket(desk), (HOUR, "recategorised", desk.choices["wifi"]))
    scope = make_scope()
    bucket = total(workflow_reports.share(scope, definitions.RECATEGORISED.key))["hit"].bucket

    assert bucket is not None
    (line,) = drill.lines(list(drill.listed(scope, bucket)))
    assert (line.ticket, line.created_at, line.category, line.outcome) == (
        ticket.pk,
        ticket.opened_at,
        "Network › Wi-Fi",
        "before the service",
    )
    assert drill.words(scope, bucket) == ["changed its category"]


@pytest.mark.parametrize("group", list(Group))
@pytest.mark.parametrize(
    "read",
    [
        story_counts.stories,
        lambda scope: story_counts.moments(scope, story_counts.REWORK),
        lambda scope: story_counts.returns(scope, 7),
        lambda scope: story_counts.self_closed(scope, 7),
        story_counts.resolve_times,
        lambda scope: story_counts.novelties(scope, 5),
    ],
)
def test_each_count_is_a_query_and_one_for_names_whatever_there_is_to_count(
    desk: Desk, read: Callable[[Scope], list[Any]], group: Group, django_assert_num_queries: Any
) -> None:
    for main in ("vpn", "wifi", "password"):
        closed_by_playbook(desk, main=main)
    scope = make_scope(group=group)

    # And one that says, once a page, which tables end with the window.
    with django_assert_num_queries(3):
        assert read(scope)


def test_with_nothing_to_count_every_report_says_so() -> None:
    for key, entry in ENTRIES.items():
        if key == LEGITIMACY.key:
            # There are always definitions.
            continue
        report = entry.report(make_scope())
        assert (report.size, report.rows) == (0, ())
