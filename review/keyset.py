"""Places in a list that is read newest first, for pages that cost the same however far they go."""

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


def cursor_of(at: datetime, pk: int) -> str:
    """The place of a row, for the URL of the page that follows it."""
    return f"{at.isoformat()}_{pk}"


def place_at(text: str) -> tuple[datetime, int] | None:
    """What `cursor_of` has written; None for anything else, which means the beginning."""
    moment, _, pk = text.rpartition("_")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    if at is None or timezone.is_naive(at) or not 1900 <= at.year < 9999:
        return None
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    return at, int(pk)
