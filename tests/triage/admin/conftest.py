"""A desk to work at: one source with its catalogue, and a signed-in browser for each role."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.browser.conftest import (
    _orm_beside_the_browser,
    browser_type_launch_args,
    open_window,
)
from tests.conftest import new_catalogue, new_source, new_user
from triage.models import Choice, LedgerEntry, ModelVersion, Source

# The browser's fixtures are at home beside the tests of the review pages.
__all__ = ["_orm_beside_the_browser", "browser_type_launch_args", "open_window"]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root(db: None) -> User:
    return new_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(ai_owner: User) -> Client:
    """The AI owner's browser."""
    return signed_in(ai_owner)


@pytest.fixture
def source(ai_owner: User) -> Source:
    return new_source(owner=ai_owner)


@pytest.fixture
def choices(source: Source) -> dict[str, Choice]:
    return new_catalogue(source)


@pytest.fixture
def make_version(ai_owner: User, choices: dict[str, Choice]) -> Callable[..., ModelVersion]:
    def make(**over: Any) -> ModelVersion:
        field = choices["network"].field
        number = ModelVersion.objects.filter(field=field).count() + 1
        values = {
            "field": field,
            "number": number,
            "owner": ai_owner,
            "state": "champion",
            "artefact": f"desk-category-v{number}.skops",
            "sha256": "0" * 64,
            "label_count": 100,
            "choices": ["network", "access"],
        }
        version = ModelVersion.objects.create(**values | over)
        # Evidence counts from after the training.
        ModelVersion.objects.filter(pk=version.pk).update(
            created_at=timezone.now() - timedelta(days=1)
        )
        version.refresh_from_db()
        return version

    return make


@pytest.fixture
def recorded(db: None) -> Callable[[str], list[dict[str, Any]]]:
    """Payloads of the ledger's entries about one type of subject, oldest first."""

    def read(subject: str) -> list[dict[str, Any]]:
        rows = LedgerEntry.objects.filter(subject__startswith=f"{subject}:")
        return [entry.payload for entry in rows.order_by("sequence")]

    return read
