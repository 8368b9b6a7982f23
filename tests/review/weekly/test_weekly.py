"""The weekly report: whom it is sent to and when, and what stands in mail, PDF and page."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from config.schedule import BEAT_SCHEDULE
from review.metrics.kpis import agreeing
from review.metrics.kpis.measures import REASSIGNED
from review.metrics.sections import SECTIONS
from review.models import WeeklySent, WeeklySubscription
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from review.tasks import send_weekly_reports
from review.weekly import contents, sending
from review.weekly.weeks import Week, newest_due
from tests.conftest import new_user
from tests.review.metrics.helpers import (
    Desk,
    accept,
    check,
    make_desk,
    make_proposal,
    override,
)
from tests.review.metrics.kpi_world import BEGAN, HOUR, SINCE, make_past, past_ticket

pytestmark = pytest.mark.django_db
# Week 13 of 2026 is 23 to 29 March; its report is due on the 30th at six.
DUE = datetime(2026, 3, 30, 6, tzinfo=UTC)
LAST_WEEK = datetime(2026, 3, 25, 12, tzinfo=UTC)
EARLIER = datetime(2026, 3, 10, 12, tzinfo=UTC)
W13 = Week(date(2026, 3, 23))


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(DUE, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(now: object) -> Desk:
    return make_desk()


def reader(name: str = "theo", role: str = TEAM_LEAD, **over: Any) -> User:
    """Who asked for the report a week before it is due."""
    person = new_user(name, role, email=f"{name}@norvik.example")
    row = sending.subscribe(person, **{"source": None, "language": "en", **over})
    WeeklySubscription.objects.filter(pk=row.pk).update(since=DUE - timedelta(days=7))
    return person


def fill(desk: Desk) -> None:
    """Last week 30 of 40 accepted, in the four weeks before 20 of 40."""
    for at, kept in ((LAST_WEEK, 30), (EARLIER, 20)):
        for number in range(40):
            proposal = make_proposal(desk, at=at)
            if number < kept:
                accept(proposal)
            else:
                override(proposal, category=desk.choices["wifi"])


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def sent() -> EmailMultiAlternatives:
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


# --- Weeks ------------------------------------------------------------------------------------
def test_a_week_is_written_as_iso_says_also_around_new_year() -> None:
    assert str(Week(date(2025, 12, 29))) == "2026-W01"
    assert Week.parse("2026-W01").monday == date(2025, 12, 29)
    assert Week.parse("2020-W53").last == date(2021, 1, 3)


@pytest.mark.parametrize("text", ["2026-W54", "2026-W00", "2026-47", "W47", "1999-W01", "2026-W4٣"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="[Ww]eek"):
        Week.parse(text)


@pytest.mark.parametrize(
    ("zone", "moment", "week"),
    [
        # Six in Auckland is still Sunday evening in UTC; the clocks went back the week after.
        ("Pacific/Auckland", datetime(2026, 3, 29, 16, 59, tzinfo=UTC), "2026-W12"),
        ("Pacific/Auckland", datetime(2026, 3, 29, 17, 0, tzinfo=UTC), "2026-W13"),
        # The clocks went forward in Berlin the night before: six there is four in UTC.
        ("Europe/Berlin", datetime(2026, 3, 30, 3, 59, tzinfo=UTC), "2026-W12"),
        ("Europe/Berlin", datetime(2026, 3, 30, 4, 0, tzinfo=UTC), "2026-W13"),
        ("Asia/Kathmandu", datetime(2026, 3, 30, 0, 15, tzinfo=UTC), "2026-W13"),
        ("UTC", datetime(2026, 4, 5, 23, 59, tzinfo=UTC), "2026-W13"),
    ],
)
def test_a_report_is_due_on_monday_at_six_where_the_service_is(
    zone: str, moment: datetime, week: str
) -> None:
    assert str(newest_due(moment.astimezone(ZoneInfo(zone)))) == week


# --- Sending ----------------------------------------------------------------------------------
def test_the_beat_asks_for_it() -> None:
    assert BEAT_SCHEDULE["send weekly reports"]["task"] == send_weekly_reports.name


def test_it_comes_as_text_as_html_and_as_pdf_with_the_figures(desk: Desk) -> None:
    fill(desk)
    reader()

    send_weekly_reports()

    message = sent()
    assert message.to == ["theo@norvik.example"]
    assert message.subject == "[Countersign] Week 2026-W13: all sources"
    html = str(message.alternatives[0][0])
    (name, pdf, kind) = message.attachments[0]
    assert (name, kind) == ("countersign-2026-W13.pdf", "application/pdf")
    assert isinstance(pdf, bytes)
    for told in (str(message.body), html, text_of(pdf)):
        told = " ".join(told.replace("\N{NO-BREAK SPACE}", " ").split())
        assert "75 %" in told
        assert "50 %" in told
        # Newcombe's interval of 30 of 40 minus 20 of 40.
        assert "+4 to +43 points" in told
        assert "All helpdesks answer." in told
        assert "No figure here is about one person" in told
    assert 'href="http://' in html
    assert "<style" not in html
    assert "<img" not in html


def test_it_is_sent_once_a_week_however_often_it_is_asked_for(
    desk: Desk, now: time_machine.Traveller
) -> None:
    reader()

    for _ in range(3):
        send_weekly_reports()
    assert len(mail.outbox) == 1
    now.move_to(DUE + timedelta(days=7) - timedelta(minutes=1))
    send_weekly_reports()
    assert len(mail.outbox) == 1
    now.move_to(DUE + timedelta(days=7))
    send_weekly_reports()

    assert [str(Week(row.monday)) for row in WeeklySent.objects.order_by("monday")] == [
        "2026-W13",
        "2026-W14",
    ]
    assert len(mail.outbox) == 2


def test_before_six_nothing_new_is_sent_and_a_missed_morning_is_made_up_for(
    desk: Desk, now: time_machine.Traveller
) -> None:
    person = reader()
    WeeklySent.objects.create(person=person, monday=date(2026, 3, 16), sent_at=timezone.now())

    now.move_to(DUE - timedelta(minutes=1))
    send_weekly_reports()
    assert mail.outbox == []
    now.move_to(DUE + timedelta(days=2))
    send_weekly_reports()

    assert len(mail.outbox) == 1


def test_who_asks_after_it_was_due_waits_for_the_next(desk: Desk) -> None:
    person = new_user("theo", TEAM_LEAD, email="theo@norvik.example")
    sending.subscribe(person, source=None, language="en")

    send_weekly_reports()

    assert mail.outbox == []


def test_who_left_lost_the_role_has_no_address_or_changed_their_mind_is_sent_nothing(
    desk: Desk,
) -> None:
    User.objects.filter(pk=reader("left").pk).update(is_active=False)
    reader("moved").groups.clear()
    User.objects.filter(pk=reader("silent").pk).update(email="")
    sending.unsubscribe(reader("calm"))
    reader("audrey", AUDITOR)

    send_weekly_reports()

    assert [message.to for message in mail.outbox] == [["audrey@norvik.example"]]


def test_a_mail_that_fails_is_tried_again_and_keeps_nobody_elses(desk: Desk) -> None:
    reader("anna")
    reader("bert")
    real = EmailMultiAlternatives.send

    def send(self: EmailMultiAlternatives, *args: Any) -> int:
        if self.to == ["anna@norvik.example"]:
            raise ConnectionRefusedError
        return real(self, *args)

    with mock.patch.object(EmailMultiAlternatives, "send", send):
        send_weekly_reports()
    assert [message.to for message in mail.outbox] == [["bert@norvik.example"]]
    assert WeeklySent.objects.count() == 1
    send_weekly_reports()

    assert WeeklySent.objects.count() == 2


def test_two_of_one_kind_are_sent_the_same_and_each_alone(desk: Desk) -> None:
    reader("anna")
    reader("bert")
    with mock.patch.object(sending, "content", wraps=contents.content) as made:
        send_weekly_reports()

    assert made.call_count == 1
    assert sorted(message.to for message in mail.outbox) == [
        ["anna@norvik.example"],
        ["bert@norvik.example"],
    ]


def test_it_speaks_of_the_source_and_in_the_language_that_were_asked_for(desk: Desk) -> None:
    fill(make_desk("elsewhere"))
    reader(source=desk.source, language="de")

    send_weekly_reports()

    message = sent()
    assert "Norvik" in message.subject
    assert "23. März 2026" in str(message.body)
    assert '<html lang="de">' in str(message.alternatives[0][0])
    assert "75" not in str(message.body)


# --- What it says -----------------------------------------------------------------------------
def test_nothing_is_told_of_fewer_than_five_people(desk: Desk) -> None:
    people = [User.objects.create_user(f"person-{number}") for number in range(4)]
    for number in range(40):
        check(desk, truth="wifi", final="vpn", first="wifi", by=people[number % 4])
    week = Week(date(2026, 3, 16))

    told = contents.content(week, None)
    hidden = {one.name: one.now for one in told.headlines}

    assert hidden["Waved through"].text == "fewer than 5 people"
    assert hidden["Waved through"].n == 0
    assert all(one.href == "" for one in told.headlines if one.now.is_withheld)


def test_it_has_baselines_targets_budgets_and_silent_helpdesks(desk: Desk) -> None:
    make_past(desk)
    make_proposal(desk, at=BEGAN)
    lead = reader()
    agreeing.take_baseline(desk.source, by=lead)
    agreeing.set_target(desk.source, REASSIGNED, direction="most", value=0.2, why="x", by=lead)
    for number in range(40):
        past_ticket(desk, opened_at=SINCE + number * HOUR, teams=("id",) if number < 2 else ())

    send_weekly_reports()

    message = sent()
    pdf = message.attachments[0][1]
    assert isinstance(pdf, bytes)
    for told in (str(message.body), str(message.alternatives[0][0]), text_of(pdf)):
        told = " ".join(told.replace("\N{NO-BREAK SPACE}", " ").split())
        assert "30 %" in told
        assert "5 %" in told
        assert "at most 20 %" in told
        assert "target met" in told
        assert "no experiment" in told


def test_a_strange_name_breaks_neither_mail_nor_pdf(desk: Desk) -> None:
    desk.source.name = "<b>Ж 漢\r\nBcc: x@y.example</b> ".ljust(80, "x")
    desk.source.save()
    reader(source=desk.source)

    send_weekly_reports()

    message = sent()
    assert "\n" not in message.subject
    assert "<b>Ж" not in str(message.alternatives[0][0])
    assert message.message()["Bcc"] is None


# --- Page, settings, command ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"), [(TECHNICIAN, 403), (AUDITOR, 200), (TEAM_LEAD, 200), (AI_OWNER, 200)]
)
def test_three_roles_see_it_and_may_ask_for_it(
    client: Client, desk: Desk, role: str, status: int
) -> None:
    fill(desk)
    client.force_login(new_user("robin", role), "review.accounts.People")

    assert client.get("/metrics/weekly/").status_code == status
    paper = client.get("/metrics/weekly.pdf?week=2026-W13")
    assert paper.status_code == status
    assert (paper.content[:5] == b"%PDF-") == (status == 200)
    asked = client.post("/metrics/weekly/settings", {"wanted": "on", "language": "de"})
    assert asked.status_code == (302 if status == 200 else 403)
    assert WeeklySubscription.objects.exists() == (status == 200)


def test_its_page_leads_to_all_others_and_draws_its_charts(client: Client, desk: Desk) -> None:
    fill(desk)
    client.force_login(new_user("robin", TEAM_LEAD), "review.accounts.People")

    page = client.get("/metrics/weekly/").content.decode()

    assert all(f'href="/metrics/{slug}/"' in page for slug in SECTIONS)
    assert "kpi-charts" in page
    assert "review/plots.js" in page
    assert page.index("metrics-foot") > page.rindex("</section>")


def test_settings_are_kept_changed_and_taken_back(client: Client, desk: Desk) -> None:
    person = reader()
    client.force_login(person, "review.accounts.People")
    since = WeeklySubscription.objects.get().since

    asked = {"wanted": "on", "language": "de", "source": "norvik"}
    client.post("/metrics/weekly/settings", asked)
    row = WeeklySubscription.objects.get()
    assert (row.language, row.source, row.since) == ("de", desk.source, since)
    wrong = client.post("/metrics/weekly/settings", {**asked, "language": "tlh"})
    assert wrong.status_code == 422
    client.post("/metrics/weekly/settings", {"language": "de"})

    assert not WeeklySubscription.objects.exists()


@pytest.mark.parametrize("query", ["week=2026-W14", "week=next", "source=x"])
def test_a_week_that_is_not_over_or_none_is_refused(client: Client, desk: Desk, query: str) -> None:
    client.force_login(reader(), "review.accounts.People")

    assert client.get(f"/metrics/weekly/?{query}").status_code == 400
    assert client.get(f"/metrics/weekly.pdf?{query}").status_code == 400


def test_the_command_writes_a_file_and_mails_nothing(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    reader()

    call_command("weekly_report", to=tmp_path / "report.pdf", week="2026-W13", verbosity=0)

    assert "75 %" in text_of((tmp_path / "report.pdf").read_bytes()).replace("\xa0", " ")
    assert mail.outbox == []
    for wrong in ({"week": "2026-W60"}, {"week": "2026-W14"}, {"source": "x"}):
        with pytest.raises(CommandError):
            call_command("weekly_report", to=tmp_path / "x.pdf", **wrong)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("weekly_report", to=tmp_path / "no" / "x.pdf")
