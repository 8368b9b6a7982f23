"""Texts as their words, which rules and playbooks look for."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Han, kana and Thai are written without spaces, so each of their characters is a word.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
# Marks that follow one letter are sorted when it is folded, which takes quadratic time. Only a text
# made for that has so many. The two halfwidth marks of kana count as letters until then.
_PILE_OF_MARKS = re.compile("(?:[^\\w\\s]|[\uff9e\uff9f]){30}")


@dataclass(frozen=True)
class Words:
    """A text as its words, so that asking for a phrase needs no pattern.

    A word is a run of letters and digits; everything else only parts words. Case and Latin,
    Greek and Cyrillic accents are folded on both sides: a rule that holds one ticket too many
    costs a look, one that misses a ticket for an accent costs the requester.
    """

    line: str
    each: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Words":
        """Takes time linear in the text, whatever it holds."""
        if text.isascii():
            folded = text.casefold()
        else:
            apart = _PILE_OF_MARKS.sub(r"\g<0> ", _ACCENTS.sub("", text))
            plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", apart))
            folded = unicodedata.normalize("NFKC", plain.casefold())
        words = _WORD.findall(folded)
        return cls(f" {' '.join(words)} ", frozenset(words))

    def have(self, phrase: str) -> bool:
        """Whether the phrase's words stand here one after the other; no words, never."""
        wanted = _phrase(phrase)
        return bool(wanted.each) and wanted.each <= self.each and wanted.line in self.line


@lru_cache(maxsize=16_384)
def _phrase(phrase: str) -> Words:
    return Words.of(phrase)
