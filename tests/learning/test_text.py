from __future__ import annotations

import time

import pytest

from triage.learning.text import LONGEST_BODY, document


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


def test_an_empty_ticket_gives_an_empty_document() -> None:
    assert document("", "") == ""
    assert document(" Printer ", "  \n ") == "Printer"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("write to j.doe+it@mail.example.co.uk now", "write to _mail_ now"),
        ("call +49 (0)30 123456-78 please", "call _phone_ please"),
        ("call 555-123-4567 or (020) 7946 0018", "call _phone_ or _phone_"),
        ("to DE89 3704 0044 0532 0130 00, thanks", "to _iban_, thanks"),
        ("to DE89370400440532013000", "to _iban_"),
        ("card 4111 1111 1111 1111 was refused", "card _card_ was refused"),
        ("host 10.1.2.30 and fe80::1ff:fe23:4567:890a", "host _ip_ and _ip_"),
        ("employee 123456789", "employee _id_"),
        ("request 550e8400-e29b-41d4-a716-446655440000 failed", "request _id_ failed"),
        ("see https://bo:pw@h.example/a/b?token=1#x", "see https://h.example/a/b"),
    ],
)
def test_personal_data_is_masked(written: str, masked: str) -> None:
    assert document("S", written) == f"S\n{masked}"


@pytest.mark.parametrize(
    "written",
    [
        "error 0x80070005 after KB5034441",
        "version 10.0.19045.3803 since 2024-05-01 10:30",
        "ticket INC0012345, room 3.114, port 8080",
        "std::vector at 10:30:15",
        "Windows 11 23H2, 16 GB, 1920x1080",
    ],
)
def test_what_tells_faults_apart_is_not_masked(written: str) -> None:
    assert document("S", written) == f"S\n{written}"


@pytest.mark.parametrize(
    "bit",
    [
        "On a ", "Am x schrieb ", "Am schrieb " * 15 + "\n", "From:\n", "> ", "\n", "1 ", "1.",
        "a:", "a@", "@a.a", "http://a@", "AB12 ", "--\n", "_", "a-", "CAUTION: mail\n", "Thanks,\n",
        "Sent from my ", "El x  escribió: ", "* ", "\u200b",
    ],
)  # fmt: skip
def test_a_quarter_megabyte_of_spite_takes_less_than_a_fifth_of_a_second(bit: str) -> None:
    spite = (bit * 262_144)[:262_144]
    document("warm", "From: a\nwrote:\n")
    started = time.process_time()
    document(spite, spite + "\nwrote:")
    assert time.process_time() - started < 0.2


def test_only_the_beginning_of_a_long_body_is_looked_at() -> None:
    assert document("", "word " * 100_000) == ("word " * 100_000)[:LONGEST_BODY].strip()
