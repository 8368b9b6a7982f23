"""A proposal to train again: one a field, with reasons, until somebody answers it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from tests.conftest import new_ticket
from tests.triage.admin.rows import new_prediction
from triage import alerts, retraining
from triage.models import (
    Choice,
    DriftFinding,
    Label,
    LedgerEntry,
    ModelVersion,
    RetrainingProposal,
    Source,
)
from triage.retraining import AlreadyClosed

pytestmark = pytest.mark.django_db


@pytest.fixture
def champion(source: Source, catalogue: dict[str, Choice]) -> ModelVersion:
    source.owner.email = "olivia@example.org"
    source.owner.save()
    return new_version(source, catalogue, state="champion")


def new_version(source: Source, catalogue: dict[str, Choice], **over: Any) -> ModelVersion:
    field = catalogue["network"].field
    number = ModelVersion.objects.filter(field=field).count() + 1
    values = {
        "field": field,
        "number": number,
        "owner": source.owner,
        "label_count": 400,
        "choices": ["network", "access"],
        "evidence": {"accuracy": 0.9},
    }
    return ModelVersion.objects.create(**values | over)


def labels(champion: ModelVersion, choice: Choice, number: int, **over: Any) -> None:
    for _ in range(number):
        ticket = new_ticket(champion.field.source)
        new_prediction(ticket, champion, network=0.9)
        values = {"origin": "decision"} | over
        Label.objects.create(ticket=ticket, field=champion.field, choice=choice, **values)


def drifted(champion: ModelVersion) -> None:
    DriftFinding.objects.create(
        model_version=champion, kind="inputs", said="Words.", since=timezone.localdate()
    )


def test_drift_without_new_labels_is_no_reason_to_train(
    champion: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    drifted(champion)
    labels(champion, catalogue["network"], 49)

    assert retraining.consider(champion) is None


def test_new_labels_without_a_reason_are_none_either(
    champion: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    labels(champion, catalogue["network"], 60)

    assert retraining.consider(champion) is None


def test_both_together_are_proposed_once_and_mailed_once(
    champion: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    drifted(champion)
    labels(champion, catalogue["network"], 60)

    first, again = retraining.consider(champion), retraining.consider(champion)
    DriftFinding.objects.update(mailed_at=timezone.now())
    sent = [alerts.send(champion), alerts.send(champion)]

    assert first == again == RetrainingProposal.objects.get()
    assert first is not None
    assert (first.new_labels, first.reasons) == (60, ["It has drifted: inputs."])
    assert sent == [1, 0]
    assert "training again would pay" in mail.outbox[0].subject
    assert "- It has drifted: inputs." in mail.outbox[0].body


def test_blind_checks_that_contradict_the_champion_are_a_reason(
    champion: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    check = {"origin": "spot_check", "propensity": 0.1}
    labels(champion, catalogue["network"], 40, **check)
    labels(champion, catalogue["access"], 20, **check)

    found = retraining.consider(champion)

    assert found is not None
    assert found.reasons == [
        "33.3% of 60 blind checks since then contradict it; on held-out tickets 10.0% were wrong."
    ]


def test_labels_of_a_choice_that_it_does_not_know_are_a_reason(
    champion: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    labels(champion, catalogue["network"], 50)
    labels(champion, catalogue["hardware"], 12)

    found = retraining.consider(champion)

    assert found is not None
    assert found.reasons == ["12 of the new labels name choices that it does not know."]


def test_one_that_was_dismissed_comes_back_only_with_new_labels(
    champion: ModelVersion, catalogue: dict[str, Choice], source: Source
) -> None:
    drifted(champion)
    labels(champion, catalogue["network"], 60)
    proposal = retraining.consider(champion)
    assert proposal is not None

    retraining.dismiss(proposal, by=source.owner, reason="The office moves in May")

    with pytest.raises(AlreadyClosed, match="The office moves in May"):
        retraining.dismiss(proposal, by=source.owner, reason="Again")
    assert retraining.consider(champion) is None
    entry = LedgerEntry.objects.get(subject=f"field:{champion.field_id}")
    assert entry.payload["reason"] == "The office moves in May"
    assert entry.actor == f"user:{source.owner.pk}"
    labels(champion, catalogue["network"], 50)
    assert retraining.consider(champion) is not None


def test_a_newer_version_answers_the_proposal_and_labels_count_from_there(
    champion: ModelVersion, catalogue: dict[str, Choice], source: Source
) -> None:
    drifted(champion)
    labels(champion, catalogue["network"], 60)
    proposal = retraining.consider(champion)
    assert proposal is not None

    new_version(source, catalogue)

    assert retraining.consider(champion) is None
    proposal.refresh_from_db()
    assert (proposal.closed_by, proposal.closed_because) == (None, "category v2 was trained.")
    labels(champion, catalogue["network"], 40)
    assert retraining.consider(champion) is None
    labels(champion, catalogue["network"], 10)
    assert retraining.consider(champion) is not None


def test_after_a_roll_back_an_older_version_is_proposed_to_be_trained_again(
    champion: ModelVersion, catalogue: dict[str, Choice], source: Source
) -> None:
    """The newer one was tried and given up; labels since it was made are new."""
    newer = new_version(source, catalogue, state="retired", promoted_at=timezone.now())
    ModelVersion.objects.filter(pk=champion.pk).update(
        created_at=newer.created_at - timedelta(days=9)
    )
    champion.refresh_from_db()
    drifted(champion)
    labels(champion, catalogue["network"], 60)

    assert retraining.consider(champion) is not None
