"""How much one person has reviewed of late, beside what the team agreed on. Seen by them alone."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import BigIntegerField, Value
from django.utils import timezone
from redis.exceptions import RedisError

from review.models import BlindAnswer, Decision, DrillAnswer, TeamAgreement

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
# Reviewing without a pause of so long is one stretch; longer stretches than the last are not seen.
PAUSE = timedelta(minutes=5)
LOOKED_BACK = timedelta(hours=4)
MOST_READ = 2000
# How long somebody goes on who wants to, and how long the hint to take a break stays away.
GOING_ON = timedelta(minutes=10)
LATER = timedelta(minutes=15)
# Deciding adds to what is remembered, so this bounds only what two windows at once may miss.
REMEMBERED_SECONDS = 300
AGREED = "load:agreed"


@dataclass(frozen=True)
class Load:
    """Reviews of the last hour; a batch is one. Without `is_known` nothing is said and capped.

    `is_last`: the next review fills the hour, and none follows it by itself. `opens_at` is when
    there is room for the next review, where the cap is reached. `break_minutes` of reviewing
    without a pause bring the hint to take one.
    """

    reviews: int = 0
    cap: int = 0
    is_reached: bool = False
    is_last: bool = False
    opens_at: datetime | None = None
    break_minutes: int = 0
    break_due: bool = False
    is_known: bool = True


UNKNOWN = Load(is_known=False)


def load_of(person: User) -> Load:
    """From what is remembered; else from the database, in two queries. UNKNOWN without a cache."""
    try:
        kept = cache.get_many(_names(person.pk))
        moments, agreed = _moments(person, kept), _agreed(kept)
    except (RedisError, OSError):
        return UNKNOWN
    now = timezone.now()
    return measure(
        moments,
        agreed,
        now,
        goes_on=_goes_on_key(person.pk) in kept,
        hint_waits=_later_key(person.pk) in kept,
    )


def measure(
    moments: Sequence[datetime],
    agreed: tuple[int, int],
    now: datetime,
    *,
    goes_on: bool = False,
    hint_waits: bool = False,
) -> Load:
    """`moments` of reviews, oldest first; `agreed` are reviews an hour and minutes to a break."""
    cap, break_minutes = agreed
    recent = [moment for moment in moments if moment > now - HOUR]
    is_full = len(recent) >= cap
    return Load(
        reviews=len(recent),
        cap=cap,
        is_reached=is_full and not goes_on,
        is_last=len(recent) + 1 >= cap and not goes_on,
        opens_at=recent[len(recent) - cap] + HOUR if is_full else None,
        break_minutes=break_minutes,
        break_due=not hint_waits and _stretch(moments, now) >= timedelta(minutes=break_minutes),
    )


def _stretch(moments: Sequence[datetime], now: datetime) -> timedelta:
    """How long has been reviewed without a pause, up to now."""
    if not moments or now - moments[-1] >= PAUSE:
        return timedelta()
    start = moments[-1]
    for moment in reversed(moments[:-1]):
        if start - moment >= PAUSE:
            break
        start = moment
    return now - start


def seconds_since_last(person: User, now: datetime) -> float | None:
    """From the person's review before; None after a pause, when nobody knows what was done."""
    before = (
        Decision.objects.filter(reviewer=person, decided_at__gt=now - PAUSE)
        .order_by("-decided_at")
        .values_list("decided_at", flat=True)
        .first()
    )
    return None if before is None else max(0.0, (now - before).total_seconds())


def note_review(decision: Decision) -> None:
    """Count a decision once it is committed. A batch is one review, counted when it begins."""
    if decision.batch_id is None:
        transaction.on_commit(partial(add_review, decision.reviewer_id))


def add_review(person_pk: int) -> None:
    """Tell what is remembered of a review that was just committed."""
    try:
        moments = cache.get(_moments_key(person_pk))
        if moments is not None:
            now = timezone.now()
            kept = [moment for moment in moments if moment > now - LOOKED_BACK]
            cache.set(_moments_key(person_pk), [*kept, now], REMEMBERED_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("a review was not added to the load: %s", type(error).__name__)


def go_on(person: User) -> None:
    """Open the next ticket by itself again, for a while, whatever the team agreed on."""
    _remember(_goes_on_key(person.pk), GOING_ON)


def put_off_break(person: User) -> None:
    _remember(_later_key(person.pk), LATER)


def forget_agreement() -> None:
    """A new agreement is in force at once."""
    try:
        cache.delete(AGREED)
    except (RedisError, OSError) as error:
        logger.warning("an agreement comes into force a little later: %s", type(error).__name__)


def agreement() -> TeamAgreement:
    """What is in force: the newest, or the defaults, which nobody has agreed on yet."""
    return TeamAgreement.objects.first() or TeamAgreement()


def _remember(key: str, how_long: timedelta) -> None:
    try:
        cache.set(key, True, int(how_long.total_seconds()))
    except (RedisError, OSError) as error:
        logger.warning("%s is not remembered: %s", key.partition(":")[0], type(error).__name__)


def _moments(person: User, kept: dict[str, Any]) -> list[datetime]:
    key = _moments_key(person.pk)
    if key not in kept:
        kept[key] = _decided_by(person)
        cache.set(key, kept[key], REMEMBERED_SECONDS)
    return list(kept[key])


def _decided_by(person: User) -> list[datetime]:
    """When the person reviewed, oldest first; what was decided in one go is one review.

    A drill costs as much attention as a ticket does.
    A second look at a check is a review, too; a first one belongs to the decision after it.
    """
    since = timezone.now() - LOOKED_BACK
    decided = Decision.objects.filter(reviewer=person, decided_at__gt=since)
    drilled = DrillAnswer.objects.filter(drill__person=person, answered_at__gt=since)
    no_batch = Value(None, output_field=BigIntegerField())
    rows = (
        decided.values_list("decided_at", "batch")
        .union(drilled.values_list("answered_at", no_batch), all=True)
        .order_by("-decided_at")
    )
    seen: set[int] = set()
    moments = []
    for moment, batch in rows[:MOST_READ]:
        if batch not in seen:
            moments.append(moment)
        if batch is not None:
            seen.add(batch)
    looks = BlindAnswer.objects.filter(reviewer=person, nth__gt=1, answered_at__gt=since)
    return sorted([*moments, *looks.values_list("answered_at", flat=True)[:MOST_READ]])


def _agreed(kept: dict[str, Any]) -> tuple[int, int]:
    if AGREED not in kept:
        found = agreement()
        kept[AGREED] = (found.reviews_per_hour, found.break_after_minutes)
        cache.set(AGREED, kept[AGREED], REMEMBERED_SECONDS)
    cap, break_minutes = kept[AGREED]
    return cap, break_minutes


def _names(pk: int) -> list[str]:
    return [_moments_key(pk), _goes_on_key(pk), _later_key(pk), AGREED]


def _moments_key(pk: int) -> str:
    return f"load:{pk}"


def _goes_on_key(pk: int) -> str:
    return f"load-on:{pk}"


def _later_key(pk: int) -> str:
    return f"load-later:{pk}"
