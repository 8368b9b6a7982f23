"""What every page may ask for; nothing is read before a template does."""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from redis.exceptions import RedisError

from review.load import UNKNOWN, Load, load_of
from triage.effects.silence import Silence, silences

logger = logging.getLogger(__name__)

SILENCES, SILENCES_SECONDS = "silences", 20


def of_person(request: HttpRequest) -> dict[str, Any]:
    """`my_load`: the person's own; `silences`: helpdesks that do not answer."""
    return {
        "my_load": SimpleLazyObject(lambda: _load(request)),
        "silences": SimpleLazyObject(_silences),
    }


def _load(request: HttpRequest) -> Load:
    user = getattr(request, "user", None)
    may_decide = isinstance(user, User) and user.has_perm("review.add_decision")
    return load_of(user) if isinstance(user, User) and may_decide else UNKNOWN


def _silences() -> list[Silence]:
    """A few seconds old; none are told of while the cache is away."""
    try:
        found: list[Silence] | None = cache.get(SILENCES)
        if found is None:
            found = silences()
            cache.set(SILENCES, found, SILENCES_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("silent helpdesks are not told of: %s", type(error).__name__)
        return []
    return found
