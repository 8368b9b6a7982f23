"""What a list is narrowed to, kept in the URL so that it can be shared and gone back to."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self
from urllib.parse import urlencode

LONGEST_FILTER = 200


@dataclass(frozen=True)
class UrlFilter:
    """Base of filters whose fields are all text; empty text narrows nothing."""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From a query string. PostgreSQL refuses NUL in text, so it goes."""
        return cls(
            **{
                field.name: query.get(field.name, "").replace("\0", "").strip()[:LONGEST_FILTER]
                for field in fields(cls)
            }
        )

    @property
    def is_empty(self) -> bool:
        return not any(vars(self).values())

    def url_query(self, **more: str) -> str:
        """As a query string; a lone `?`, which leads to the unnarrowed page, when it is empty."""
        pairs = [(key, value) for key, value in {**vars(self), **more}.items() if value]
        return f"?{urlencode(pairs)}"
