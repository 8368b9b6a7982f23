"""Concerns: reported by anybody, read by auditors alone, and nothing says who was anonymous."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from review import concerns, erasure, tasks
from review.models import Concern
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN, permissions_of
from tests.conftest import new_ticket
from triage import ledger
from triage.erasure import Whose
from triage.models import LedgerEntry, Source, Ticket

pytestmark = pytest.mark.django_db
WORDS = "Figures were read out zqbynamezq in the meeting."
FORM = "/concerns/new/"


class FailingBackend(BaseEmailBackend):
    def send_messages(self, email_messages: object) -> int:
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture
def as_(client: Client) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def ticket(source: Source) -> Ticket:
    return new_ticket(source)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def on_record() -> list[dict[str, Any]]:
    found = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CONCERN).order_by("sequence")
    return [dict(row) for row in found.values("subject", "payload", "actor")]


@pytest.mark.parametrize("role", ["technician", "ai_owner", "team_lead", "auditor"])
def test_everybody_with_a_role_may_report(
    role: str, request: pytest.FixtureRequest, as_: Callable[[User], Client], ticket: Ticket
) -> None:
    user: User = request.getfixturevalue(role)

    answer = as_(user).post(
        f"{FORM}?ticket={ticket.pk}", {"text": f"  {WORDS} ", "about_ticket": "on"}, follow=True
    )

    assert answer.redirect_chain == [("/concerns/mine/", 302)]
    assert WORDS in answer.content.decode()
    concern = Concern.objects.get()
    assert (concern.reporter, concern.ticket, concern.text) == (user, ticket, WORDS)


@pytest.mark.parametrize("role", ["technician", "ai_owner", "team_lead"])
def test_only_auditors_read_what_others_reported(
    role: str, request: pytest.FixtureRequest, as_: Callable[[User], Client], auditor: User
) -> None:
    concern = concerns.report(by=auditor, text=WORDS, ticket=None, is_anonymous=False)
    client = as_(request.getfixturevalue(role))

    for path in ("/concerns/", f"/concerns/{concern.pk}/"):
        assert client.get(path).status_code == 403
    assert client.post(f"/concerns/{concern.pk}/answer", {"answer": "No."}).status_code == 403
    assert WORDS not in page(client, "/concerns/mine/")
    assert Concern.objects.get().answer == ""


def test_no_role_but_the_auditors_may_look_at_concerns_at_the_desk(db: None) -> None:
    looks = {"review.view_concern", "review.change_concern", "review.answer_concern"}
    may = {role: permissions_of(role) & looks for role in (TECHNICIAN, AI_OWNER, TEAM_LEAD)}

    assert may == {TECHNICIAN: set(), AI_OWNER: set(), TEAM_LEAD: set()}
    assert permissions_of(AUDITOR) & looks == {"review.view_concern", "review.answer_concern"}


def test_an_anonymous_concern_keeps_neither_person_nor_hour(
    technician: User, as_: Callable[[User], Client], ticket: Ticket
) -> None:
    as_(technician).post(
        f"{FORM}?ticket={ticket.pk}", {"text": WORDS, "anonymous": "on", "about_ticket": "on"}
    )

    concern = Concern.objects.get()
    local = timezone.localtime(concern.reported_at)
    assert concern.reporter is None
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert local.date() == timezone.localdate()
    assert WORDS not in page(as_(technician), "/concerns/mine/")


def test_the_ledger_learns_of_all_at_night_and_of_nobody(
    technician: User, auditor: User, as_: Callable[[User], Client]
) -> None:
    client = as_(technician)
    client.post(FORM, {"text": WORDS, "anonymous": "on"})
    client.post(FORM, {"text": WORDS})
    assert on_record() == []

    tasks.tidy()
    tasks.tidy()

    first, second = Concern.objects.order_by("pk")
    reported = {"payload": {"event": "reported"}, "actor": ledger.SERVICE}
    assert on_record() == [{"subject": f"concern:{one.pk}", **reported} for one in (first, second)]
    assert ledger.verify() is None


def test_neither_words_nor_reporters_are_logged(
    technician: User, as_: Callable[[User], Client], caplog: pytest.LogCaptureFixture
) -> None:
    as_(technician).post(FORM, {"text": WORDS, "anonymous": "on"})
    tasks.tidy()

    assert "zqbynamezq" not in caplog.text
    assert "maya" not in caplog.text


def test_an_answer_reaches_who_reported_it_and_the_ledger(
    technician: User, auditor: User, as_: Callable[[User], Client]
) -> None:
    concern = concerns.report(by=technician, text=WORDS, ticket=None, is_anonymous=False)

    answer = as_(auditor).post(
        f"/concerns/{concern.pk}/answer", {"answer": "It will not happen again."}
    )

    assert answer.status_code == 302
    mine = page(as_(technician), "/concerns/mine/")
    assert "It will not happen again." in mine
    assert "answered by audrey" in mine
    assert on_record() == [
        {
            "subject": f"concern:{concern.pk}",
            "payload": {"event": "answered"},
            "actor": ledger.actor_of(auditor),
        }
    ]


def test_the_second_answer_is_refused_and_the_first_is_shown(
    technician: User, auditor: User, as_: Callable[[User], Client]
) -> None:
    concern = concerns.report(by=technician, text=WORDS, ticket=None, is_anonymous=False)
    concerns.answer(concern, by=auditor, text="The first.")

    answer = as_(auditor).post(f"/concerns/{concern.pk}/answer", {"answer": "The second."})

    assert answer.status_code == 409
    assert "The first." in answer.content.decode()
    assert Concern.objects.get().answer == "The first."


def test_the_auditors_list_is_filtered_and_paged(
    technician: User, auditor: User, as_: Callable[[User], Client], ticket: Ticket
) -> None:
    answered = concerns.report(by=technician, text="settled", ticket=None, is_anonymous=False)
    concerns.answer(answered, by=auditor, text="Done.")
    concerns.report(by=technician, text="unsettled", ticket=ticket, is_anonymous=True)
    client = as_(auditor)

    everything = page(client, "/concerns/")
    assert "by Maya Berg" in everything
    assert "anonymous" in everything
    assert "about #" in everything
    opened = page(client, "/concerns/?state=open")
    assert ("unsettled" in opened, "Done." in opened) == (True, False)
    closed = page(client, "/concerns/?state=answered")
    assert ("unsettled" in closed, "Done." in closed) == (False, True)
    for number in range(30):
        concerns.report(by=technician, text=f"more {number}", ticket=None, is_anonymous=False)
    assert "page 1 of 2" in page(client, "/concerns/?state=open")
    assert "page 2 of 2" in page(client, "/concerns/?state=open&page=9999999999")


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\0b"])
def test_a_text_that_cannot_be_kept_is_refused_with_words(
    technician: User, as_: Callable[[User], Client], text: str
) -> None:
    answer = as_(technician).post(FORM, {"text": text})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Concern.objects.exists()


@pytest.mark.parametrize("wanted", ["0", "x", "9" * 30, "-1", "\0"])
def test_a_ticket_that_is_not_there_is_404(
    technician: User, as_: Callable[[User], Client], wanted: str
) -> None:
    assert as_(technician).get(FORM, {"ticket": wanted}).status_code == 404


def test_a_report_about_a_ticket_may_be_made_in_general(
    technician: User, as_: Callable[[User], Client], ticket: Ticket
) -> None:
    as_(technician).post(f"{FORM}?ticket={ticket.pk}", {"text": WORDS})

    assert Concern.objects.get().ticket is None


def test_auditors_with_an_address_get_a_mail_without_a_word_of_it(
    technician: User,
    make_user: Callable[..., User],
    as_: Callable[[User], Client],
    team_lead: User,
) -> None:
    User.objects.update(email="lead@example.org")
    make_user("audrey", AUDITOR, email="audrey@example.org")
    make_user("gone", AUDITOR, email="gone@example.org", is_active=False)

    as_(technician).post(FORM, {"text": WORDS})

    [sent] = mail.outbox
    assert sent.recipients() == ["audrey@example.org"]
    assert f"/concerns/{Concern.objects.get().pk}/" in sent.body
    assert WORDS not in sent.body
    assert "maya" not in sent.body.lower()


def test_of_anonymous_ones_auditors_hear_at_night(
    technician: User, make_user: Callable[..., User], as_: Callable[[User], Client]
) -> None:
    make_user("audrey", AUDITOR, email="audrey@example.org")
    as_(technician).post(FORM, {"text": WORDS, "anonymous": "on"})
    assert mail.outbox == []

    tasks.tidy()
    tasks.tidy()

    assert len(mail.outbox) == 1


def test_a_mail_that_fails_fails_no_report(
    technician: User,
    make_user: Callable[..., User],
    as_: Callable[[User], Client],
    settings: Settings,
) -> None:
    make_user("audrey", AUDITOR, email="audrey@example.org")
    settings.EMAIL_BACKEND = f"{__name__}.FailingBackend"

    assert as_(technician).post(FORM, {"text": WORDS}).status_code == 302
    assert Concern.objects.count() == 1


def test_concerns_about_an_erased_ticket_lose_their_words(
    technician: User, auditor: User, as_: Callable[[User], Client], ticket: Ticket
) -> None:
    about = concerns.report(by=technician, text=WORDS, ticket=ticket, is_anonymous=False)
    concerns.answer(about, by=auditor, text=f"You are right: {WORDS}")
    concerns.report(by=technician, text="another", ticket=ticket, is_anonymous=True)
    kept = concerns.report(by=technician, text="in general", ticket=None, is_anonymous=False)
    whose = Whose(ticket.source, ticket=ticket.external_id)

    assert erasure.preview(whose).counts.named()["concerns about tickets"] == 2
    report = erasure.erase(whose, by=None)

    assert report.counts.named()["concerns about tickets"] == 2
    texts = dict(Concern.objects.values_list("pk", "text"))
    assert texts.pop(kept.pk) == "in general"
    assert set(texts.values()) == {erasure.GONE}
    about.refresh_from_db()
    assert (about.answer, about.answered_by) == (erasure.GONE, auditor)
    assert "(erased)" in page(as_(auditor), "/concerns/")
    assert erasure.preview(whose).counts.named()["concerns about tickets"] == 0


def test_strangers_are_sent_to_sign_in_and_guests_are_refused(
    client: Client, make_user: Callable[..., User], as_: Callable[[User], Client]
) -> None:
    paths = (FORM, "/concerns/mine/", "/concerns/", "/concerns/1/")

    assert {client.get(path).status_code for path in paths} == {302}
    guest = as_(make_user("guest"))
    assert {guest.get(path).status_code for path in paths} == {403}
    assert guest.get("/concerns/1/answer").status_code == 405


def test_every_page_offers_it_in_the_menu(
    technician: User, auditor: User, as_: Callable[[User], Client]
) -> None:
    for path in ("/", "/history/", "/metrics/", "/news/"):
        html = page(as_(technician), path)
        assert f'href="{FORM}"' in html
        assert 'href="/concerns/"' not in html
    assert 'href="/concerns/"' in page(as_(auditor), "/")


def test_a_concern_older_than_its_entry_is_put_on_record_once_only(technician: User) -> None:
    old = concerns.report(by=technician, text=WORDS, ticket=None, is_anonymous=False)
    Concern.objects.update(reported_at=timezone.now() - timedelta(days=40))

    assert [concerns.put_on_record(), concerns.put_on_record()] == [1, 0]
    assert on_record()[0]["subject"] == f"concern:{old.pk}"
