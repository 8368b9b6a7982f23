"""Whose turn a drill is. Nobody can foresee it, and nothing that presses waits for one.

After so many decided tickets as the programme asks for, each further one may be followed by a
drill, by a draw on the ticket and the person that only the service's secret can tell.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from review.catalogue import Catalogue
from review.drills import material, programme
from review.models import Decision, Drill, DrillAcknowledgement, DrillProgramme, Lease
from review.queue_filter import QueueFilter
from triage.models import Waiting
from triage.policy import draws

# The same before each ticket, however long there was none, so that waiting tells nothing.
CHANCE = 0.1
WEEK = timedelta(days=7)
# Under any other filter a past ticket would stand out.
FITTING = frozenset({"source", "category", "everything"})


def is_coming(person: User, before: Waiting, chosen: QueueFilter) -> bool:
    """Whether a drill may follow once this person has decided `before`, which is open to them."""
    if not (_is_drawn(person, before) and _fits(chosen)):
        return False
    part = programme.taking_part(person, before.source_id)
    return part is not None and _may_have_one(part, before, decided_after_it=0)


@transaction.atomic
def give(person: User, after: Waiting, chosen: QueueFilter, choices: Catalogue) -> Drill | None:
    """The drill that follows the decision on `after`; None, as nearly always, without one."""
    if not (_is_drawn(person, after) and _fits(chosen)):
        return None
    part = programme.taking_part(person, after.source_id)
    if part is None:
        return None
    # One person's drills follow each other, so that two windows do not bring two.
    DrillAcknowledgement.objects.select_for_update().get(pk=part.pk)
    if not _may_have_one(part, after, decided_after_it=1):
        return None
    found = material.pick(
        person,
        after.source_id,
        choices,
        is_right=not _is_wrong_one(part.programme, person, after),
        salt=settings.COUNTERSIGN_BLIND_SALT,
        within=_within(chosen, choices),
    )
    if found is None:
        return None
    return Drill.objects.create(
        proposal_id=found.proposal,
        person=person,
        advice_id=found.advice,
        truth_id=found.truth,
        known_by=found.known_by,
        is_right=found.is_right,
        version_id=found.version,
        shown_at=timezone.now(),
    )


def _is_drawn(person: User, decided: Waiting) -> bool:
    """By the ticket and the person, so that it comes out the same before and after."""
    return _draw("drill", person, decided) < CHANCE


def _is_wrong_one(of: DrillProgramme, person: User, decided: Waiting) -> bool:
    return _draw("drill-kind", person, decided) < of.wrong_percent / 100


def _draw(what: str, person: User, decided: Waiting) -> float:
    key = f"{what}:{person.pk}:{decided.proposal_id}"
    return draws.draw(key, settings.COUNTERSIGN_BLIND_SALT)


def _may_have_one(part: DrillAcknowledgement, decided: Waiting, *, decided_after_it: int) -> bool:
    """`decided_after_it`: 1 where the decision on `decided` is counted already, else 0."""
    person, now = part.person_id, timezone.now()
    shown = Drill.objects.filter(person=person).order_by("-shown_at")
    lately = list(shown.values_list("shown_at", flat=True)[: part.programme.a_week])
    if len(lately) == part.programme.a_week and lately[-1] > now - WEEK:
        return False
    since = max(part.at, lately[0]) if lately else part.at
    wanted = part.programme.every - 1 + decided_after_it
    return _has_decided(person, since, wanted) and not _is_pressed(person, decided, now)


def _has_decided(person: int, since: datetime, wanted: int) -> bool:
    rows = Decision.objects.filter(reviewer=person, decided_at__gt=since)
    return rows[:wanted].count() >= wanted


def _is_pressed(person: int, decided: Waiting, now: datetime) -> bool:
    """Something waits for longer than it should, or the person has another ticket open."""
    late = Waiting.objects.filter(Q(is_held=True) | Q(is_held=False), look_by__lt=now)
    if late.exclude(ticket=decided.ticket_id).exists():
        return True
    held = Lease.objects.filter(holder=person, until__gte=now)
    return held.exclude(ticket=decided.ticket_id).exists()


def _fits(chosen: QueueFilter) -> bool:
    return not any(value for name, value in vars(chosen).items() if name not in FITTING)


def _within(chosen: QueueFilter, choices: Catalogue) -> set[int] | None:
    if not chosen.category:
        return None
    roots = [one for key in chosen.category for one in choices.with_key(key, main=True)]
    return choices.subtree(roots)
