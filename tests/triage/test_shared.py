"""Champion and challenger on live tickets, and what follows for promotion."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.conftest import new_ticket
from triage.learning import registry
from triage.learning.registry import PromotionRefused
from triage.learning.shared import compare
from triage.models import Choice, Label, LedgerEntry, ModelVersion, Prediction, Source, Ticket

pytestmark = pytest.mark.django_db
Pair = tuple[ModelVersion, ModelVersion]
# For each ticket what the champion, the challenger and the truth say.
Said = tuple[str, str, str]


@pytest.fixture
def versions(source: Source, catalogue: dict[str, Choice], monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A champion and a shadow whose files are not looked at, trained two days ago."""
    monkeypatch.setattr(registry, "_require_file", lambda version: None)
    made = [
        ModelVersion.objects.create(
            field=catalogue["network"].field,
            number=number,
            owner=source.owner,
            state=state,
            label_count=100,
            promoted_at=timezone.now() if state == "champion" else None,
            choices=["network", "access"],
        )
        for number, state in enumerate(("champion", "shadow"), 1)
    ]
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=2))
    for version in made:
        version.refresh_from_db()
    return made[0], made[1]


def predict(ticket: Ticket, version: ModelVersion, choice: str) -> Prediction:
    other = "access" if choice != "access" else "network"
    return Prediction.objects.create(
        ticket_version=ticket.versions.latest("version"),
        model_version=version,
        probabilities={other: 0.2, choice: 0.8},
        in_scope=0.5,
    )


def label(ticket: Ticket, choice: Choice, origin: str = "spot_check", **over: Any) -> Label:
    values = {"propensity": 0.1 if origin == "spot_check" else None} | over
    return Label.objects.create(
        ticket=ticket, field=choice.field, choice=choice, origin=origin, **values
    )


def tell(versions: Pair, catalogue: dict[str, Choice], said: Sequence[Said]) -> list[Ticket]:
    tickets = []
    for before, after, truth in said:
        ticket = new_ticket(versions[0].field.source)
        predict(ticket, versions[0], before)
        predict(ticket, versions[1], after)
        if truth:
            label(ticket, catalogue[truth])
        tickets.append(ticket)
    return tickets


def test_only_tickets_that_both_predicted_are_shared_and_each_once(
    versions: Pair, catalogue: dict[str, Choice], source: Source
) -> None:
    [twice] = tell(versions, catalogue, [("network", "access", "")])
    twice.versions.create(version=2, subject="again", body="")
    predict(twice, versions[0], "access")
    predict(twice, versions[1], "access")
    predict(new_ticket(source), versions[0], "network")
    predict(new_ticket(source), versions[1], "network")

    [row] = compare(*versions).tickets

    assert (row.ticket, row.champion, row.challenger) == (twice.pk, "access", "access")


def test_blind_checks_are_weighted_and_what_saw_the_advice_stands_apart(
    versions: Pair, catalogue: dict[str, Choice]
) -> None:
    tickets = tell(
        versions,
        catalogue,
        [("network", "network", "network"), ("network", "access", "access"), ("access",) * 3],
    )
    Label.objects.filter(ticket=tickets[1]).update(propensity=0.5)
    label(tickets[0], catalogue["access"], "decision")
    label(tickets[1], catalogue["network"], "outcome")
    label(tickets[2], catalogue["network"], "history")

    found = compare(*versions)

    assert found.blind is not None
    # Weights 10, 2 and 10: the champion has 20 of 22 right, the challenger all.
    assert found.blind.champion.value == pytest.approx(20 / 22)
    assert found.blind.challenger.value == pytest.approx(1)
    decided, outcome = found.beside("decision"), found.beside("outcome")
    assert decided is not None
    assert (decided.n, decided.champion.value, decided.challenger.value) == (1, 0, 0)
    assert outcome is not None
    assert (outcome.n, outcome.champion.value, outcome.challenger.value) == (1, 1, 0)
    assert {key: one.n for key, one in found.by_choice().items()} == {"access": 2, "network": 1}


def test_labels_that_a_version_may_have_learnt_from_say_nothing(
    versions: Pair, catalogue: dict[str, Choice]
) -> None:
    tell(versions, catalogue, [("network", "access", "network")])
    ModelVersion.objects.filter(pk=versions[1].pk).update(created_at=timezone.now())
    versions[1].refresh_from_db()

    found = compare(*versions)

    assert (len(found.tickets), found.blind) == (1, None)


def test_agreement_and_what_would_change_are_counted(
    versions: Pair, catalogue: dict[str, Choice]
) -> None:
    tickets = tell(
        versions, catalogue, [("network", "access", "")] * 2 + [("access", "access", "")] * 6
    )

    found = compare(*versions)

    assert found.agreement is not None
    assert found.agreement.value == 0.75
    assert dict(found.changes) == {("network", "access"): 2}
    assert [row.ticket for row in found.changed] == [tickets[1].pk, tickets[0].pk]


def test_what_is_older_than_a_month_is_left_out(
    versions: Pair, catalogue: dict[str, Choice]
) -> None:
    tell(versions, catalogue, [("network", "access", "network")])
    Prediction.objects.update(created_at=timezone.now() - timedelta(days=31))

    assert compare(*versions).tickets == []


def test_a_comparison_costs_two_statements(
    versions: Pair,
    catalogue: dict[str, Choice],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    tell(versions, catalogue, [("network", "access", "network")] * 40)

    with django_assert_num_queries(2):
        found = compare(*versions)
        assert found.blind is not None
        found.by_choice()


# --- Promotion ------------------------------------------------------------------------------


def test_one_that_is_worse_on_live_tickets_needs_a_reason_and_the_refusal_names_the_figures(
    versions: Pair, catalogue: dict[str, Choice], source: Source
) -> None:
    same = [("network", "network", "network")] * 90
    worse = [("network", "access", "network")] * 20
    tell(versions, catalogue, same + worse)
    # Held-out figures say the opposite, and are not asked.
    ModelVersion.objects.filter(pk=versions[0].pk).update(evidence={"accuracy": 0.5})
    ModelVersion.objects.filter(pk=versions[1].pk).update(evidence={"accuracy": 0.9})

    with pytest.raises(PromotionRefused) as refused:
        registry.promote(versions[1], by=source.owner, reason=" ")

    assert "On 110 blind checks of live tickets" in str(refused.value)
    assert "right for 81.8%" in str(refused.value)
    assert "-18.2 points, 95 % interval -25.2 to -10.6" in str(refused.value)
    registry.promote(versions[1], by=source.owner, reason="Covers the new office")
    assert LedgerEntry.objects.latest("sequence").payload["reason"] == "Covers the new office"


def test_one_that_is_better_on_live_tickets_needs_none(
    versions: Pair, catalogue: dict[str, Choice], source: Source
) -> None:
    tell(versions, catalogue, [("network",) * 3] * 90 + [("network", "access", "access")] * 20)

    registry.promote(versions[1], by=source.owner, reason="")

    assert registry.champion(versions[1].field) == versions[1]


def test_with_few_live_checks_the_held_out_figures_decide(
    versions: Pair, catalogue: dict[str, Choice], source: Source
) -> None:
    tell(versions, catalogue, [("network", "access", "access")] * 20)
    first, second = versions
    for version, accuracy in ((first, 0.9), (second, 0.8)):
        version.evidence = {"accuracy": accuracy}
        version.save()

    with pytest.raises(PromotionRefused, match=r"0\.800 held-out accuracy, .* 20, too few"):
        registry.promote(second, by=source.owner, reason="")


def test_without_any_comparison_a_reason_is_needed(versions: Pair, source: Source) -> None:
    with pytest.raises(PromotionRefused, match="Nothing compares category v2 with category v1"):
        registry.promote(versions[1], by=source.owner, reason="")


def test_a_roll_back_never_asks_and_says_so_on_the_record(versions: Pair, source: Source) -> None:
    registry.promote(versions[1], by=source.owner, reason="newer")

    assert registry.roll_back(versions[1].field, by=source.owner) == versions[0]

    entry = LedgerEntry.objects.latest("sequence")
    assert entry.payload["reason"] == "rolled back in one click, without a reason"
    assert entry.actor == f"user:{source.owner.pk}"
