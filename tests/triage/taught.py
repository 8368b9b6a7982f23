"""A field with labelled tickets to learn from, and who asks for its training."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.conftest import new_ticket
from triage.models import Choice, Field, Label, Source

WORDS = {
    "network": ("the vpn tunnel drops", "wifi is slow", "no internet at my desk", "router is down"),
    "access": ("my password is locked", "cannot sign in", "account expired", "reset my login"),
}
EACH = 24


def teach(source: Source, choices: dict[str, Choice], *, each: int = EACH) -> Field:
    """Labelled tickets of two categories; one of them is labelled with the other's choice."""
    for key, texts in WORDS.items():
        for number in range(each):
            ticket = new_ticket(source, subject=f"{texts[number % 4]} {number}", body="Please help")
            is_wrong = key == "network" and number == 0
            choice = choices["access" if is_wrong else key]
            Label.objects.create(
                ticket=ticket, field=choice.field, choice=choice, origin=Label.Origin.HISTORY
            )
    return choices["network"].field


@pytest.fixture
def taught(
    source: Source, catalogue: dict[str, Choice], settings: Settings, tmp_path: Path
) -> Field:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    settings.TRAINING_LABEL_FLOOR = 10
    return teach(source, catalogue)
