"""Counts against situations made by hand, one proposal at a time."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from review.metrics import counts
from review.metrics.window import Group, Scope
from tests.review.metrics.helpers import (
    LONG_AGO,
    NOW,
    accept,
    escalate,
    make_desk,
    make_event,
    make_model,
    make_proposal,
    make_scope,
    make_ticket,
    override,
    send_back,
)
from triage.models import Field, Proposal, ProposedValue, TicketEvent, TicketVersion

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def by_name(found: Sequence[counts.GroupCounts]) -> dict[str, dict[str, int]]:
    return {group.group.name: dict(group.counts) for group in found}


def total(found: Sequence[counts.GroupCounts]) -> dict[str, int]:
    return {k: v for k, v in counts_of(found).items() if v}


def counts_of(found: Sequence[counts.GroupCounts]) -> dict[str, int]:
    added: dict[str, int] = {}
    for group in found:
        for key, value in group.counts.items():
            added[key] = added.get(key, 0) + value
    return added


def test_every_outcome_has_its_own_count() -> None:
    desk = make_desk()
    accept(make_proposal(desk))
    accept(make_proposal(desk))
    override(make_proposal(desk), category=desk.choices["wifi"])
    escalate(make_proposal(desk))
    send_back(make_proposal(desk))
    make_proposal(desk, route=Proposal.Route.AUTO)
    make_proposal(desk, route=Proposal.Route.HOLD)
    make_proposal(desk)
    make_proposal(desk, route=Proposal.Route.SHADOW)

    assert by_name(counts.outcomes(make_scope())) == {
        "Network › VPN": {
            "accepted": 2,
            "overridden": 1,
            "escalated": 1,
            "sent_back": 1,
            "auto": 1,
            "untouched": 2,
        }
    }


def test_a_person_who_decides_after_all_has_the_last_word_over_auto() -> None:
    desk = make_desk()
    override(make_proposal(desk, route=Proposal.Route.AUTO), category=desk.choices["wifi"])

    assert total(counts.outcomes(make_scope())) == {"overridden": 1}


def test_a_newer_proposal_supersedes_an_undecided_one_but_no_decision_and_no_auto() -> None:
    desk = make_desk()
    for finish in (None, accept):
        ticket = make_ticket(desk)
        first = make_proposal(desk, ticket=ticket)
        if finish:
            finish(first)
        make_proposal(desk, ticket=ticket, version=2)
    auto = make_ticket(desk)
    make_proposal(desk, ticket=auto, route=Proposal.Route.AUTO)
    make_proposal(desk, ticket=auto, version=2)

    assert total(counts.outcomes(make_scope())) == {
        "superseded": 1,
        "accepted": 1,
        "auto": 1,
        "untouched": 3,
    }


def test_the_update_that_closes_a_ticket_supersedes_nothing_because_nobody_had_looked() -> None:
    desk = make_desk()
    ticket = make_proposal(desk).ticket
    TicketVersion.objects.create(ticket=ticket, version=2, subject=ticket.subject)
    ticket.version = 2
    ticket.closed_at = LONG_AGO + MINUTE
    ticket.save()

    assert total(counts.outcomes(make_scope())) == {"untouched": 1}


def test_a_shadow_proposal_supersedes_nothing_that_people_could_see() -> None:
    desk = make_desk()
    ticket = make_ticket(desk)
    make_proposal(desk, ticket=ticket)
    make_proposal(desk, ticket=ticket, version=2, route=Proposal.Route.SHADOW)

    assert total(counts.outcomes(make_scope())) == {"untouched": 1}


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        (datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), False),
        (datetime(2026, 3, 1, tzinfo=UTC), True),
        (datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC), True),
        (datetime(2026, 4, 1, tzinfo=UTC), False),
    ],
)
def test_the_first_and_last_moment_of_the_window_are_in_it_and_no_more(
    at: datetime, is_in: bool
) -> None:
    make_proposal(make_desk(), at=at)

    assert bool(counts.outcomes(make_scope())) is is_in


def test_a_source_filter_leaves_other_sources_out_of_every_count() -> None:
    here, there = make_desk("here"), make_desk("there")
    for desk, times in ((here, 1), (there, 3)):
        for _ in range(times):
            override(make_proposal(desk), category=desk.choices["wifi"])
    scope = make_scope(source=here.source)

    assert total(counts.outcomes(scope)) == {"overridden": 1}
    assert total(counts.answers(scope)) == {"overridden": 1}
    assert total(counts.escalations(scope)) == {"n": 1}
    assert total(counts.reopenings(scope)) == {"overridden": 1}
    assert [reason.count for reason in counts.override_reasons(scope)] == [1]
    assert [step.count for step in counts.step_ins(scope)] == [1]
    assert [times.count for times in counts.decision_times(scope)] == [1]
    assert [times.count for times in counts.altogether(counts.decision_times(scope))] == [1]


def test_groups_are_categories_model_versions_or_sources() -> None:
    desk = make_desk()
    second = make_model(desk.category, desk.source.owner, number=2)
    accept(make_proposal(desk, "vpn"))
    accept(make_proposal(desk, "wifi", model=second))
    make_proposal(desk, "password", basis=ProposedValue.Basis.HELPDESK)
    make_proposal(desk, None, basis=ProposedValue.Basis.NONE)

    assert by_name(counts.outcomes(make_scope())) == {
        "Network › VPN": {"accepted": 1},
        "Network › Wi-Fi": {"accepted": 1},
        "Password": {"untouched": 1},
        "left open": {"untouched": 1},
    }
    assert by_name(counts.outcomes(make_scope(group=Group.MODEL))) == {
        "Category v1": {"accepted": 1},
        "Category v2": {"accepted": 1},
        "without a model": {"untouched": 2},
    }
    assert by_name(counts.outcomes(make_scope(group=Group.SOURCE))) == {
        "Norvik": {"accepted": 2, "untouched": 2}
    }


def test_equal_names_of_two_sources_stay_apart_and_left_open_ones_are_one_group() -> None:
    for slug in ("here", "there"):
        desk = make_desk(slug)
        make_proposal(desk, "vpn")
        make_proposal(desk, None)

    assert by_name(counts.outcomes(make_scope())) == {
        "Network › VPN (Here)": {"untouched": 1},
        "Network › VPN (There)": {"untouched": 1},
        "left open": {"untouched": 2},
    }


def test_proposals_count_even_where_no_field_is_the_main_one() -> None:
    make_proposal(make_desk())
    Field.objects.update(is_main=False)

    assert total(counts.outcomes(make_scope())) == {"untouched": 1}


def test_a_value_that_was_left_open_offered_nothing_to_accept() -> None:
    desk = make_desk()
    override(make_proposal(desk, None), category=desk.choices["vpn"])
    override(make_proposal(desk, "vpn"), team=desk.choices["id"])
    accept(make_proposal(desk, "vpn"))

    assert by_name(counts.answers(make_scope())) == {
        "Network › VPN": {"accepted": 1, "overridden": 1}
    }


def test_escalated_counts_model_proposals_with_an_escalation_after_them() -> None:
    desk = make_desk()
    escalate(make_proposal(desk))
    later = accept(make_proposal(desk)).proposal
    make_event(later.ticket, TicketEvent.Kind.ESCALATED, later.created_at + MINUTE)
    make_event(later.ticket, TicketEvent.Kind.ESCALATED, later.created_at + 2 * MINUTE)
    before = make_proposal(desk)
    make_event(before.ticket, TicketEvent.Kind.ESCALATED, before.created_at - MINUTE)
    other = make_proposal(desk)
    make_event(other.ticket, TicketEvent.Kind.REASSIGNED, other.created_at + MINUTE)
    escalate(make_proposal(desk, basis=ProposedValue.Basis.HELPDESK))
    escalate(make_proposal(desk, None))
    escalate(make_proposal(desk, "password", basis=ProposedValue.Basis.PARENT))

    assert by_name(counts.escalations(make_scope())) == {
        "Network › VPN": {"n": 4, "hit": 2},
        "Password": {"n": 1, "hit": 1},
    }


def test_reopened_is_counted_by_whose_value_stood() -> None:
    desk = make_desk()
    auto = make_proposal(desk, route=Proposal.Route.AUTO)
    accepted = accept(make_proposal(desk))
    overridden = override(make_proposal(desk), category=desk.choices["wifi"])
    accept(make_proposal(desk))
    escalate(make_proposal(desk))
    make_proposal(desk)
    make_event(auto.ticket, TicketEvent.Kind.REOPENED, auto.created_at + MINUTE)
    make_event(accepted.proposal.ticket, TicketEvent.Kind.RESOLVED, accepted.decided_at + MINUTE)
    for minutes in (1, 2):
        make_event(
            overridden.proposal.ticket,
            TicketEvent.Kind.REOPENED,
            overridden.decided_at + minutes * MINUTE,
        )

    assert total(counts.reopenings(make_scope())) == {
        "auto": 1,
        "auto_hit": 1,
        "accepted": 2,
        "overridden": 1,
        "overridden_hit": 1,
    }


@pytest.mark.parametrize(
    ("late_by", "counted"), [(-timedelta(microseconds=1), True), (timedelta(0), False)]
)
def test_a_ticket_counts_once_the_day_is_over_on_which_its_outcome_window_ends(
    late_by: timedelta, counted: bool
) -> None:
    desk = make_desk()
    midnight = NOW.replace(hour=0)
    decided_at = midnight - timedelta(days=7) + late_by
    accept(make_proposal(desk, at=decided_at - MINUTE), after=MINUTE)
    make_proposal(desk, at=decided_at, route=Proposal.Route.AUTO)

    expected = {"accepted": 1, "auto": 1} if counted else {}
    assert total(counts.reopenings(make_scope())) == expected


@pytest.mark.parametrize(
    ("after", "counted"),
    [
        (timedelta(0), False),
        (timedelta(microseconds=1), True),
        (timedelta(days=7), True),
        (timedelta(days=7, microseconds=1), False),
    ],
)
def test_only_a_reopening_inside_the_outcome_window_counts(after: timedelta, counted: bool) -> None:
    decision = accept(make_proposal(make_desk()))
    make_event(decision.proposal.ticket, TicketEvent.Kind.REOPENED, decision.decided_at + after)

    assert counts_of(counts.reopenings(make_scope())) == {
        "accepted": 1,
        "accepted_hit": int(counted),
    }


def test_override_reasons_are_counted_by_field_across_sources() -> None:
    for slug in ("here", "there"):
        desk = make_desk(slug)
        override(make_proposal(desk), reason="wrong", category=desk.choices["wifi"])
    override(make_proposal(desk), reason="policy", team=desk.choices["id"])
    override(
        make_proposal(desk),
        reason="policy",
        category=desk.choices["wifi"],
        team=desk.choices["id"],
    )
    override(make_proposal(desk), reason="policy", team=None)
    override(make_proposal(desk, None), category=desk.choices["wifi"])
    accept(make_proposal(desk))

    found = [(r.field.name, r.reason.name, r.count) for r in counts.override_reasons(make_scope())]

    assert found == [
        ("Category", "wrong it is", 2),
        ("Category", "policy it is", 1),
        ("Team", "policy it is", 3),
    ]


def test_step_ins_tell_from_what_to_what_and_of_how_many() -> None:
    desk = make_desk()
    for _ in range(3):
        override(make_proposal(desk), category=desk.choices["wifi"])
    override(make_proposal(desk), category=desk.choices["password"])
    for _ in range(4):
        accept(make_proposal(desk))
    for _ in range(2):
        override(make_proposal(desk, None), category=desk.choices["vpn"])
    override(make_proposal(desk), team=None)

    found = [
        (s.field.name, s.proposed.name, s.final.name, s.count, s.of)
        for s in counts.step_ins(make_scope())
    ]

    assert found[0] == ("Category", "Network › VPN", "Network › Wi-Fi", 3, 9)
    assert found[1] == ("Category", "left open", "Network › VPN", 2, 2)
    assert set(found[2:]) == {
        ("Category", "Network › VPN", "Password", 1, 9),
        ("Team", "Network operations", "taken away", 1, 11),
    }


def test_step_ins_end_after_the_twenty_most_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = make_desk()
    monkeypatch.setattr(counts, "TOP_STEP_INS", 1)
    override(make_proposal(desk), category=desk.choices["password"])
    for _ in range(2):
        override(make_proposal(desk), category=desk.choices["wifi"])

    assert [(s.final.name, s.count) for s in counts.step_ins(make_scope())] == [
        ("Network › Wi-Fi", 2)
    ]


def test_times_to_decision_are_known_by_group_and_verdict() -> None:
    desk = make_desk()
    for minutes in (1, 2, 9):
        accept(make_proposal(desk), after=minutes * MINUTE)
    override(make_proposal(desk), after=5 * MINUTE, category=desk.choices["wifi"])
    accept(make_proposal(desk, "password"), after=30 * MINUTE)
    make_proposal(desk)

    times = counts.decision_times(make_scope())
    found = {
        (t.group.name if t.group else "", t.verdict): sorted(bin.seconds for bin in t.bins)
        for t in times
    }
    overall = {t.verdict: t.count for t in counts.altogether(times)}

    assert found == {
        ("Network › VPN", "accepted"): [60.0, 120.0, 540.0],
        ("Network › VPN", "overridden"): [300.0],
        ("Password", "accepted"): [1800.0],
    }
    assert overall == {"accepted": 4, "overridden": 1}


@pytest.mark.parametrize(
    "read",
    [
        counts.outcomes,
        counts.answers,
        counts.escalations,
        counts.reopenings,
        counts.override_reasons,
        counts.step_ins,
        counts.decision_times,
    ],
)
@pytest.mark.parametrize("group", list(Group))
def test_each_count_is_few_queries_whatever_there_is_to_count(
    read: Callable[[Scope], list[Any]], group: Group, django_assert_max_num_queries: Any
) -> None:
    for slug in ("here", "there"):
        desk = make_desk(slug)
        for main in ("vpn", "wifi", "password"):
            accept(make_proposal(desk, main))
            override(make_proposal(desk, main), team=desk.choices["id"])
    scope = make_scope(group=group, first=date(2026, 3, 1))

    # The sums, the names of their groups, and, once a page, which tables end with the window.
    with django_assert_max_num_queries(3):
        assert read(scope)
