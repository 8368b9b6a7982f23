"""Who sets drills, who is told of them, and how the telling is confirmed."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.models import DrillAcknowledgement, DrillProgramme
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from tests.conftest import new_user
from tests.review.drills.world import acknowledge, make_programme
from tests.review.helpers import Desk, make_desk
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db
VALUES = {
    "is_on": "on",
    "disclosure": "Drills come.",
    "every": "40",
    "a_week": "3",
    "wrong_percent": "50",
}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def words(response: Any) -> str:
    return unescape(response.content.decode())


def confirm(client: Client, row: DrillProgramme) -> Any:
    read = {"read": row.disclosed_at.isoformat()}
    return client.post(f"/drills/{row.source_id}/acknowledge", read, follow=True)


def test_a_team_lead_switches_drills_on_and_the_ledger_has_it(desk: Desk, team_lead: User) -> None:
    client = signed_in(team_lead)
    page = f"/drills/{desk.source.pk}/"
    assert "a past ticket stands among your work" in words(client.get(page))

    answer = client.post(page, VALUES, follow=True)

    assert "Drills are switched on." in words(answer)
    row = DrillProgramme.objects.get()
    assert (row.source, row.is_on, row.every, row.changed_by) == (desk.source, True, 40, team_lead)
    entry = LedgerEntry.objects.latest("sequence")
    assert (entry.kind, entry.subject) == ("policy", f"drills:{row.pk}")
    assert entry.actor == f"user:{team_lead.pk}"
    assert entry.payload == {
        "event": "added",
        "fields": [],
        "is_on": True,
        "every": 40,
        "a_week": 3,
        "wrong_percent": 50,
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"every": "19"}, "every"),
        ({"every": "501"}, "every"),
        ({"every": "x"}, "every"),
        ({"every": "9" * 30}, "every"),
        ({"a_week": "0"}, "a_week"),
        ({"a_week": "11"}, "a_week"),
        ({"wrong_percent": "95"}, "wrong_percent"),
        ({"wrong_percent": ""}, "wrong_percent"),
        ({"disclosure": "  "}, "disclosure"),
        ({"disclosure": "a\0b"}, "disclosure"),
        ({"disclosure": "x" * 2001}, "disclosure"),
    ],
)
def test_what_is_out_of_bounds_is_told_at_its_field(
    desk: Desk, team_lead: User, wrong: dict[str, str], field: str
) -> None:
    answer = signed_in(team_lead).post(f"/drills/{desk.source.pk}/", VALUES | wrong)

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in words(answer)
    assert not DrillProgramme.objects.exists()


def test_the_database_keeps_the_bounds_as_well(desk: Desk) -> None:
    for over in ({"every": 5}, {"a_week": 50}, {"wrong_percent": 100}, {"disclosure": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_programme(desk, **over)


def test_a_form_saved_unchanged_changes_nothing(desk: Desk, team_lead: User) -> None:
    client = signed_in(team_lead)
    client.post(f"/drills/{desk.source.pk}/", VALUES)
    before = DrillProgramme.objects.get().disclosed_at
    entries = LedgerEntry.objects.count()

    client.post(f"/drills/{desk.source.pk}/", VALUES)

    assert DrillProgramme.objects.get().disclosed_at == before
    assert LedgerEntry.objects.count() == entries


def test_the_switch_alone_needs_no_new_confirmation_but_any_other_change_does(
    desk: Desk, team_lead: User, maya: User
) -> None:
    client = signed_in(team_lead)
    page = f"/drills/{desk.source.pk}/"
    client.post(page, VALUES)
    confirm(signed_in(maya), DrillProgramme.objects.get())

    client.post(page, {name: value for name, value in VALUES.items() if name != "is_on"})
    client.post(page, VALUES)
    assert "I have read this" not in words(signed_in(maya).get("/drills/"))

    client.post(page, VALUES | {"every": "30"})
    assert "I have read this" in words(signed_in(maya).get("/drills/"))
    assert DrillAcknowledgement.objects.count() == 1


def test_technicians_are_told_on_every_page_until_they_confirm(desk: Desk, maya: User) -> None:
    row = make_programme(desk)
    client = signed_in(maya)
    assert "There are drills in Norvik now." in words(client.get("/"))
    page = words(client.get("/drills/"))
    for said in ("What is recorded", "Who sees what", "When you want none", "There are drills."):
        assert said in page

    confirm(client, row)

    assert DrillAcknowledgement.objects.get().person == maya
    assert "There are drills in Norvik now." not in words(client.get("/"))


def test_words_that_were_changed_meanwhile_are_read_once_more(desk: Desk, maya: User) -> None:
    row = make_programme(desk)
    old = row.disclosed_at
    DrillProgramme.objects.update(disclosed_at=timezone.now(), disclosure="Other words.")
    row.disclosed_at = old

    answer = confirm(signed_in(maya), row)

    assert answer.status_code == 409
    assert "read it once more" in words(answer)
    assert not DrillAcknowledgement.objects.exists()


@pytest.mark.parametrize("read", ["", "x", "2026-01-01", "2026-99-01T00:00:00Z", "\0"])
def test_nonsense_confirms_nothing(desk: Desk, maya: User, read: str) -> None:
    make_programme(desk)

    answer = signed_in(maya).post(f"/drills/{desk.source.pk}/acknowledge", {"read": read})

    assert answer.status_code == 409
    assert not DrillAcknowledgement.objects.exists()


def test_one_press_ends_drills_for_today_and_nobody_else_is_told(
    desk: Desk, maya: User, team_lead: User
) -> None:
    acknowledge(make_programme(desk), maya)
    entries = LedgerEntry.objects.count()

    answer = signed_in(maya).post("/drills/rest", follow=True)

    assert "No further drill comes today." in words(answer)
    assert DrillAcknowledgement.objects.get().resting_on == timezone.localdate()
    assert LedgerEntry.objects.count() == entries
    assert "No further drill comes today." not in words(signed_in(team_lead).get("/drills/"))


@pytest.mark.parametrize(
    ("role", "reads", "sets", "confirms"),
    [
        (TECHNICIAN, 200, 403, 302),
        (AI_OWNER, 200, 200, 302),
        (TEAM_LEAD, 200, 200, 403),
        (AUDITOR, 200, 403, 403),
    ],
)
def test_each_role_may_what_the_table_says(
    desk: Desk, role: str, reads: int, sets: int, confirms: int
) -> None:
    row = make_programme(desk)
    client = signed_in(new_user("somebody", role))
    read = {"read": row.disclosed_at.isoformat()}

    assert client.get("/drills/").status_code == reads
    assert client.get(f"/drills/{desk.source.pk}/").status_code == sets
    assert client.post(f"/drills/{desk.source.pk}/acknowledge", read).status_code == confirms
    assert client.post("/drills/rest").status_code == confirms


def test_strangers_sign_in_first(desk: Desk) -> None:
    for path in ("/drills/", f"/drills/{desk.source.pk}/"):
        assert Client().get(path).headers["Location"].startswith("/accounts/login/")


def test_a_source_that_is_not_there_is_404(team_lead: User) -> None:
    assert signed_in(team_lead).get("/drills/999/").status_code == 404


def test_the_desk_is_another_way_to_the_same_programme(desk: Desk, ai_owner: User) -> None:
    client = signed_in(ai_owner)
    row = make_programme(desk)
    before = row.disclosed_at

    client.post(
        f"/admin/review/drillprogramme/{row.pk}/change/", VALUES | {"every": "60"}, follow=True
    )

    row.refresh_from_db()
    assert (row.every, row.changed_by) == (60, ai_owner)
    assert row.disclosed_at > before
    entry = LedgerEntry.objects.latest("sequence")
    assert (entry.subject, entry.payload["every"]) == (f"drills:{row.pk}", 60)


def test_what_changed_tells_of_it(desk: Desk, team_lead: User, maya: User) -> None:
    client = signed_in(team_lead)
    client.post(f"/drills/{desk.source.pk}/", VALUES)

    assert "Drills in Norvik were switched on" in words(signed_in(maya).get("/news/"))


def test_the_list_costs_the_same_for_one_source_and_for_many(team_lead: User) -> None:
    client = signed_in(team_lead)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/drills/")
        return len(asked)

    make_programme(make_desk("first"))
    queries()
    one = queries()
    for number in range(30):
        make_programme(make_desk(f"more{number}"), disclosed_at=timezone.now() - timedelta(days=1))

    assert queries() == one
    assert 'rel="next"' in words(client.get("/drills/"))
