"""What somebody's exercises come to, for that person alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from review.drills.answers import OwnFigure, own_figures
from review.metrics.estimators import Interval, wilson
from review.models import PracticeAnswer

# Fewer exercises than this say too little to put a rate on.
LEAST = 10


@dataclass(frozen=True)
class Figure:
    name: str
    k: int
    n: int

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST

    @property
    def share(self) -> float:
        return self.k / self.n if self.n else 0.0

    @property
    def interval(self) -> Interval | None:
        return wilson(self.k, self.n)


@dataclass(frozen=True)
class Score:
    finished: int
    figures: list[Figure]
    drills: list[OwnFigure]


def score(person: User) -> Score:
    """Of finished exercises, those whose ticket was erased since included."""
    is_right = Q(advice=F("truth"))
    counted = PracticeAnswer.objects.filter(person=person, finished_at__isnull=False).aggregate(
        n=Count("pk"),
        alone=Count("pk", filter=Q(answer=F("truth"))),
        advised=Count("pk", filter=Q(final=F("truth"))),
        wrong=Count("pk", filter=~is_right),
        followed=Count("pk", filter=Q(final=F("advice")) & ~is_right),
        right=Count("pk", filter=is_right),
        refused=Count("pk", filter=~Q(final=F("advice")) & is_right),
    )
    return Score(
        counted["n"],
        [
            Figure(_("right alone"), counted["alone"], counted["n"]),
            Figure(_("right with the advice"), counted["advised"], counted["n"]),
            Figure(_("followed wrong advice"), counted["followed"], counted["wrong"]),
            Figure(_("refused right advice"), counted["refused"], counted["right"]),
        ],
        own_figures(person),
    )


def verdict(exercise: PracticeAnswer) -> str:
    """What a finished exercise shows, in a sentence."""
    alone, final = (pk == exercise.truth_id for pk in (exercise.answer_id, exercise.final_id))
    advice = exercise.advice_id == exercise.truth_id
    sentences: Iterable[tuple[bool, str]] = (
        (final and alone and advice, _("Right, and the advice was right too.")),
        (final and alone, _("Right: you kept to your answer against wrong advice.")),
        (final and advice, _("Right: the advice put your first answer right.")),
        (final, _("Right in the end, though neither your first answer nor the advice was.")),
        (alone, _("Your first answer was right; the second was not.")),
        (advice, _("The advice was right, and you did not take it.")),
        (exercise.final_id == exercise.advice_id, _("The advice was wrong, and you took it.")),
    )
    return next(
        (words for fits, words in sentences if fits), _("Neither you nor the advice was right.")
    )
