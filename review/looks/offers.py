"""Which checks wait for another person's answer, and who is given one, and when."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When
from django.utils import timezone
from redis.exceptions import RedisError

from review.models import BlindAnswer, Decision, PracticeAnswer, SecondLook

logger = logging.getLogger(__name__)

# A person gets at most one look in so many decisions of theirs.
ONE_IN = 10
# Nothing renews it: whoever has not answered by then has left it to others.
HELD = timedelta(minutes=10)
# Who decided or answered something in these days is there to be asked.
ACTIVE = timedelta(days=30)
OFFERED_SECONDS = 24 * 3600
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True)
class Standing:
    """What waits, whoever is asked; `people` were active lately and may answer."""

    second: int
    third: int
    people: int

    @property
    def total(self) -> int:
        return self.second + self.third

    @property
    def lacks_second(self) -> bool:
        return self.second > 0 and self.people < 2

    @property
    def lacks_third(self) -> bool:
        return self.third > 0 and self.people < 3


def standing() -> Standing:
    found = SecondLook.objects.aggregate(
        second=Count("pk", filter=Q(nth=2)), third=Count("pk", filter=Q(nth=3))
    )
    return Standing(found["second"], found["third"], people())


def people() -> int:
    """How many who may decide did so, or answered blind, of late."""
    since = timezone.now() - ACTIVE
    mine = {"reviewer": OuterRef("pk")}
    may = User.objects.with_perm("review.add_decision", backend=MODEL_BACKEND)
    return may.filter(
        Exists(Decision.objects.filter(**mine, decided_at__gte=since))
        | Exists(BlindAnswer.objects.filter(**mine, answered_at__gte=since))
    ).count()


def open_to(person: User) -> QuerySet[SecondLook]:
    """What this person may be given: never a ticket on which they said something already.

    Nor one that waits in the queue, beside which its proposal would stand in the list.
    """
    ticket = {"proposal__ticket": OuterRef("check_of__proposal__ticket")}
    mine = (
        BlindAnswer.objects.filter(check_of=OuterRef("pk"), reviewer=person),
        Decision.objects.filter(**ticket, reviewer=person),
        PracticeAnswer.objects.filter(**ticket, person=person),
    )
    rows = SecondLook.objects.filter(
        check_of__proposal__ticket__waiting__isnull=True,
        check_of__proposal__ticket__erased_at__isnull=True,
    )
    for said in mine:
        rows = rows.exclude(Exists(said))
    return rows


def free(rows: QuerySet[SecondLook], person: User) -> QuerySet[SecondLook]:
    """What nobody else holds."""
    return rows.filter(Q(holder__isnull=True) | Q(holder=person) | Q(until__lt=timezone.now()))


def count_for(person: User) -> int:
    return free(open_to(person), person).count()


@transaction.atomic
def claim(person: User, check: int | None = None) -> SecondLook | None:
    """Hold the one that this person began, else the oldest, or the one that is named.

    None: there is none for this person. Of two who ask at once each gets another.
    """
    rows = free(open_to(person), person)
    if check is not None:
        rows = rows.filter(pk=check)
    own_first = Case(When(holder=person, then=0), default=1)
    found = (
        rows.select_for_update(of=("self",), skip_locked=True)
        .order_by(own_first, "since", "pk")
        .first()
    )
    if found is None:
        return None
    SecondLook.objects.filter(holder=person).exclude(pk=found.pk).update(holder=None, until=None)
    found.holder, found.until = person, timezone.now() + HELD
    found.save(update_fields=["holder", "until"])
    return found


def is_due(person: User, *, more: int = 0) -> bool:
    """Whether a look comes before the next ticket; `more` decisions are about to be made.

    One query where nothing waits for this person, as nearly always.
    """
    if not free(open_to(person), person).exists():
        return False
    since = _last(person)
    decided = Decision.objects.filter(reviewer=person)
    if since is not None:
        decided = decided.filter(decided_at__gt=since)
    return decided[:ONE_IN].count() + more >= ONE_IN


def offer(person: User) -> int | None:
    """The check to look at next, held for this person; None: the queue goes on.

    One that was offered counts as given, so that whoever leaves it is not asked at every step.
    """
    if not is_due(person):
        return None
    held = claim(person)
    if held is None:
        return None
    try:
        cache.set(_offered_key(person), timezone.now(), OFFERED_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("a second look may be offered again soon: %s", type(error).__name__)
    return held.check_of_id


def _last(person: User) -> datetime | None:
    """When this person answered a look, or was offered one."""
    answered = (
        BlindAnswer.objects.filter(reviewer=person, nth__gt=1)
        .order_by("-answered_at")
        .values_list("answered_at", flat=True)
        .first()
    )
    try:
        offered = cache.get(_offered_key(person))
    except (RedisError, OSError) as error:
        logger.warning("offered looks are not known: %s", type(error).__name__)
        offered = None
    return max((at for at in (answered, offered) if at is not None), default=None)


def _offered_key(person: User) -> str:
    return f"look-offered:{person.pk}"
