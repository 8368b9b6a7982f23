"""Figures for Prometheus of what people do, and the address at which all figures are read.

Counts of the whole service only: no label names a person.
"""

from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from review.models import BlindAnswer, Decision, Lease, SpotCheck, Withdrawal
from triage import telemetry
from triage.policy import draws
from triage.telemetry.scrape import Part, Scrape, gauge
from triage.telemetry.tallies import Counted, families, keep, named

PLAIN = "text/plain; charset=utf-8"
COUNTERS = (
    Counted(
        "decisions",
        "Decisions that people made, by verdict, with those that were taken back later.",
        Decision,
        "decided_at",
        by="verdict",
        label="verdict",
        known=named(Decision.Verdict),
    ),
    Counted("withdrawals", "Decisions that were undone or reversed.", Withdrawal, "at"),
    Counted(
        "spot_checks",
        "Spot checks put before a person for the first time, by what was checked: proposals that "
        "waited for a decision, or that were applied without a person.",
        SpotCheck,
        "drawn_at",
        by="stratum",
        label="stratum",
        known=lambda: {value: value for value in (draws.WAITING, draws.AUTO)},
    ),
    Counted(
        "spot_checks_answered",
        "Answers given to spot checks before the advice was shown.",
        BlindAnswer,
        "answered_at",
    ),
)


def people() -> Sequence[Metric]:
    opened = gauge("leases", "Tickets that somebody has open to decide on.")
    opened.add_metric([], Lease.objects.filter(until__gte=timezone.now()).count())
    return [*families(COUNTERS), opened]


PARTS = (
    *telemetry.PARTS,
    Part("people_tallies", partial(keep, COUNTERS)),
    Part("people", people),
)


@never_cache
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """All figures for whoever bears the token; in OpenMetrics if asked for, else as plain text."""
    token: str = settings.COUNTERSIGN_SCRAPE_TOKEN
    if not token:
        said = "Nothing is measured here: set COUNTERSIGN_SCRAPE_TOKEN, see docs/monitoring.md.\n"
        return HttpResponse(said, status=404, content_type=PLAIN)
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not constant_time_compare(given.strip(), token):
        said = (
            "Send the header “Authorization: Bearer” with the value of COUNTERSIGN_SCRAPE_TOKEN.\n"
        )
        refused = HttpResponse(said, status=401, content_type=PLAIN)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    # Of this request alone: the other web processes count the same rows.
    registry = CollectorRegistry()
    registry.register(Scrape(PARTS))
    if "application/openmetrics-text" in request.headers.get("Accept", ""):
        text = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
        return HttpResponse(text, content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


# Without a slash, as Prometheus asks; with one it is the page for people.
urlpatterns = [path("metrics", scrape, name="scrape")]
