"""A drill in the place of the next ticket: it looks like live work, and is told at once."""

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.load import load_of
from review.models import Decision, Drill, DrillAnswer, DrillProgramme, Reason
from tests.emptying import forget_cached
from tests.review.drills.world import (
    EVERY,
    make_answer,
    make_drill,
    make_known,
    make_ready,
    model_of,
)
from tests.review.helpers import Desk, make_proposal, make_reasons, make_technician
from triage.models import Proposal, Ticket, Waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("always_drawn")]
PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def client(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


@pytest.fixture
def past(desk: Desk, maya: User) -> Proposal:
    """What the drill will be about: proposed as VPN, and it was Wi-Fi."""
    make_reasons()
    make_ready(desk, maya, wrong_percent=50)
    return make_known(desk, truth="network.wifi")


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.drills.turns._is_wrong_one", lambda *given: True)


@pytest.fixture
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.drills.turns._is_wrong_one", lambda *given: False)


def words(response: Any) -> str:
    return unescape(response.content.decode())


def decide_one(client: Client, desk: Desk, **more: Any) -> Any:
    """Accept a ticket that waits; where that leads to."""
    live = make_proposal(desk)
    client.get(f"/tickets/{live.ticket_id}/")
    return client.post(f"/proposals/{live.pk}/accept", follow=True, **more)


def override(client: Client, desk: Desk, past: Proposal, key: str, **over: Any) -> Any:
    from_list = {"choice-category": desk[key].pk, "reason-category": reason("override")}
    return client.post(f"/proposals/{past.pk}/override", from_list | over, follow=True)


def reason(applies_to: str) -> int:
    return int(Reason.objects.get(applies_to=applies_to, needs_text=False).pk)


def test_after_a_decision_the_past_ticket_stands_there_as_if_it_had_just_come(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    others = [make_proposal(desk) for _ in range(2)]

    answer = decide_one(client, desk)

    assert answer.redirect_chain == [(f"/tickets/{past.ticket_id}/", 302)]
    page = words(answer)
    assert past.ticket.subject in page
    assert "Network › VPN" in page
    assert "Accepted #" in page
    for key in ("a", "o", "e", "s", "b"):
        assert f'data-key="{key}"' in page
    for told in ("drill", "Drill", "closed", "days ago"):
        assert told not in page.partition("<main")[2].partition("</main>")[0]
    # It stands in the list and is counted, for these eyes alone.
    assert page.count("data-row") == len(others) + 1
    assert Waiting.objects.count() == len(others)
    assert '<span class="count" id="waiting-count">3' in page


def test_wrong_advice_that_is_overridden_is_a_hit_and_told_at_once(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)

    answer = override(client, desk, past, "network.wifi")

    given = DrillAnswer.objects.get()
    assert (given.verdict, given.final) == ("overridden", desk["network.wifi"])
    assert given.is_hit
    assert answer.redirect_chain == [(f"/drills/answers/{given.pk}/", 302)]
    page = words(answer)
    for said in (
        "That was a drill",
        "The advice was wrong, and you put it right.",
        "So said two people who had not seen the advice.",
        "This is what the model said at the time.",
        "<mark>VPN</mark>",
    ):
        assert said in page
    assert "data-onwards" in page


def test_wrong_advice_that_is_taken_is_told_as_calmly(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)

    page = words(client.post(f"/proposals/{past.pk}/accept", follow=True))

    given = DrillAnswer.objects.get()
    assert (given.verdict, given.final, given.is_hit) == ("accepted", desk["network.vpn"], False)
    assert "The advice was wrong, and you took it." in page


def test_right_advice_may_be_another_than_the_model_gave_and_brings_what_follows(
    client: Client, desk: Desk, past: Proposal, right: None
) -> None:
    Proposal.objects.filter(pk=past.pk).update(similar=[])
    page = words(decide_one(client, desk))
    assert "Network › Wi-Fi" in page
    assert "Otherwise most likely Network › VPN." in page
    assert "Network operations" in page

    told = words(client.post(f"/proposals/{past.pk}/accept", follow=True))

    assert DrillAnswer.objects.get().is_hit
    assert "The advice was right, and you took it." in told
    assert "The model itself had said Network › VPN." in told


def test_who_changes_another_field_alone_has_taken_the_advice(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)

    override(
        client,
        desk,
        past,
        "network.vpn",
        **{"choice-priority": desk["high"].pk, "reason-priority": reason("override")},
    )

    assert DrillAnswer.objects.get().verdict == "accepted"


@pytest.mark.parametrize("way", ["escalate", "send-back", "skip"])
def test_passing_it_on_ends_it_and_counts_for_nothing(
    client: Client, desk: Desk, past: Proposal, wrong: None, way: str
) -> None:
    decide_one(client, desk)

    why = reason(way.replace("-", "_"))
    page = words(client.post(f"/proposals/{past.pk}/{way}", {"reason": why}, follow=True))

    given = DrillAnswer.objects.get()
    assert (given.verdict, given.final) == ("passed", None)
    assert "neither taking the advice nor changing it" in page


def test_what_is_missing_is_asked_for_as_on_live_work(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)

    answer = override(client, desk, past, "network.wifi", **{"reason-category": ""})

    assert answer.status_code == 422
    assert "Say why: choose a reason." in words(answer)
    assert not DrillAnswer.objects.exists()
    for nonsense in ("x", "9" * 30, "\0"):
        wrong_one = {"choice-category": nonsense}
        assert override(client, desk, past, "access", **wrong_one).status_code == 422


def test_two_presses_are_one_answer(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)

    client.post(f"/proposals/{past.pk}/accept")
    second = client.post(f"/proposals/{past.pk}/accept")

    # The drill is over, so the second is about the past ticket, which does not wait.
    assert second.status_code == 409
    assert DrillAnswer.objects.get().verdict == "accepted"
    assert Decision.objects.filter(proposal=past).count() == 0


def test_htmx_gets_the_working_surface_and_no_next_ticket_beforehand(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    live, following = make_proposal(desk), make_proposal(desk)
    window = {"X-Window": "11111111-1111-4111-8111-111111111111", **PARTIAL}
    client.get(f"/tickets/{live.ticket_id}/", headers=window)
    assert client.get(f"/tickets/{live.ticket_id}/ahead/", headers=window).status_code == 204

    answer = client.post(f"/proposals/{live.pk}/accept", headers=window, follow=True)

    page = words(answer)
    assert "<!doctype" not in page
    assert past.ticket.subject in page
    # No lease is taken, on this ticket or on any other.
    assert "data-held" not in page
    assert not Ticket.objects.filter(lease__isnull=False).exists()
    assert following.ticket.subject in page


def test_a_skip_brings_no_drill(client: Client, desk: Desk, past: Proposal) -> None:
    live = make_proposal(desk)
    client.get(f"/tickets/{live.ticket_id}/")

    client.post(f"/proposals/{live.pk}/skip", {"reason": reason("skip")}, follow=True)

    assert not Drill.objects.exists()


def test_reading_the_page_or_the_list_again_brings_no_other_drill(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    decide_one(client, desk)
    for path in ("/", "/tickets/next/", f"/tickets/{past.ticket_id}/"):
        client.get(path)

    assert Drill.objects.count() == 1
    assert "Accept" in words(client.get(f"/tickets/{past.ticket_id}/"))


@pytest.mark.parametrize("ended", ["switched off", "waits again", "erased", "somebody else"])
def test_a_drill_that_is_over_leaves_the_ticket_as_it_is(
    client: Client, desk: Desk, past: Proposal, wrong: None, ended: str
) -> None:
    decide_one(client, desk)
    now = timezone.now()
    match ended:
        case "switched off":
            DrillProgramme.objects.update(is_on=False)
        case "waits again":
            Waiting.objects.create(
                proposal=past, ticket=past.ticket, source=desk.source, since=now, look_by=now
            )
        case "erased":
            blank = dict.fromkeys(("subject", "body", "requester", "requester_name"), "")
            Ticket.objects.filter(pk=past.ticket_id).update(erased_at=now, **blank)
        case "somebody else":
            client.force_login(make_technician("lars"))

    answer = client.get(f"/tickets/{past.ticket_id}/")

    assert answer.status_code == 200
    if ended != "waits again":
        assert "This proposal does not wait any more" in words(answer)
    client.post(f"/proposals/{past.pk}/accept")
    assert not DrillAnswer.objects.exists()


def test_only_the_person_sees_the_answer(
    client: Client, desk: Desk, maya: User, past: Proposal
) -> None:
    drill = make_drill(desk, maya, past, "network.vpn")
    assert client.get(f"/drills/answers/{drill.pk}/").status_code == 404
    make_answer(drill, is_accepted=False)
    assert client.get(f"/drills/answers/{drill.pk}/").status_code == 200

    client.force_login(make_technician("lars"))
    assert client.get(f"/drills/answers/{drill.pk}/").status_code == 404


def test_a_drill_counts_as_a_review_of_the_hour(
    client: Client,
    desk: Desk,
    maya: User,
    past: Proposal,
    wrong: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    decide_one(client, desk)
    # In a test nothing is committed, so the decision is known to the database alone.
    forget_cached()
    before = load_of(maya).reviews
    assert before == EVERY + 1

    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/proposals/{past.pk}/accept")

    # As it is remembered, and as the database has it.
    assert load_of(maya).reviews == before + 1
    forget_cached()
    assert load_of(maya).reviews == before + 1


def test_own_figures_are_shown_from_a_hundred_on_and_to_that_person_alone(
    client: Client, desk: Desk, maya: User, past: Proposal
) -> None:
    drills = Drill.objects.bulk_create(
        make_unsaved(desk, maya, make_proposal(desk, waits=False)) for _ in range(99)
    )
    for number, drill in enumerate(drills):
        make_answer(drill, is_accepted=number < 30)
    assert "99 of 100 so far" in words(client.get("/practice/past/"))

    make_answer(make_drill(desk, maya, past, "network.vpn"), is_accepted=False)

    page = words(client.get("/practice/past/"))
    # 70 of 100 caught: Beta(70.5, 30.5) has 60.6 and 78.3 % at its outer fortieths.
    assert "70 % (61–78 %), 70 of 100" in " ".join(page.split()).replace("</span>", "").replace(
        '<span class="soft">', ""
    )
    client.force_login(make_technician("lars"))
    assert "Your drills" not in words(client.get("/practice/past/"))


def make_unsaved(desk: Desk, person: User, proposal: Proposal) -> Drill:
    return Drill(
        proposal=proposal,
        person=person,
        advice=desk["network.vpn"],
        truth=desk["network.wifi"],
        is_right=False,
        known_by="agreed",
        version=model_of(desk),
        shown_at=timezone.now(),
    )


def test_a_drill_costs_the_same_however_much_is_known(
    client: Client, desk: Desk, past: Proposal, wrong: None
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/tickets/{past.ticket_id}/")
        return len(asked)

    decide_one(client, desk)
    queries()
    few = queries()
    for _ in range(12):
        make_known(desk)

    assert queries() == few <= 30
