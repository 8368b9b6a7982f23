"""Error budgets as Prometheus reads them: real certificates, real checks, exact burn."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_prediction,
    make_ticket,
)
from tests.review.scraping import TOKEN, rows_read, scraped
from triage.models import (
    Certificate,
    Label,
    ModelVersion,
)
from triage.telemetry import burn

FILL_LABELS = """
    WITH ticket AS (
        INSERT INTO triage_ticket (source_id, external_id, version, subject, body, requester,
            requester_name, url, "values", opened_at, reopened_count, resolution, received_at)
        SELECT %(source)s, 'past-' || n, 1, 'Wi-Fi', '', '', '', '', '{}', now(), 0, '', now()
        FROM generate_series(1, 20000) AS n RETURNING id
    )
    INSERT INTO triage_label (ticket_id, field_id, choice_id, origin, created_at)
    SELECT id, %(field)s, %(choice)s, 'history', now() FROM ticket
"""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.COUNTERSIGN_SCRAPE_TOKEN = TOKEN


@pytest.fixture
def desk() -> Desk:
    return make_desk("zammad")


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def certify(desk: Desk, model: ModelVersion, **over: Any) -> Certificate:
    fields = {
        "field": desk.category,
        "choice": desk["network.vpn"],
        "model_version": model,
        "threshold": 0.8,
        "alpha": 0.1,
        "delta": 0.05,
        "checks": 100,
        "errors": 1,
        "issued_by": desk.owner,
        "expires_at": ago(days=-50),
    }
    made = Certificate.objects.create(**fields | over)
    Certificate.objects.filter(pk=made.pk).update(issued_at=ago(days=20))
    return made


def check(
    desk: Desk, model: ModelVersion, truth: str, *, days: float = 1, probability: float = 0.9
) -> None:
    """A blind label, so many days ago, of a ticket that the model took for VPN."""
    ticket = make_ticket(desk)
    make_prediction(ticket.versions.get(), model, probability)
    label = Label.objects.create(
        ticket=ticket,
        field=desk.category,
        choice=desk[truth],
        origin=Label.Origin.SPOT_CHECK,
        propensity=0.05,
    )
    Label.objects.filter(pk=label.pk).update(created_at=ago(days=days))


def test_burn_is_the_error_on_checks_since_the_certificate_against_what_it_allows(
    client: Client, desk: Desk
) -> None:
    model = make_model(desk)
    held = certify(desk, model)
    for _ in range(3):
        check(desk, model, "network.vpn")
    check(desk, model, "network.wifi")
    check(desk, model, "network.vpn", days=10)
    # Not covered: before the certificate, below its threshold, taken for another choice.
    check(desk, model, "network.wifi", days=25)
    check(desk, model, "network.wifi", probability=0.7)
    check(desk, model, "network.wifi", probability=0.1)

    found = scraped(client)

    choice = {"source": "zammad", "field": "category", "choice": "network.vpn"}
    assert found("countersign_budget_checks", window="7d", **choice) == 4
    assert found("countersign_budget_burn_ratio", window="7d", **choice) == pytest.approx(2.5)
    assert found("countersign_budget_checks", window="30d", **choice) == 5
    assert found("countersign_budget_burn_ratio", window="30d", **choice) == pytest.approx(2.0)
    ends = found("countersign_certificate_expires_timestamp_seconds", **choice)
    assert ends == pytest.approx(held.expires_at.timestamp())


def test_without_evidence_there_is_no_burn_at_all(client: Client, desk: Desk) -> None:
    model = make_model(desk)
    certify(desk, model)

    found = scraped(client)

    choice = {"source": "zammad", "field": "category", "choice": "network.vpn"}
    assert found("countersign_budget_burn_ratio", window="7d", **choice) is None
    assert found("countersign_budget_checks", window="7d", **choice) == 0


def test_a_certificate_that_ended_or_is_of_another_model_has_no_budget(
    client: Client, desk: Desk
) -> None:
    old = make_model(desk, state=ModelVersion.State.RETIRED)
    model = make_model(desk, number=2)
    certify(desk, old)
    certify(desk, model, expires_at=ago(days=1))
    check(desk, model, "network.wifi")

    assert scraped(client).labels_of("countersign_budget_checks") == []


def test_budgets_cost_one_statement_however_many_there_are(client: Client, desk: Desk) -> None:
    def of_budgets() -> int:
        with CaptureQueriesContext(connection) as found:
            scraped(client)
        return sum("triage_prediction" in query["sql"] for query in found)

    model = make_model(desk)
    certify(desk, model)
    check(desk, model, "network.vpn")
    few = of_budgets()
    certify(desk, model, choice=desk["access.password"])
    team = make_model(desk, field=desk.team)
    certify(desk, team, field=desk.team, choice=desk["team.net"])

    assert few == of_budgets() == 1


def test_budgets_read_the_checks_and_not_all_labels(desk: Desk) -> None:
    model = make_model(desk)
    certify(desk, model)
    for _ in range(3):
        check(desk, model, "network.vpn")
    values = {"source": desk.source.pk, "field": desk.category.pk, "choice": desk["network"].pk}
    with connection.cursor() as cursor:
        cursor.execute(FILL_LABELS, values)
        cursor.execute("ANALYZE triage_label, triage_ticket")
    asked = {
        "fields": [desk.category.pk],
        "models": [model.pk],
        "since": ago(days=30),
        "most": burn.MOST,
    }

    assert Label.objects.count() == 20_003
    assert rows_read("triage_label", burn.CHECKS, asked) == 3
