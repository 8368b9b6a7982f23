"""Static files are compressed wherever they come from, and kept for ever if hashed."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

COLLECTED = {"BACKEND": "config.static.CollectedFiles"}
HASHED = re.compile(r"/static/review/base\.[0-9a-f]{12}\.css")


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> Path:
    """As in production: what `collectstatic` is about to fill."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": COLLECTED}
    return tmp_path


def body(client: Client, path: str) -> tuple[bytes, dict[str, str]]:
    answer: Any = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return raw, dict(answer.headers)


def test_files_that_nobody_collected_are_compressed_on_their_way(client: Client) -> None:
    raw, headers = body(client, "/static/review/base.css")

    assert headers["Content-Encoding"] == "gzip"
    assert b"--accent" in gzip.decompress(raw)
    assert staticfiles_storage.url("review/base.css") == "/static/review/base.css"


def test_before_anything_is_collected_names_stay_as_they_are(collected: Path) -> None:
    assert staticfiles_storage.url("review/base.css") == "/static/review/base.css"


def test_collected_files_are_compressed_beforehand_and_kept_for_ever(collected: Path) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)

    url = staticfiles_storage.url("review/base.css")
    assert HASHED.fullmatch(url)
    raw, headers = body(Client(), url)
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert raw == (collected / f"{url.removeprefix('/static/')}.gz").read_bytes()


def test_pages_are_compressed_for_those_who_ask(client: Client, db: None) -> None:
    raw, headers = body(client, "/accounts/login/")

    assert headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in headers["Vary"]
    assert b"<!doctype html>" in gzip.decompress(raw)
    assert "Content-Encoding" not in client.get("/accounts/login/").headers
