from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.learning.text import LONGEST_BODY, LONGEST_DOCUMENT, document

# What mails are taken apart by.
LINES = st.sampled_from(
    ["", ">", "> quoted", "-- ", "Best regards", "On Mon Bo wrote:", "From: a", "Sent: b", "Von: c",
     "Am 1.1. schrieb Bo:", "Le 1 mars Bo a écrit :", "2026年3月2日 写道：",
     "-----Original Message-----", "This mail is confidential.", "CAUTION: mail", "Tak,",
     "The printer jams again"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (
            "Still broken, please help.\n\nOn Mon, 1 Jan 2024 at 10:00, Bo <bo@x.org> wrote:\n"
            "> have you tried\n> turning it off",
            "Still broken, please help.",
        ),
        (
            "Der Drucker geht nicht.\n\nAm 01.05.2024 um 10:00 schrieb Anna <a@b.de>:\n> Hallo",
            "Der Drucker geht nicht.",
        ),
        (
            "La impresora no funciona.\n\nDe: Ana\nEnviado: lunes\nPara: TI\nAsunto: hola\n\nvieja",
            "La impresora no funciona.",
        ),
        ("Printer 3 jams daily.\n\nBest regards\nJohn Doe\nACME Ltd", "Printer 3 jams daily."),
        ("It is this one:\n> access denied\nWhat now?", "It is this one:\nWhat now?"),
        ("From: Bo\nSent: Monday\nTo: IT\nSubject: x\n\nThe dock is dead", "The dock is dead"),
    ],
)
def test_quotes_and_signatures_are_cut(body: str, left: str) -> None:
    assert document("Subject", body) == f"Subject\n{left}"


@pytest.mark.parametrize(
    "body",
    [
        "> forwarded without a word\n> of my own",
        "Hello dear IT team,\nThanks, the printer on floor 3 is broken again",
        "Best regards\nJohn",
        "Steps:\n- dock the laptop\n- wait a minute\n- screen flickers",
    ],
)
def test_what_may_be_the_message_itself_is_never_cut(body: str) -> None:
    assert document("", body) == body


def test_personal_data_of_subject_and_body_is_masked() -> None:
    assert document("From j@x.example", "Call +49 30 1234567") == "From _mail_\nCall _phone_"


def test_an_empty_ticket_gives_an_empty_document() -> None:
    assert document("", "") == ""
    assert document(" Printer ", "  \n ") == "Printer"


@pytest.mark.parametrize(
    "bit",
    [
        "On a ", "Am x schrieb ", "Am schrieb " * 15 + "\n", "From:\n", "> ", "\n", "1 ", "1.",
        "a:", "a@", "@a.a", "http://a@", "AB12 ", "--\n", "_", "a-", "CAUTION: mail\n", "Thanks,\n",
        "Sent from my ", "El x  escribió: ", "* ", "\u200b", "user: a ", "a\\b", "/home/a", "１",
        "Den a skrev b:\n", "Dnia a napisał b:\n", "2024年1月1日写道：\n", "a\u0301\u0327",
        "this mail\n", "Od: a\n", "4 ", "41-", "1::", "ab12 1234 ",
    ],
)  # fmt: skip
def test_a_quarter_megabyte_of_spite_takes_less_than_a_fifth_of_a_second(bit: str) -> None:
    spite = (bit * 262_144)[:262_144]
    document("warm", "From: a\nwrote:\n")
    started = time.process_time()
    document(spite, f"{spite[:9_000]}\nwrote: skrev, napisał, confidential mail\n{spite}")
    assert time.process_time() - started < 0.2


def test_only_the_beginning_of_a_long_body_is_looked_at() -> None:
    assert document("", "word " * 100_000) == ("word " * 100_000)[:LONGEST_BODY].strip()


@given(st.text(max_size=600), st.lists(st.one_of(LINES, st.text(max_size=80)), max_size=30))
def test_no_text_is_refused_and_none_gets_longer_than_what_is_looked_at(
    subject: str, lines: list[str]
) -> None:
    text = document(subject, "\n".join(lines))

    assert len(text) <= LONGEST_DOCUMENT
    assert text == text.strip()


def test_masks_do_not_make_a_text_longer_than_allowed() -> None:
    assert len(document("", "a@b.cc " * 2_000)) <= LONGEST_DOCUMENT
