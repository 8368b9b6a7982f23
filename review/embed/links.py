"""Links to the panel and what they prove: for whom, which ticket, until when, on whose word.

There is no session in a frame and no cookie, so nothing but these signatures says who decides.
"""

import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Q

from triage.models import Source, SourceSecret
from triage.secrets import SecretUnreadable

logger = logging.getLogger(__name__)

MINT = "review.embed_decision"
# How far ahead a link may end.
LINK_SECONDS = 600
# A page that nobody uses for so long has to be opened anew, and any page after a working day.
IDLE_SECONDS = 1800
LONGEST_SECONDS = 12 * 3600
LINK_SALT = "countersign.embed.link"
PAGE_SALT = "countersign.embed.page"
SILENCE_SECONDS = 60.0
LONGEST_TICKET = 64
LONGEST_LOGIN = 254
_complained: dict[int, float] = {}


class LinkRefused(Exception):
    """`code` says why: invalid, expired, unknown_person. `source` is known where it is proved."""

    def __init__(self, code: str, source: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.source = source


@dataclass(frozen=True)
class Grant:
    """That a person may act on one ticket. `vouched` is secret:<pk> or user:<pk>, whose word it is.

    `since` is in seconds since 1970: when the frame was opened.
    """

    source: str
    ticket: str
    person: int
    vouched: str
    since: int


def message(slug: str, ticket: str, user: str, expires: str) -> bytes:
    """What a helpdesk signs. No part may hold a line break, or two links could read the same."""
    return "\n".join(["embed", slug, ticket, user, expires]).encode()


def signature(secret: str, slug: str, ticket: str, user: str, expires: str) -> str:
    """Hexadecimal HMAC-SHA256; the key is the text of the secret as the helpdesk was given it."""
    return hmac.new(secret.encode(), message(slug, ticket, user, expires), sha256).hexdigest()


def signed_by_helpdesk(source: Source, ticket: str, query: Mapping[str, str]) -> Grant:
    """What a link says that one of the source's live inbound secrets has signed."""
    user, expires = query.get("user", ""), query.get("expires", "")
    given = query.get("signature", "")
    if not (is_plain(ticket, LONGEST_TICKET) and is_plain(user, LONGEST_LOGIN)):
        raise _unsigned(source)
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise _unsigned(source)
    said = message(source.slug, ticket, user, expires)
    live = source.secrets.filter(purpose=SourceSecret.Purpose.INBOUND, retired_at__isnull=True)
    # All are tried, so that the time it takes does not tell which one it was.
    fits = [secret.pk for secret in live if _fits(secret, said, given)]
    if not fits:
        raise _unsigned(source)
    ahead = int(expires) - int(time.time())
    if ahead <= 0:
        raise LinkRefused("expired", source.slug)
    if ahead > LINK_SECONDS:
        raise LinkRefused("invalid", source.slug)
    person = named(user)
    if person is None:
        raise LinkRefused("unknown_person", source.slug)
    return Grant(source.slug, ticket, person.pk, f"secret:{fits[0]}", int(time.time()))


def is_plain(text: str, longest: int) -> bool:
    """Whether a name can be told apart from all others, stored and signed."""
    return 0 < len(text) <= longest and text.isprintable()


def _fits(secret: SourceSecret, said: bytes, given: str) -> bool:
    try:
        key = secret.value().encode()
    except SecretUnreadable:
        # The door for deliveries complains of it.
        return False
    right = hmac.new(key, said, sha256).hexdigest()
    return hmac.compare_digest(right.encode(), given.encode(errors="replace"))


def _unsigned(source: Source) -> LinkRefused:
    """Told to the log once a minute for a source, whoever knocks how often."""
    now = time.monotonic()
    if now >= _complained.get(source.pk, 0.0):
        _complained[source.pk] = now + SILENCE_SECONDS
        logger.warning("a link to the panel of source %s is not signed by it", source.slug)
    return LinkRefused("invalid", source.slug)


def named(user: str) -> User | None:
    """The active person with this login, or else the only one with this mail address."""
    found = list(
        User.objects.filter(Q(username=user) | Q(email__iexact=user), is_active=True)[:3]
        if user
        else []
    )
    by_login = [person for person in found if person.username == user]
    if by_login:
        return by_login[0]
    return found[0] if len(found) == 1 else None


# --- Signed here ----------------------------------------------------------------------------
def minted(grant: Grant) -> str:
    """For the address of a link that the API hands out."""
    return signing.dumps(asdict(grant), salt=LINK_SALT)


def sealed(grant: Grant) -> str:
    """For the forms of a page: renewed with each answer, so that a page in use goes on."""
    return signing.dumps(asdict(grant), salt=PAGE_SALT)


def read_minted(token: str) -> Grant:
    return _read(token, LINK_SALT, LINK_SECONDS)


def read_sealed(token: str) -> Grant:
    grant = _read(token, PAGE_SALT, IDLE_SECONDS)
    if time.time() - grant.since > LONGEST_SECONDS:
        raise LinkRefused("expired", grant.source)
    return grant


def _read(token: str, salt: str, most_seconds: int) -> Grant:
    try:
        said: dict[str, Any] = signing.loads(token, salt=salt)
        grant = Grant(**said)
    except (signing.BadSignature, TypeError, ValueError):
        raise LinkRefused("invalid") from None
    try:
        signing.loads(token, salt=salt, max_age=most_seconds)
    except signing.SignatureExpired:
        raise LinkRefused("expired", grant.source) from None
    return grant


def is_vouched(grant: Grant, source: Source) -> bool:
    """Whether what the link rested on still holds: a secret not retired, a person allowed to."""
    kind, _, pk = grant.vouched.partition(":")
    if kind == "secret":
        live = source.secrets.filter(purpose=SourceSecret.Purpose.INBOUND, retired_at__isnull=True)
        return live.filter(pk=int(pk)).exists()
    person = User.objects.filter(pk=int(pk), is_active=True).first()
    return person is not None and person.has_perm(MINT)
