"""A model in doubt, on real rows: what is stored, recorded and acted on; retired choices never."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.triage.admin.rows import new_certificate, new_rule
from triage import steps
from triage.drafts import draft_of
from triage.learning import serving
from triage.learning.serving import Answer
from triage.learning.text import document
from triage.models import (
    Choice,
    Effect,
    Field,
    LedgerEntry,
    ModelVersion,
    Prediction,
    Proposal,
    Rung,
    Source,
    Ticket,
    Waiting,
)
from triage.policies import policies_of

pytestmark = pytest.mark.django_db

TORN = {"network.vpn": 0.34, "network.wifi": 0.31, "access": 0.2}
Say = Callable[..., ModelVersion]


@pytest.fixture
def tree(catalogue: dict[str, Choice]) -> dict[str, Choice]:
    """Two choices below network."""
    for key in ("network.vpn", "network.wifi"):
        catalogue[key] = Choice.objects.create(
            field=catalogue["network"].field, key=key, name=key, parent=catalogue["network"]
        )
    return catalogue


@pytest.fixture
def say(
    source: Source, tree: dict[str, Choice], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ModelVersion]:
    """`say(probabilities, in_scope=, tier=, field=)`: what the model of a field answers to all."""
    said: dict[int, Answer] = {}

    def answer(version: ModelVersion, texts: list[str], live: frozenset[str]) -> list[Answer]:
        one = said[version.field_id]
        kept = {key: p for key, p in one.probabilities.items() if key in live}
        return [Answer(kept, one.in_scope, one.tier)] * len(texts)

    monkeypatch.setattr(serving, "ask", answer)

    def set_(probabilities: dict[str, float], field: str = "category", **more: Any) -> ModelVersion:
        row = Field.objects.get(source=source, key=field)
        said[row.pk] = Answer(probabilities, **{"in_scope": 0.5} | more)
        version, _ = ModelVersion.objects.get_or_create(
            field=row,
            number=1,
            defaults={"owner": source.owner, "state": "champion", "label_count": 9},
        )
        return version

    return set_


@pytest.fixture
def propose(source: Source, make_ticket: Callable[..., Ticket]) -> Callable[..., dict[str, Any]]:
    """`propose(values)`: a new ticket's proposed values by field key."""

    def make(values: dict[str, str] | None = None) -> dict[str, Any]:
        version = make_ticket(source, values=values or {}).versions.get()
        steps.propose([version.pk])
        rows = Proposal.objects.get(ticket_version=version).values.select_related("field", "choice")
        return {row.field.key: row for row in rows}

    return make


def test_what_was_asked_and_what_was_said_are_stored_and_recorded(
    say: Say, propose: Callable[..., dict[str, Any]]
) -> None:
    say({"access": 0.18, "network": 0.17}, tier=2)

    value = propose()["category"]

    assert (value.choice, value.basis, value.level) == (None, "none", "suggest")
    assert (value.probability, value.doubt, value.asked) == (0.18, "unsure", 0.2)
    assert Prediction.objects.get().tier == 2
    waiting = Waiting.objects.get()
    assert waiting.main_choice is None
    assert waiting.uncertainty == pytest.approx(0.82)
    payload = LedgerEntry.objects.get(kind="proposal").payload
    assert payload["doubts"] == {"category": ["unsure", 0.2]}
    assert payload["values"]["category"] == [None, "none", "suggest", 0.18]


def test_a_ticket_unlike_what_was_taught_waits_for_a_person_even_on_a_certified_rung(
    say: Say, propose: Callable[..., dict[str, Any]], tree: dict[str, Choice]
) -> None:
    access = tree["access"]
    version = say({"access": 0.99}, in_scope=0.004)
    rung = {"owner": version.owner, "reason": "earned", "level": "auto", "canary_percent": 100}
    Rung.objects.create(field=access.field, choice=access, **rung)
    new_certificate(version, access, threshold=0.1)

    strange = propose()["category"]
    say({"access": 0.99}, in_scope=0.01)
    usual = propose()["category"]

    assert (strange.choice, strange.doubt, strange.asked) == (None, "unlike", 0.01)
    assert strange.proposal.route == "review"
    assert Waiting.objects.filter(proposal=strange.proposal).exists()
    assert (usual.choice, usual.proposal.route) == (access, "auto")
    assert not Effect.objects.filter(proposal=strange.proposal).exists()


def test_a_parent_is_proposed_with_the_sum_and_what_follows_from_it(
    say: Say, propose: Callable[..., dict[str, Any]], tree: dict[str, Choice]
) -> None:
    say(TORN)

    values = propose()

    category = values["category"]
    assert (category.choice, category.basis) == (tree["network"], "parent")
    assert (category.probability, category.level) == (0.65, "suggest")
    assert (values["team"].choice, values["team"].basis) == (tree["infrastructure"], "follows")
    assert Waiting.objects.get().main_choice == tree["network"]


def test_a_rule_on_a_child_does_not_meet_its_parent_and_one_on_the_parent_does(
    say: Say, propose: Callable[..., dict[str, Any]], source: Source
) -> None:
    for choice in ("network.vpn", "network"):
        is_it = {"kind": "field_is", "field": "category", "choice": choice}
        new_rule(source, name=choice, conditions=[is_it], actions=[{"kind": "hold"}])
    say(TORN)

    hits = propose()["category"].proposal.hits.all()

    assert [hit.rule_version.rule.name for hit in hits] == ["network"]


def test_a_parent_in_another_field_is_not_applied_along_with_what_is_certified(
    say: Say, propose: Callable[..., dict[str, Any]], tree: dict[str, Choice]
) -> None:
    access, top = tree["access"], tree["urgent"]
    version = say({"access": 0.99})
    rung = {"owner": version.owner, "reason": "earned", "level": "auto", "canary_percent": 100}
    Rung.objects.create(field=access.field, choice=access, **rung)
    new_certificate(version, access, threshold=0.1)
    Choice.objects.filter(key__in=("low", "normal")).update(parent=top)
    say({"low": 0.4, "normal": 0.35}, field="priority")

    values = propose()

    assert (values["priority"].choice, values["priority"].basis) == (top, "parent")
    assert Effect.objects.get(kind="values").payload["values"] == {"category": "access"}


def test_thresholds_that_were_changed_hold_for_the_next_ticket(
    say: Say, propose: Callable[..., dict[str, Any]], tree: dict[str, Choice]
) -> None:
    say(TORN)
    field = tree["network"].field
    proposed = []
    for change in ({}, {"settle_from": 0.7}, {"settle_from": 0.0}, {"propose_from": 0.4}):
        Field.objects.filter(pk=field.pk).update(**change)
        proposed.append(propose()["category"].choice)

    assert proposed == [tree["network"], tree["network.vpn"], tree["network.vpn"], None]


# --- A replay -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "in_scope"), [(TORN, 0.5), ({"access": 0.18}, 0.5), ({"access": 0.9}, 0.0)]
)
def test_a_stored_prediction_comes_to_the_same_again(
    say: Say,
    propose: Callable[..., dict[str, Any]],
    source: Source,
    said: dict[str, float],
    in_scope: float,
) -> None:
    say(said, in_scope=in_scope)
    before = propose()["category"]
    version = before.proposal.ticket_version
    stored = Prediction.objects.get()
    version.ticket.source = source

    again = draft_of(
        policies_of(source),
        version,
        document(version.subject, version.body),
        {"category": stored},
        now=timezone.now(),
        reopened_count=0,
    )

    assert again.record() == LedgerEntry.objects.get(kind="proposal").payload


# --- Retired choices, by every way a value can come from ------------------------------------
def retire(*keys: str) -> None:
    Choice.objects.filter(key__in=keys).update(retired_at=timezone.now())


def test_no_way_leads_to_a_retired_choice(
    say: Say, propose: Callable[..., dict[str, Any]], source: Source, tree: dict[str, Choice]
) -> None:
    """By a model, by its parent, by what follows, by a rule, by the helpdesk."""
    actions = [{"kind": "set_field", "field": "priority", "choice": "urgent"}]
    words = [{"kind": "words_any", "words": ["vpn"], "where": "either"}]
    new_rule(source, conditions=words, actions=actions)
    say(TORN)
    before = propose({"priority": "urgent"})
    assert {key: row.choice.key for key, row in before.items()} == {
        "category": "network",
        "team": "infrastructure",
        "priority": "urgent",
    }

    retire("urgent", "infrastructure")
    after = propose({"priority": "urgent", "team": "infrastructure"})
    assert after["category"].choice == tree["network"]
    assert (after["priority"].choice, after["team"].choice) == (None, None)

    retire("network")
    assert propose()["category"].choice == tree["network.vpn"]

    retire("network.vpn")
    said_of_retired = propose()["category"]
    assert (said_of_retired.choice, said_of_retired.basis) == (tree["network.wifi"], "model")

    retire("network.wifi", "access")
    assert propose({"category": "network"})["category"].choice is None


def test_a_prediction_stored_before_a_choice_was_retired_does_not_bring_it_back(
    say: Say, propose: Callable[..., dict[str, Any]], source: Source
) -> None:
    say({"access": 0.9, "hardware": 0.1})
    version = propose()["category"].proposal.ticket_version
    version.ticket.source = source
    retire("access")

    again = draft_of(
        policies_of(source),
        version,
        "vpn",
        {"category": Prediction.objects.get()},
        now=timezone.now(),
        reopened_count=0,
    )

    assert again.values["category"].choice is None
    assert again.values["category"].doubt == "unsure"
