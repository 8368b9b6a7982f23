"""What would have been proposed for tickets of the past, by models that had not seen them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, OuterRef, Subquery, Value

from triage import ledger
from triage.demo.corpus import SEED
from triage.drafts import Draft, draft_of
from triage.learning import explanation
from triage.learning.classifier import Classifier
from triage.learning.fitting import fit
from triage.learning.text import document
from triage.models import (
    Label,
    LedgerEntry,
    ModelVersion,
    Prediction,
    Proposal,
    ProposedValue,
    RuleHit,
    Source,
    Ticket,
    TicketVersion,
)
from triage.policies import policies_of

FOLDS = 4
STORED_PROBABILITIES = 10
# The service answers within seconds of a ticket's arrival.
ANSWERED_AFTER = timedelta(seconds=4)

Predictions = dict[int, Prediction]


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
    answers = {
        model.field.key: _out_of_fold(model, source, versions)
        for model in policies.models
        if model.state == ModelVersion.State.CHAMPION
    }
    made = [
        draft_of(
            policies,
            version,
            document(version.subject, version.body),
            {key: rows[version.pk] for key, rows in answers.items()},
            # As things stood when the ticket came in.
            now=version.ticket.opened_at,
            reopened_count=0,
        )
        for version in versions
    ]
    return _store(made)


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
        classifier = fit([text for text, _ in seen], [key for _, key in seen], seed=SEED).classifier
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


def _store(made: Sequence[Draft]) -> list[Proposal]:
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
        value for each, proposal in pairs for value in _values(each, proposal)
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


def _values(made: Draft, proposal: Proposal) -> list[ProposedValue]:
    return [
        ProposedValue(
            proposal=proposal,
            field_id=made.field_ids[key],
            choice_id=made.choice_id(key, value.choice),
            basis=value.basis,
            level=value.level,
            probability=value.probability,
            prediction=made.predictions.get(key),
            rule_version_id=value.rule_version,
            doubt=value.doubt,
            asked=value.asked,
        )
        for key, value in made.values.items()
    ]


def _entry(made: Draft, proposal: Proposal) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.PROPOSAL,
        subject=f"proposal:{proposal.pk}",
        payload={"demo": "past", **made.record()},
    )
