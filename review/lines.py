"""The values of one proposal, each with what it rests on and how such values fared."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q

from review.catalogue import Catalogue
from review.metrics.estimators import Interval, wilson
from review.models import DecidedValue, Decision
from triage.models import Level, ModelVersion, Proposal, ProposedValue
from triage.policy.settling import BY_MODEL

# Fewer decisions than this say too little about a choice to put a rate on it.
LEAST_DECISIONS = 10


@dataclass(frozen=True)
class Track:
    """What people did with a choice whenever it was proposed. Acceptance is not correctness."""

    decisions: int
    overridden: int
    interval: Interval | None

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
    values = list(
        proposal.values.select_related(
            "field",
            "choice",
            "prediction__model_version__owner",
            "rule_version__rule__owner",
        ).order_by("field__position", "field__key")
    )
    tracks = measured({value.choice_id for value in values if value.choice_id is not None})
    with_model = set(
        ModelVersion.objects.filter(
            field__in=[value.field_id for value in values], state=ModelVersion.State.CHAMPION
        ).values_list("field_id", flat=True)
    )
    lines = []
    for value in values:
        prediction = value.prediction
        lines.append(
            Line(
                value=value,
                path=choices.path(value.choice_id),
                track=tracks[value.choice_id] if value.choice_id is not None else None,
                words_for=prediction.words_for if prediction else [],
                words_against=prediction.words_against if prediction else [],
                runner_up=_runner_up(value, choices),
                # What is in shadow is shown to nobody, as if there were no model.
                has_model=value.field_id in with_model and value.level != Level.SHADOW,
                torn=_torn(value, choices),
            )
        )
    return lines


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


def measured(choice_pks: Iterable[int]) -> dict[int, Track]:
    """For each choice, how often it was decided on when proposed, and how often overridden."""
    counted = {
        row["proposed"]: (row["decisions"], row["overridden"])
        for row in DecidedValue.objects.filter(
            proposed__in=choice_pks,
            decision__stands_for__isnull=False,
            decision__verdict__in=[Decision.Verdict.ACCEPTED, Decision.Verdict.OVERRIDDEN],
        )
        .values("proposed")
        .annotate(decisions=Count("pk"), overridden=Count("pk", filter=~Q(final=F("proposed"))))
    }
    tracks = {}
    for pk in choice_pks:
        decisions, overridden = counted.get(pk, (0, 0))
        tracks[pk] = Track(decisions, overridden, wilson(overridden, decisions))
    return tracks
