"""Rows of the queue made anew: as they would have come, and after targets were changed."""

from datetime import timedelta

import pytest
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from review.roles import AI_OWNER
from tests.conftest import OPENED, new_catalogue, new_source, new_ticket, new_user
from tests.triage.admin.conftest import signed_in
from triage import steps
from triage.models import Choice, LedgerEntry, Source, Waiting
from triage.waiting import rank_again, waiting_row

pytestmark = pytest.mark.django_db


def proposed(source: Source, **values: str) -> Waiting:
    ticket = new_ticket(source, values=values)
    steps.propose([ticket.versions.get().pk])
    return Waiting.objects.get(ticket=ticket)


def test_a_row_made_anew_is_the_one_that_came_first(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    first = proposed(source, category="network", priority="urgent")

    again = waiting_row(first.proposal)

    assert model_to_dict(again) | {"choices": sorted(again.choices)} == model_to_dict(first) | {
        "choices": sorted(first.choices)
    }
    assert set(first.choices) == {
        catalogue[key].pk for key in ("network", "infrastructure", "urgent")
    }


def test_a_new_target_moves_what_waits_of_its_source_alone(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    urgent, normal = proposed(source, priority="urgent"), proposed(source, priority="normal")
    without = proposed(source, category="network")
    elsewhere = new_source()
    new_catalogue(elsewhere)
    other = proposed(elsewhere, priority="urgent")
    Choice.objects.filter(pk=catalogue["urgent"].pk).update(target_minutes=40, rank=7)

    moved = rank_again(source)
    again = rank_again(source)

    assert (moved, again) == (1, 0)
    row = Waiting.objects.get(pk=urgent.pk)
    assert (row.target_minutes, row.urgency) == (40, 7)
    # Nothing is sure of it, which brings it forward by a quarter.
    assert row.look_by == OPENED + timedelta(minutes=30)
    for same in (normal, without, other):
        assert Waiting.objects.get(pk=same.pk).look_by == same.look_by


def test_what_waits_moves_when_an_owner_saves_a_target(
    source: Source,
    catalogue: dict[str, Choice],
    django_capture_on_commit_callbacks: object,
) -> None:
    desk: Client = signed_in(new_user("olga", AI_OWNER))
    row = proposed(source, priority="normal")
    page = reverse("admin:triage_choice_change", args=[catalogue["normal"].pk])
    form = {"name": "Normal", "rank": 2, "target_minutes": 100}

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = desk.post(page, form)

    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.target_minutes == 100
    assert row.look_by == OPENED + timedelta(minutes=75)
    entry = LedgerEntry.objects.filter(kind="policy").latest("sequence")
    assert entry.payload["target_minutes"] == 100


def test_only_priorities_have_a_target_to_edit(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    desk = signed_in(new_user("olga", AI_OWNER))

    def page(key: str) -> str:
        address = reverse("admin:triage_choice_change", args=[catalogue[key].pk])
        return desk.get(address).content.decode()

    assert 'name="target_minutes"' in page("urgent")
    assert 'name="target_minutes"' not in page("network")


@pytest.mark.parametrize("minutes", ["-1", "9" * 30, "soon"])
def test_a_target_that_is_none_is_refused(
    source: Source, catalogue: dict[str, Choice], minutes: str
) -> None:
    desk = signed_in(new_user("olga", AI_OWNER))
    page = reverse("admin:triage_choice_change", args=[catalogue["normal"].pk])

    answer = desk.post(page, {"name": "Normal", "rank": 2, "target_minutes": minutes})

    assert list(answer.context["adminform"].form.errors) == ["target_minutes"]
