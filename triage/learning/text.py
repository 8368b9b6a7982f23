"""The one string that models see of a ticket."""

from __future__ import annotations

import re

from mailparser_reply.parser import EmailMessage

LONGEST_SUBJECT = 500
LONGEST_BODY = 10_000

MAIL, PHONE, IBAN = "_mail_", "_phone_", "_iban_"
CARD, IP, IDENTIFIER = "_card_", "_ip_", "_id_"

# Without one of these there is no quote and no signature to cut, and the slow parser is spared.
_REPLY_LINE = re.compile(
    r"^[ \t*]{0,8}(?:>|-{2}|_{2}|from:|von:|de:|sent from|get outlook|gesendet von|enviado desde"
    r"|best\b|kind regards|all the best|regards|thanks,|thank you,|mit freundlichen|saludos"
    r"|atentamente|gracias|muchas gracias|un saludo|cordialmente"
    r"|(?:beste|liebe|viele)n? gr|gr(?:ü|ue)(?:ß|ss)|gru(?:ß|ss))",
    re.IGNORECASE | re.MULTILINE,
)
_REPLY_WORDS = ("wrote", "schrieb", "escribió", "original message", "disclaimer", "confidential")
_LANGUAGES = ["en", "de", "es"]
# The parser's patterns take quadratic time in the length of a line.
_LONGEST_LINE = 200
_LONG_LINE = re.compile(rf"([^\n]{{{_LONGEST_LINE - 40},{_LONGEST_LINE}}}?)[ \t](?=[^\n])")
_HARD_LINE = re.compile(rf"([^\n]{{{_LONGEST_LINE * 2}}})(?=[^\n])")
_BLANK_LINES = re.compile(r"\n\s*\n")
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*\n?", re.MULTILINE)
# Fewer words left than these, and what was cut held the message.
_FEWEST_WORDS = 3
# "Thanks, the printer on floor 3 is broken" opens a message and closes none.
_LONGEST_CLOSING_WORDS = 6

_URL = re.compile(
    r"\b([a-z][a-z0-9+.-]{1,15}://)(?:[^\s/?#@]{1,200}@)?([^\s?#]{1,1000})(?:[?#]\S*)?", re.I
)
_MAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)"
)
_IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9a-f]{1,4}:){5,7}[0-9a-f]{1,4}"
    r"|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:])",
    re.IGNORECASE,
)
_DIGIT_RUN = re.compile(r"(?<![\w+-])(?:\+|\(|\+\()?\d(?:[ ().\-/]{0,2}\d){6,22}(?!-?\w)")
_LONG_IDENTIFIER = re.compile(
    r"\b(?=[\w-]{0,63}\d)[0-9A-Za-z](?:[0-9A-Za-z]|[-_](?=[0-9A-Za-z])){15,63}\b"
)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?: \d{1,2})?")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}")
_SHORTEST_DIGIT_IDENTIFIER = 9


def document(subject: str, body: str) -> str:
    """Subject and newest message of a ticket, without signature, personal data masked.

    Looks at 500 characters of the subject and 10,000 of the body; what a ticket is about
    stands at its top. Quoted replies and signatures are cut (English, German, Spanish),
    unless fewer than three words would be left: then the body stays whole. Mail addresses,
    phone numbers, IBANs, card numbers, IP addresses and long identifiers become `_mail_`,
    `_phone_` and so on; addresses on the web lose credentials, query and fragment.
    Line breaks may move. Masking is a precaution for models, not an anonymisation: names stay.
    """
    newest = _newest(body[:LONGEST_BODY].replace("\r\n", "\n").strip())
    return _mask(f"{subject[:LONGEST_SUBJECT].strip()}\n{newest}".strip())


def _newest(body: str) -> str:
    lowered = body.lower()
    # Ten times as fast as one pattern of all: the words may stand anywhere, the rest cannot.
    if not (any(word in lowered for word in _REPLY_WORDS) or _REPLY_LINE.search(body)):
        return body
    narrow = _HARD_LINE.sub(r"\1\n", _LONG_LINE.sub(r"\1\n", _BLANK_LINES.sub("\n\n", body)))
    # Hyphen lists stay: in tickets they are steps and symptoms far more often than a name.
    replies = EmailMessage(text=narrow, languages=list(_LANGUAGES), keep_hyphen_lists=True).read()
    first = replies.replies[0]
    closing = (first.signatures or "").partition("\n")[0]
    unsigned = first.body if len(closing.split()) <= _LONGEST_CLOSING_WORDS else first.full_body
    for kept in (_QUOTED_LINE.sub("", unsigned), unsigned, _QUOTED_LINE.sub("", first.full_body)):
        if len(kept.split()) >= _FEWEST_WORDS:
            return kept.strip()
    return body


def _mask(text: str) -> str:
    if "://" in text:
        text = _URL.sub(r"\1\2", text)
    if "@" in text:
        text = _MAIL.sub(MAIL, text)
    if ":" in text:
        text = _IPV6.sub(IP, text)
    if not any(digit in text for digit in "0123456789"):
        return text
    text = _IBAN.sub(IBAN, text)
    text = _IPV4.sub(IP, text)
    text = _DIGIT_RUN.sub(_masked_digits, text)
    return _LONG_IDENTIFIER.sub(IDENTIFIER, text)


def _masked_digits(run: re.Match[str]) -> str:
    written = run.group()
    digits = [int(character) for character in written if character.isdecimal()]
    if 13 <= len(digits) <= 19 and _passes_luhn(digits):
        return CARD
    if written.isdecimal() and len(digits) >= _SHORTEST_DIGIT_IDENTIFIER and digits[0] != 0:
        return IDENTIFIER
    if _DATE.fullmatch(written):
        return written
    if written[0] in "+(0" or _NORTH_AMERICAN.fullmatch(written):
        return PHONE
    return written


def _passes_luhn(digits: list[int]) -> bool:
    doubled = [2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
