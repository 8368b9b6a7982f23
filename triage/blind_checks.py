"""What a version said of the tickets that people checked without seeing it."""

from dataclasses import dataclass
from datetime import datetime

from triage.learning.comparison import effective
from triage.models import Label, ModelVersion, Prediction

# The newest; more tell little more.
MOST = 5_000


@dataclass(frozen=True)
class Check:
    """One ticket: the stated probability of the proposed choice, and whether that was right."""

    stated: float
    is_right: bool
    weight: float


def blind_checks(version: ModelVersion, *, after: datetime, upto: datetime) -> list[Check]:
    """Checks told after one moment and up to another, one a ticket, by its newest prediction.

    `after` is no earlier than the version's training, or it may have learnt from them.
    """
    labels = Label.objects.filter(
        field=version.field_id,
        origin=Label.Origin.SPOT_CHECK,
        propensity__isnull=False,
        created_at__gt=after,
        created_at__lte=upto,
    ).order_by("-created_at")
    truths = {
        ticket: (choice, 1 / propensity)
        for ticket, choice, propensity in labels.values_list("ticket", "choice__key", "propensity")[
            :MOST
        ]
        if propensity
    }
    newest = (
        Prediction.objects.filter(
            model_version=version,
            created_at__lte=upto,
            ticket_version__ticket__in=truths,
        )
        .order_by("ticket_version__ticket", "-ticket_version__version")
        .distinct("ticket_version__ticket")
        .values_list("ticket_version__ticket", "probabilities")
    )
    found = []
    for ticket, probabilities in newest:
        best = max(probabilities, key=probabilities.__getitem__, default=None)
        truth, weight = truths[ticket]
        stated = probabilities[best] if best is not None else 0.0
        found.append(Check(stated, best == truth, weight))
    return found


def worth(checks: list[Check]) -> float:
    """How many equally drawn checks would tell as much."""
    return effective([check.weight for check in checks])
