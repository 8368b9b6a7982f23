"""From blind labels to a certificate: may this choice be acted on without a person?"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from triage import ledger
from triage.models import Certificate, Choice, Label, LedgerEntry, ModelVersion, Prediction
from triage.policy import certificates

LASTS = timedelta(days=90)
START_LABELS = 160


class NotEnoughEvidence(Exception):
    """No certificate, and in a sentence why not."""


@dataclass(frozen=True)
class Check:
    """One blind check of a ticket that the champion predicted as the choice."""

    ticket: int
    score: float
    is_wrong: bool
    propensity: float


def live_certificate(choice: Choice) -> Certificate | None:
    """The newest certificate that still holds: not expired, and of the present champion."""
    return (
        Certificate.objects.filter(
            choice=choice,
            expires_at__gt=timezone.now(),
            model_version__state=ModelVersion.State.CHAMPION,
        )
        .order_by("-issued_at")
        .first()
    )


def certify(choice: Choice, *, by: User, alpha: float = 0.05, delta: float = 0.05) -> Certificate:
    """A certificate that error is at most alpha with confidence 1 - delta; NotEnoughEvidence else.

    Half of the checks freeze the thresholds, the other half are tested against them; which half
    a ticket belongs to, and whether it is thinned out, hangs on its id alone, so asking again
    on the same labels gives the same answer.
    """
    champion = ModelVersion.objects.filter(
        field=choice.field_id, state=ModelVersion.State.CHAMPION
    ).first()
    if champion is None:
        raise NotEnoughEvidence(f"{choice.field} has no model in service to certify.")
    found = thinned(blind_checks(choice, champion))
    tuning = [check.score for check in found if share(check.ticket, "tuning") < 0.5]
    tested = [check for check in found if share(check.ticket, "tuning") >= 0.5]
    passed = certificates.fixed_sequence(
        [check.score for check in tested],
        [check.is_wrong for check in tested],
        certificates.grid(tuning, start_labels=START_LABELS),
        alpha,
        delta,
    )
    if passed is None:
        raise NotEnoughEvidence(_why_not(choice, tuning, tested, alpha, delta))
    return _issue(choice, champion, passed, by, alpha, delta)


def blind_checks(choice: Choice, champion: ModelVersion) -> list[Check]:
    """Checks drawn at a known probability, one a ticket, that the champion cannot have learnt from.

    Labels older than the model may have trained it, so they say nothing about its error.
    """
    labels = Label.objects.filter(
        field=choice.field_id,
        origin=Label.Origin.SPOT_CHECK,
        created_at__gt=champion.created_at,
    )
    predictions = (
        Prediction.objects.filter(
            model_version=champion,
            probabilities__has_key=choice.key,
            ticket_version__ticket__in=labels.values("ticket"),
        )
        .order_by("ticket_version__ticket", "-ticket_version__version")
        .distinct("ticket_version__ticket")
    )
    scores = {
        ticket: probabilities[choice.key]
        for ticket, probabilities in predictions.values_list(
            "ticket_version__ticket", "probabilities"
        )
        if max(probabilities, key=probabilities.__getitem__) == choice.key
    }
    rows = labels.filter(ticket__in=scores).order_by("ticket")
    return [
        Check(ticket, scores[ticket], truth != choice.pk, propensity)
        for ticket, truth, propensity in rows.values_list("ticket", "choice", "propensity")
        if propensity is not None
    ]


def thinned(checks: Sequence[Check]) -> list[Check]:
    """As if all had been drawn at the lowest propensity: each is kept with lowest / its own."""
    lowest = min((check.propensity for check in checks), default=1.0)
    return [c for c in checks if share(c.ticket, "thin") * c.propensity < lowest]


def share(ticket: int, purpose: str) -> float:
    """A number in [0, 1) that stays with the ticket, independent from purpose to purpose."""
    digest = hashlib.sha256(f"certificate:{purpose}:{ticket}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


@transaction.atomic
def _issue(
    choice: Choice,
    champion: ModelVersion,
    passed: certificates.Certified,
    by: User,
    alpha: float,
    delta: float,
) -> Certificate:
    issued = Certificate.objects.create(
        field=choice.field,
        choice=choice,
        model_version=champion,
        threshold=passed.threshold,
        alpha=alpha,
        delta=delta,
        checks=passed.n,
        errors=passed.errors,
        issued_by=by,
        expires_at=timezone.now() + LASTS,
    )
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=f"certificate:{issued.pk}",
        payload={
            "choice": choice.pk,
            "model": champion.pk,
            "threshold": passed.threshold,
            "alpha": alpha,
            "delta": delta,
            "checks": passed.n,
            "errors": passed.errors,
            "expires_at": issued.expires_at.isoformat(),
        },
        actor=ledger.actor_of(by),
    )
    return issued


def _why_not(
    choice: Choice, tuning: Sequence[float], tested: Sequence[Check], alpha: float, delta: float
) -> str:
    """Names what was there and what the strictest threshold would have needed."""
    errors = 0
    covered = 0
    if steps := certificates.grid(tuning, start_labels=START_LABELS):
        above = [check for check in tested if check.score >= steps[0]]
        covered, errors = len(above), sum(check.is_wrong for check in above)
    needed = certificates.labels_needed(alpha, delta, errors)
    return (
        f"“{choice}” has {len(tuning) + len(tested)} blind checks of the model in service; half of "
        f"them set the thresholds. Above the strictest one lie {covered} others with {errors} "
        f"wrong; for an error of at most {alpha:.0%} with confidence {1 - delta:.0%} that takes "
        f"{needed}."
    )
