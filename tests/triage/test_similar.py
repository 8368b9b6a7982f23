"""Solved tickets that read alike, found in the real index."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import OPENED
from triage import similar, steps
from triage.learning.similarity import words
from triage.learning.text import document
from triage.models import Proposal, Source, Ticket

# No ticket speaks of it twice, so that each is found by it alone.
TEXTS = [
    "The printer Kyocera XK-500 on floor 3 prints grey stripes!",
    "El ratón inalámbrico no responde; ¿puede alguien mirarlo?",
    "Der Bildschirm flackert (seit gestern), „Gerät“ größer als 27″",
    "L’écran s’éteint dès que j’ouvre l’agenda…",
    "Принтер не печатает цветные страницы",
    "打印机卡纸了，请派人来看看。VPN也连不上",
    "プリンターが動きません。再起動しても直りません",
    "노트북 화면이 켜지지 않아요",
    "الطابعة في الطابق الثالث لا تعمل",
    "המדפסת בקומה השלישית אינה עובדת",
    "मेरा पासवर्ड काम नहीं कर रहा है",
    "เครื่องพิมพ์กระดาษติด ชั้นสาม",
    "VPN/WLAN→offline: error=0x80070005, foo_bar x@y.example 10.0.0.1 😀ok",
]


def solve(*tickets: Ticket, days_ago: int = 1) -> None:
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(
        closed_at=OPENED - timedelta(days=days_ago)
    )


def found(ticket: Ticket) -> list[int]:
    text = document(ticket.subject, ticket.body)
    return [row["ticket"] for row in next(similar.solved([(ticket, text)]))]


@pytest.mark.parametrize("text", TEXTS)
def test_the_database_finds_the_words_that_are_sought_in_any_script(db: None, text: str) -> None:
    assert {f"7x{word}" for word in words(text)} <= indexed(text)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(
        st.sampled_from("aZ09 \n\t-_'’.,:/()\u00a0\u200b\u3000。、打印机プリ・ー한글مرحبअिงу́é€→😀"),
        max_size=40,
    )
)
def test_the_database_finds_the_words_of_any_mixture(db: None, text: str) -> None:
    assert {f"7x{word}" for word in words(text)} <= indexed(text)


def indexed(text: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(triage_words(7, '', %s))", [text])
        return set(cursor.fetchone()[0])


@pytest.mark.parametrize("text", TEXTS)
def test_a_solved_twin_is_found_in_any_language(
    source: Source, make_ticket: Callable[..., Ticket], text: str
) -> None:
    solved = [make_ticket(source, subject="", body=other) for other in TEXTS]
    solve(*solved)

    ticket = make_ticket(source, subject="", body=text)

    twin = solved[TEXTS.index(text)]
    (row, *_) = next(similar.solved([(ticket, document("", text))]))
    assert (row["ticket"], row["similarity"]) == (twin.pk, 1.0)


def test_a_twin_that_is_older_than_many_looser_ones_is_found(
    source: Source, make_ticket: Callable[..., Ticket]
) -> None:
    asked = "Reconciliation batch stalls at ledger posting"
    twin = make_ticket(source, subject=asked, body="")
    solve(twin, days_ago=900)
    solve(
        *(
            make_ticket(source, subject=f"Reconciliation posting question {n}", body="please help")
            for n in range(150)
        )
    )

    assert found(make_ticket(source, subject=asked, body=""))[0] == twin.pk


def test_only_solved_tickets_of_the_same_source_that_are_not_erased_are_found(
    source: Source, make_source: Callable[..., Source], make_ticket: Callable[..., Ticket]
) -> None:
    own, erased, elsewhere, still_open = (
        make_ticket(source),
        make_ticket(source),
        make_ticket(make_source()),
        make_ticket(source),
    )
    solve(own, erased, elsewhere)
    blank = dict.fromkeys(["subject", "body", "requester"], "")
    Ticket.objects.filter(pk=erased.pk).update(**blank, erased_at=OPENED)

    assert found(still_open) == [own.pk]
    assert found(own) == []


@pytest.mark.parametrize("text", ["", "_mail_ _ip_", "!", "a", "-- \n> "])
def test_a_text_without_words_has_nothing_alike(
    source: Source, make_ticket: Callable[..., Ticket], text: str
) -> None:
    solve(make_ticket(source))

    assert found(make_ticket(source, subject="", body=text)) == []


def test_frequent_words_alone_are_looked_for_among_the_newest(
    source: Source, make_ticket: Callable[..., Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.learning.similarity.ROWS", 5)
    solve(*(make_ticket(source, subject="Please help", body="") for _ in range(8)), days_ago=9)
    newest = make_ticket(source, subject="please help!", body="")
    solve(newest)

    assert newest.pk in found(make_ticket(source, subject="Please help", body=""))


def test_a_very_long_text_and_many_at_once_cost_as_many_statements_as_one(
    source: Source, make_ticket: Callable[..., Ticket]
) -> None:
    solve(*(make_ticket(source, subject=f"Printer {n} jams") for n in range(40)))
    ticket = make_ticket(source, subject="Printer 7 jams")
    endless = " ".join(f"word{n}" for n in range(5_000))
    next(similar.solved([(ticket, "warm")]))
    with CaptureQueriesContext(connection) as one:
        list(similar.solved([(ticket, "Printer 7 jams")]))
    with CaptureQueriesContext(connection) as many:
        answers = list(similar.solved([(ticket, "Printer 7 jams"), (ticket, endless)] * 12))

    assert len(many) == len(one) <= 6
    assert [bool(answer) for answer in answers] == [True, False] * 12


def test_the_index_of_words_is_asked_and_nothing_else(
    source: Source, make_source: Callable[..., Source], make_ticket: Callable[..., Ticket]
) -> None:
    other = make_source()
    solve(*(make_ticket(source, subject=f"Printer {n} jams") for n in range(40)))
    solve(*(make_ticket(other, subject=f"Printer {n} jams") for n in range(40)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE triage_ticket")
        cursor.execute(
            f"EXPLAIN {similar.FIND}", [[0], [0], [source.pk], [f"{source.pk}xjams"], [1.0], 9, 9]
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Bitmap Index Scan on ticket_words" in plan
    assert plan.count(" Scan on ") == len(["asked", "scored", "ticket", "ticket_words"])


def test_a_search_that_takes_too_long_finds_nothing_and_the_proposal_is_explained(
    source: Source,
    make_ticket: Callable[..., Ticket],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    solve(make_ticket(source))
    versions = [make_ticket(source).versions.get().pk for _ in range(2)]
    steps.propose(versions)
    slow = similar.FIND.replace("FROM unnest(", "FROM pg_sleep(0.3), unnest(")
    monkeypatch.setattr(similar, "LONGEST_MS", 20)
    monkeypatch.setattr(similar, "FIND", slow)

    steps.explain(list(Proposal.objects.values_list("pk", flat=True)))

    assert [proposal.similar for proposal in Proposal.objects.all()] == [[], []]
    assert "in 20 ms" in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


def test_what_is_proposed_is_explained_with_the_twin(
    source: Source, make_ticket: Callable[..., Ticket], work: Callable[..., Any]
) -> None:
    twin = make_ticket(source)
    solve(twin)
    steps.propose([make_ticket(source).versions.get().pk])
    work()

    assert Proposal.objects.get().similar == [{"ticket": twin.pk, "similarity": 1.0}]
