from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.learning.masking import masked

CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011000990139424")
IBANS = (
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "ES9121000418450200051332",
    "NO9386011117947",
)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("write to j.doe+it@mail.example.co.uk now", "write to _mail_ now"),
        ("schreib an jörg.müller@büro.example", "schreib an _mail_"),
        ("ｊｄｏｅ＠ｋａｉｓｈａ．ｅｘａｍｐｌｅ", "_mail_"),
        ("call +49 (0)30 123456-78 please", "call _phone_ please"),
        ("call 555-123-4567 or (020) 7946 0018", "call _phone_ or _phone_"),
        ("اتصل على ٠١٢-٣٤٥٦٧٨٩", "اتصل على _phone_"),
        ("電話は０３－１２３４－５６７８です", "電話は_phone_です"),
        ("to DE89 3704 0044 0532 0130 00, thanks", "to _iban_, thanks"),
        ("to DE89370400440532013000", "to _iban_"),
        ("to de89 3704 0044 0532 0130 00", "to _iban_"),
        # Mistyped, but written as one.
        ("to DE88 3704 0044 0532 0130 00", "to _iban_"),
        ("card 4111 1111 1111 1111 was refused", "card _card_ was refused"),
        ("card 4111-1111-1111-1111a", "card _card_a"),
        ("orders 12 345 4111 1111 1111 1111 67", "orders 12 345 _card_ 67"),
        ("بطاقة ٤١١١ ١١١١ ١١١١ ١١١١", "بطاقة _card_"),
        ("host 10.1.2.30 and fe80::1ff:fe23:4567:890a", "host _ip_ and _ip_"),
        ("employee 123456789", "employee _id_"),
        ("u123456 cannot sign in", "_id_ cannot sign in"),
        ("user: jdoe42 is locked", "user: _id_ is locked"),
        ("User ID = j.doe", "User ID = _id_"),
        ("Benutzer: kvogt, Raum 3", "Benutzer: _id_, Raum 3"),
        ("utilisateur : lmartin\nposte 12", "utilisateur : _id_\nposte 12"),
        ("用户：wangfang", "用户:_id_"),
        ("ACME\\jdoe cannot log in", "ACME\\_id_ cannot log in"),
        ("corp\\jdoe42", "corp\\_id_"),
        ("see C:\\Users\\jdoe\\Desktop", "see C:\\Users\\_id_\\Desktop"),
        ("in /home/jdoe/.ssh", "in /home/_id_/.ssh"),
        ("password: hunter2!", "password: _secret_"),
        ("Passwort = Sommer2026", "Passwort = _secret_"),
        ('{"api_key": "k-12345"}', '{"api_key": "_secret_"}'),
        ("request 550e8400-e29b-41d4-a716-446655440000 failed", "request _id_ failed"),
        ("token " + "a1B2" * 40, "token _id_"),
        ("see https://bo:pw@h.example/a/b?token=1#x", "see https://h.example/a/b"),
        ("https://a:b@c@h.example/", "https://h.example/"),
        ("http://h.example/reset/Ab3dE5fG7h/now", "http://h.example/reset/_id_/now"),
        ("https://h.example/#access_token=abc.def", "https://h.example/"),
        ("go to www.h.example/reset?token=abc&x=1 now", "go to www.h.example/reset now"),
    ],
)  # fmt: skip
def test_personal_data_is_masked(written: str, left: str) -> None:
    assert masked(written) == left


@pytest.mark.parametrize(
    "written",
    [
        "error 0x80070005 after KB5034441",
        "version 10.0.19045.3803 since 2024-05-01 10:30",
        "ticket INC0012345, room 3.114, port 8080",
        "std::vector at 10:30:15",
        "Windows 11 23H2, 16 GB, 1920x1080",
        "Windows-Server-2019 and Office-Standard-2021-de",
        "User: cannot print since Monday",
        "account: locked after three tries",
        "password: expired",
        "shipping: late42",
        "C:\\Program Files\\Adobe\\Reader",
        "HKLM\\Software is missing",
        "see https://intranet.example/how-to/printers/2nd-floor",
        "Größe ändern, été, 三楼的打印机，请看",
    ],
)
def test_what_tells_faults_apart_is_not_masked(written: str) -> None:
    assert masked(written) == written


def test_an_accent_that_stands_apart_joins_its_letter() -> None:
    assert masked("Gera\u0308t") == "Gerät"


# Pieces of what is masked, and what stands between: together they make every kind of doubt.
PIECES = st.sampled_from(
    [
        *CARDS, *IBANS, "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "a@b.example",
        "http://u:p@h.example/Ab3dE5fG7h?t=1", "://", "@", "@@", "user:", "password=", "x1!", "=",
        "AB\\", "jdoe", "10.1.2.3", "1::2", ":", "+49 30", "1234567", "u12345", "-", "_", " ", "\n",
        "?", "#", "/", "/home/", "_id_", "_mail_", "٤١١١", "４１", "ä", "打", "a", "0", ".",
    ]
)  # fmt: skip
MIXTURES = st.lists(PIECES, max_size=12).map("".join)


@given(st.one_of(st.text(max_size=200), MIXTURES))
def test_what_is_masked_stays_the_same_when_masked_again(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@given(
    st.sampled_from(CARDS),
    st.sampled_from(["", " ", "-"]),
    st.text("ab \n,.:;()!?", max_size=20),
    st.text("ab \n,.:;()!?", max_size=20),
)
def test_no_card_number_survives(card: str, between: str, before: str, after: str) -> None:
    written = between.join(re.findall(".{1,4}", card))
    left = masked(f"{before} {written} {after}")
    assert not re.search(r"\d{4}", left)


@given(
    st.sampled_from(IBANS),
    st.sampled_from(["", " "]),
    st.booleans(),
    st.text("ab \n,.:;()!?", max_size=20),
)
def test_no_account_number_survives(iban: str, between: str, is_small: bool, around: str) -> None:
    written = between.join(re.findall(".{1,4}", iban))
    left = masked(f"{around} {written.lower() if is_small else written}, {around}")
    assert not re.search(r"\d{4}", left)
