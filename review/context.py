"""What every page may ask for; nothing is read before a template does."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from review.drills.programme import Running, to_read
from review.load import UNKNOWN, Load, load_of
from review.recalled import recalled
from triage.effects.silence import silences

SILENCES_SECONDS = 20.0


def of_person(request: HttpRequest) -> dict[str, Any]:
    """`my_load`: the person's own; `silences`: helpdesks that do not answer; `drills_to_read`:
    programmes that this person has not acknowledged.
    """
    return {
        "my_load": SimpleLazyObject(lambda: _load(request)),
        "drills_to_read": SimpleLazyObject(lambda: _drills_to_read(request)),
        "silences": SimpleLazyObject(lambda: recalled("silences", SILENCES_SECONDS, silences)),
    }


def _drills_to_read(request: HttpRequest) -> list[Running]:
    user = getattr(request, "user", None)
    may_decide = isinstance(user, User) and user.has_perm("review.add_decision")
    return to_read(user) if isinstance(user, User) and may_decide else []


def _load(request: HttpRequest) -> Load:
    user = getattr(request, "user", None)
    may_decide = isinstance(user, User) and user.has_perm("review.add_decision")
    return load_of(user) if isinstance(user, User) and may_decide else UNKNOWN
