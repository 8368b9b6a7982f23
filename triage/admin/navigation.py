"""The desk's sidebar and first page: who sees which entry, and what needs an owner now."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from triage.models import (
    Certificate,
    EmergencyStop,
    EscalationRule,
    Job,
    LedgerEntry,
    Level,
    ModelVersion,
    Rung,
    Source,
    Waiting,
)

SOON_DAYS = 14
LATEST = 8


def _may_view(request: HttpRequest, model: str) -> bool:
    app, name = model.split(".")
    return request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(
        f"{app}.change_{name}"
    )


def sees_policy(request: HttpRequest) -> bool:
    return _may_view(request, "triage.escalationrule")


def sees_learning(request: HttpRequest) -> bool:
    return _may_view(request, "triage.modelversion")


def sees_catalogue(request: HttpRequest) -> bool:
    return _may_view(request, "triage.source")


def sees_secrets(request: HttpRequest) -> bool:
    return _may_view(request, "triage.sourcesecret")


def sees_record(request: HttpRequest) -> bool:
    return _may_view(request, "triage.ticket")


def sees_decisions(request: HttpRequest) -> bool:
    return _may_view(request, "review.decision")


def sees_reasons(request: HttpRequest) -> bool:
    return _may_view(request, "review.reason")


def sees_ledger(request: HttpRequest) -> bool:
    return _may_view(request, "triage.ledgerentry")


def sees_tokens(request: HttpRequest) -> bool:
    return _may_view(request, "knox.authtoken")


def sees_people(request: HttpRequest) -> bool:
    return _may_view(request, "auth.user")


def dead_letters(request: HttpRequest) -> str:
    """The badge beside jobs; empty while nothing is dead."""
    dead = Job.objects.filter(dead_at__isnull=False).count() if sees_record(request) else 0
    return str(dead) if dead else ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what the first page shows; a fixed number of queries, all on small sets."""
    context["may_stop"] = request.user.has_perm("triage.add_emergencystop")
    context["may_release"] = request.user.has_perm("triage.change_emergencystop")
    if not sees_policy(request):
        return context
    now = timezone.now()
    stops = EmergencyStop.objects.filter(released_at__isnull=True)
    live = Certificate.objects.filter(
        expires_at__gt=now, model_version__state=ModelVersion.State.CHAMPION
    )
    soon = now + timedelta(days=SOON_DAYS)
    return {
        **context,
        "stops": list(stops.select_related("source", "choice", "pulled_by")),
        "cards": [
            ("Waiting for a person", Waiting.objects.count(), "", ""),
            ("Active sources", Source.objects.filter(is_active=True).count(), "triage_source", ""),
            (
                "Active rules",
                EscalationRule.objects.filter(is_active=True).count(),
                "triage_escalationrule",
                "is_active__exact=1",
            ),
            (
                "Rungs at auto",
                Rung.objects.filter(level=Level.AUTO).count(),
                "triage_rung",
                "level__exact=auto",
            ),
            (
                f"Certificates expiring in {SOON_DAYS} days",
                live.filter(expires_at__lt=soon).count(),
                "triage_certificate",
                "",
            ),
            (
                "Dead letters",
                Job.objects.filter(dead_at__isnull=False).count(),
                "triage_job",
                "dead_at__isempty=0",
            ),
        ],
        "champions": list(
            ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION)
            .select_related("field__source", "owner")
            .order_by("field__source__name", "field__position")
        ),
        "latest": latest_changes() if sees_ledger(request) else [],
    }


def latest_changes() -> list[dict[str, Any]]:
    """The newest entries about policy and models, with the name of who made each."""
    kinds = [LedgerEntry.Kind.POLICY, LedgerEntry.Kind.MODEL]
    entries = list(LedgerEntry.objects.filter(kind__in=kinds).order_by("-sequence")[:LATEST])
    ids = [entry.actor.removeprefix("user:") for entry in entries]
    people = User.objects.in_bulk([int(one) for one in ids if one.isdecimal()])
    return [
        {
            "entry": entry,
            "said": " ".join([entry.subject.replace(":", " "), entry.payload.get("event", "")]),
            "who": people.get(int(one), entry.actor) if one.isdecimal() else entry.actor,
        }
        for entry, one in zip(entries, ids, strict=True)
    ]
