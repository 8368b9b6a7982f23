"""What a person answers to a drill, and what they are told of it."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from review import load
from review.metrics.estimators import Interval, jeffreys
from review.models import Drill, DrillAnswer
from review.models.definitions import LEAST_OWN_N
from triage.models import Choice

Verdict = DrillAnswer.Verdict


@dataclass(frozen=True)
class OwnFigure:
    """Hits of one person, for that person alone."""

    name: str
    k: int
    n: int

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST_OWN_N

    @property
    def share(self) -> float:
        return self.k / self.n if self.n else 0.0

    @property
    def interval(self) -> Interval | None:
        return jeffreys(self.k, self.n)


def mine(person: User) -> QuerySet[Drill]:
    return Drill.objects.filter(
        person=person, proposal__ticket__erased_at__isnull=True
    ).select_related("proposal__ticket_version", "proposal__playbook", "answer")


def open_drills(person: User) -> QuerySet[Drill]:
    """Not answered yet; none where drills were switched off, or the ticket waits again."""
    return mine(person).filter(
        answer__isnull=True,
        proposal__ticket__waiting__isnull=True,
        proposal__ticket__source__drill_programme__is_on=True,
    )


@transaction.atomic
def answer(drill: Drill, verdict: str, final: Choice | None) -> DrillAnswer:
    """Keep the answer; a second one changes nothing. It counts as a review of this hour."""
    Drill.objects.select_for_update(of=("self",)).get(pk=drill.pk)
    given = DrillAnswer.objects.filter(drill=drill).first()
    if given is not None:
        return given
    now = timezone.now()
    given = DrillAnswer.objects.create(
        drill=drill,
        verdict=verdict,
        final=final,
        seconds=max(0.0, (now - drill.shown_at).total_seconds()),
        answered_at=now,
    )
    transaction.on_commit(lambda: load.add_review(drill.person_id))
    return given


def said(drill: Drill) -> str:
    """What an answered drill shows, in a sentence."""
    given = drill.answer
    if given.verdict == Verdict.PASSED:
        return _("You passed it on, which is neither taking the advice nor changing it.")
    if drill.is_right and given.is_hit:
        return _("The advice was right, and you took it.")
    if drill.is_right:
        return _("The advice was right, and you changed it.")
    if not given.is_hit:
        return _("The advice was wrong, and you took it.")
    if given.final_id == drill.truth_id:
        return _("The advice was wrong, and you put it right.")
    return _("The advice was wrong, and you saw that; the right value is another one, though.")


def own_figures(person: User) -> list[OwnFigure]:
    """Empty before the first drill. Of drills whose ticket was erased nothing is left to count."""
    wrong, right = Q(drill__is_right=False), Q(drill__is_right=True)
    rows = DrillAnswer.objects.filter(drill__person=person).exclude(verdict=Verdict.PASSED)
    counted = rows.aggregate(
        wrong=Count("pk", filter=wrong),
        caught=Count("pk", filter=wrong & Q(verdict=Verdict.OVERRIDDEN)),
        right=Count("pk", filter=right),
        kept=Count("pk", filter=right & Q(verdict=Verdict.ACCEPTED)),
    )
    if not counted["wrong"] + counted["right"]:
        return []
    return [
        OwnFigure(_("wrong advice that you overrode"), counted["caught"], counted["wrong"]),
        OwnFigure(_("right advice that you accepted"), counted["kept"], counted["right"]),
    ]
