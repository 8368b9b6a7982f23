"""Sentence vectors that were worked out before, in memory and in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from triage.learning import vectors
from triage.learning.second import Vectors
from triage.learning.semantic import Files, SentenceEncoder
from triage.learning.vectors import Remembering, Stored
from triage.models import TextVector

TEXTS = ["the printer is broken", "vpn drops", "the printer is broken", ""]


class Counting:
    """The real encoder, and how many texts it was asked for."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.sha256 = encoder.sha256
        self.asked: list[str] = []
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._encoder.encode(texts)


@pytest.fixture
def fresh() -> Iterator[None]:
    """The service's encoder is looked for anew, before and after."""
    for one in (vectors.bare_encoder, vectors.encoder):
        one.cache_clear()
    yield
    for one in (vectors.bare_encoder, vectors.encoder):
        one.cache_clear()


def test_a_process_works_a_text_out_once(encoder: SentenceEncoder) -> None:
    counting = Counting(encoder)
    remembering = Remembering(counting)

    first, second = remembering.encode(TEXTS), remembering.encode(TEXTS)

    assert sorted(counting.asked) == sorted(set(TEXTS))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_allclose(first, encoder.encode(TEXTS), atol=2e-3)


def test_memory_does_not_grow_without_end(
    encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "KEPT_IN_MEMORY", 2)
    counting = Counting(encoder)
    remembering = Remembering(counting)

    remembering.encode(["a", "b", "c"])
    remembering.encode(["c", "b"])
    remembering.encode(["a"])

    assert counting.asked == ["a", "b", "c", "a"]


@pytest.mark.django_db
def test_the_next_training_finds_the_vectors_of_the_last(encoder: SentenceEncoder) -> None:
    counting = Counting(encoder)

    first = Stored(counting).encode(TEXTS)
    again = Stored(counting).encode([*TEXTS, "new"])

    assert sorted(counting.asked) == sorted([*set(TEXTS), "new"])
    assert TextVector.objects.count() == 4
    np.testing.assert_array_equal(again[:4], first)


@pytest.mark.django_db
def test_another_encoder_has_no_use_for_them(encoder: SentenceEncoder) -> None:
    Stored(Counting(encoder)).encode(["vpn drops"])
    other = Counting(encoder)
    other.sha256 = "0" * 64

    Stored(other).encode(["vpn drops"])

    assert other.asked == ["vpn drops"]
    assert TextVector.objects.count() == 2


@pytest.mark.django_db
def test_vectors_of_erased_texts_and_old_ones_go(encoder: SentenceEncoder) -> None:
    Stored(encoder).encode(["erased", "old", "kept"])
    old = timezone.now() - timedelta(days=vectors.KEPT_DAYS + 1)
    last = TextVector.objects.order_by("pk")[1]
    TextVector.objects.filter(pk=last.pk).update(created_at=old)

    assert vectors.forget(["erased", "never there"]) == 1
    assert vectors.tidy() == 1
    assert TextVector.objects.count() == 1


def test_the_service_takes_the_wheel_a_folder_or_nothing(
    fresh: None, settings: Settings, wheel: Files
) -> None:
    taken = vectors.encoder()
    assert taken is not None
    assert taken.sha256 == wheel.model_sha256

    for one in (vectors.bare_encoder, vectors.encoder):
        one.cache_clear()
    settings.SEMANTIC_ASK = "never"
    assert vectors.encoder() is None


def test_a_folder_that_is_refused_leaves_the_first_tier_alone_and_says_why(
    fresh: None,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SEMANTIC_MODEL_DIR = str(tmp_path)

    assert vectors.encoder() is None
    assert vectors.encoder_for_training() is None
    assert "model.onnx: the file must be readable" in caplog.text
