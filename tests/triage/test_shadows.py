"""A model in shadow sees live tickets and never harms the champion's answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.conftest import new_ticket
from tests.triage.conftest import Train
from triage import shadows, steps
from triage.learning import registry, serving
from triage.learning.registry import PromotionRefused
from triage.learning.serving import model_path
from triage.models import (
    Job,
    LedgerEntry,
    ModelVersion,
    Prediction,
    Proposal,
    Source,
    TicketVersion,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(train: Train, source: Source) -> tuple[ModelVersion, ModelVersion]:
    """A champion, and a version in shadow."""
    champion, shadow = train(), train()
    registry.promote(champion, by=source.owner, reason="")
    registry.put_into_shadow(shadow, by=source.owner, reason="To see")
    return champion, shadow


def arrive(source: Source, number: int = 1) -> list[TicketVersion]:
    return [new_ticket(source, subject="vpn drops").versions.get() for _ in range(number)]


def predicted_by(version: ModelVersion) -> int:
    return Prediction.objects.filter(model_version=version).count()


def test_a_candidate_goes_into_shadow_and_back_on_the_record(train: Train, source: Source) -> None:
    version = train()

    registry.put_into_shadow(version, by=source.owner, reason="Newer labels")
    registry.put_into_shadow(version, by=source.owner, reason="Twice is once")
    assert ModelVersion.objects.get().state == "shadow"
    registry.take_out_of_shadow(version, by=source.owner, reason="Seen enough")

    assert ModelVersion.objects.get().state == "candidate"
    entries = LedgerEntry.objects.filter(payload__has_key="event").order_by("sequence")
    assert [(entry.payload["event"], entry.payload["reason"]) for entry in entries] == [
        ("put into shadow", "Newer labels"),
        ("taken out of shadow", "Seen enough"),
    ]
    assert {entry.actor for entry in entries} == {f"user:{source.owner.pk}"}


def test_what_is_in_service_or_has_no_file_is_not_put_into_shadow(
    train: Train, source: Source
) -> None:
    champion, broken = train(), train()
    registry.promote(champion, by=source.owner, reason="")
    model_path(broken).unlink()

    with pytest.raises(PromotionRefused, match="Only a candidate can be put into shadow"):
        registry.put_into_shadow(champion, by=source.owner, reason="Why not")
    with pytest.raises(PromotionRefused, match="does not load"):
        registry.put_into_shadow(broken, by=source.owner, reason="Why not")
    with pytest.raises(PromotionRefused, match="is not in shadow, but candidate"):
        registry.take_out_of_shadow(broken, by=source.owner, reason="Why not")


def test_a_field_has_two_shadows_at_most(train: Train, source: Source) -> None:
    first, second, third = train(), train(), train()
    registry.put_into_shadow(first, by=source.owner, reason="One")
    registry.put_into_shadow(second, by=source.owner, reason="Two")

    with pytest.raises(PromotionRefused, match="at most 2 versions in shadow, and it has"):
        registry.put_into_shadow(third, by=source.owner, reason="Three")

    registry.take_out_of_shadow(first, by=source.owner, reason="Room")
    registry.put_into_shadow(third, by=source.owner, reason="Three")


def test_the_shadow_is_asked_after_the_proposal_is_stored(
    pair: tuple[ModelVersion, ModelVersion], source: Source, work: Callable[[], int]
) -> None:
    champion, shadow = pair
    versions = arrive(source, 3)

    steps.propose([version.pk for version in versions])
    assert (Proposal.objects.count(), predicted_by(champion), predicted_by(shadow)) == (3, 3, 0)
    work()

    assert predicted_by(shadow) == 3
    assert not Job.objects.exists()


def test_without_a_shadow_nobody_has_a_job_for_it(
    train: Train, source: Source, work: Callable[[], int]
) -> None:
    registry.promote(train(), by=source.owner, reason="")

    steps.propose([version.pk for version in arrive(source)])

    assert not Job.objects.filter(kind=Job.Kind.SHADOW).exists()


def test_asking_twice_leaves_one_prediction(
    pair: tuple[ModelVersion, ModelVersion], source: Source
) -> None:
    [version] = arrive(source)

    steps.shadow([version.pk, 0])
    steps.shadow([version.pk])

    assert predicted_by(pair[1]) == 1


@pytest.mark.parametrize("trouble", ["no file", "altered", "breaks"])
def test_a_shadow_that_cannot_answer_harms_nothing(
    trouble: str,
    pair: tuple[ModelVersion, ModelVersion],
    source: Source,
    work: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    champion, shadow = pair
    if trouble == "no file":
        model_path(shadow).unlink()
    elif trouble == "altered":
        model_path(shadow).write_bytes(model_path(champion).read_bytes())
    else:
        whole = serving.ask

        def ask(version: ModelVersion, *args: Any) -> Any:
            if version == shadow:
                raise ValueError("matmul: mismatch in its core dimension")
            return whole(version, *args)

        monkeypatch.setattr(serving, "ask", ask)
    steps.propose([version.pk for version in arrive(source, 3)])

    work()

    assert (predicted_by(champion), predicted_by(shadow)) == (3, 0)
    assert Proposal.objects.filter(values__basis="model").distinct().count() == 3
    assert not Job.objects.exists()


def test_a_slow_shadow_is_not_asked_about_every_ticket(
    pair: tuple[ModelVersion, ModelVersion], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "SECONDS_PER_BATCH", 0.0)
    late = shadows.predictions([version.pk for version in arrive(source, 25)])
    monkeypatch.setattr(shadows, "SECONDS_PER_BATCH", 60.0)
    whole = shadows.predictions([version.pk for version in arrive(source, 25)])

    assert (len(late), len(whole)) == (0, 25)


def test_what_was_erased_meanwhile_is_not_asked_about(
    pair: tuple[ModelVersion, ModelVersion], source: Source
) -> None:
    [version] = arrive(source)
    TicketVersion.objects.filter(pk=version.pk).update(subject="", body="")

    assert shadows.predictions([version.pk]) == []


def test_a_worker_answers_with_the_version_rolled_back_to_from_the_next_batch_on(
    train: Train, source: Source, ai_owner: User, work: Callable[[], int]
) -> None:
    first, second = train(), train()
    registry.promote(first, by=ai_owner, reason="")
    registry.promote(second, by=ai_owner, reason="newer")

    def answered_by() -> set[int]:
        [version] = arrive(source)
        steps.propose([version.pk])
        rows = Prediction.objects.filter(ticket_version=version)
        return set(rows.values_list("model_version", flat=True))

    assert answered_by() == {second.pk}
    assert registry.roll_back(second.field, by=ai_owner) == first
    assert answered_by() == {first.pk}
    assert registry.roll_back(second.field, by=ai_owner) == second
    assert answered_by() == {second.pk}
