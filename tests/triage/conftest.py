"""What tests of several steps share: threads, and really trained models."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from pytest_django import Settings

from tests.conftest import new_ticket
from tests.threads import in_threads
from triage.learning import training
from triage.models import Choice, Label, ModelVersion, Source

__all__ = ["in_threads"]

TEXTS = {
    "network": ["vpn tunnel drops", "wifi is slow", "no network in the hall", "cable unplugged"],
    "access": ["password forgotten", "account locked", "cannot sign in", "reset my login"],
}
Train: TypeAlias = Callable[[], ModelVersion]


@pytest.fixture
def train(
    source: Source, catalogue: dict[str, Choice], settings: Settings, tmp_path: Path
) -> Train:
    """Really trained versions of the category, on 24 labelled tickets of two choices each."""
    settings.COUNTERSIGN_MODEL_DIR = tmp_path
    settings.TRAINING_LABEL_FLOOR = 10
    for key, texts in TEXTS.items():
        for number in range(24):
            ticket = new_ticket(source, subject=f"{texts[number % 4]} {number}", body="Please help")
            field, choice = catalogue[key].field, catalogue[key]
            Label.objects.create(ticket=ticket, field=field, choice=choice, origin="history")
    return lambda: training.train(catalogue["network"].field, owner=source.owner)
