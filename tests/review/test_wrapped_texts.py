"""Every text of the pages can be translated, and what was translated is not out of date."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
APPS = ("review", "triage")
PAGES = sorted((ROOT / "review" / "templates").rglob("*.html"))
# In the order in which they are taken out; what is left is read by people as it stands.
NO_TEXT = (
    r"\{% comment %\}.*?\{% endcomment %\}",
    r"\{#.*?#\}",
    r"\{% blocktranslate.*?\{% endblocktranslate %\}",
    r"<(script|style|kbd|title>#)\b.*?</\1>",
    r"\{%.*?%\}",
    r"\{\{.*?\}\}",
)
SPOKEN = r"\b(?:aria-label|title|placeholder|alt|data-failed)=(\"[^\"]*\"|'[^']*')"
NAMES = {"Countersign", "CSV", "PDF"}


def untranslated(page: str) -> list[str]:
    """Words outside translate tags: between HTML tags, and in attributes that are read out."""
    for pattern in NO_TEXT:
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    said = re.findall(SPOKEN, page)
    said.append(re.sub(r"<[^>]*>", " ", re.sub(r"<!doctype[^>]*>", "", page)))
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"&\w+;", " ", " ".join(said)))
    return [word for word in words if word not in NAMES]


@pytest.mark.parametrize("template", PAGES, ids=lambda template: template.name)
def test_every_text_of_a_page_stands_in_a_translate_tag(template: Path) -> None:
    assert untranslated(template.read_text()) == []


def test_the_check_finds_what_is_not_wrapped() -> None:
    assert untranslated("<p>Hello {{ name }}</p>") == ["Hello"]
    assert untranslated('<a title="Go on" href="x">{% translate "On" %}</a>') == ["Go", "on"]
    assert (
        untranslated("{% comment %}Not this{% endcomment %}<kbd>Esc</kbd> &amp; Countersign") == []
    )


def messages(catalogue: str) -> set[str]:
    """Context, text and plural of each entry that is in use, as they are written."""
    live = "\n".join(line for line in catalogue.splitlines() if not line.startswith("#~"))
    joined = re.sub(r'"\n"', "", live)
    return set(re.findall(r"^((?:msgctxt .*\n)?msgid .*\n(?:msgid_plural .*\n)?)", joined, re.M))


def committed(app: str) -> Path:
    found = ROOT / app / "locale" / "de" / "LC_MESSAGES" / "django.po"
    if not found.exists():
        pytest.skip(f"{app} has no German yet.")
    if shutil.which("xgettext") is None or shutil.which("msgfmt") is None:
        pytest.skip("GNU gettext, which finds the texts, is not installed.")
    return found


@pytest.mark.parametrize("app", APPS)
def test_the_catalogue_has_every_text_and_no_other(app: str, tmp_path: Path) -> None:
    """Else: `make texts`, translate what is new in the .po file, `make texts` again."""
    before = committed(app)
    where = tmp_path / app
    shutil.copytree(ROOT / app, where, ignore=shutil.ignore_patterns("__pycache__", "static"))
    if app == "review":
        # What stands outside the apps is kept with the pages; see LOCALE_PATHS.
        shutil.copytree(ROOT / "config", where / "config")
    # -P: review/queue.py is no queue that Python's own modules could use.
    make = [sys.executable, "-P", "-m", "django", "makemessages", "-l", "de", "--no-location"]
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}

    subprocess.run(make, cwd=where, env=environment, check=True, capture_output=True)

    after = where / before.relative_to(ROOT / app)
    assert messages(before.read_text()) == messages(after.read_text())
    assert "#, fuzzy" not in before.read_text().partition("\n\n")[2]


@pytest.mark.parametrize("app", APPS)
def test_what_is_served_was_made_from_the_catalogue(app: str, tmp_path: Path) -> None:
    source = committed(app)
    fresh = tmp_path / "django.mo"

    subprocess.run(["msgfmt", "-o", str(fresh), str(source)], check=True, capture_output=True)

    assert _texts(source.with_suffix(".mo")) == _texts(fresh)


def _texts(compiled: Path) -> dict[object, str]:
    with compiled.open("rb") as opened:
        found: dict[object, str] = vars(gettext.GNUTranslations(opened))["_catalog"]
    return {key: value for key, value in found.items() if key != ""}
