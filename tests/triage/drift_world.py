"""A champion in service for a week and a day, for the tests of what happens at night."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.triage.conftest import TEXTS, Train
from triage import drift
from triage.learning import registry
from triage.models import DriftFinding, ModelVersion, Prediction, Source, Ticket, TicketVersion

START = datetime(2026, 3, 2, tzinfo=UTC)
FIRST_DAY = date(2026, 3, 9)


@pytest.fixture(autouse=True)
def later() -> Any:
    with time_machine.travel(datetime(2026, 3, 20, 3, tzinfo=UTC), tick=True) as clock:
        yield clock


@pytest.fixture
def champion(train: Train, source: Source) -> ModelVersion:
    """In service since START; its owner has an address."""
    version = train()
    source.owner.email = "olivia@example.org"
    source.owner.save()
    registry.promote(version, by=source.owner, reason="")
    ModelVersion.objects.filter(pk=version.pk).update(created_at=START, promoted_at=START)
    return drift.champions()[0]


def predict(version: ModelVersion, day: int, number: int, **over: Any) -> list[Prediction]:
    """Tickets of one day, half about each of two choices, and what the version said of them."""
    values = {"choice": "", "in_scope": None, "text": ""} | over
    source, at = version.field.source, START + timedelta(days=day, hours=10)
    keys = [values["choice"] or ("network", "access")[n % 2] for n in range(number)]
    texts = [values["text"] or TEXTS[key][n // 2 % 4] for n, key in enumerate(keys)]
    first = Ticket.objects.count()
    tickets = Ticket.objects.bulk_create(
        Ticket(
            source=source,
            external_id=f"D{first + n}",
            version=1,
            subject=text,
            body=f"Please help {n % 7}",
            opened_at=at,
        )
        for n, text in enumerate(texts)
    )
    versions = TicketVersion.objects.bulk_create(
        TicketVersion(ticket=ticket, version=1, subject=ticket.subject, body=ticket.body)
        for ticket in tickets
    )
    rows = Prediction.objects.bulk_create(
        Prediction(
            ticket_version=ticket_version,
            model_version=version,
            probabilities={"laptop": 0.1, key: 0.9},
            in_scope=(n % 20 + 1) / 21 if values["in_scope"] is None else values["in_scope"],
        )
        for n, (ticket_version, key) in enumerate(zip(versions, keys, strict=True))
    )
    Prediction.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=at)
    return rows


@pytest.fixture
def week(champion: ModelVersion) -> ModelVersion:
    """A champion with a first week of 560 predictions, and a day like them."""
    for day in range(7):
        predict(champion, day, 80)
    predict(champion, 7, 240)
    return champion


def kinds() -> set[str]:
    return set(DriftFinding.objects.filter(until=None).values_list("kind", flat=True))
