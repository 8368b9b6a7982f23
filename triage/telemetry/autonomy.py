"""What triage may do without a person: rungs, emergency stops, models in service."""

from collections.abc import Sequence

from django.utils import timezone
from prometheus_client.core import Metric

from triage.models import EmergencyStop, Field, Level, ModelVersion, Rung
from triage.policy.ladder import LEVELS
from triage.telemetry.scrape import gauge


def rungs() -> Sequence[Metric]:
    """Two statements."""
    held = gauge(
        "rung_info",
        "1 for the rung that a choice of a field holds, no higher than its cap: off, shadow, "
        "suggest, prefill, auto. An empty choice stands for all choices without a rung of their "
        "own.",
        "source",
        "field",
        "choice",
        "level",
    )
    playbooks = gauge(
        "playbook_rung_info",
        "1 for the rung that a playbook holds; the label is its number at the owner's desk.",
        "source",
        "playbook",
        "level",
    )
    rows = Rung.objects.select_related("field", "choice", "playbook").order_by("pk")
    fields = {field.pk: field for field in Field.objects.select_related("source").order_by("pk")}
    slugs = {field.source_id: field.source.slug for field in fields.values()}
    plain = set(fields)
    for rung in rows:
        level = min(rung.level, rung.cap, key=LEVELS.index)
        if rung.playbook is not None:
            source = slugs.get(rung.playbook.source_id, "")
            playbooks.add_metric([source, str(rung.playbook.pk), level], 1)
        elif rung.field_id is not None:
            field = fields[rung.field_id]
            choice = rung.choice.key if rung.choice is not None else ""
            held.add_metric([field.source.slug, field.key, choice, level], 1)
            if rung.choice is None:
                plain.discard(field.pk)
    for pk in sorted(plain):
        labels = [fields[pk].source.slug, fields[pk].key, "", Level.SUGGEST.value]
        held.add_metric(labels, 1)
    return [held, playbooks]


def stops() -> Sequence[Metric]:
    """One statement."""
    pulled = gauge(
        "emergency_stop",
        "1 while an emergency stop is in force: nothing it covers is applied without a person. "
        "Scope everything is always there, source and choice only while they are stopped.",
        "scope",
        "source",
        "field",
        "choice",
    )
    found = {("everything", "", "", ""): 0.0}
    rows = EmergencyStop.objects.filter(released_at__isnull=True).order_by("pk")
    for stop in rows.select_related("source", "choice__field__source"):
        if stop.choice is not None:
            field = stop.choice.field
            found["choice", field.source.slug, field.key, stop.choice.key] = 1.0
        elif stop.source is not None:
            found["source", stop.source.slug, "", ""] = 1.0
        else:
            found["everything", "", "", ""] = 1.0
    for labels, value in found.items():
        pulled.add_metric(labels, value)
    return [pulled]


def champions() -> Sequence[Metric]:
    """One statement. A field without a model in service has no sample."""
    age = gauge(
        "champion_age_seconds",
        "How long ago the model in service of a field was trained.",
        "source",
        "field",
    )
    rows = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).order_by("field")
    for version in rows.select_related("field__source"):
        old = (timezone.now() - version.created_at).total_seconds()
        age.add_metric([version.field.source.slug, version.field.key], max(0.0, old))
    return [age]
