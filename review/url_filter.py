"""What a list is narrowed to, kept in the URL so that it can be shared and gone back to."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any, Self
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_date

LONGEST_FILTER = 200
MOST_VALUES = 20


@dataclass(frozen=True)
class UrlFilter:
    """Base of filters whose fields are text, or tuples of texts that stand in the URL repeatedly.

    Empty narrows nothing.
    """

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From a query string. PostgreSQL refuses NUL in text, so it goes."""
        found: dict[str, Any] = {}
        for field in fields(cls):
            if isinstance(query, MultiValueDict):
                given = query.getlist(field.name)
            else:
                given = [query.get(field.name, "")]
            texts = [text for raw in given if (text := _plain(raw))]
            if isinstance(field.default, tuple):
                found[field.name] = tuple(dict.fromkeys(texts))[:MOST_VALUES]
            else:
                found[field.name] = texts[-1] if texts else ""
        return cls(**found)

    @property
    def is_empty(self) -> bool:
        return not any(vars(self).values())

    def url_query(self, **more: str) -> str:
        """As a query string; a lone `?`, which leads to the unnarrowed page, when it is empty."""
        pairs = [(key, value) for key, value in {**vars(self), **more}.items() if value]
        return f"?{urlencode(pairs, doseq=True)}"


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:LONGEST_FILTER]


def day(text: str) -> date | None:
    """The date that a text in the form 2026-03-31 names; None for anything else."""
    try:
        found = parse_date(text)
    except ValueError:
        return None
    # Beyond these years a moment leaves what dates can hold as soon as a time zone moves it.
    return found if found is not None and 1900 <= found.year < 9999 else None


def midnight(of: date) -> datetime:
    return timezone.make_aware(datetime.combine(of, time.min))
