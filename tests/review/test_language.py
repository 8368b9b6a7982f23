"""The language people read in, and what stays in one language whoever reads."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import trans_real

from review import decisions
from review.models import Reason
from review.reasons import ensure_reasons
from review.templatetags import wording
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician
from triage.models import Effect, LedgerEntry, Proposal

Teach = Callable[..., None]


@pytest.fixture
def teach(monkeypatch: pytest.MonkeyPatch) -> Teach:
    """Let German have a translation, whatever the catalogues hold already."""

    def add(**words: str) -> None:
        catalogue: Any = trans_real.translation("de")
        known = catalogue.gettext
        by_text = {text.replace("_", " "): german for text, german in words.items()}
        monkeypatch.setattr(catalogue, "gettext", lambda text: by_text.get(text) or known(text))

    return add


@pytest.fixture
def in_german() -> Iterator[None]:
    with translation.override("de"):
        yield


def accept(proposal: Proposal, person: Any) -> None:
    decisions.decide(
        proposal=proposal, reviewer=person, choices={}, reasons={}, with_playbook=False
    )


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def test_the_switch_is_remembered_and_leads_back_to_where_it_was_used(
    client: Client, db: None
) -> None:
    client.force_login(make_technician())
    assert b'<html lang="en">' in client.get("/history/").content

    answer = client.post(
        "/language/", {"language": "de"}, headers={"referer": "http://testserver/history/?since=x"}
    )

    assert answer["Location"] == "http://testserver/history/?since=x"
    assert answer.cookies["django_language"]["httponly"]
    assert b'<html lang="de">' in client.get("/history/").content


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:1"]
)
def test_the_switch_leads_to_no_other_site(client: Client, db: None, back: str) -> None:
    answer = client.post("/language/", {"language": "de", "next": back}, headers={"referer": back})

    assert answer["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "", "\0", "de" * 5000])
def test_a_language_that_is_not_there_changes_nothing(
    client: Client, db: None, language: str
) -> None:
    answer = client.post("/language/", {"language": language})

    assert answer.status_code == 302
    assert not answer.cookies


def test_the_switch_stands_in_the_menu_and_on_the_login_page(client: Client, db: None) -> None:
    login = client.get("/accounts/login/").content.decode()
    client.force_login(make_technician())

    for page in (login, client.get("/").content.decode()):
        assert 'action="/language/"' in page
        assert 'value="de" lang="de">Deutsch' in page
        assert 'value="en" lang="en" aria-current="true">English' in page


def test_what_the_helpdesk_and_the_ledger_get_is_in_no_readers_language(
    desk: Desk, teach: Teach, in_german: None
) -> None:
    teach(accepted="angenommen")
    proposal = make_proposal(desk)
    maya = make_technician(first_name="Maya", last_name="Berg")

    accept(proposal, maya)

    note = Effect.objects.get(kind=Effect.Kind.NOTE)
    assert note.payload["text"].startswith("Countersign: accepted by Maya Berg.")
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.DECISION)
    assert entry.payload["verdict"] == "accepted"
    with pytest.raises(decisions.AlreadyDecided, match="angenommen"):
        accept(proposal, maya)


def test_reasons_are_translated_until_their_owner_edits_them(
    db: None, teach: Teach, in_german: None
) -> None:
    ensure_reasons()
    teach(Wrong_category="Falsche Kategorie")
    reason = Reason.objects.get(key="wrong-category")
    assert (reason.shown, reason.label) == ("Falsche Kategorie", "Wrong category")

    reason.label = "Not our category"

    assert reason.shown == "Not our category"
    assert Reason(label="").shown == ""


def test_labels_of_choices_follow_the_reader(db: None, teach: Teach) -> None:
    teach(done="erledigt")
    effect = Effect(state=Effect.State.APPLIED)
    assert effect.get_state_display() == "done"

    with translation.override("de"):
        assert effect.get_state_display() == "erledigt"


def test_figures_and_dates_follow_the_reader(in_german: None) -> None:
    shown = Template("{{ when|date:'DATE_FORMAT' }} {{ share }}").render(
        Context({"when": datetime(2026, 3, 2, tzinfo=UTC), "share": 3.4})
    )

    assert shown == "2. März 2026 3,4"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=12), "12 days ago"),
    ],
)
def test_ages_are_whole_phrases(passed: timedelta, said: str) -> None:
    assert wording.ago(timezone.now() - passed) == said
