"""Who may deliver: sources and their live secrets, remembered for a moment by each web process.

What is remembered may be out of date, and nothing rests on it being fresh: a delivery is stored
only if its source is active and the secret that signed it lives in the same statement, and a
signature that fits no remembered secret is tried with what the database says now.
"""

import time
from dataclasses import dataclass

from triage.models import Source, SourceSecret

REMEMBERED_SECONDS = 5.0


@dataclass(frozen=True)
class Caller:
    """A source and its live inbound secrets, by primary key."""

    source: Source
    secrets: dict[int, str]
    until: float


_remembered: dict[str, Caller] = {}


def caller(slug: str, *, fresh: bool = False) -> Caller | None:
    """The active source of this name; None where there is none.

    Raises SecretUnreadable where a live secret cannot be opened.
    """
    known = _remembered.get(slug)
    if known is not None and not fresh and time.monotonic() < known.until:
        return known
    source = Source.objects.filter(slug=slug, is_active=True).first()
    if source is None:
        _remembered.pop(slug, None)
        return None
    live = source.secrets.filter(purpose=SourceSecret.Purpose.INBOUND, retired_at__isnull=True)
    found = Caller(
        source,
        {secret.pk: secret.value() for secret in live},
        time.monotonic() + REMEMBERED_SECONDS,
    )
    _remembered[slug] = found
    return found
