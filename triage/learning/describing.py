"""What the texts and labels of a training are like, in figures that hold no text. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from triage.learning.examples import Examples

_WORD = re.compile(r"[^\W\d_]+")
# Frequent words that mean nothing by themselves; not those that another language has too, above
# all English, whose words stand in tickets of any language.
_FUNCTION_WORDS = {
    "English": "the and is to my of for with this that not have can from please been it when you "
    "are on in at we was be as has if will your been there any",
    "German": "der das und ist nicht ich mit ein eine auf bitte wir kann sich zu beim einen dem "
    "sehr wie noch oder nach für bei",
    "French": "les est et je pour dans une avec vous nous depuis mais sont votre suis cette",
    "Spanish": "los las es puedo por una desde pero hola esta muy cuando tengo gracias nos",
    "Italian": "gli che sono della nel alla questo anche buongiorno quando dalla posso grazie",
    "Dutch": "het een niet ik voor mijn dat zijn naar geen heb wij graag bij deze wordt",
    "Portuguese": "não uma meu minha são você estou consigo obrigado também quando ao",
    "Polish": "nie się jest że mam proszę mogę przy oraz czy dzień dobry jak dla",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _FUNCTION_WORDS.items():
    for _word in set(_words.split()):
        _LANGUAGES_OF.setdefault(_word, []).append(_language)
UNKNOWN = "not told"


def language(text: str) -> str:
    """The language with the most function words in the text; UNKNOWN for none, or for a tie."""
    votes = Counter(
        name for word in _WORD.findall(text.lower()) for name in _LANGUAGES_OF.get(word, ())
    )
    (first, most), (_, second) = [*votes.most_common(2), ("", 0), ("", 0)][:2]
    return first if most > second else UNKNOWN


def described(found: Examples) -> dict[str, Any]:
    """Period, lengths, languages, repetitions, origins by choice, and what was left out and why.

    `duplicates` counts tickets whose text an earlier one has too, `contradicted` those of them
    whose label is another one.
    """
    texts = found.texts
    first: dict[str, str] = {}
    duplicates = contradicted = 0
    for row in found.rows:
        text = " ".join(row.text.lower().split())
        if text in first:
            duplicates += 1
            contradicted += first[text] != row.choice
        first.setdefault(text, row.choice)
    lengths = [len(text.split()) for text in texts]
    return {
        "tickets": len(texts),
        "first_opened": found.rows[0].opened_at.isoformat(),
        "last_opened": found.rows[-1].opened_at.isoformat(),
        "median_words": median(lengths),
        "longest_words": max(lengths),
        "duplicates": duplicates,
        "contradicted": contradicted,
        "languages": _shares(texts),
        "origins_by_choice": _origins_by_choice(found),
        "left_out": dict(found.left_out),
    }


def _shares(texts: Sequence[str]) -> dict[str, int]:
    """Tickets by language, the most frequent first."""
    return dict(Counter(language(text) for text in texts).most_common())


def _origins_by_choice(found: Examples) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}
    for row in found.rows:
        counted.setdefault(row.choice, Counter())[row.origin] += 1
    return {choice: dict(counted[choice]) for choice in sorted(counted)}
