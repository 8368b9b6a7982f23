"""Both tiers in the service: trained, asked, recorded, explained, erased."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.conftest import new_ticket, ticket_message
from triage import erasure
from triage.erasure import Whose
from triage.learning import registry, serving, training, vectors
from triage.learning.second import print_of
from triage.learning.text import document
from triage.models import Choice, Label, ModelVersion, Prediction, Proposal, Source, TextVector

# Hardly a word in common within a choice: only their meaning tells them apart.
TEXTS = {
    "network": (
        "vpn drops every hour", "the wifi is slow today", "no internet in the hall",
        "remote connection keeps closing", "cable unplugged from the router",
        "cannot reach the intranet", "tunnel times out", "wireless signal too weak",
        "proxy refuses every page", "lan port at my desk is dead",
    ),
    "access": (
        "password forgotten", "my account is locked", "cannot sign in any more",
        "reset my login please", "authenticator code is refused", "credentials have expired",
        "need permission for the shared folder", "username not recognised",
        "locked out after three attempts", "second factor lost with my phone",
    ),
}  # fmt: skip
ASKED = "the connection from home breaks off again and again"


@pytest.fixture
def fresh_encoder() -> Iterator[None]:
    """Other tests may have asked for an encoder under other settings."""
    for one in (vectors.bare_encoder, vectors.encoder):
        one.cache_clear()
    yield
    for one in (vectors.bare_encoder, vectors.encoder):
        one.cache_clear()


@pytest.fixture
def champion(
    fresh_encoder: None,
    source: Source,
    catalogue: dict[str, Choice],
    settings: Settings,
    tmp_path: Path,
) -> ModelVersion:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    settings.TRAINING_LABEL_FLOOR = 10
    for key, texts in TEXTS.items():
        for number, text in enumerate(texts * 4):
            ticket = new_ticket(
                source,
                subject=text,
                body="thank you" if number % 2 else "",
                requester=f"{key}{number}@example.org",
                closed_at=timezone.now(),
            )
            Label.objects.create(
                ticket=ticket,
                field=catalogue[key].field,
                choice=catalogue[key],
                origin=Label.Origin.HISTORY,
            )
    version = training.train(catalogue["network"].field, owner=source.owner)
    registry.promote(version, by=source.owner, reason="first")
    return version


def test_a_training_learns_both_tiers_and_says_what_each_costs(champion: ModelVersion) -> None:
    tiers = champion.evidence["tiers"]

    assert set(tiers) == {"1", "2"}
    assert tiers["2"]["ms_per_text"] > tiers["1"]["ms_per_text"] > 0
    assert tiers["1"]["share"] + tiers["2"]["share"] == pytest.approx(1)
    # One for each different text, whatever the number of fits that asked for it.
    assert TextVector.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_ticket_the_second_tier_answers_is_recorded_and_explained_by_it(
    champion: ModelVersion,
    deliver: Callable[..., Any],
    work: Callable[[], int],
    settings: Settings,
    source: Source,
) -> None:
    settings.SEMANTIC_ASK = "always"

    assert deliver(source, ticket_message(subject=ASKED, body="")).status_code == 202
    work()

    prediction = Prediction.objects.get(model_version=champion)
    assert prediction.tier == 2
    assert max(prediction.probabilities, key=prediction.probabilities.__getitem__) == "network"
    assert set(prediction.words_for) & {"connection", "breaks"}
    assert Proposal.objects.get().values.get(field=champion.field).prediction == prediction


def test_switched_off_the_first_tier_answers_everything(
    champion: ModelVersion, settings: Settings
) -> None:
    live = frozenset({"network", "access"})
    settings.SEMANTIC_ASK = "always"
    both = serving.ask(champion, [ASKED], live)[0]
    settings.SEMANTIC_ASK = "never"

    alone = serving.ask(champion, [ASKED], live)[0]

    assert (both.tier, alone.tier) == (2, 1)
    assert both.probabilities["network"] > alone.probabilities.get("network", 0)


def test_an_erased_ticket_leaves_no_vector_in_the_database_and_none_in_the_model(
    champion: ModelVersion, source: Source, django_capture_on_commit_callbacks: Any
) -> None:
    text = document(TEXTS["network"][3], "thank you")
    others = Label.objects.filter(ticket__subject=TEXTS["network"][3], ticket__body="thank you")
    whose = [label.ticket.requester for label in others.select_related("ticket")]
    assert len(whose) == 4
    assert print_of(text) in _remembered(champion)
    before = TextVector.objects.count()

    for requester in whose:
        with django_capture_on_commit_callbacks(execute=True):
            erasure.erase(Whose(source, requester=requester), by=source.owner)

    champion.refresh_from_db()
    assert print_of(text) not in _remembered(champion)
    assert print_of(document(TEXTS["network"][2], "")) in _remembered(champion)
    assert TextVector.objects.count() == before - 1


def _remembered(version: ModelVersion) -> set[bytes]:
    classifier = serving._load(serving.model_path(version), version.sha256)
    assert classifier.second is not None
    return classifier.second.memory.known()
