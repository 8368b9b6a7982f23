"""Which version answers for a field: promotion and roll-back, with a reason on the record."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from triage import ledger
from triage.learning import artefacts
from triage.learning.artefacts import ArtefactRefused
from triage.learning.serving import model_path
from triage.models import Field, LedgerEntry, ModelVersion

State = ModelVersion.State
# Held-out accuracies of two trainings differ by chance; below this it is not called worse.
WORSE_BY = 0.005


class PromotionRefused(Exception):
    """The version cannot be put into service; the message says why."""


def champion(field: Field) -> ModelVersion | None:
    return ModelVersion.objects.filter(field=field, state=State.CHAMPION).first()


@transaction.atomic
def promote(version: ModelVersion, *, by: User, reason: str) -> None:
    """Put a version into service; the one before retires. Promoting the champion is a no-op.

    Refused if its file does not load, or if it measured worse than the champion and no reason
    is given.
    """
    field = Field.objects.select_for_update().get(pk=version.field_id)
    current = champion(field)
    if current == version:
        return
    try:
        artefacts.load(
            model_path(version), settings.COUNTERSIGN_MODEL_KEY.encode(), sha256=version.sha256
        )
    except ArtefactRefused as error:
        raise PromotionRefused(f"{version} does not load: {error}") from error
    if current is not None and _is_worse(version, current) and not reason.strip():
        raise PromotionRefused(
            f"{version} measured {version.evidence['accuracy']:.3f} held-out accuracy, "
            f"{current} {current.evidence['accuracy']:.3f}. Give a reason to promote it anyway."
        )
    _swap(version, current)
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"model:{version.pk}",
        payload={
            "in_service": True,
            "instead_of": current.pk if current else None,
            "reason": reason.strip(),
        },
        actor=ledger.actor_of(by),
    )


def roll_back(field: Field, *, by: User, reason: str) -> ModelVersion:
    """Put the version that served before the champion back into service."""
    current = champion(field)
    before = (
        ModelVersion.objects.filter(field=field, promoted_at__isnull=False)
        .exclude(state=State.CHAMPION)
        .order_by("-retired_at")
        .first()
    )
    if current is None or before is None:
        raise PromotionRefused(f"{field.name} has no earlier version to go back to.")
    promote(before, by=by, reason=reason or "rolled back")
    return before


def _is_worse(version: ModelVersion, current: ModelVersion) -> bool:
    ours, theirs = version.evidence.get("accuracy"), current.evidence.get("accuracy")
    return ours is not None and theirs is not None and ours < theirs - WORSE_BY


def _swap(version: ModelVersion, current: ModelVersion | None) -> None:
    now = timezone.now()
    if current is not None:
        ModelVersion.objects.filter(pk=current.pk).update(state=State.RETIRED, retired_at=now)
    ModelVersion.objects.filter(pk=version.pk).update(
        state=State.CHAMPION, promoted_at=now, retired_at=None
    )
    version.refresh_from_db()
