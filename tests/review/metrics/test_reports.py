"""Figures, their minimum n, and the proposals that stand behind each."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from review.metrics import drill, figures, reports
from review.metrics.definitions import ACCEPTANCE, DEFINITIONS, REOPENED
from review.metrics.definitions_work import LEGITIMACY, OF_WORK, PULSE
from review.metrics.estimators import newcombe, wilson
from review.metrics.figures import Bucket, Kind
from review.metrics.registry import ENTRIES
from review.metrics.window import Group
from review.models import Decision, Truth
from tests.review.metrics.drill_world import make_drills
from tests.review.metrics.helpers import (
    Desk,
    accept,
    check,
    close_itself,
    escalate,
    live,
    make_desk,
    make_event,
    make_proposal,
    make_scope,
    make_ticket,
    override,
    send_back,
)
from tests.review.metrics.truth_world import make_all_checks, make_check
from triage.models import Certificate, ModelVersion, Proposal, ProposedValue, TicketEvent


def test_there_is_one_report_for_each_definition() -> None:
    assert list(ENTRIES) != []
    assert set(ENTRIES) == set(DEFINITIONS)
    assert all(key == definition.key for key, definition in DEFINITIONS.items())


@pytest.mark.parametrize(("n", "is_shown"), [(9, False), (10, True)])
def test_below_its_minimum_a_rate_is_not_given(n: int, is_shown: bool) -> None:
    figure = figures.rate(7, n, ACCEPTANCE, Bucket(ACCEPTANCE.key))

    assert (figure.value, figure.interval) == ((7 / n, wilson(7, n)) if is_shown else (None, None))
    assert (figure.k, figure.n) == (7, n)
    assert figure.text == ("70\N{NO-BREAK SPACE}%" if is_shown else "too few (9)")


def test_a_difference_needs_enough_on_its_smaller_side() -> None:
    enough = figures.difference((5, 20), (2, 40), REOPENED)
    too_few = figures.difference((5, 19), (2, 40), REOPENED)

    expected = newcombe((5, 20), (2, 40))
    assert expected is not None
    assert (enough.value, enough.interval) == (expected.value, expected.interval)
    assert (too_few.value, too_few.n) == (None, 19)


@pytest.mark.django_db
def test_acceptance_is_given_by_group_and_of_all() -> None:
    desk = make_desk()
    for _ in range(9):
        accept(make_proposal(desk, "vpn"))
    for _ in range(3):
        override(make_proposal(desk, "vpn"), category=desk.choices["wifi"])
    accept(make_proposal(desk, "wifi"))

    report = reports.acceptance(make_scope())

    rates = [(row.labels, row.figures["rate"]) for row in (*report.totals, *report.rows)]
    assert [(labels, rate.k, rate.n, rate.value) for labels, rate in rates] == [
        (("all",), 10, 13, 10 / 13),
        (("Network › VPN",), 9, 12, 9 / 12),
        (("Network › Wi-Fi",), 1, 1, None),
    ]
    assert rates[1][1].interval == wilson(9, 12)
    assert report.size == 13


@pytest.mark.django_db
def test_superseded_proposals_are_left_out_and_said_so() -> None:
    desk = make_desk()
    ticket = make_ticket(desk)
    for version in (1, 2):
        make_proposal(desk, ticket=ticket, version=version)

    report = reports.untouched(make_scope())

    (note,) = report.notes
    assert report.totals[0].figures["n"].n == 1
    assert note.text.startswith("1 more was replaced by a newer proposal")
    assert note.bucket is not None
    assert drill.rows(make_scope(), note.bucket).count() == 1


@pytest.mark.django_db
def test_reopened_compares_the_ais_values_with_peoples() -> None:
    desk = make_desk()
    for number in range(20):
        if number < 10:
            settled = make_proposal(desk, route=Proposal.Route.AUTO)
        else:
            settled = accept(make_proposal(desk)).proposal
        if number % 2:
            an_hour_later = settled.created_at + timedelta(hours=1)
            make_event(settled.ticket, TicketEvent.Kind.REOPENED, an_hour_later)
        override(make_proposal(desk), category=desk.choices["wifi"])

    total = reports.reopened(make_scope()).totals[0].figures

    assert (total["ai"].k, total["ai"].n) == (10, 20)
    assert (total["overridden"].k, total["overridden"].n) == (0, 20)
    assert (total["auto"].value, total["auto"].n) == (None, 10)
    expected = newcombe((10, 20), (0, 20))
    assert expected is not None
    assert total["difference"].value == expected.value
    assert total["difference"].interval == expected.interval


@pytest.mark.django_db
def test_times_are_medians_and_ninth_deciles_with_intervals_from_order_statistics() -> None:
    desk = make_desk()
    for minutes in range(1, 41):
        accept(make_proposal(desk), after=timedelta(minutes=minutes))

    figure = reports.time_to_decision(make_scope()).totals[0].figures

    # Of 40 values: ranks 20 and 36; for the median's interval the 14th and 27th.
    # Each is known to the width of its bin, and intervals are widened to its edges.
    assert figure["median"].value == pytest.approx(20 * 60, rel=0.09)
    assert figure["ninth"].value == pytest.approx(36 * 60, rel=0.09)
    for name, low, high in (("median", 14, 27), ("ninth", 32, 40)):
        interval = figure[name].interval
        assert interval is not None
        assert low * 60 / 1.1 < interval.low <= low * 60
        assert high * 60 <= interval.high < high * 60 * 1.1


def certify(desk: Desk) -> None:
    ModelVersion.objects.filter(pk=desk.model.pk).update(state=ModelVersion.State.CHAMPION)
    Certificate.objects.create(
        field=desk.category,
        choice=desk.choices["vpn"],
        model_version=desk.model,
        threshold=0.5,
        alpha=0.05,
        delta=0.05,
        checks=300,
        errors=2,
        issued_by=desk.source.owner,
        expires_at=timezone.now() + timedelta(days=30),
    )


def make_everything() -> None:
    """Two sources in which every figure of every report has something to count."""
    for slug in ("here", "there"):
        desk = make_desk(slug)
        for main in ("vpn", "wifi", None):
            proposed = [make_proposal(desk, main) for _ in range(6)]
            if main:
                accept(proposed[0])
            override(proposed[1], category=desk.choices["password"], reason="wrong")
            override(proposed[2], team=desk.choices["id"], reason="policy")
            escalate(proposed[3])
            send_back(proposed[4])
            auto = make_proposal(desk, main, route=Proposal.Route.AUTO)
            make_event(auto.ticket, TicketEvent.Kind.ESCALATED, auto.created_at + timedelta(1))
            for each in (*proposed[:3], auto):
                at = each.created_at + timedelta(days=2)
                make_event(each.ticket, TicketEvent.Kind.REOPENED, at)
            # Decided twice: once for each version of one ticket.
            override(
                make_proposal(desk, main, ticket=proposed[1].ticket, version=2),
                category=desk.choices["vpn" if main != "vpn" else "wifi"],
                team=None,
            )
            make_proposal(desk, main, ticket=proposed[5].ticket, version=2)
            make_all_checks(desk, [make_proposal(desk, main) for _ in range(10)])
        make_proposal(desk, "vpn", basis=ProposedValue.Basis.HELPDESK)
        for truth, first, final in product(("vpn", "wifi"), repeat=3):
            check(desk, truth=truth, first=first, final=final)
        for truth in ("vpn", "wifi"):
            check(desk, truth=truth, route=Proposal.Route.AUTO, origin=Truth.Origin.SINGLE)
        ProposedValue.objects.filter(field=desk.category).update(probability=0.7)
        nothing: dict[str, str | None] = {"category": None}
        make_check(desk, make_proposal(desk, route=Proposal.Route.AUTO), nothing, nothing)
        certify(desk)
        for advice in ("vpn", "wifi"):
            make_drills(desk, advice, "wrong", people=6, hits=4)
            make_drills(desk, advice, "right", people=5, hits=3)
        make_lives(desk)
    Decision.objects.update(seconds_since_last=4)
    # As after a night: without it the database takes every table for an empty one.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def make_lives(desk: Desk) -> None:
    """Tickets of every route to which everything happens that reports of tickets count."""
    net, identity = desk.choices["net"], desk.choices["id"]
    hour, day = 60, 24 * 60
    lives: tuple[tuple[tuple[Any, ...], ...], ...] = (
        ((5, "started"), (hour, "resolved")),
        ((5, "reassigned", identity), (9, "reassigned", net), (15, "reassigned", identity)),
        ((5, "recategorised", desk.choices["wifi"]), (hour, "resolved"), (day, "rated", None, 5)),
        ((5, "paused"), (hour, "resolved"), (day, "commented"), (2 * day, "rated", None, 1)),
        ((5, "awaiting"), (hour, "resolved"), (day, "reopened"), (2 * day, "resolved")),
    )
    for told in lives:
        live(make_ticket(desk), *told)
        live(make_proposal(desk, "wifi", in_scope=0.01).ticket, *told)
        live(accept(make_proposal(desk)).proposal.ticket, *told)
        changed = make_proposal(desk, "password")
        override(changed, category=desk.choices["vpn"])
        live(changed.ticket, *told)
        applied = make_proposal(desk, route=Proposal.Route.AUTO)
        close_itself(applied)
        live(applied.ticket, *told)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("group", "has_source"),
    [(Group.CATEGORY, False), (Group.CATEGORY, True), (Group.MODEL, False), (Group.SOURCE, True)],
)
def test_behind_every_figure_stand_exactly_the_proposals_it_counts(
    group: Group, has_source: bool
) -> None:
    make_everything()
    scope = make_scope(group=group)
    if has_source:
        scope = replace(scope, source=Proposal.objects.earliest("pk").ticket.source)
    seen = set()

    for entry in ENTRIES.values():
        report = entry.report(scope)
        for row in (*report.totals, *report.rows):
            for name, figure in row.figures.items():
                if figure.bucket is None:
                    # What people say of themselves, or how fast they were, has no list.
                    is_of_work = report.definition in OF_WORK
                    assert is_of_work or figure.kind in (Kind.DIFFERENCE, Kind.NUMBER)
                    continue
                form = drill.BucketForm(figure.bucket.params())
                assert form.is_valid(), (report.definition.key, name, form.errors)
                assert form.bucket() == figure.bucket
                counted = figure.n if figure.k is None else figure.k
                listed = drill.lines(list(drill.listed(scope, figure.bucket)))
                assert len(listed) == counted, (report.definition.key, row.labels, name)
                seen.add((report.definition.key, name, counted > 0))

    nothing = {(key, name) for key, name, some in seen if not some}
    something = {(key, name) for key, name, some in seen if some}
    assert nothing <= something
    without_list = {PULSE.key, LEGITIMACY.key}
    assert {key for key, _name in something} == set(ENTRIES) - without_list


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "metric"),
        ({"metric": "person"}, "metric"),
        ({"metric": "acceptance", "of": "1 OR 1=1"}, "of"),
        ({"metric": "acceptance", "of": "١"}, "of"),
        ({"metric": "acceptance", "of": "9" * 19}, "of"),
        ({"metric": "acceptance", "state": "asleep"}, "state"),
        ({"metric": "acceptance", "hit": "yes"}, "hit"),
        ({"metric": "acceptance", "field": "category"}, "field"),
        ({"metric": "step-ins", "field": "category"}, "field"),
        ({"metric": "override-reasons", "field": "cat\x00egory"}, "field"),
        ({"metric": "override-reasons", "reason": "-1"}, "reason"),
        ({"metric": "ping-pong", "state": "accepted"}, "state"),
        ({"metric": "ping-pong", "cell": "bad"}, "cell"),
        ({"metric": "reopened", "version": "7"}, "version"),
        ({"metric": "reopened", "version": "new"}, "version"),
    ],
)
def test_a_bucket_that_no_figure_has_is_refused_at_its_field(
    query: dict[str, str], field: str
) -> None:
    form = drill.BucketForm(query)

    assert not form.is_valid()
    assert list(form.errors) == [field]


@pytest.mark.django_db
def test_a_bucket_is_said_in_words() -> None:
    desk = make_desk()
    override(make_proposal(desk), category=desk.choices["wifi"])
    scope = make_scope()

    step = reports.step_ins(scope).rows[0].figures["k"].bucket
    reason = reports.override_reasons(scope).rows[0].figures["k"].bucket
    answer = reports.acceptance(scope).rows[0].figures["overridden"].bucket

    assert step is not None
    assert reason is not None
    assert answer is not None
    assert drill.words(scope, step) == ["Category", "proposed: VPN", "became: Wi-Fi"]
    assert drill.words(scope, reason) == ["Category", "wrong it is"]
    assert drill.words(scope, answer) == ["Network › VPN", "overridden"]
