"""What teaches, how much, and what the owner says of labels that look wrong."""

from collections import Counter

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.conftest import new_ticket
from tests.triage.taught import EACH, taught
from triage import erasure, ledger
from triage.erasure import Whose
from triage.learning import doubts, examples, measuring, training
from triage.models import Choice, Field, Label, LabelDoubt, LedgerEntry, Source, Ticket

__all__ = ["taught"]

pytestmark = pytest.mark.django_db

Verdict = LabelDoubt.Verdict
Origin = Label.Origin


@pytest.fixture
def doubt(taught: Field, ai_owner: User) -> LabelDoubt:
    """About the one label that says access of a ticket about the network."""
    training.train(taught, owner=ai_owner)
    found = LabelDoubt.objects.first()
    assert found is not None
    return found


def labelled(ticket: Ticket, choice: Choice, origin: str) -> Label:
    return Label.objects.create(ticket=ticket, field=choice.field, choice=choice, origin=origin)


# --- What teaches ---------------------------------------------------------------------------
def test_blind_labels_weigh_most_and_decisions_least(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    for origin in Origin:
        labelled(new_ticket(source, subject=origin), catalogue["network"], origin)

    found = examples.examples(catalogue["network"].field)

    weight = dict(zip(found.texts, found.weights, strict=True))
    assert {text.split("\n")[0]: value for text, value in weight.items()} == {
        "history": 1.0,
        "spot_check": 1.0,
        "outcome": 0.8,
        "decision": 0.5,
    }


def test_of_several_labels_of_a_ticket_the_most_trusted_that_may_teach_counts(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    ticket = new_ticket(source)
    history = labelled(ticket, catalogue["hardware"], Origin.HISTORY)
    decision = labelled(ticket, catalogue["network"], Origin.DECISION)
    outcome = labelled(ticket, catalogue["access"], Origin.OUTCOME)
    field = history.field

    taught_by = examples.examples(field).rows
    assert [row.label for row in taught_by] == [outcome.pk]
    Choice.objects.filter(key="access").update(retired_at=timezone.now())
    found = examples.examples(field)

    assert [row.label for row in found.rows] == [decision.pk]
    assert found.left_out == Counter({examples.RETIRED: 1, examples.LESS_TRUSTED: 1})


def test_a_decision_for_a_parent_teaches_nothing_and_what_was_imported_does(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    Choice.objects.filter(key="hardware").update(parent=catalogue["network"])
    labelled(new_ticket(source), catalogue["network"], Origin.DECISION)
    imported = labelled(new_ticket(source), catalogue["network"], Origin.HISTORY)
    child = labelled(new_ticket(source), catalogue["hardware"], Origin.DECISION)

    found = examples.examples(imported.field)

    assert {row.label for row in found.rows} == {imported.pk, child.pk}
    assert found.left_out == Counter({examples.COARSE: 1})


def test_what_is_left_out_is_counted_by_its_reason(
    taught: Field, source: Source, catalogue: dict[str, Choice], ai_owner: User
) -> None:
    labelled(new_ticket(source, subject="", body=""), catalogue["network"], Origin.HISTORY)
    erased = new_ticket(source)
    labelled(erased, catalogue["network"], Origin.HISTORY)
    erasure.erase(Whose(source, ticket=erased.external_id), by=ai_owner)
    for number in range(3):
        labelled(new_ticket(source, body=f"{number}"), catalogue["hardware"], Origin.HISTORY)

    version = training.train(taught, owner=ai_owner, leave_out_small=True)

    assert version.evidence["data"]["left_out"] == {
        examples.EMPTY: 1,
        examples.ERASED: 1,
        examples.SMALL: 3,
    }
    assert version.label_count == 2 * EACH


# --- What is doubted ------------------------------------------------------------------------
def test_a_label_that_contradicts_all_like_it_is_listed_first(
    doubt: LabelDoubt, taught: Field
) -> None:
    assert (doubt.given.key, doubt.suggested.key) == ("access", "network")
    assert doubt.label.ticket.subject.startswith("the vpn tunnel drops")
    assert doubt.given_probability < 0.5 < doubt.confidence
    version = doubt.model_version
    assert version.evidence["label_noise"]["doubted"] == version.doubts.count()


def test_a_label_that_was_called_wrong_teaches_no_more(
    doubt: LabelDoubt, taught: Field, ai_owner: User
) -> None:
    assert doubts.judge([doubt.pk], verdict=Verdict.WRONG, by=ai_owner) == 1

    found = examples.examples(taught)

    assert doubt.label_id not in {row.label for row in found.rows}
    assert found.left_out == Counter({examples.WRONG: 1})
    entry = LedgerEntry.objects.get(subject=f"label:{doubt.label_id}")
    assert (entry.payload["event"], entry.actor) == ("called wrong", f"user:{ai_owner.pk}")
    assert ledger.verify() is None


def test_a_label_that_was_mended_since_it_was_called_wrong_teaches_again(
    doubt: LabelDoubt, taught: Field, ai_owner: User
) -> None:
    doubts.judge([doubt.pk], verdict=Verdict.WRONG, by=ai_owner)
    Label.objects.filter(pk=doubt.label_id).update(choice=doubt.suggested)

    found = examples.examples(taught)

    assert doubt.label_id in {row.label for row in found.rows}


def test_a_label_that_was_called_right_is_not_listed_again(
    doubt: LabelDoubt, taught: Field, ai_owner: User
) -> None:
    doubts.judge([doubt.pk], verdict=Verdict.RIGHT, by=ai_owner)

    again = training.train(taught, owner=ai_owner)

    assert doubt.label_id not in again.doubts.values_list("label", flat=True)
    assert LabelDoubt.objects.get(label=doubt.label_id).verdict == Verdict.RIGHT


def test_the_next_training_replaces_what_nobody_has_judged(
    doubt: LabelDoubt, taught: Field, ai_owner: User
) -> None:
    again = training.train(taught, owner=ai_owner)

    assert LabelDoubt.objects.filter(label=doubt.label_id).get().model_version == again
    assert not LabelDoubt.objects.filter(model_version=doubt.model_version).exists()


def test_a_verdict_may_be_changed_and_the_same_again_changes_nothing(
    doubt: LabelDoubt, ai_owner: User, auditor: User
) -> None:
    doubts.judge([doubt.pk], verdict=Verdict.WRONG, by=auditor)

    assert doubts.judge([doubt.pk], verdict=Verdict.WRONG, by=ai_owner) == 0
    assert doubts.judge([doubt.pk], verdict=Verdict.RIGHT, by=ai_owner) == 1

    doubt.refresh_from_db()
    assert (doubt.verdict, doubt.said_by) == (Verdict.RIGHT, ai_owner)
    entries = LedgerEntry.objects.filter(subject=f"label:{doubt.label_id}")
    assert entries.count() == 2
    with pytest.raises(ValueError, match="right or wrong"):
        doubts.judge([doubt.pk], verdict=Verdict.OPEN, by=ai_owner)


def test_the_list_has_an_end(
    taught: Field, ai_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "MOST_DOUBTS", 0)

    version = training.train(taught, owner=ai_owner)

    assert version.evidence["label_noise"]["doubted"] > 0
    assert not version.doubts.exists()


def test_doubts_go_with_an_erased_ticket(doubt: LabelDoubt, source: Source, ai_owner: User) -> None:
    ticket = doubt.label.ticket
    whose = Whose(source, ticket=ticket.external_id)
    others = LabelDoubt.objects.exclude(label__ticket=ticket).count()
    assert erasure.preview(whose).counts.doubts == 1

    report = erasure.erase(whose, by=ai_owner)

    assert report.counts.doubts == 1
    assert LabelDoubt.objects.count() == others
    assert Label.objects.filter(ticket=ticket).exists()
