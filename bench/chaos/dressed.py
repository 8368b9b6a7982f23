"""A desk in which each text stands in every place that people, helpdesks and owners can fill."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bench import invariant
from bench.load import OPENED, Sender, ticket
from bench.stack import Stack
from bench.world import Desk, new_desk
from review import decisions
from review.models import Decision, Reason
from triage.models import (
    Choice,
    Delivery,
    EmergencyStop,
    EscalationRule,
    Field,
    Job,
    ModelVersion,
    Playbook,
    Prediction,
    Proposal,
    ProposedValue,
    RuleVersion,
    Rung,
    Ticket,
)

QUIET_SECONDS = 300.0
BACKEND = "django.contrib.auth.backends.ModelBackend"
# Free among the reasons of a new installation, for every way of deciding.
DIGIT = 8
SPARE_JOB = 10**12


@dataclass(frozen=True)
class Dressed:
    """One text and the rows that hold it. `waiting` can still be decided, `decided` cannot."""

    text: str
    choice: Choice
    rule: EscalationRule
    playbook: Playbook
    waiting: Ticket
    decided: Ticket
    decision: Decision
    prediction: Prediction


@dataclass(frozen=True)
class _Named:
    """What an owner has made of one text."""

    text: str
    choice: Choice
    rule: EscalationRule
    playbook: Playbook
    reviewer: User


def dress(stack: Stack, texts: Sequence[str]) -> list[Dressed]:
    """Names by the ORM, as nothing checks them there; tickets and events through the webhook."""
    desk = new_desk(name=texts[0][:80])
    _rename(desk, texts)
    named = [_named(desk, number, text) for number, text in enumerate(texts)]
    sender = Sender(stack.url, desk)
    for number, one in enumerate(named):
        for kind in ("waiting", "decided"):
            _deliver(sender, one, f"{kind}-{number}")
    invariant.until_quiet(QUIET_SECONDS)
    model = _model(desk, texts[0])
    return [
        _dressed(desk, model, number, one, named[number - 1]) for number, one in enumerate(named)
    ]


def undress() -> None:
    """Take the dead letters and the reasons away again: other checks count these."""
    Job.objects.filter(subject__gte=SPARE_JOB).delete()
    Reason.objects.filter(key__startswith="dressed-").update(is_active=False)


def session_of(user: User) -> tuple[str, str]:
    """Name and value of the cookie of somebody who is signed in."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value


def _rename(desk: Desk, texts: Sequence[str]) -> None:
    rows: list[Any] = [*Field.objects.filter(source=desk.source)]
    rows += Choice.objects.filter(field__source=desk.source)
    for number, row in enumerate(rows):
        row.name = f"{texts[number % len(texts)][:70]} {number}"
        row.save()


def _named(desk: Desk, number: int, text: str) -> _Named:
    source, owner = desk.source, desk.source.owner
    # Every other key is the text itself; a helpdesk's keys may be anything.
    key = f"c-{number}" if number % 2 else f"{text.strip()[:100]} {number}"
    choice = Choice.objects.create(
        field=Field.objects.get(source=source, is_main=True),
        key=key,
        name=text[:160],
        description=text,
        synonyms=[text[:80]],
    )
    rule = EscalationRule.objects.create(
        source=source, owner=owner, name=f"{text[:110]} {number}", position=number
    )
    RuleVersion.objects.create(
        rule=rule,
        number=1,
        author=owner,
        conditions=[{"kind": "words_any", "words": [text[:80]], "where": "either"}],
        actions=[{"kind": "hold"}],
    )
    playbook = Playbook.objects.create(
        source=source, owner=owner, name=f"{text[:110]} {number}", reply=f"{text} {{subject}}"
    )
    playbook.for_choices.add(choice)
    Rung.objects.create(field=choice.field, choice=choice, owner=owner, reason=text)
    EmergencyStop.objects.create(
        choice=choice, reason=text, pulled_by=owner, released_by=owner, released_at=timezone.now()
    )
    Job.objects.create(
        kind=Job.Kind.NOTICE,
        subject=SPARE_JOB + choice.pk,
        dead_at=timezone.now(),
        last_error=text,
    )
    reviewer = User.objects.create_user(f"person-{source.pk}-{number}", first_name=text[:150])
    return _Named(text, choice, rule, playbook, reviewer)


def _deliver(sender: Sender, one: _Named, name: str) -> None:
    sender.deliver(
        ticket(
            1,
            id=name,
            subject=one.text,
            body=f"{one.text}\n{one.text}",
            requester={"address": one.text[:254], "name": one.text[:160]},
            url=f"https://helpdesk.example.org/{quote(one.text)}",
            values={"category": one.choice.key, "colour": one.text[:120]},
        )
    )
    event = {
        "id": one.text.strip()[:60],
        "ticket_id": name,
        "kind": "commented",
        "happened_at": OPENED.isoformat(),
        "resolution": one.text,
    }
    sender.deliver({"type": "ticket.event", "data": event})


def _model(desk: Desk, text: str) -> ModelVersion:
    """A version that was retired before it was asked anything."""
    return ModelVersion.objects.create(
        field=Field.objects.get(source=desk.source, is_main=True),
        number=1,
        owner=desk.source.owner,
        state=ModelVersion.State.RETIRED,
        artefact="none.skops",
        sha256="0" * 64,
        evidence={"accuracy": 0.9, text: text},
        choices=[text],
        label_count=1,
    )


def _dressed(desk: Desk, model: ModelVersion, number: int, one: _Named, other: _Named) -> Dressed:
    tickets = Ticket.objects.filter(source=desk.source)
    waiting = tickets.get(external_id=f"waiting-{number}")
    decided = tickets.get(external_id=f"decided-{number}")
    Delivery.objects.filter(versions__ticket=waiting).update(explanation=one.text[:300])
    prediction = Prediction.objects.create(
        ticket_version=waiting.versions.get(),
        model_version=model,
        probabilities={one.choice.key: 0.75, one.text: 0.25},
        in_scope=0.5,
        words_for=[one.text, f"{one.text} too"],
        words_against=[one.text],
    )
    ProposedValue.objects.filter(proposal__ticket=waiting, field=one.choice.field).update(
        basis=ProposedValue.Basis.MODEL, probability=0.75, prediction=prediction
    )
    return Dressed(
        one.text,
        one.choice,
        one.rule,
        one.playbook,
        waiting,
        decided,
        _decide(Proposal.objects.get(ticket=decided), number, one, other),
        prediction,
    )


def _decide(proposal: Proposal, number: int, one: _Named, other: _Named) -> Decision:
    """One of the four ways, with the text as reason and in the reviewer's own words."""
    ways = (Reason.AppliesTo.OVERRIDE, Reason.AppliesTo.ESCALATE, Reason.AppliesTo.SEND_BACK)
    applies_to = ways[number % 3]
    Reason.objects.filter(applies_to=applies_to, digit=DIGIT).update(is_active=False)
    reason = Reason.objects.create(
        key=f"dressed-{proposal.pk}", label=one.text[:80], applies_to=applies_to, digit=DIGIT
    )
    said: dict[str, Any] = {"proposal": proposal, "reviewer": one.reviewer, "text": one.text}
    if applies_to == Reason.AppliesTo.ESCALATE:
        return decisions.escalate(**said, reason=reason)
    if applies_to == Reason.AppliesTo.SEND_BACK:
        return decisions.send_back(**said, reason=reason)
    key = one.choice.field.key
    changes = {key: other.choice} if number % 2 else {}
    return decisions.decide(
        **said, choices=changes, reasons={key: reason}, with_playbook=bool(number % 4)
    )
