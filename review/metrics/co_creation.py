"""What metrics mean is made together: proposed, discussed, voted on, put in force, retired.

Every step is one entry of the ledger. The vote between discussion and activation: votes.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from review.metrics import versions
from review.metrics.definition_rows import Refused, Status, locked, moment, record
from review.metrics.definitions import DEFINITIONS, Audience, Definition, Text
from review.metrics.estimators import Interval, wilson
from review.models import DefinitionComment, MetricDefinition

DELETABLE = timedelta(minutes=15)
# Each attempt but the last was beaten by somebody who proposed at the same moment.
ATTEMPTS = 20


@dataclass(frozen=True)
class Draft:
    """What a version may say otherwise than the one in force. `parameters` are values by name."""

    purpose: str
    caveat: str
    audience: Audience
    min_n: int
    min_people: int
    parameters: Mapping[str, int]


@dataclass(frozen=True)
class Legitimacy:
    """Metric 27: how many of the definitions in force a vote ratified, and when one last closed.

    The interval is Wilson's, as for every share here, though all definitions are counted.
    """

    ratified: int
    active: int
    last_vote: datetime | None

    @property
    def share(self) -> float:
        return self.ratified / self.active

    @property
    def interval(self) -> Interval | None:
        return wilson(self.ratified, self.active)

    def age(self, now: datetime) -> timedelta | None:
        """Of the last vote that was closed; None where there was none."""
        return None if self.last_vote is None else now - self.last_vote


# --- Proposing and discussing -----------------------------------------------------------------
def propose(key: str, draft: Draft, *, by: User, why: str) -> MetricDefinition:
    """A new version, with the reason for it as its first comment. KeyError for an unknown metric.

    ValueError for a parameter that the metric lacks or a value outside its bounds; Refused where
    nothing would change.
    """
    _check(draft.parameters, DEFINITIONS[key])
    now = timezone.now()
    standing = versions.in_force_of(key, now)
    row = MetricDefinition(
        key=key,
        formula=versions.in_english(DEFINITIONS[key].formula),
        purpose=_kept(draft.purpose, standing.purpose),
        caveat=_kept(draft.caveat, standing.caveat),
        audience=draft.audience,
        min_n=draft.min_n,
        min_people=draft.min_people,
        parameters=dict(draft.parameters),
        proposer=by,
        proposed_at=now,
        version=0,
    )
    new = versions.as_definition(row)
    if not any(one.is_changed for one in versions.differences(standing, new)):
        raise Refused(
            _("Nothing differs from version %(number)s, which is in force.")
            % {"number": standing.version}
        )
    with transaction.atomic():
        _number(row, above=DEFINITIONS[key].version)
        DefinitionComment.objects.create(definition=row, author=by, text=why, at=now)
        record(row, "proposed", by)
    return row


@transaction.atomic
def withdraw(pk: int, *, by: User) -> MetricDefinition:
    """One's own proposal, while it is still discussed by everybody; it stays to be read."""
    row = locked(pk)
    if row.proposer_id != by.pk:
        raise Refused(_("Only who proposed it can withdraw it."))
    if row.status != Status.PROPOSED:
        raise Refused(_("It can be withdrawn only until the vote opens."))
    return _retire(row, "withdrawn", by)


@transaction.atomic
def comment(pk: int, *, by: User, text: str) -> DefinitionComment:
    row = locked(pk)
    if row.status != Status.PROPOSED:
        raise Refused(_("The discussion is closed."))
    return DefinitionComment.objects.create(definition=row, author=by, text=text, at=timezone.now())


@transaction.atomic
def delete_comment(pk: int, *, by: User) -> MetricDefinition:
    """One's own, for a quarter of an hour and until the discussion closes. May be repeated by
    nobody: DoesNotExist for one that is gone or somebody else's.
    """
    found = DefinitionComment.objects.get(pk=pk, author=by)
    row = locked(found.definition_id)
    if not is_deletable(found, row, by, timezone.now()):
        raise Refused(_("A comment can be deleted for 15 minutes, and until the vote opens."))
    found.delete()
    return row


def is_deletable(
    comment: DefinitionComment, definition: MetricDefinition, by: User, now: datetime
) -> bool:
    is_open = definition.status == Status.PROPOSED
    return comment.author_id == by.pk and is_open and now - comment.at < DELETABLE


# --- In force and out of it -------------------------------------------------------------------
@transaction.atomic
def activate(pk: int, *, by: User, instead_of: int, because: str = "") -> MetricDefinition:
    """Put a version in force in place of another, which is retired at the same moment.

    `instead_of` is the version that the person saw in force: Refused if that is another one now, so
    that nobody replaces what they have not seen. Without a vote that ratified it, `because` says
    why; with one it is not kept.
    """
    row = locked(pk)
    now = moment(row)
    standing = versions.in_force_of(row.key, now)
    _check_can_activate(row, standing, instead_of)
    if not row.is_ratified and not because:
        raise Refused(_("No vote has ratified it: say why it comes into force all the same."))
    for former in MetricDefinition.objects.filter(
        key=row.key, activated_at__isnull=False, retired_at__isnull=True
    ):
        former.retired_at = now
        former.save(update_fields=["retired_at"])
    row.activated_at, row.activated_by = now, by
    row.unratified_because = "" if row.is_ratified else because
    row.save(update_fields=["activated_at", "activated_by", "unratified_because"])
    said = {"reason": row.unratified_because} if row.unratified_because else {}
    is_ratified = {"ratified": row.is_ratified}
    record(row, "activated", by, **is_ratified, **said, instead_of=instead_of)
    versions.forget()
    return row


@transaction.atomic
def retire(pk: int, *, by: User, because: str) -> MetricDefinition:
    """Take a version out of force, or set one aside that was proposed or voted on.

    What the service came with is in force again; nothing retired comes back.
    """
    row = locked(pk)
    if row.status == Status.RETIRED:
        raise Refused(_("It is retired already."))
    if row.status == Status.DISCUSSED:
        raise Refused(_("A vote on it is open; close it first."))
    retired = _retire(row, "retired", by, reason=because)
    versions.forget()
    return retired


def legitimacy(now: datetime | None = None) -> Legitimacy:
    now = now or timezone.now()
    found = versions.in_force(now).values()
    last = MetricDefinition.objects.filter(closed_at__lte=now).aggregate(last=Max("closed_at"))
    return Legitimacy(sum(one.is_ratified for one in found), len(found), last["last"])


def _number(row: MetricDefinition, *, above: int) -> None:
    """Save it under the next number of its metric."""
    for attempt in range(1, ATTEMPTS + 1):
        newest = MetricDefinition.objects.filter(key=row.key).aggregate(last=Max("version"))["last"]
        row.version = max(above, newest or 0) + 1
        try:
            with transaction.atomic():
                row.save(force_insert=True)
            return
        except IntegrityError:
            if attempt == ATTEMPTS or not _is_taken(row):
                raise


def _is_taken(row: MetricDefinition) -> bool:
    return MetricDefinition.objects.filter(key=row.key, version=row.version).exists()


def _check_can_activate(row: MetricDefinition, standing: Definition, instead_of: int) -> None:
    if row.status != Status.VOTED:
        raise Refused(_("Only a version whose vote is closed can come into force."))
    if row.version < standing.version:
        raise Refused(
            _("Version %(number)s, which is newer, is in force. Propose this one anew.")
            % {"number": standing.version}
        )
    if instead_of != standing.version:
        raise Refused(
            _("Version %(number)s came into force meanwhile. Look at what differs from it.")
            % {"number": standing.version}
        )


def _check(parameters: Mapping[str, int], definition: Definition) -> None:
    if parameters.keys() != definition.parameters.keys():
        raise ValueError(
            f"{definition.key} has the parameters {sorted(definition.parameters)}; "
            f"got {sorted(parameters)}."
        )
    for name, value in parameters.items():
        one = definition.parameters[name]
        if not one.least <= value <= one.most:
            raise ValueError(f"{name} lies between {one.least} and {one.most}; got {value}.")


def _kept(said: str, present: Text) -> str:
    """Words left as they are stay in English, so that each reader has them in their language."""
    return versions.in_english(present) if said == str(present) else said


def _retire(row: MetricDefinition, event: str, by: User, **more: object) -> MetricDefinition:
    row.retired_at = moment(row)
    row.save(update_fields=["retired_at"])
    record(row, event, by, **more)
    return row
