"""The desk's sidebar and first page: who sees which entry, and what needs an owner now."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from triage.admin import moments
from triage.admin.changes import latest_changes
from triage.jobs import leases
from triage.jobs.lanes import PROMPT_KINDS
from triage.models import (
    Certificate,
    DriftFinding,
    EmergencyStop,
    EscalationRule,
    Job,
    Level,
    ModelVersion,
    RetrainingProposal,
    Rung,
    Source,
    Waiting,
)

SOON_DAYS = 14
# Of what the models' nights found; the rest is in the lists.
MOST_OPEN = 20
# Work is begun within seconds; a job this old has waited for workers that are stuck or too few.
OLD_JOB_SECONDS = 60
DEAD_LETTERS = "triage.admin.navigation.dead_letters"

# Section: entries as (title, icon of the theme, table).
SECTIONS = {
    "Policy": [
        ("Escalation rules", "rule", "triage.escalationrule"),
        ("Playbooks", "menu_book", "triage.playbook"),
        ("Rungs", "stairs", "triage.rung"),
        ("Certificates", "verified", "triage.certificate"),
        ("Emergency stops", "front_hand", "triage.emergencystop"),
        ("Reasons", "label", "review.reason"),
    ],
    "Learning": [
        ("Model versions", "network_intelligence", "triage.modelversion"),
        ("Training", "model_training", "triage.trainingrun"),
        ("Doubtful labels", "flag", "triage.labeldoubt"),
        ("Drift", "moving", "triage.driftfinding"),
        ("Retraining", "autorenew", "triage.retrainingproposal"),
        ("Predictions", "analytics", "triage.prediction"),
        ("Labels", "sell", "triage.label"),
    ],
    "Catalogue": [
        ("Sources", "hub", "triage.source"),
        ("Secrets", "key", "triage.sourcesecret"),
        ("Fields", "view_list", "triage.field"),
        ("Choices", "category", "triage.choice"),
    ],
    "Record": [
        ("Tickets", "confirmation_number", "triage.ticket"),
        ("Proposals", "lightbulb", "triage.proposal"),
        ("Decisions", "how_to_reg", "review.decision"),
        ("Blind checks", "visibility_off", "review.spotcheck"),
        ("Blind answers", "fact_check", "review.blindanswer"),
        ("Effects", "output", "triage.effect"),
        ("Deliveries", "inbox", "triage.delivery"),
        ("Jobs", "work_history", "triage.job"),
        ("Ledger", "history_edu", "triage.ledgerentry"),
    ],
    "People": [
        ("Users", "group", "auth.user"),
        ("Roles", "badge", "auth.group"),
        ("Team agreement", "handshake", "review.teamagreement"),
        ("API tokens", "vpn_key", "knox.authtoken"),
    ],
}


def sees(request: HttpRequest, table: str) -> bool:
    """Whether the person may open the list of a table, named as app.model."""
    app, name = table.split(".")
    return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's navigation, without what the person may not open."""
    # The theme draws a badge that says nothing too.
    dead = dead_letters(request)
    sections: list[dict[str, Any]] = []
    for title, entries in SECTIONS.items():
        items = [
            {
                "title": name,
                "icon": icon,
                "link": reverse(f"admin:{table.replace('.', '_')}_changelist"),
                "badge": DEAD_LETTERS if table == "triage.job" and dead else None,
            }
            for name, icon, table in entries
            if sees(request, table)
        ]
        if items:
            sections.append({"title": title, "separator": bool(sections), "items": items})
    return sections


def dead_count() -> int:
    return Job.objects.filter(dead_at__isnull=False).count()


def dead_letters(request: HttpRequest) -> str:
    """The badge beside jobs; empty while nothing is dead."""
    dead = dead_count()
    return str(dead) if dead else ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what the first page shows; a fixed number of queries, all on small sets."""
    context["may_stop"] = request.user.has_perm("triage.add_emergencystop")
    context["may_release"] = request.user.has_perm("triage.change_emergencystop")
    if not sees(request, "triage.escalationrule"):
        return context
    stops = EmergencyStop.objects.filter(released_at__isnull=True)
    oldest, dead = leases.oldest_age_seconds(PROMPT_KINDS), dead_count()
    return {
        **context,
        "stops": list(stops.select_related("source", "choice", "pulled_by")),
        "cards": cards(oldest, dead),
        "warnings": warnings(oldest, dead),
        "champions": list(
            ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION)
            .select_related("field__source", "owner")
            .order_by("field__source__name", "field__position")
        ),
        "drifted": list(
            DriftFinding.objects.filter(
                until__isnull=True, model_version__state=ModelVersion.State.CHAMPION
            )
            .select_related("model_version__field__source")
            .order_by("-is_grave", "-since")[:MOST_OPEN]
        ),
        "retraining": list(
            RetrainingProposal.objects.filter(closed_at__isnull=True)
            .select_related("field__source")
            .order_by("created_at")[:MOST_OPEN]
        ),
        "latest": latest_changes(request) if sees(request, "triage.ledgerentry") else [],
    }


def warnings(oldest_seconds: float, dead: int) -> list[tuple[str, str, str]]:
    """What is wrong with the work itself, what to do, and the list it leads to."""
    jobs = reverse("admin:triage_job_changelist")
    found = []
    if oldest_seconds > OLD_JOB_SECONDS:
        what = f"The oldest job has waited for {moments.age(oldest_seconds)}."
        todo = "Workers are stuck, stopped or too few: look at their logs and restart them."
        found.append((what, todo, f"{jobs}?dead_at__isempty=1"))
    if dead:
        what = "1 dead letter." if dead == 1 else f"{dead:,} dead letters."
        todo = "Each failed every time it was tried: read its error, mend the cause, redeliver it."
        found.append((what, todo, f"{jobs}?dead_at__isempty=0"))
    return found


def cards(oldest_seconds: float, dead: int) -> list[tuple[str, int | str, str, str]]:
    """What is counted, the number, and the list it leads to with its filter."""
    now = timezone.now()
    expiring = Certificate.objects.filter(
        expires_at__range=(now, now + timedelta(days=SOON_DAYS)),
        model_version__state=ModelVersion.State.CHAMPION,
    )
    sources = Source.objects.filter(is_active=True)
    rules = EscalationRule.objects.filter(is_active=True)
    at_auto = Rung.objects.filter(level=Level.AUTO)
    return [
        ("Waiting for a person", Waiting.objects.count(), "", ""),
        ("Active sources", sources.count(), "triage_source", "is_active__exact=1"),
        ("Active rules", rules.count(), "triage_escalationrule", "is_active__exact=1"),
        ("Rungs at auto", at_auto.count(), "triage_rung", "level__exact=auto"),
        (
            f"Certificates expiring in {SOON_DAYS} days",
            expiring.count(),
            "triage_certificate",
            "",
        ),
        (
            "Age of the oldest job",
            moments.age(oldest_seconds),
            "triage_job",
            "dead_at__isempty=1",
        ),
        ("Dead letters", dead, "triage_job", "dead_at__isempty=0"),
    ]
