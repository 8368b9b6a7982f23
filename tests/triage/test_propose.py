"""From a delivery to a proposal: by real steps on real rows, without and with a model."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.conftest import event_message, ticket_message
from triage import ledger, steps
from triage.drafts import drafts
from triage.learning import registry, training
from triage.models import (
    Choice,
    Effect,
    EmergencyStop,
    EscalationRule,
    Field,
    Job,
    Label,
    LedgerEntry,
    ModelVersion,
    Prediction,
    Proposal,
    ProposedValue,
    RuleNotice,
    RuleVersion,
    Rung,
    Source,
    Ticket,
    Waiting,
)

WORDS = {
    "access": ("password locked", "sign in refused", "account expired", "reset my login"),
    "hardware": ("laptop broken", "screen black", "keyboard keys stuck", "battery swollen"),
    "network": ("vpn drops", "wifi slow", "tunnel closes", "no internet"),
}
ENDINGS = ("since monday", "again today", "for our whole team", "please help", "", "at home")
PLACES = ("in Leeds", "in Hamburg")


@pytest.fixture
def past(source: Source, catalogue: dict[str, Choice], make_ticket: Callable[..., Ticket]) -> None:
    """48 solved and labelled tickets of each of three categories."""
    for key, phrases in WORDS.items():
        for phrase, ending, place in product(phrases, ENDINGS, PLACES):
            ticket = make_ticket(source, subject=phrase, body=f"{phrase} {ending} {place}")
            Ticket.objects.filter(pk=ticket.pk).update(closed_at=ticket.opened_at)
            steps.record_label(
                ticket, catalogue[key].field, catalogue[key], origin=Label.Origin.HISTORY
            )


@pytest.fixture
def champion(past: None, source: Source, settings: Settings, tmp_path: Path) -> ModelVersion:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path
    version = training.train(Field.objects.get(source=source, key="category"), owner=source.owner)
    registry.promote(version, by=source.owner, reason="first")
    return version


def make_rule(source: Source, conditions: list[Any], actions: list[Any]) -> RuleVersion:
    rule = EscalationRule.objects.create(
        source=source, name=f"rule {EscalationRule.objects.count()}", owner=source.owner
    )
    return RuleVersion.objects.create(
        rule=rule, number=1, conditions=conditions, actions=actions, author=source.owner
    )


def proposed(proposal: Proposal) -> dict[str, tuple[str | None, str]]:
    return {
        value.field.key: (value.choice.key if value.choice else None, value.basis)
        for value in proposal.values.select_related("field", "choice")
    }


def test_before_any_model_a_ticket_reaches_the_queue(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
) -> None:
    assert deliver(source, ticket_message(values={"priority": "urgent"})).status_code == 202
    work()

    proposal = Proposal.objects.get()
    assert proposed(proposal) == {
        "category": (None, "none"),
        "team": (None, "none"),
        "priority": ("urgent", "helpdesk"),
    }
    waiting = Waiting.objects.get()
    assert (waiting.proposal, waiting.urgency) == (proposal, 3)
    assert not Job.objects.exists()
    assert LedgerEntry.objects.get(kind="proposal").subject == f"proposal:{proposal.pk}"
    assert ledger.verify() is None


def test_a_source_without_any_catalogue_still_fills_the_queue(
    source: Source, deliver: Callable[..., Any], work: Callable[..., int]
) -> None:
    deliver(source, ticket_message())
    work()

    assert Waiting.objects.get().main_choice is None


def test_a_model_answers_with_probability_words_and_similar_tickets(
    champion: ModelVersion,
    source: Source,
    deliver: Callable[..., Any],
    work: Callable[..., int],
) -> None:
    deliver(source, ticket_message(subject="vpn tunnel closes", body="vpn drops at home"))
    work()

    proposal = Proposal.objects.get()
    value = proposal.values.get(field__key="category")
    prediction = value.prediction
    assert proposed(proposal)["category"] == ("network", "model")
    assert proposed(proposal)["team"] == ("infrastructure", "follows")
    assert value.probability is not None
    assert value.probability > 0.6
    assert prediction is not None
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=0.001)
    assert "vpn" in prediction.words_for
    assert len(proposal.similar) == 3
    neighbours = Ticket.objects.filter(pk__in=[row["ticket"] for row in proposal.similar])
    assert all("vpn" in t.body or "tunnel" in t.body for t in neighbours)


def test_proposing_twice_leaves_one_proposal(
    champion: ModelVersion, source: Source, make_ticket: Callable[..., Ticket]
) -> None:
    version = make_ticket(source).versions.get()

    assert steps.propose([version.pk]) == 1
    assert steps.propose([version.pk]) == 0
    assert Proposal.objects.count() == 1
    assert Prediction.objects.count() == 1


def test_a_hundred_tickets_cost_few_statements(
    champion: ModelVersion,
    source: Source,
    make_ticket: Callable[..., Ticket],
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    versions = [make_ticket(source).versions.get().pk for _ in range(100)]

    # One statement a ticket looks for similar ones; all others serve the whole batch.
    with django_assert_max_num_queries(100 + 40):
        assert steps.propose(versions) == 100

    assert Waiting.objects.count() == 100


def test_a_newer_version_replaces_the_proposal_that_waits(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
) -> None:
    deliver(source, ticket_message())
    work()
    deliver(source, ticket_message(version=2, body="It is the printer after all."))
    work()

    first, second = Proposal.objects.order_by("pk")
    assert Waiting.objects.get().proposal == second
    assert (first.ticket_version.version, second.ticket_version.version) == (1, 2)


def test_a_closed_ticket_leaves_the_queue_and_a_reopened_one_comes_back(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
) -> None:
    deliver(source, ticket_message())
    work()
    deliver(source, event_message(id="E-1", kind="resolved", happened_at="2030-03-02T10:00Z"))
    work()
    assert not Waiting.objects.exists()

    deliver(source, event_message(id="E-2", kind="reopened", happened_at="2030-03-02T11:00Z"))
    deliver(source, ticket_message(version=2, body="Still broken."))
    work()

    assert Waiting.objects.get().proposal.ticket_version.version == 2
    assert Ticket.objects.get().reopened_count == 1


def test_a_rule_sets_holds_and_notifies_once(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
    mailoutbox: list[Any],
) -> None:
    version = make_rule(
        source,
        [{"kind": "words_any", "words": ["vip"], "where": "either"}],
        [
            {"kind": "raise_priority", "field": "priority", "choice": "urgent"},
            {"kind": "hold"},
            {"kind": "notify", "to": "lead@example.org"},
        ],
    )
    deliver(source, ticket_message(subject="VIP cannot print"))
    work()

    proposal = Proposal.objects.get()
    assert proposal.route == "hold"
    assert proposed(proposal)["priority"] == ("urgent", "rule")
    assert proposal.values.get(field__key="priority").rule_version == version
    assert list(version.hits.all().values_list("proposal", flat=True)) == [proposal.pk]
    assert [mail.to for mail in mailoutbox] == [["lead@example.org"]]
    assert RuleNotice.objects.get().sent_at is not None
    assert "VIP cannot print" not in mailoutbox[0].subject + mailoutbox[0].body


def test_a_retired_choice_is_never_proposed(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Callable[..., Ticket],
) -> None:
    Choice.objects.filter(key="network").update(retired_at=source.created_at)

    steps.propose([make_ticket(source, subject="vpn drops", body="").versions.get().pk])

    assert proposed(Proposal.objects.get())["category"][0] != "network"
    assert "network" not in Prediction.objects.get().probabilities


def test_a_model_file_that_was_altered_is_not_asked_and_the_queue_still_fills(
    champion: ModelVersion, source: Source, make_ticket: Callable[..., Ticket], tmp_path: Path
) -> None:
    path = tmp_path / champion.artefact
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    steps.propose([make_ticket(source).versions.get().pk])

    assert proposed(Proposal.objects.get())["category"] == (None, "none")
    assert Waiting.objects.count() == 1


def make_auto(champion: ModelVersion, catalogue: dict[str, Choice], by: User) -> None:
    network = catalogue["network"]
    Rung.objects.create(
        field=network.field,
        choice=network,
        level="auto",
        canary_percent=100,
        owner=by,
        reason="earned",
    )
    network.field.certificates.create(
        choice=network,
        model_version=champion,
        threshold=0.3,
        alpha=0.05,
        delta=0.05,
        checks=100,
        errors=0,
        issued_by=by,
        expires_at="2100-01-01T00:00Z",
    )


def test_a_certified_choice_is_applied_without_a_person(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Callable[..., Ticket],
) -> None:
    make_auto(champion, catalogue, source.owner)

    steps.propose([make_ticket(source, subject="vpn drops").versions.get().pk])

    assert Proposal.objects.get().route == "auto"
    assert not Waiting.objects.exists()
    assert set(Effect.objects.values_list("kind", flat=True)) == {"values", "note"}


def test_what_a_model_only_suggests_is_not_applied_along_with_what_is_certified(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Callable[..., Ticket],
) -> None:
    make_auto(champion, catalogue, source.owner)
    for label in Label.objects.select_related("ticket", "choice"):
        rank = catalogue["urgent" if label.choice.key == "network" else "normal"]
        steps.record_label(label.ticket, rank.field, rank, origin=Label.Origin.HISTORY)
    second = training.train(catalogue["urgent"].field, owner=source.owner)
    registry.promote(second, by=source.owner, reason="first")

    steps.propose([make_ticket(source, subject="vpn drops").versions.get().pk])

    assert proposed(Proposal.objects.get())["priority"] == ("urgent", "model")
    assert Effect.objects.get(kind="values").payload["values"] == {
        "category": "network",
        "team": "infrastructure",
    }


@pytest.mark.parametrize("where", ["everywhere", "source", "choice"])
def test_an_emergency_stop_sends_the_next_ticket_to_a_person(
    where: str,
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Callable[..., Ticket],
) -> None:
    make_auto(champion, catalogue, source.owner)
    EmergencyStop.objects.create(
        reason="drill",
        pulled_by=source.owner,
        source=source if where == "source" else None,
        choice=catalogue["network"] if where == "choice" else None,
    )

    steps.propose([make_ticket(source, subject="vpn drops").versions.get().pk])

    assert Proposal.objects.get().route == "review"
    assert Waiting.objects.count() == 1
    assert not Effect.objects.exists()


def test_a_certificate_ends_with_its_model(
    champion: ModelVersion,
    catalogue: dict[str, Choice],
    source: Source,
    make_ticket: Callable[..., Ticket],
) -> None:
    make_auto(champion, catalogue, source.owner)
    later = training.train(champion.field, owner=source.owner, seed=1)
    registry.promote(later, by=source.owner, reason="newer")

    steps.propose([make_ticket(source, subject="vpn drops").versions.get().pk])

    assert Proposal.objects.get().route == "review"


def test_one_ticket_that_breaks_does_not_hold_up_the_others(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        deliver(source, ticket_message(id=f"T-{number}", subject=f"number {number}"))
    real = drafts

    def breaks(ids: list[int]) -> Any:
        if Ticket.objects.filter(versions__in=ids, subject="number 3").exists():
            raise ZeroDivisionError
        return real(ids)

    monkeypatch.setattr("triage.steps.drafts", breaks)
    work()

    assert Proposal.objects.count() == 4
    job = Job.objects.get()
    assert job.attempts == 2
    assert "ZeroDivisionError" in job.last_error


def test_shadow_models_predict_and_are_shown_to_nobody(
    champion: ModelVersion,
    source: Source,
    make_ticket: Callable[..., Ticket],
    work: Callable[..., int],
) -> None:
    shadow = training.train(champion.field, owner=source.owner, seed=1)
    registry.put_into_shadow(shadow, by=source.owner, reason="To see")

    steps.propose([make_ticket(source).versions.get().pk])
    assert Prediction.objects.get().model_version == champion
    work()

    assert set(Prediction.objects.values_list("model_version", flat=True)) == {
        champion.pk,
        shadow.pk,
    }
    used = ProposedValue.objects.exclude(prediction=None).values_list(
        "prediction__model_version", flat=True
    )
    assert set(used) == {champion.pk}
