"""The panel as a helpdesk opens it, decides in it, and what its answers let a browser do."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from review.models import Decision, Reason
from tests.review.embed.world import (
    ORIGIN,
    accept,
    framed_desk,
    last_decision,
    link_to,
    opened,
    token_in,
)
from tests.review.helpers import (
    Desk,
    make_model,
    make_proposal,
    make_reasons,
    make_technician,
    make_torn,
)
from triage.models import LedgerEntry, SourceSecret

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    make_technician(first_name="Maya", last_name="Berg")
    return framed_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


def words(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_the_panel_shows_the_proposal_with_why_and_what_accepting_does(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk, model=make_model(desk), words_for=["VPN"])

    page = words(client.get(link_to(proposal)))

    for shown in ("Network › VPN", "for it:", "On accept, Norvik gets", "as Maya Berg"):
        assert shown in page


def test_accepting_in_the_frame_is_that_persons_decision_and_the_ledger_says_how(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)

    answer = accept(client, proposal, opened(client, proposal))

    assert answer.status_code == 200
    assert f"Accepted #{proposal.ticket.external_id}" in words(answer)
    assert last_decision().reviewer.username == "maya"
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.DECISION)
    assert entry.payload["via"] == f"embed secret:{SourceSecret.objects.get().pk}"


def test_every_way_to_decide_works_in_the_frame(
    client: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    said: dict[str, dict[str, Any]] = {
        "override": {
            "choice-category": desk["access.password"].pk,
            "reason-category": reasons["override.wrong"].pk,
            "choice-team": "follow",
            "choice-priority": desk["normal"].pk,
        },
        "escalate": {"reason": reasons["escalate.wrong"].pk, "team": ""},
        "send-back": {"reason": reasons["send_back.wrong"].pk},
    }
    verdicts = {"override": "overridden", "escalate": "escalated", "send-back": "sent_back"}
    for way, form in said.items():
        proposal = make_proposal(desk)
        token = opened(client, proposal)
        answer = client.post(f"/embed/{way}", {"token": token, "proposal": proposal.pk, **form})

        assert answer.status_code == 200, way
        assert Decision.objects.get(proposal=proposal).verdict == verdicts[way]


def test_an_incomplete_override_comes_back_with_what_is_missing(
    client: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    form = {"choice-category": desk["access.password"].pk, "proposal": proposal.pk}

    answer = client.post("/embed/override", {"token": opened(client, proposal), **form})

    assert answer.status_code == 422
    assert "Say why: choose a reason." in words(answer)
    assert not Decision.objects.exists()


def test_htmx_gets_the_part_that_the_page_itself_includes(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)

    answer = client.post(
        "/embed/accept",
        {"proposal": proposal.pk},
        headers={"HX-Request": "true", "X-Embed-Token": token},
    )

    assert answer.status_code == 200
    assert "<html" not in words(answer)
    assert 'id="work"' in words(answer)
    assert answer["HX-Push-Url"] == "false"


def test_all_forms_and_requests_of_the_frame_stay_in_the_frame(
    client: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    """A partial that other pages share must not lead a frame to where its token means nothing."""
    Reason.objects.filter(key="wrong", applies_to="override").update(key="more-precise")
    for proposal in (make_proposal(desk), make_torn(desk)):
        page = client.get(link_to(proposal)).content.decode()
        forms = re.findall(r"<form(?! method=\"dialog\")[^>]*>.*?</form>", page, re.DOTALL)
        sent = re.findall(r"(?:action|hx-post|hx-get)=\"([^\"]+)\"", page)

        assert len(forms) >= 4
        assert all('name="token"' in form for form in forms)
        assert "csrfmiddlewaretoken" not in page
        assert {path for path in sent if not path.startswith("/embed/")} == set()


def test_no_cookie_is_set_and_none_is_asked(client: Client, desk: Desk) -> None:
    """Whoever is signed in beside the frame has no part in it."""
    other = make_technician("bob")
    client.force_login(other)
    proposal = make_proposal(desk)

    answer = client.get(link_to(proposal))
    done = accept(client, proposal, token_in(answer))

    assert not answer.cookies
    assert not done.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert last_decision().reviewer.username == "maya"


def test_no_csrf_token_is_needed_where_no_cookie_could_be_abused(desk: Desk) -> None:
    strict = Client(enforce_csrf_checks=True)
    proposal = make_proposal(desk)

    assert accept(strict, proposal, opened(strict, proposal)).status_code == 200


def test_headers_let_only_the_listed_sites_frame_it(client: Client, desk: Desk) -> None:
    desk.source.embed_origins = [ORIGIN, "https://*.example.com:8443", "https://x; script-src *"]
    desk.source.save()
    proposal = make_proposal(desk)

    answer = client.get(link_to(proposal))

    policy = dict(
        part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";")
    )
    assert policy["frame-ancestors"] == f"{ORIGIN} https://*.example.com:8443"
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize(
    "path", ["/", "/history/", "/tickets/0/", "/accounts/login/", "/admin/login/"]
)
def test_all_other_pages_can_be_framed_by_nobody(client: Client, path: str) -> None:
    client.force_login(make_technician("bob"))

    answer = client.get(path)

    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
