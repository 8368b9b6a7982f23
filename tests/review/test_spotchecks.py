"""Answering first: what is kept, what is refused, and that the advice is nowhere before."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from review import decisions
from review.models import BlindAnswer, Decision, Reason, SpotCheck
from tests.review.blind_world import SHARE, answers, make_drawn
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
    make_user,
)
from triage.models import (
    Effect,
    Label,
    LedgerEntry,
    Playbook,
    Proposal,
    RuleHit,
    Ticket,
    TicketEvent,
    Waiting,
)

pytestmark = pytest.mark.django_db

# Words that stand nowhere but in the proposal.
ADVICE = ("Network › VPN", "Network operations", "suggest", "unsure", "mark>")


@pytest.fixture
def technician(client: Client) -> Client:
    client.force_login(make_technician())
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


def words(response: Any) -> str:
    return unescape(response.content.decode())


def without_options(page: str) -> str:
    """The page without what can be chosen, which names every choice."""
    kept, inside = [], False
    for line in (
        page.replace("<select", "\n<select").replace("</select>", "</select>\n").split("\n")
    ):
        inside = inside or line.startswith("<select")
        if not inside:
            kept.append(line)
        inside = inside and not line.endswith("</select>")
    return "\n".join(kept)


def post_answer(client: Client, proposal: Proposal, desk: Desk, **over: str) -> Any:
    return client.post(f"/proposals/{proposal.pk}/answer", answers(desk, **over))


def test_nothing_of_the_advice_is_on_any_page_before_the_answer(
    technician: Client, desk: Desk
) -> None:
    playbook = Playbook.objects.create(
        source=desk.source, name="Roll back", owner=desk.owner, reply="It is on its way."
    )
    proposal = make_drawn(
        desk,
        model=make_model(desk),
        words_for=["disconnects"],
        playbook=playbook,
        reply="It is on its way.",
    )
    pages = [
        technician.get("/"),
        technician.get("/?category=access"),
        technician.get(f"/tickets/{proposal.ticket_id}/"),
        technician.get(f"/tickets/{proposal.ticket_id}/?do=override"),
        technician.get(f"/tickets/{proposal.ticket_id}/", headers={"HX-Request": "true"}),
        technician.get(f"/tickets/{proposal.ticket_id}/effects/"),
        technician.get("/history/"),
    ]

    for page in pages:
        assert page.status_code == 200
        shown = without_options(words(page))
        assert [told for told in (*ADVICE, "Roll back", "on its way") if told in shown] == []
    assert "answer first" in words(pages[0])
    assert "answer first" in words(pages[1])


def test_the_api_tells_nothing_before_the_answer(client: Client, desk: Desk) -> None:
    client.force_login(make_user("api", "triage.view_ticket", "triage.view_proposal"))
    proposal = make_drawn(desk, model=make_model(desk))
    Ticket.objects.update(values={"category": "network.vpn"})
    TicketEvent.objects.create(
        ticket=proposal.ticket,
        key="e",
        kind="recategorised",
        happened_at=timezone.now(),
        choice=desk["network.vpn"],
    )

    one = client.get(f"/api/v1/proposals/{proposal.pk}/")
    ticket = client.get(f"/api/v1/tickets/{proposal.ticket_id}/")
    lists = [client.get(f"/api/v1/{name}/") for name in ("proposals", "tickets")]

    assert one.json()["answer_first"] is True
    assert one.json()["values"] == []
    for answer in (one, ticket, *lists):
        assert "network.vpn" not in answer.content.decode()
    for query in ("choice=network.vpn", "route=review"):
        assert client.get(f"/api/v1/proposals/?{query}").json()["results"] == []


def test_an_automatic_proposal_that_was_drawn_looks_like_any_other(
    technician: Client, desk: Desk
) -> None:
    waiting = make_drawn(desk)
    other = make_ticket(desk, requester="tim@example.org")
    automatic = make_drawn(desk, ticket=other, route=Proposal.Route.AUTO)
    automatic.ticket.closed_at = timezone.now()
    automatic.ticket.save()
    Effect.objects.create(
        key=f"p{automatic.pk}-values",
        ticket=automatic.ticket,
        proposal=automatic,
        kind=Effect.Kind.VALUES,
        payload={"values": {"category": "network.vpn"}},
        seen_version=1,
        state=Effect.State.APPLIED,
    )

    def shape(proposal: Proposal) -> str:
        page = words(technician.get(f"/tickets/{proposal.ticket_id}/"))
        body = page[page.index("<article") : page.index("</main>")]
        return "\n".join(re.sub(r"\d+", "#", x) for x in body.splitlines() if "csrf" not in x)

    assert shape(waiting) == shape(automatic)


def test_the_answer_is_kept_as_a_truth_with_its_propensity_and_opens_the_proposal(
    technician: Client, desk: Desk
) -> None:
    proposal = make_drawn(desk)
    technician.get(f"/tickets/{proposal.ticket_id}/")

    answer = post_answer(technician, proposal, desk, category="access.password", priority="unsure")

    assert answer.status_code == 302
    check = SpotCheck.objects.get(proposal=proposal)
    assert (check.propensity, check.stratum) == (SHARE, "waiting")
    said = {
        value.field.key: value.choice.key if value.choice else None
        for value in BlindAnswer.objects.get().values.select_related("field", "choice")
    }
    assert said == {"category": "access.password", "priority": None}
    label = Label.objects.get(origin=Label.Origin.SPOT_CHECK)
    assert (label.choice.key, label.propensity) == ("access.password", SHARE)
    entry = LedgerEntry.objects.get(subject=f"check:{check.pk}")
    assert entry.payload["answered"] == {"category": "access.password", "priority": None}
    page = words(technician.get(f"/tickets/{proposal.ticket_id}/"))
    assert "Network › VPN" in page
    assert "you: Access › Password" in page
    assert not Decision.objects.exists()


def test_seconds_run_from_the_first_look_of_this_person(technician: Client, desk: Desk) -> None:
    proposal = make_drawn(desk)
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        page = technician.get(f"/tickets/{proposal.ticket_id}/").context
    with time_machine.travel(start + timedelta(seconds=42), tick=False):
        form = answers(desk, category="network.vpn") | {"looked": page["looked"]}
        technician.post(f"/proposals/{proposal.pk}/answer", form)

    assert BlindAnswer.objects.get().seconds == pytest.approx(42, abs=0.01)


@pytest.mark.parametrize("looked", ["", "nonsense", "\0", "a:b:c"])
def test_a_forged_moment_counts_from_when_the_check_first_came_up(
    technician: Client, desk: Desk, looked: str
) -> None:
    proposal = make_drawn(desk)
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        technician.get(f"/tickets/{proposal.ticket_id}/")
    with time_machine.travel(start + timedelta(seconds=9), tick=False):
        form = answers(desk, category="network.vpn") | {"looked": looked}
        assert technician.post(f"/proposals/{proposal.pk}/answer", form).status_code == 302

    assert BlindAnswer.objects.get().seconds == pytest.approx(9, abs=0.01)


def test_no_way_of_deciding_is_open_before_the_answer(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_drawn(desk)
    forms = {
        "accept": {},
        "override": {"choice-category": desk["access"].pk},
        "escalate": {"reason": reasons["escalate.wrong"].pk},
        "send-back": {"reason": reasons["send_back.wrong"].pk},
    }

    for way, data in forms.items():
        answer = technician.post(f"/proposals/{proposal.pk}/{way}", data)
        assert answer.status_code == 422
        assert "Answer first" in words(answer)
        assert "Network › VPN" not in without_options(words(answer))
    answer = technician.post(
        f"/api/v1/proposals/{proposal.pk}/decision/",
        {"verdict": "accept"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "answer_first")
    with pytest.raises(decisions.AnswerFirst):
        decisions.send_back(
            proposal=proposal,
            reviewer=make_technician("tom"),
            reason=reasons["send_back.wrong"],
        )
    assert not Decision.objects.exists()


def test_an_answer_that_agrees_is_confirmed_by_accepting(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_drawn(desk)
    post_answer(technician, proposal, desk, category="network.vpn")

    page = technician.get(f"/tickets/{proposal.ticket_id}/")
    assert "The proposal says what you said." in words(page)
    assert page.context["forms"].active == ""
    technician.post(f"/proposals/{proposal.pk}/accept")

    assert Decision.objects.get().verdict == "accepted"
    assert {label.origin for label in Label.objects.filter(field=desk.category)} == {
        "spot_check",
        "decision",
    }


def test_an_answer_that_differs_stands_in_the_override_form_and_wants_only_a_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_drawn(desk)
    post_answer(technician, proposal, desk, category="access.password", team="team.id")

    page = technician.get(f"/tickets/{proposal.ticket_id}/")
    form = page.context["forms"].override
    assert page.context["forms"].active == "override"
    assert form["choice-category"].value() == str(desk["access.password"].pk)
    # The team that was answered is the one that follows from the category.
    assert form["choice-team"].value() == "follow"
    technician.post(
        f"/proposals/{proposal.pk}/override",
        {
            "choice-category": desk["access.password"].pk,
            "choice-team": "follow",
            "choice-priority": desk["normal"].pk,
            "reason-category": reasons["override.wrong"].pk,
        },
    )

    assert Decision.objects.get().verdict == "overridden"
    final = Decision.objects.get().values.get(field=desk.category).final
    assert final == desk["access.password"]


def test_what_could_not_be_told_is_no_truth_and_presets_nothing(
    technician: Client, desk: Desk
) -> None:
    proposal = make_drawn(desk)

    post_answer(technician, proposal, desk, category="unsure")

    assert BlindAnswer.objects.get().values.get().choice is None
    assert not Label.objects.exists()
    page = technician.get(f"/tickets/{proposal.ticket_id}/")
    assert "You could not tell" in words(page)
    assert page.context["forms"].active == ""


@pytest.mark.parametrize("said", ["", "0", "999999999999999999999", "\0", "x" * 5000, "follow"])
def test_nonsense_is_told_beside_the_field_and_nothing_is_kept(
    technician: Client, desk: Desk, said: str
) -> None:
    proposal = make_drawn(desk)

    answer = technician.post(f"/proposals/{proposal.pk}/answer", {"choice-category": said})

    assert answer.status_code == 422
    assert "Network › VPN" not in without_options(words(answer))
    assert not BlindAnswer.objects.exists()


def test_a_choice_of_another_field_is_refused(technician: Client, desk: Desk) -> None:
    proposal = make_drawn(desk)

    answer = technician.post(
        f"/proposals/{proposal.pk}/answer", {"choice-category": desk["team.net"].pk}
    )

    assert answer.status_code == 422
    assert not BlindAnswer.objects.exists()


def test_the_second_person_to_answer_is_told_and_sees_the_advice(
    technician: Client, desk: Desk
) -> None:
    proposal = make_drawn(desk)
    other = Client()
    other.force_login(make_technician("tom"))
    post_answer(other, proposal, desk, category="network.wifi")

    answer = post_answer(technician, proposal, desk, category="access")

    assert answer.status_code == 409
    assert "Somebody has answered this one meanwhile" in words(answer)
    assert BlindAnswer.objects.get().reviewer.username == "tom"
    # A colleague's answer is nobody else's anchor.
    page = words(technician.get(f"/tickets/{proposal.ticket_id}/"))
    assert "Network › VPN" in page
    assert "you: " not in page


def test_a_decided_or_unknown_proposal_takes_no_answer(technician: Client, desk: Desk) -> None:
    decided = make_proposal(desk)
    technician.post(f"/proposals/{decided.pk}/accept")
    open_ = make_proposal(desk)

    assert post_answer(technician, decided, desk, category="access").status_code == 409
    assert post_answer(technician, open_, desk, category="access").status_code == 409
    assert technician.post("/proposals/987654/answer").status_code == 404
    assert not BlindAnswer.objects.exists()


def test_readers_see_neither_advice_nor_form_and_start_no_clock(client: Client, desk: Desk) -> None:
    client.force_login(make_reader())
    proposal = make_drawn(desk)

    page = words(client.get(f"/tickets/{proposal.ticket_id}/"))

    assert "Answering is for technicians." in page
    assert "Network › VPN" not in without_options(page)
    assert not SpotCheck.objects.exists()
    assert post_answer(client, proposal, desk, category="access").status_code == 403


def test_an_answer_is_never_asked_twice_when_the_proposal_waits_again(
    technician: Client, desk: Desk
) -> None:
    proposal = make_drawn(desk)
    post_answer(technician, proposal, desk, category="unsure")
    Waiting.objects.update(blind_at=SHARE)

    page = technician.get(f"/tickets/{proposal.ticket_id}/")

    assert "Network › VPN" in words(page)
    assert Waiting.objects.get().blind_at is None


def test_a_rule_that_holds_does_not_show_through(technician: Client, desk: Desk) -> None:
    proposal = make_drawn(desk, route=Proposal.Route.HOLD)

    assert not RuleHit.objects.exists()
    for path in ("/", f"/tickets/{proposal.ticket_id}/"):
        assert "Held by" not in words(technician.get(path)).replace("Held by a rule only", "")
        assert "rule: hold" not in words(technician.get(path))
