"""Blind spot checks: what people answer before they see the advice, and what is kept of it.

A check looks the same whether the proposal waits for a decision or was applied without a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from review import decisions
from review.catalogue import Catalogue
from review.models import BlindAnswer, BlindValue, SecondLook, SpotCheck, Truth
from triage import ledger, steps
from triage.drawing import second_chance, stratum_of
from triage.models import Choice, Field, Label, LedgerEntry, Proposal, ProposedValue, Waiting


class AlreadyAnswered(decisions.DecisionError):
    """Somebody answered meanwhile, so the advice may have been seen."""


@dataclass(frozen=True)
class Compared:
    """One field of an own answer beside the proposal's value; no choice: could not tell."""

    field: Field
    choice: Choice | None
    path: str
    proposed_path: str
    is_same: bool


@dataclass(frozen=True)
class OwnAnswer:
    """What the person who looks answered before the advice was shown."""

    values: list[Compared]

    @property
    def choices(self) -> dict[str, Choice]:
        """By field key, of what they could tell."""
        return {one.field.key: one.choice for one in self.values if one.choice is not None}

    @property
    def differs(self) -> bool:
        return any(one.choice is not None and not one.is_same for one in self.values)

    @property
    def agrees(self) -> bool:
        """On the main value, and on all else that was answered."""
        return not self.differs and any(one.field.is_main and one.is_same for one in self.values)


def look(waiting: Waiting) -> bool:
    """Note that the check comes before a person; False if it was answered already.

    The row keeps the probability at which it was drawn, whatever the owner sets later. The first
    look is kept; to look again changes nothing.
    """
    if waiting.blind_at is None:
        return False
    known = SpotCheck.objects.filter(proposal=waiting.proposal_id).first()
    check = known or _noted(waiting, waiting.blind_at)
    if not check.answers.exists():
        return True
    # It waits again, and is never asked twice.
    Waiting.objects.filter(pk=waiting.pk).update(blind_at=None)
    return False


def _noted(waiting: Waiting, propensity: float) -> SpotCheck:
    """Of two who look first at once, the earlier note is kept."""
    check, _is_new = SpotCheck.objects.get_or_create(
        proposal_id=waiting.proposal_id,
        defaults={
            "propensity": propensity,
            "stratum": stratum_of(waiting.proposal.route),
            "drawn_at": timezone.now(),
            "second_at": second_chance(waiting.ticket),
        },
    )
    return check


@transaction.atomic
def answer(
    *,
    proposal: Proposal,
    reviewer: User,
    choices: Mapping[str, Choice | None],
    seconds: float | None = None,
) -> BlindAnswer:
    """Keep what a person said without the advice, as a truth of its own, and open the proposal.

    `choices` are by field key; None: could not tell. The main field has to be among them.
    `seconds` passed since this person's first look; unknown: since the first look of anybody.
    Raises AlreadyAnswered, AlreadyDecided, Superseded, Leased or DecisionRefused.
    """
    waiting = decisions.hold(proposal, reviewer)
    if not look(waiting):
        raise AlreadyAnswered(_("Somebody has answered this one meanwhile: the advice is shown."))
    proposed = _fields(proposal)
    _check(proposed, choices)
    check = SpotCheck.objects.select_related("proposal__ticket").get(proposal=proposal)
    now = timezone.now()
    passed = (now - check.drawn_at).total_seconds() if seconds is None else seconds
    given = BlindAnswer.objects.create(
        check_of=check, reviewer=reviewer, answered_at=now, seconds=max(0.0, passed)
    )
    _keep(given, {proposed[key].field: choice for key, choice in choices.items()})
    Waiting.objects.filter(pk=waiting.pk).update(blind_at=None)
    if check.second_at is not None:
        SecondLook.objects.create(check_of=check, nth=2, since=now)
    ledger.append(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"check:{check.pk}",
        payload={
            "proposal": proposal.pk,
            "answered": {key: choice.key if choice else None for key, choice in choices.items()},
            "propensity": check.propensity,
            "stratum": check.stratum,
            "second_at": check.second_at,
        },
        actor=ledger.actor_of(reviewer),
    )
    return given


def _keep(given: BlindAnswer, choices: Mapping[Field, Choice | None]) -> None:
    """What was said, and as a truth and a label what could be told."""
    check = given.check_of
    BlindValue.objects.bulk_create(
        BlindValue(answer=given, field=field, choice=choice) for field, choice in choices.items()
    )
    told = {field: choice for field, choice in choices.items() if choice is not None}
    Truth.objects.bulk_create(
        Truth(
            check_of=check,
            field=field,
            choice=choice,
            origin=Truth.Origin.SINGLE,
            settled_at=given.answered_at,
        )
        for field, choice in told.items()
    )
    for field, choice in told.items():
        steps.record_label(
            check.proposal.ticket,
            field,
            choice,
            origin=Label.Origin.SPOT_CHECK,
            propensity=check.propensity,
        )


def own_answer(proposal: Proposal | None, person: User, choices: Catalogue) -> OwnAnswer | None:
    """None where this person gave none. Asks the database only of proposals that were checked.

    `proposal` comes with its `spot_check`, if it has one.
    """
    check: SpotCheck | None = getattr(proposal, "spot_check", None)
    if proposal is None or check is None:
        return None
    said = BlindValue.objects.filter(answer__check_of=check, answer__reviewer=person)
    values = list(said.select_related("field", "choice").order_by("field__position", "field__key"))
    if not values:
        return None
    proposed = dict(proposal.values.values_list("field", "choice"))
    return OwnAnswer(
        [
            Compared(
                field=value.field,
                choice=value.choice,
                path=choices.path(value.choice_id),
                proposed_path=choices.path(proposed.get(value.field_id)),
                is_same=value.choice_id is not None
                and proposed.get(value.field_id) == value.choice_id,
            )
            for value in values
        ]
    )


def fields_of(proposal: Proposal) -> list[Field]:
    """What can be answered, the main field first."""
    fields = [value.field for value in _fields(proposal).values()]
    return sorted(fields, key=lambda field: (not field.is_main, field.position, field.key))


def _fields(proposal: Proposal) -> dict[str, ProposedValue]:
    return {value.field.key: value for value in proposal.values.select_related("field")}


def _check(proposed: Mapping[str, ProposedValue], choices: Mapping[str, Choice | None]) -> None:
    for key, choice in choices.items():
        if key not in proposed:
            raise decisions.DecisionRefused(f"This proposal has no field {key!r}.")
        if choice is not None:
            decisions.check_choice(proposed[key].field, choice, None)
    for key, value in proposed.items():
        if value.field.is_main and key not in choices:
            name = value.field.name
            raise decisions.DecisionRefused(f"Choose a {name}, or say that you could not tell.")
