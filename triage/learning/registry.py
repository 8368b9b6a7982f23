"""Which version answers for a field: shadow, promotion and roll-back, each on the record.

candidate -> shadow -> champion -> retired; a shadow may become a candidate again, and a candidate
or a retired version the champion.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from triage import ledger
from triage.learning import artefacts
from triage.learning.artefacts import ArtefactRefused
from triage.learning.serving import model_path
from triage.learning.shared import DAYS, Comparison, compare
from triage.models import Field, LedgerEntry, ModelVersion

State = ModelVersion.State
# Held-out accuracies of two trainings differ by chance; below this it is not called worse.
WORSE_BY = 0.005
# Each is asked about every ticket. Two can be compared with the champion and with each other; more
# would cost workers and disk, and find a winner by luck more often.
MOST_SHADOWS = 2
ONE_CLICK = "rolled back in one click, without a reason"


class PromotionRefused(Exception):
    """The version cannot be put into service or into shadow; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """What speaks for or against a version beside the champion, in a sentence with its figures.

    `is_known` False: nothing compares the two.
    """

    is_worse: bool
    is_known: bool
    said: str

    @property
    def needs_reason(self) -> bool:
        return self.is_worse or not self.is_known


def champion(field: Field) -> ModelVersion | None:
    return ModelVersion.objects.filter(field=field, state=State.CHAMPION).first()


def before(field: Field) -> ModelVersion | None:
    """The version that a roll-back would bring back: the one that served last."""
    return (
        ModelVersion.objects.filter(field=field, promoted_at__isnull=False)
        .exclude(state=State.CHAMPION)
        .order_by("-retired_at")
        .first()
    )


def verdict(version: ModelVersion, current: ModelVersion) -> Verdict:
    return judged(compare(current, version))


def judged(comparison: Comparison) -> Verdict:
    """By blind checks of live tickets where there are enough of them, else by held-out figures."""
    version, current, blind = comparison.challenger, comparison.champion, comparison.blind
    if blind is not None and blind.is_enough:
        found = blind.difference
        return Verdict(
            is_worse=found.value < 0,
            is_known=True,
            said=f"On {found.n} blind checks of live tickets of the last {DAYS} days {version} is "
            f"right for {blind.challenger.value:.1%}, {current} for {blind.champion.value:.1%}: "
            f"{100 * found.value:+.1f} points, 95 % interval {100 * found.low:+.1f} to "
            f"{100 * found.high:+.1f}.",
        )
    ours, theirs = version.evidence.get("accuracy"), current.evidence.get("accuracy")
    if ours is None or theirs is None:
        return Verdict(False, False, f"Nothing compares {version} with {current}.")
    return Verdict(
        is_worse=ours < theirs - WORSE_BY,
        is_known=True,
        said=f"{version} measured {ours:.3f} held-out accuracy, {current} {theirs:.3f}; blind "
        f"checks of live tickets that both predicted: {blind.n if blind else 0}, too few.",
    )


@transaction.atomic
def promote(version: ModelVersion, *, by: User, reason: str) -> None:
    """Put a version into service; the one before retires. Promoting the champion is a no-op.

    Refused if its file does not load, or if it is worse than the champion, or nothing compares
    the two, and no reason is given.
    """
    current = _locked(version.field_id)
    if current == version:
        return
    # An erasure may have written its file anew.
    version.refresh_from_db()
    _require_file(version)
    if current is not None and not reason.strip():
        found = verdict(version, current)
        if found.needs_reason:
            raise PromotionRefused(f"{found.said} Give a reason to promote it anyway.")
    now = timezone.now()
    if current is not None:
        ModelVersion.objects.filter(pk=current.pk).update(state=State.RETIRED, retired_at=now)
    ModelVersion.objects.filter(pk=version.pk).update(
        state=State.CHAMPION, promoted_at=now, retired_at=None
    )
    version.refresh_from_db()
    _record(
        version,
        by,
        in_service=True,
        instead_of=current.pk if current else None,
        reason=reason.strip(),
    )


@transaction.atomic
def roll_back(field: Field, *, by: User, reason: str = "") -> ModelVersion:
    """Put the version that served before the champion back into service; again, and it is undone.

    One transaction: a batch of tickets is answered by the one or by the other.
    """
    current = _locked(field.pk)
    earlier = before(field)
    if current is None or earlier is None:
        raise PromotionRefused(f"{field.name} has no earlier version to go back to.")
    promote(earlier, by=by, reason=reason.strip() or ONE_CLICK)
    return earlier


@transaction.atomic
def put_into_shadow(version: ModelVersion, *, by: User, reason: str) -> None:
    """Let a candidate predict live tickets, shown to nobody. A shadow stays one: a no-op.

    Refused for any other state, if its file does not load, or if the field has MOST_SHADOWS.
    """
    _locked(version.field_id)
    version.refresh_from_db()
    if version.state == State.SHADOW:
        return
    if version.state != State.CANDIDATE:
        raise PromotionRefused(
            f"Only a candidate can be put into shadow; {version} is {version.get_state_display()}."
        )
    others = ModelVersion.objects.filter(field=version.field_id, state=State.SHADOW)
    if len(others) >= MOST_SHADOWS:
        raise PromotionRefused(
            f"A field has at most {MOST_SHADOWS} versions in shadow, and it has "
            f"{', '.join(str(other) for other in others)}: take one out first."
        )
    _require_file(version)
    _move(version, State.SHADOW)
    _record(version, by, event="put into shadow", reason=reason.strip())


@transaction.atomic
def take_out_of_shadow(version: ModelVersion, *, by: User, reason: str) -> None:
    """Stop asking a shadow; it is a candidate again, and its predictions stay."""
    _locked(version.field_id)
    version.refresh_from_db()
    if version.state != State.SHADOW:
        raise PromotionRefused(f"{version} is not in shadow, but {version.get_state_display()}.")
    _move(version, State.CANDIDATE)
    _record(version, by, event="taken out of shadow", reason=reason.strip())


def _locked(field: int) -> ModelVersion | None:
    """The champion, with the field locked, so that of two people one comes second."""
    return champion(Field.objects.select_for_update().get(pk=field))


def _require_file(version: ModelVersion) -> None:
    try:
        artefacts.load(
            model_path(version), settings.COUNTERSIGN_MODEL_KEY.encode(), sha256=version.sha256
        )
    except ArtefactRefused as error:
        raise PromotionRefused(f"{version} does not load: {error}") from error


def _move(version: ModelVersion, state: State) -> None:
    version.state = state
    version.save(update_fields=["state"])


def _record(version: ModelVersion, by: User, **payload: object) -> None:
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"model:{version.pk}",
        payload=payload,
        actor=ledger.actor_of(by),
    )
