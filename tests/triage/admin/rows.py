"""Rows that desk tests ask for, with what is to be different."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone
from knox.models import AuthToken

from review.models import (
    BlindAnswer,
    Decision,
    Drill,
    DrillProgramme,
    Reason,
    Skip,
    SpotCheck,
    TeamAgreement,
)
from tests.conftest import new_ticket
from triage import ledger
from triage.models import (
    Certificate,
    Choice,
    Delivery,
    DriftFinding,
    Effect,
    EmergencyStop,
    EscalationRule,
    Job,
    Label,
    LabelDoubt,
    LedgerEntry,
    ModelVersion,
    Playbook,
    Prediction,
    Proposal,
    ProposedValue,
    RetrainingProposal,
    RuleVersion,
    Rung,
    Source,
    Ticket,
    TicketEvent,
    TrainingRun,
)

HOLD_VIPS: dict[str, Any] = {
    "combine": "all",
    "conditions": [{"kind": "words_any", "words": ["vip"], "where": "subject"}],
    "actions": [{"kind": "hold"}],
}


def new_rule(source: Source, **over: Any) -> EscalationRule:
    rule = EscalationRule.objects.create(
        source=source, owner=source.owner, name=over.pop("name", "VIPs are held")
    )
    RuleVersion.objects.create(rule=rule, number=1, author=source.owner, **HOLD_VIPS | over)
    return rule


def new_proposal(ticket: Ticket, choice: Choice, **over: Any) -> Proposal:
    """With one value, by the model unless told otherwise."""
    proposal = Proposal.objects.create(
        ticket=ticket, ticket_version=ticket.versions.get(), route=Proposal.Route.REVIEW
    )
    ProposedValue.objects.create(
        proposal=proposal,
        **{"field": choice.field, "choice": choice, "basis": "model", "probability": 0.9} | over,
    )
    return proposal


def new_prediction(ticket: Ticket, version: ModelVersion, **probabilities: float) -> Prediction:
    return Prediction.objects.create(
        ticket_version=ticket.versions.get(),
        model_version=version,
        probabilities=probabilities,
        in_scope=0.9,
    )


def new_check(
    version: ModelVersion, predicted: Choice, truth: Choice, score: float, **over: Any
) -> Label:
    """A ticket that the version predicted with `score`, and its blind spot check."""
    ticket = new_ticket(version.field.source)
    new_prediction(ticket, version, **{predicted.key: score})
    values = {"origin": Label.Origin.SPOT_CHECK, "propensity": 0.1} | over
    return Label.objects.create(ticket=ticket, field=version.field, choice=truth, **values)


def new_certificate(version: ModelVersion, choice: Choice, **over: Any) -> Certificate:
    values = {
        "field": choice.field,
        "choice": choice,
        "model_version": version,
        "threshold": 0.8,
        "alpha": 0.05,
        "delta": 0.05,
        "checks": 93,
        "errors": 1,
        "issued_by": version.owner,
        "expires_at": timezone.now() + timedelta(days=9),
    }
    return Certificate.objects.create(**values | over)


def one_of_everything(version: ModelVersion, number: int) -> list[Model]:
    """A row of every table that has a page, apart from others' rows of the same tables."""
    field, owner = version.field, version.owner
    parent = Choice.objects.create(field=field, key=f"p{number}", name="Parent")
    choice = Choice.objects.create(field=field, key=f"c{number}", name="Child", parent=parent)
    ticket = new_ticket(field.source)
    proposal = new_proposal(ticket, choice, prediction=new_prediction(ticket, version, network=0.9))
    return [
        field.source,
        field.source.secrets.get(),
        field,
        choice,
        ticket,
        proposal,
        proposal.values.get().prediction or proposal,
        *_night_rows(version, number),
        *_policy_rows(version, choice, proposal, number),
        *_learning_rows(version, ticket, choice, number),
        *_record_rows(proposal, choice, owner, number),
    ]


def _night_rows(version: ModelVersion, number: int) -> list[Model]:
    """Gone and closed: of each but one may stand open."""
    now = timezone.now()
    day = now.date() - timedelta(days=number)
    return [
        DriftFinding.objects.create(
            model_version=version, kind="inputs", said="Words moved.", since=day, until=now.date()
        ),
        RetrainingProposal.objects.create(
            field=version.field,
            model_version=version,
            new_labels=60,
            reasons=["It has drifted: inputs."],
            closed_at=now,
            closed_by=version.owner,
        ),
    ]


def new_run(version: ModelVersion, **over: Any) -> TrainingRun:
    """The finished one that made the version, unless told otherwise."""
    now = timezone.now()
    values: dict[str, Any] = {
        "field": version.field,
        "asked_by": version.owner,
        "started_at": now - timedelta(minutes=3),
        "finished_at": now,
        "progress": 1.0,
        "model_version": version,
    }
    return TrainingRun.objects.create(**values | over)


def new_doubt(version: ModelVersion, label: Label, suggested: Choice, **over: Any) -> LabelDoubt:
    values = {"given_probability": 0.04, "confidence": 0.91} | over
    return LabelDoubt.objects.create(
        model_version=version, label=label, given=label.choice, suggested=suggested, **values
    )


def _learning_rows(
    version: ModelVersion, ticket: Ticket, choice: Choice, number: int
) -> list[Model]:
    made = ModelVersion.objects.create(
        field=version.field,
        number=1000 + number,
        owner=version.owner,
        state="retired",
        artefact=f"made-{number}.skops",
        sha256="1" * 64,
        label_count=10,
    )
    label = Label.objects.create(
        ticket=ticket, field=choice.field, choice=choice, origin="spot_check"
    )
    return [new_run(made), new_doubt(made, label, choice)]


def _policy_rows(
    version: ModelVersion, choice: Choice, proposal: Proposal, number: int
) -> list[Model]:
    source, owner = choice.field.source, version.owner
    rule = new_rule(source, name=f"Rule {number}")
    proposal.hits.create(rule_version=rule.versions.get())
    playbook = Playbook.objects.create(
        source=source, name=f"Book {number}", owner=owner, reply="Hello"
    )
    playbook.for_choices.add(choice)
    Rung.objects.create(playbook=playbook, owner=owner, reason="Start")
    return [
        rule,
        playbook,
        Rung.objects.create(field=choice.field, choice=choice, owner=owner, reason="Start"),
        new_certificate(version, choice),
        EmergencyStop.objects.create(choice=choice, pulled_by=owner, reason="Drill"),
        TeamAgreement.objects.create(agreed_by=source.owner),
        _programme(number, owner),
        Reason.objects.create(
            key=f"r{number}", label="R", applies_to="override", digit=1, is_active=False
        ),
        version,
    ]


def _programme(number: int, owner: User) -> DrillProgramme:
    """Of a source of its own, because a source has one."""
    source = Source.objects.create(slug=f"drilled{number}", name=f"Drilled {number}", owner=owner)
    return DrillProgramme.objects.create(
        source=source, disclosure="Read this.", disclosed_at=timezone.now(), changed_by=owner
    )


def _drill(proposal: Proposal, choice: Choice, reviewer: User) -> Drill:
    return Drill.objects.create(
        proposal=proposal,
        person=reviewer,
        advice=choice,
        truth=choice,
        is_right=True,
        known_by="agreed",
        version=ModelVersion.objects.latest("pk"),
        shown_at=timezone.now(),
    )


def _record_rows(proposal: Proposal, choice: Choice, owner: User, number: int) -> list[Model]:
    ticket, now = proposal.ticket, timezone.now()
    delivery = Delivery.objects.create(
        source=ticket.source, webhook_id=f"m{number}", body=b"{}", body_sha256="0" * 64
    )
    ticket.versions.update(delivery=delivery)
    TicketEvent.objects.create(
        ticket=ticket, key="e", kind="reassigned", happened_at=now, choice=choice
    )
    ledger.append(kind="policy", subject=f"choice:{choice.pk}", payload={"event": "added"})
    reviewer = User.objects.create_user(f"reviewer{number}")
    return [
        delivery,
        Label.objects.create(ticket=ticket, field=choice.field, choice=choice, origin="history"),
        Effect.objects.create(
            key=f"e{number}",
            ticket=ticket,
            proposal=proposal,
            kind="note",
            payload={},
            seen_version=1,
        ),
        Job.objects.create(kind="effect", subject=number, dead_at=now),
        LedgerEntry.objects.latest("sequence"),
        Decision.objects.create(
            proposal=proposal,
            stands_for=proposal,
            reviewer=reviewer,
            verdict="accepted",
            decided_at=now,
        ),
        Skip.objects.create(
            proposal=proposal,
            person=reviewer,
            reason=Reason.objects.create(
                key=f"s{number}", label="S", applies_to="skip", digit=1, is_active=False
            ),
            at=now,
        ),
        _drill(proposal, choice, reviewer),
        check := SpotCheck.objects.create(
            proposal=proposal, propensity=0.05, stratum="waiting", drawn_at=now
        ),
        BlindAnswer.objects.create(check_of=check, reviewer=reviewer, answered_at=now, seconds=9),
        AuthToken.objects.create(user=owner)[0],
        reviewer,
    ]
