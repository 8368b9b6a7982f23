"""The question how people are: who is asked, what is refused, and that pages keep quiet of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from review import pulse
from review.models import PulseCount
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from tests.conftest import new_user
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db
WHERE = "/pulse/"


def window(*roles: str) -> Client:
    client = Client()
    client.force_login(new_user("somebody", *roles))
    return client


def counts() -> list[int]:
    return list(PulseCount.objects.order_by("answer").values_list("n", flat=True))


@pytest.mark.parametrize(
    ("role", "status"), [(TECHNICIAN, 200), (AI_OWNER, 200), (TEAM_LEAD, 403), (AUDITOR, 403)]
)
def test_those_who_decide_are_asked(role: str, status: int) -> None:
    assert window(role).get(WHERE).status_code == status


def test_strangers_sign_in_first() -> None:
    assert Client().get(WHERE).headers["Location"].startswith("/accounts/login/")


def test_one_answers_once_in_four_weeks() -> None:
    client = window(TECHNICIAN)
    assert "how are you?" in client.get("/own/figures/").content.decode()

    answer = client.post(WHERE, {"answer": "3"}, follow=True)

    assert "Nothing was kept that leads from you to an answer" in answer.content.decode()
    assert "how are you?" not in answer.content.decode()
    assert counts() == [0, 0, 1, 0, 0]
    again = client.post(WHERE, {"answer": "5"})
    assert again.status_code == 409
    assert "No question for you now" in again.content.decode()
    assert counts() == [0, 0, 1, 0, 0]


def test_whoever_would_rather_not_is_left_alone_for_the_round() -> None:
    client = window(TECHNICIAN)

    client.post(WHERE, {"answer": "none"})

    assert counts() == [0] * 5
    assert "No question for you now" in client.get(WHERE).content.decode()


@pytest.mark.parametrize("said", ["", "0", "6", "9" * 400, "²", "\x00", "three"])
def test_anything_else_is_refused_with_the_question(said: str) -> None:
    answer = window(TECHNICIAN).post(WHERE, {"answer": said})

    assert answer.status_code == 422
    assert "Choose one of the five, or rather not." in answer.content.decode()
    assert counts() == []


def test_the_next_round_asks_again() -> None:
    maya = new_user("maya", TECHNICIAN)
    pulse.answer(maya, 2)
    begins = pulse.round_of(timezone.localdate())

    assert not pulse.is_asked(maya, begins + pulse.ROUND - timedelta(days=1))
    assert pulse.is_asked(maya, begins + pulse.ROUND)
    assert begins.weekday() == 0


def test_the_ledger_knows_of_no_answer(admin_user: User) -> None:
    before = LedgerEntry.objects.count()

    pulse.answer(admin_user, 5)

    assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize("role", [TECHNICIAN, AI_OWNER, TEAM_LEAD, AUDITOR])
def test_every_role_reads_the_page_of_people_and_no_list_behind_it(role: str) -> None:
    client = window(role)

    assert client.get("/metrics/people/").status_code == 200
    for key in ("pulse", "legitimacy", "review-load", "meta-work", "interruptions"):
        assert client.get(f"/metrics/{key}.csv").status_code == 200
        assert client.get(f"/api/v1/metrics/{key}/").status_code == 200
        assert client.get("/metrics/tickets/", {"metric": key}).status_code in (200, 403)
