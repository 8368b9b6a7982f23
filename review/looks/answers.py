"""A second or third blind answer to a check, and what it makes of the truth."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from review import load
from review.looks import offers
from review.looks.verdicts import Come, Verdict, come_to
from review.models import BlindAnswer, BlindValue, SecondLook, SpotCheck, Truth
from review.refusals import DecisionError, DecisionRefused, check_choice
from triage import ledger, steps
from triage.models import Choice, Field, Label, LedgerEntry

SPOT_CHECK = Label.Origin.SPOT_CHECK
ORIGINS = {
    Verdict.AGREED: Truth.Origin.AGREED,
    Verdict.ADJUDICATED: Truth.Origin.ADJUDICATED,
}


class NoLook(DecisionError):
    """It waits for nobody any more, or not for this person."""


def asked(check: SpotCheck) -> list[Field]:
    """The fields that were answered first, the main field first: what a later answer compares with.

    All of them, whatever is in dispute, so that a third look cannot be told from a second.
    """
    said = BlindValue.objects.filter(answer__check_of=check, answer__nth=1)
    fields = [value.field for value in said.select_related("field")]
    return sorted(fields, key=lambda field: (not field.is_main, field.position, field.key))


@transaction.atomic
def answer(
    *,
    check: int,
    reviewer: User,
    choices: Mapping[str, Choice | None],
    seconds: float | None = None,
) -> BlindAnswer:
    """Keep another person's answer, and settle each field on which two now say the same.

    `choices` are by field key and name every field that `asked` does; None: could not tell. The
    row of the look is the lock: of two who answer at once the second is told. Raises NoLook or
    DecisionRefused.
    """
    held = _hold(check, reviewer)
    row = SpotCheck.objects.select_related("proposal__ticket__source").get(pk=check)
    fields = {field.key: field for field in asked(row)}
    _check(fields, choices)
    now = timezone.now()
    passed = (now - held.since).total_seconds() if seconds is None else seconds
    given = BlindAnswer.objects.create(
        check_of=row, reviewer=reviewer, answered_at=now, seconds=max(0.0, passed), nth=held.nth
    )
    BlindValue.objects.bulk_create(
        BlindValue(answer=given, field=fields[key], choice=choice)
        for key, choice in choices.items()
    )
    comes = _settle(row, fields, now)
    if any(come.verdict == Verdict.DISPUTED for come in comes.values()):
        again = {"nth": 3, "since": now, "holder": None, "until": None}
        SecondLook.objects.filter(pk=check).update(**again)
    else:
        held.delete()
    transaction.on_commit(partial(load.add_review, reviewer.pk))
    _record(given, comes)
    return given


def _hold(check: int, reviewer: User) -> SecondLook:
    held = SecondLook.objects.select_for_update().filter(pk=check).first()
    if held is None:
        raise NoLook(_("Somebody else has answered this one meanwhile; thank you all the same."))
    mine = offers.open_to(reviewer).filter(pk=check)
    if not offers.free(mine, reviewer).exists():
        raise NoLook(_("This one is not for you: you know it already, or somebody else has it."))
    return held


def _check(fields: Mapping[str, Field], choices: Mapping[str, Choice | None]) -> None:
    for key, choice in choices.items():
        if key not in fields:
            raise DecisionRefused(_("This look has no field %(key)r.") % {"key": key})
        if choice is not None:
            check_choice(fields[key], choice, None)
    for key, field in fields.items():
        if key not in choices:
            said = _("Choose a value for %(field)s, or say that you could not tell.")
            raise DecisionRefused(said % {"field": field.name})


def _settle(check: SpotCheck, fields: Mapping[str, Field], now: datetime) -> dict[str, Come]:
    """Truths and labels as all answers so far make them, by field key."""
    said: dict[int, list[int | None]] = {}
    values = BlindValue.objects.filter(answer__check_of=check).order_by("answer__nth")
    for of, choice in values.values_list("field", "choice"):
        said.setdefault(of, []).append(choice)
    comes = {key: come_to(said[field.pk]) for key, field in fields.items()}
    told_at = BlindAnswer.objects.get(check_of=check, nth=1).answered_at
    known = Choice.objects.in_bulk([come.choice for come in comes.values() if come.choice])
    stands = dict(Truth.objects.filter(check_of=check).values_list("field", "origin"))
    for key, come in comes.items():
        field = fields[key]
        if come.choice is None:
            Truth.objects.filter(check_of=check, field=field).delete()
            steps.withdraw_label(check.proposal.ticket, field, origin=SPOT_CHECK)
        elif stands.get(field.pk) != ORIGINS[come.verdict]:
            # What two agreed on is settled once, also where a third was asked for another field.
            told = {"choice": known[come.choice], "origin": ORIGINS[come.verdict]}
            Truth.objects.update_or_create(
                check_of=check, field=field, defaults={**told, "settled_at": now}
            )
            steps.record_label(
                check.proposal.ticket,
                field,
                known[come.choice],
                origin=SPOT_CHECK,
                propensity=check.propensity,
                told_at=told_at,
            )
    return comes


def _record(given: BlindAnswer, comes: Mapping[str, Come]) -> None:
    """By the answer's number: who gave it and what it said is for them and auditors alone."""
    ledger.append(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"check:{given.check_of_id}",
        payload={
            "event": "second answer" if given.nth == 2 else "third answer",
            "answer": given.pk,
            "proposal": given.check_of.proposal_id,
            "fields": {key: come.verdict.value for key, come in comes.items()},
        },
    )
