"""The values of one proposal, each with what it rests on and how such values fared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet

from review.catalogue import Catalogue
from review.metrics.estimators import Interval, wilson
from review.models import DecidedValue, Decision
from triage.models import Level, Proposal, ProposedValue
from triage.policy.settling import BY_MODEL

# Fewer decisions than this say too little about a choice to put a rate on it.
LEAST_DECISIONS = 10
# So many of the newest tell how a choice fares now, and cost the same in every year.
MOST_DECISIONS = 200


@dataclass(frozen=True)
class Track:
    """What people last did with a choice when it was proposed. Acceptance is not correctness."""

    decisions: int
    overridden: int
    interval: Interval | None

    @classmethod
    def of(cls, proposed: int, finals: Sequence[int | None]) -> Self:
        """From what each decision on the proposed choice has settled on."""
        overridden = sum(final != proposed for final in finals)
        return cls(len(finals), overridden, wilson(overridden, len(finals)))

    @property
    def is_enough(self) -> bool:
        return self.decisions >= LEAST_DECISIONS

    @property
    def rate(self) -> float:
        return self.overridden / self.decisions if self.decisions else 0.0

    @property
    def bar(self) -> tuple[int, int, int]:
        """Start and width of the interval and place of the rate, for a bar 200 wide."""
        if self.interval is None:
            return 0, 200, 0
        low, high = round(self.interval.low * 200), round(self.interval.high * 200)
        return low, max(high - low, 2), min(round(self.rate * 200), 198)


@dataclass(frozen=True)
class Torn:
    """Between which choices of one parent the model is torn: name and probability, likeliest first.

    The name is the path below the parent, empty for the parent itself.
    """

    parent: str
    between: list[tuple[str, float]]

    @property
    def likeliest(self) -> str:
        """The one that the cited words speak for."""
        name = self.between[0][0] if self.between else ""
        return name or self.parent


@dataclass(frozen=True)
class Line:
    """One field of the proposal. No path: left open. `torn`: a parent is proposed."""

    value: ProposedValue
    path: str
    track: Track | None
    words_for: list[str]
    words_against: list[str]
    runner_up: str
    has_model: bool
    torn: Torn | None

    @property
    def is_by_model(self) -> bool:
        return self.value.basis in BY_MODEL

    @property
    def cited_for(self) -> str:
        """What the cited words speak for; empty for what was left open."""
        return self.torn.likeliest if self.torn else self.path


def lines_of(proposal: Proposal, choices: Catalogue) -> list[Line]:
    values = (
        proposal.values.select_related(
            "field",
            "choice",
            "prediction__model_version__owner",
            "rule_version__rule__owner",
        )
        .annotate(finals=_finals())
        .order_by("field__position", "field__key")
    )
    lines = []
    for value in values:
        prediction = value.prediction
        lines.append(
            Line(
                value=value,
                path=choices.path(value.choice_id),
                track=Track.of(value.choice_id, value.finals) if value.choice_id else None,
                words_for=prediction.words_for if prediction else [],
                words_against=prediction.words_against if prediction else [],
                runner_up=_runner_up(value, choices),
                # What is in shadow is shown to nobody, as if there were no model.
                has_model=value.field_id in choices.with_model and value.level != Level.SHADOW,
                torn=_torn(value, choices),
            )
        )
    return lines


def track_of(choice: int) -> Track:
    """How a choice fares that is not a proposal's own."""
    return Track.of(choice, list(_newest(choice).values_list("final", flat=True)))


def _finals() -> ArraySubquery:
    return ArraySubquery(_newest(OuterRef("choice")).values("final"))


def _newest(proposed: int | OuterRef) -> QuerySet[DecidedValue]:
    """The newest decisions on a proposed choice; an index has this order."""
    decided = DecidedValue.objects.filter(
        proposed=proposed,
        decision__stands_for__isnull=False,
        decision__verdict__in=[Decision.Verdict.ACCEPTED, Decision.Verdict.OVERRIDDEN],
    )
    return decided.order_by(F("pk") * -1)[:MOST_DECISIONS]


def _runner_up(value: ProposedValue, choices: Catalogue) -> str:
    """The likeliest choice that is not proposed, nor below what is, where the model answered."""
    if value.prediction is None or value.level == Level.SHADOW:
        return ""
    proposed = {choice.key for choice in choices.branch(value.choice)}
    others = {k: p for k, p in value.prediction.probabilities.items() if k not in proposed}
    return choices.key_path(value.field, max(others, key=others.__getitem__)) if others else ""


def _torn(value: ProposedValue, choices: Catalogue) -> Torn | None:
    if value.basis != ProposedValue.Basis.PARENT or not value.prediction or not value.choice:
        return None
    said = value.prediction.probabilities
    shares = [
        (choices.path_below(choice.pk, value.choice.pk), said[choice.key])
        for choice in choices.branch(value.choice)
        if choice.key in said
    ]
    return Torn(value.choice.name, sorted(shares, key=lambda share: (-share[1], share[0])))
