"""What would have been proposed for tickets of the past, by models that had not seen them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, OuterRef, Subquery, Value
from threadpoolctl import threadpool_limits

from triage import ledger
from triage.demo.corpus import SEED
from triage.learning import explanation
from triage.learning.classifier import Classifier
from triage.learning.text import document
from triage.models import (
    Label,
    LedgerEntry,
    ModelVersion,
    Playbook,
    Prediction,
    Proposal,
    ProposedValue,
    RuleHit,
    Source,
    Ticket,
    TicketVersion,
)
from triage.policies import Policies, policies_of
from triage.policy import playbooks
from triage.policy.conditions import Facts
from triage.policy.drafting import DraftValue, Predicted, opinions, route, with_rules
from triage.policy.routing import apply_rules, in_working_hours

FOLDS = 4
STORED_PROBABILITIES = 10
# The service answers within seconds of a ticket's arrival.
ANSWERED_AFTER = timedelta(seconds=4)

Predictions = dict[int, Prediction]


@dataclass
class Hindsight:
    """One proposal to be stored, with what belongs to it."""

    version: TicketVersion
    text: str
    predictions: dict[str, Prediction]
    values: dict[str, DraftValue]
    route: str
    hits: list[int] = field(default_factory=list)
    playbook: Playbook | None = None
    reply: str = ""


@transaction.atomic
def propose(source: Source, *, since: datetime) -> list[Proposal]:
    """Store proposals for the solved tickets opened since then, as they would have been made.

    The champions have learnt these tickets, so their own answers would be too good. Each ticket
    is answered instead by a model trained on the other parts of the past; the row names the
    champion, whose stand-in that was. Emergency stops and automatic action do not occur.
    """
    policies = policies_of(source)
    versions = list(
        TicketVersion.objects.filter(ticket__source=source, ticket__opened_at__gte=since)
        .select_related("ticket__source")
        .order_by("ticket__opened_at", "ticket")
    )
    texts = {version.pk: document(version.subject, version.body) for version in versions}
    answers = {
        model.field.key: _out_of_fold(model, source, versions)
        for model in policies.models
        if model.state == ModelVersion.State.CHAMPION
    }
    made = [
        _hindsight(
            policies,
            version,
            texts[version.pk],
            {key: rows[version.pk] for key, rows in answers.items()},
        )
        for version in versions
    ]
    return _store(policies, made)


def _out_of_fold(
    model: ModelVersion, source: Source, versions: Sequence[TicketVersion]
) -> Predictions:
    """A prediction for each version, by a model that was trained without its ticket."""
    labels = Label.objects.filter(
        field=model.field, ticket__source=source, origin=Label.Origin.HISTORY
    ).order_by("ticket")
    known = [
        (ticket, document(subject, body), key)
        for ticket, subject, body, key in labels.values_list(
            "ticket", "ticket__subject", "ticket__body", "choice__key"
        )
    ]
    rows: Predictions = {}
    for fold in range(FOLDS):
        seen = [(text, key) for ticket, text, key in known if ticket % FOLDS != fold]
        held = [version for version in versions if version.ticket_id % FOLDS == fold]
        if not held:
            continue
        with threadpool_limits(limits=1):
            classifier = Classifier.fit(
                [text for text, _ in seen], [key for _, key in seen], seed=SEED
            )
        rows |= _asked(classifier, model, held)
    return rows


def _asked(
    classifier: Classifier, model: ModelVersion, versions: Sequence[TicketVersion]
) -> Predictions:
    texts = [document(version.subject, version.body) for version in versions]
    said = classifier.predict(texts)
    evidence = explanation.words_of_all(classifier, texts, said, said.labels)
    rows = {}
    for version, probabilities, scope, words in zip(
        versions, said.probabilities, said.in_scope, evidence, strict=True
    ):
        best = sorted(zip(probabilities, said.classes, strict=True), reverse=True)
        rows[version.pk] = Prediction(
            ticket_version=version,
            model_version=model,
            probabilities={key: round(float(p), 6) for p, key in best[:STORED_PROBABILITIES]},
            in_scope=float(scope),
            words_for=[word.word for word in words.for_],
            words_against=[word.word for word in words.against],
        )
    return rows


def _hindsight(
    policies: Policies, version: TicketVersion, text: str, predictions: dict[str, Prediction]
) -> Hindsight:
    predicted = {
        key: Predicted(*next(iter(row.probabilities.items()))) for key, row in predictions.items()
    }
    before = opinions(policies.fields, predicted, version.values, policies.rungs, draw=0.0)
    outcome = apply_rules(_facts(policies, version, before), policies.rules)
    values = with_rules(policies.fields, before, outcome)
    made = Hindsight(
        version=version,
        text=text,
        predictions=predictions,
        values=values,
        route=route(values, policies.main, held=bool(outcome.holds)),
        hits=list(outcome.hits),
    )
    if made.route != Proposal.Route.SHADOW:
        _offer_playbook(policies, made)
    return made


def _facts(policies: Policies, version: TicketVersion, values: Mapping[str, DraftValue]) -> Facts:
    """As they stood when the ticket came in."""
    ticket, source = version.ticket, version.ticket.source
    return Facts(
        subject=version.subject,
        body=version.body,
        requester=ticket.requester,
        values={key: value.choice for key, value in values.items() if value.choice is not None},
        parents=policies.parents(values),
        ranks=policies.ranks,
        probabilities={
            key: value.probability for key, value in values.items() if value.probability is not None
        },
        age_minutes=0.0,
        reopened_count=0,
        in_working_hours=in_working_hours(
            ticket.opened_at.astimezone(ZoneInfo(source.time_zone)),
            source.work_starts,
            source.work_ends,
            source.work_days,
        ),
    )


def _offer_playbook(policies: Policies, made: Hindsight) -> None:
    main = made.values[policies.main].choice
    if main is None:
        return
    kin = {main} | policies.field(policies.main).choices[main].ancestors
    ticket = made.version.ticket
    for offer in policies.playbooks:
        if kin & offer.choices and playbooks.fits(offer.row.words, made.text):
            made.playbook = offer.row
            made.reply = playbooks.render(
                offer.row.reply,
                {
                    "requester_name": ticket.requester_name,
                    "subject": ticket.subject,
                    "external_id": ticket.external_id,
                    "category": policies.choice_names[policies.main, main],
                    "source": ticket.source.name,
                },
            )
            return


def _store(policies: Policies, made: Sequence[Hindsight]) -> list[Proposal]:
    Prediction.objects.bulk_create(row for each in made for row in each.predictions.values())
    proposals = Proposal.objects.bulk_create(
        Proposal(
            ticket=each.version.ticket,
            ticket_version=each.version,
            route=each.route,
            playbook=each.playbook,
            reply=each.reply,
        )
        for each in made
    )
    pairs = list(zip(made, proposals, strict=True))
    ProposedValue.objects.bulk_create(
        value for each, proposal in pairs for value in _values(policies, each, proposal)
    )
    RuleHit.objects.bulk_create(
        RuleHit(proposal=proposal, rule_version_id=hit)
        for each, proposal in pairs
        for hit in each.hits
    )
    opened = Ticket.objects.filter(pk=OuterRef("ticket")).values("opened_at")
    own = Proposal.objects.filter(pk__in=[proposal.pk for proposal in proposals])
    own.update(
        created_at=ExpressionWrapper(
            Subquery(opened) + Value(ANSWERED_AFTER), output_field=DateTimeField()
        )
    )
    ledger.append_all([_entry(each, proposal) for each, proposal in pairs])
    return list(own.select_related("ticket", "playbook").order_by("created_at", "pk"))


def _values(policies: Policies, made: Hindsight, proposal: Proposal) -> list[ProposedValue]:
    return [
        ProposedValue(
            proposal=proposal,
            field_id=policies.field_ids[key],
            choice_id=policies.choice_ids[key, value.choice] if value.choice else None,
            basis=value.basis,
            level=value.level,
            probability=value.probability,
            prediction=made.predictions.get(key),
            rule_version_id=value.rule_version,
        )
        for key, value in made.values.items()
    ]


def _entry(made: Hindsight, proposal: Proposal) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.PROPOSAL,
        subject=f"proposal:{proposal.pk}",
        payload={
            "demo": "past",
            "ticket": proposal.ticket_id,
            "version": made.version.version,
            "input": hashlib.sha256(made.text.encode()).hexdigest(),
            "route": made.route,
            "values": {
                key: [value.choice, value.basis, value.level, value.probability]
                for key, value in made.values.items()
            },
            "models": sorted(row.model_version_id for row in made.predictions.values()),
            "rules": made.hits,
            "playbook": made.playbook.pk if made.playbook else None,
        },
    )
