"""The one string that models see of a ticket."""

from __future__ import annotations

import re

from triage.learning import replies
from triage.learning.masking import masked

LONGEST_SUBJECT = 500
LONGEST_BODY = 10_000
LONGEST_DOCUMENT = LONGEST_SUBJECT + 1 + LONGEST_BODY

_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*\n?", re.MULTILINE)
# Fewer words left than these, and what was cut held the message.
_FEWEST_WORDS = 3
# The same for a script without blanks.
_FEWEST_LETTERS_BEYOND_LATIN = 6
_BEYOND_LATIN = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uf900-\ufaff]")


def document(subject: str, body: str) -> str:
    """Subject and newest message of a ticket, without signature, personal data masked.

    Looks at 500 characters of the subject and 10,000 of the body, and is never longer; what a
    ticket is about stands at its top. Quoted replies, signatures and disclaimers are cut in the
    languages of `replies`, unless fewer than three words would be left: then the body stays
    whole. Personal data is masked, see `masking`. Line breaks may move.
    """
    newest = _newest(body[:LONGEST_BODY].replace("\r\n", "\n").strip())
    text = f"{subject[:LONGEST_SUBJECT].strip()}\n{newest}".strip()
    return masked(text)[:LONGEST_DOCUMENT].rstrip()


def _newest(body: str) -> str:
    if not replies.may_be_in(body):
        return body
    first = replies.first(body)
    for kept in (
        _QUOTED_LINE.sub("", first.unsigned),
        first.unsigned,
        _QUOTED_LINE.sub("", first.whole),
    ):
        if _says_something(kept):
            return kept.strip()
    return body


def _says_something(text: str) -> bool:
    return (
        len(text.split()) >= _FEWEST_WORDS
        or len(_BEYOND_LATIN.findall(text)) >= _FEWEST_LETTERS_BEYOND_LATIN
    )
