"""One question now and then: how worn out work leaves people. Nobody can tell who said what.

What somebody answered is only ever added to a count of the round, in one statement that writes all
five counts anew, also where somebody would rather not answer; so neither a key, nor a moment, nor
the order of changes leads from a person to an answer. Counts are told once their round is over.
What this cannot hide: from whoever watches the database while a single person answers.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, IntegerField, When
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.models import PulseAsked, PulseCount

ROUND = timedelta(weeks=4)
# A Monday; every round begins on one.
FIRST_ROUND = date(2026, 1, 5)
# One item in five steps after Dolan et al. (2015), J. Gen. Intern. Med. 30, 582-587, in words of
# our own; from the third step on it speaks of burnout.
ANSWERS: Mapping[int, str | Promise] = {
    1: _("I like my work, and it does not wear me out."),
    2: _("Work is a strain at times, and I have less energy than I had, but I am not worn out."),
    3: _("I am wearing out: I feel tired or empty in ways that rest does not mend."),
    4: _("I feel worn out most of the time, and work frustrates me a great deal."),
    5: _("I am worn out and do not know how long I can go on; something has to change."),
}
WORN_FROM = 3


class NotAsked(Exception):
    """The person has answered in this round, or would rather not."""


def round_of(day: date) -> date:
    """The first day of the round that a day lies in."""
    return FIRST_ROUND + (day - FIRST_ROUND) // ROUND * ROUND


def is_asked(person: User, today: date | None = None) -> bool:
    today = today or timezone.localdate()
    return not PulseAsked.objects.filter(person=person, until__gt=today).exists()


@transaction.atomic
def answer(person: User, said: int | None) -> None:
    """Once a round; None: rather not. NotAsked after that, ValueError for no step of the five."""
    if said is not None and said not in ANSWERS:
        raise ValueError(f"An answer is 1 to 5; got {said}.")
    begins = round_of(timezone.localdate())
    asked, is_new = PulseAsked.objects.select_for_update().get_or_create(
        person=person, defaults={"until": begins + ROUND}
    )
    if not is_new and asked.until > begins:
        raise NotAsked
    PulseAsked.objects.filter(person=person).update(until=begins + ROUND)
    PulseCount.objects.bulk_create(
        [PulseCount(begins_on=begins, answer=step) for step in ANSWERS], ignore_conflicts=True
    )
    one_more = Case(
        When(answer=said or 0, then=F("n") + 1), default=F("n"), output_field=IntegerField()
    )
    PulseCount.objects.filter(begins_on=begins).update(n=one_more)
