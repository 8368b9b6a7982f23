"""Counts of days: whoever writes what, they say what a full count says."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from review.metrics import counts, day_counts, rollups
from review.tasks import count_days
from tests.review.metrics.helpers import (
    LONG_AGO,
    accept,
    make_desk,
    make_proposal,
    make_scope,
    make_ticket,
)
from tests.review.metrics.play import Play
from triage.models import Field, Proposal, Touched

DAY = timedelta(days=1)
Rows = dict[str, list[tuple[Any, ...]]]


def counted() -> Rows:
    """Everything that is counted, in an order of its own."""
    found = {}
    for model in day_counts.TABLES:
        names = [field.attname for field in model._meta.concrete_fields if field.name != "id"]
        rows = model._default_manager.values_list(*names)
        found[model.__name__] = sorted(rows, key=repr)
    return found


def recounted() -> Rows:
    rollups.recount()
    return counted()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_the_counts_equal_a_full_count(seed: int) -> None:
    play = Play(seed)
    for _ in range(110):
        play.act()
        if play.chance.random() < 0.2:
            assert rollups.catch_up()
    rollups.catch_up()

    found = counted()
    assert len(found["ProposalCount"]) > 3
    assert len(found["OutcomeCount"]) > 1
    assert min(len(found[name]) for name in ("StoryCount", "ReturnCount", "ResolveCount")) > 1
    assert found == recounted()


@pytest.mark.django_db
def test_only_days_that_were_touched_are_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = make_desk()
    for days in range(5):
        make_proposal(desk, at=LONG_AGO - days * DAY)
    rollups.catch_up()
    seen: list[Any] = []
    monkeypatch.setattr(
        day_counts, "replace", lambda scopes: seen.extend((one.first, one.last) for one in scopes)
    )

    accept(Proposal.objects.order_by("created_at")[1])
    rollups.catch_up()
    rollups.catch_up()

    day = (LONG_AGO - 3 * DAY).date()
    assert seen == [(day, day)]


@pytest.mark.django_db
def test_a_deleted_proposal_leaves_the_counts() -> None:
    desk = make_desk()
    proposal = make_proposal(desk)
    make_proposal(desk, at=LONG_AGO - DAY)
    assert len(counted_outcomes()) == 2

    proposal.delete()

    assert len(counted_outcomes()) == 1


def counted_outcomes() -> list[Any]:
    rollups.catch_up()
    return counted()["ProposalCount"]


@pytest.mark.django_db
def test_another_main_field_is_counted_by_at_once() -> None:
    desk = make_desk()
    make_proposal(desk)
    assert [one.group.name for one in counts.outcomes(make_scope())] == ["Network › VPN"]

    Field.objects.filter(pk=desk.category.pk).update(is_main=False)
    Field.objects.filter(pk=desk.team.pk).update(is_main=True)

    assert [one.group.name for one in counts.outcomes(make_scope())] == ["Network operations"]


@pytest.mark.django_db
def test_a_page_that_has_no_time_says_that_it_is_behind_and_leaves_the_rest() -> None:
    desk = make_desk()
    for days in range(rollups.DAYS_AT_ONCE + 5):
        make_proposal(desk, at=LONG_AGO - days * DAY)

    assert not rollups.catch_up(within_seconds=0)
    assert Touched.objects.exists()
    assert rollups.catch_up()
    assert not Touched.objects.exists()


@pytest.mark.django_db
def test_the_beat_and_the_command_count_too(capsys: pytest.CaptureFixture[str]) -> None:
    make_proposal(make_desk())

    count_days()
    once = counted()
    call_command("recount")

    assert once["ProposalCount"]
    assert counted() == once
    assert "1 days" in capsys.readouterr().out


@pytest.fixture
def other_thread() -> Callable[[Callable[[], Any]], Any]:
    """Runs something with a connection of its own."""

    def run(work: Callable[[], Any]) -> Any:
        found: list[Any] = []

        def target() -> None:
            try:
                found.append(work())
            finally:
                connections.close_all()

        thread = threading.Thread(target=target)
        thread.start()
        thread.join(30)
        assert found
        return found[0]

    return run


@pytest.mark.django_db(transaction=True)
def test_while_one_counts_another_is_turned_away_and_misses_nothing(
    other_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    make_proposal(make_desk())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [rollups.LOCK])
        assert other_thread(rollups.catch_up) is False

    assert other_thread(rollups.catch_up) is True
    assert counted()["ProposalCount"]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_not_committed_yet_is_counted_once_it_is(
    other_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    desk = make_desk()
    proposal = make_proposal(desk)
    with transaction.atomic():
        accept(proposal)
        assert other_thread(rollups.catch_up) is True
        before = counted()
    assert other_thread(rollups.catch_up) is True

    assert "untouched" in repr(before["ProposalCount"])
    assert "accepted" in repr(counted()["ProposalCount"])


@pytest.mark.django_db(transaction=True)
def test_counting_that_breaks_leaves_its_notes_and_the_old_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = make_desk()
    make_proposal(desk)
    rollups.catch_up()
    before = counted()
    make_ticket(desk)
    make_proposal(desk)

    def broken(scope: Any) -> Any:
        raise RuntimeError("the worker died")

    with monkeypatch.context() as patch:
        patch.setitem(day_counts.KINDS, next(reversed(day_counts.KINDS)), broken)
        with pytest.raises(RuntimeError, match="died"):
            rollups.catch_up()
        assert counted() == before
    rollups.catch_up()

    assert counted() == recounted() != before
