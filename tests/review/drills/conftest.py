import pytest
from django.contrib.auth.models import User

from review.drills import turns
from tests.review.helpers import Desk, make_desk, make_technician


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def maya(db: None) -> User:
    return make_technician()


@pytest.fixture
def always_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "CHANCE", 1.0)
