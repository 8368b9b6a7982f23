"""The error budgets of live certificates, from blind checks that came after them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from prometheus_client.core import Metric

from triage.models import Certificate, ModelVersion
from triage.policy.budgets import spent
from triage.telemetry.scrape import gauge

WINDOWS = {"7d": timedelta(days=7), "30d": timedelta(days=30)}
LONGEST = max(WINDOWS.values())
# The newest of each field; more tell little more.
MOST = 2_000

# Each check with what the model in service said last of its ticket.
CHECKS = """
    SELECT label.field_id, label.choice_id, label.propensity, label.created_at, said.probabilities
    FROM unnest(%(fields)s::bigint[], %(models)s::bigint[]) AS field (id, model)
    CROSS JOIN LATERAL (
        SELECT field_id, ticket_id, choice_id, propensity, created_at FROM triage_label
        WHERE field_id = field.id AND origin = 'spot_check' AND propensity IS NOT NULL
            AND created_at > %(since)s
        ORDER BY created_at DESC LIMIT %(most)s
    ) AS label
    CROSS JOIN LATERAL (
        SELECT prediction.probabilities::text AS probabilities FROM triage_ticketversion AS version
        JOIN triage_prediction AS prediction ON prediction.ticket_version_id = version.id
            AND prediction.model_version_id = field.model
        WHERE version.ticket_id = label.ticket_id ORDER BY version.version DESC LIMIT 1
    ) AS said
"""


@dataclass(frozen=True)
class Check:
    truth: int
    propensity: float
    at: datetime
    said: str
    score: float


def collect() -> Sequence[Metric]:
    """Two statements; one where no certificate is live."""
    burn = gauge(
        "budget_burn_ratio",
        "Error rate on blind checks since the certificate, within the window, as a multiple of "
        "the error that it allows: above 1 the budget is overspent. No sample without a live "
        "certificate or without a check.",
        "source",
        "field",
        "choice",
        "window",
    )
    number = gauge(
        "budget_checks",
        "Blind checks that countersign_budget_burn_ratio rests on; below some 60 it says little.",
        "source",
        "field",
        "choice",
        "window",
    )
    ends = gauge(
        "certificate_expires_timestamp_seconds",
        "When the live certificate of a choice ends, in Unix time.",
        "source",
        "field",
        "choice",
    )
    live, now = _live(), timezone.now()
    checks = _checks(live, now - LONGEST) if live else {}
    for held in live:
        labels = [held.field.source.slug, held.field.key, held.choice.key]
        ends.add_metric(labels, held.expires_at.timestamp())
        covered = [check for check in checks.get(held.field_id, ()) if _covers(held, check)]
        for window, length in WINDOWS.items():
            since = max(now - length, held.issued_at)
            told = [(c.truth != held.choice_id, c.propensity) for c in covered if c.at > since]
            number.add_metric([*labels, window], len(told))
            if found := spent(told, held.alpha):
                burn.add_metric([*labels, window], found.burn)
    return [burn, number, ends]


def _covers(held: Certificate, check: Check) -> bool:
    return check.said == held.choice.key and check.score >= held.threshold


def _live() -> list[Certificate]:
    """The newest of each choice that has not ended and is of the model in service."""
    rows = Certificate.objects.filter(
        expires_at__gt=timezone.now(), model_version__state=ModelVersion.State.CHAMPION
    )
    newest = rows.order_by("choice_id", "-issued_at").distinct("choice_id")
    return list(newest.select_related("field__source", "choice"))


def _checks(live: Iterable[Certificate], since: datetime) -> Mapping[int, list[Check]]:
    models = {held.field_id: held.model_version_id for held in live}
    values: dict[str, Any] = {
        "fields": list(models),
        "models": list(models.values()),
        "since": since,
        "most": MOST,
    }
    found: dict[int, list[Check]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(CHECKS, values)
        for field, truth, propensity, at, text in cursor.fetchall():
            if probabilities := json.loads(text):
                said = max(probabilities, key=probabilities.__getitem__)
                check = Check(truth, propensity, at, said, probabilities[said])
                found[field].append(check)
    return found
