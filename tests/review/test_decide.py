"""A person's final word: one per proposal, with reasons, labels, effects and a ledger entry."""

from collections.abc import Callable
from threading import Barrier

import pytest
from django.contrib.auth.models import User

from review.decisions import (
    AlreadyDecided,
    DecisionRefused,
    Superseded,
    decide,
    escalate,
    send_back,
)
from review.models import DecidedValue, Decision, Reason
from tests.review.world import Desk
from triage import ledger
from triage.intake import inbox
from triage.models import Delivery, Effect, Field, Job, Label, LedgerEntry, TicketVersion, Waiting


def accept(desk: Desk, reviewer: User, **over: object) -> Decision:
    said = {"choices": {}, "reasons": {}, "with_playbook": False}
    return decide(proposal=desk.proposal, reviewer=reviewer, **said | over)  # type: ignore[arg-type]


def test_accepting_leaves_labels_effects_a_ledger_entry_and_an_empty_queue(
    desk: Desk, technician: User
) -> None:
    decision = accept(desk, technician)

    assert decision.verdict == "accepted"
    assert dict(
        Label.objects.filter(origin="decision").values_list("field__key", "choice__key")
    ) == {"category": "network", "team": "infrastructure", "priority": "normal"}
    assert list(Effect.objects.values_list("kind", "state")) == [
        ("values", "pending"),
        ("note", "pending"),
    ]
    assert Effect.objects.get(kind="values").payload["values"]["category"] == "network"
    assert Job.objects.filter(kind="effect", subject=desk.proposal.pk).exists()
    assert not Waiting.objects.exists()
    entry = LedgerEntry.objects.get(kind="decision")
    assert entry.actor == f"user:{technician.pk}"
    assert entry.payload["verdict"] == "accepted"
    assert ledger.verify() is None


def test_overriding_keeps_both_values_and_the_reason(desk: Desk, technician: User) -> None:
    reason = desk.reason("wrong-category")

    decision = accept(
        desk,
        technician,
        choices={"category": desk["hardware"]},
        reasons={"category": reason},
    )

    value = DecidedValue.objects.get(decision=decision, field__key="category")
    assert decision.verdict == "overridden"
    assert (value.proposed, value.final, value.reason) == (
        desk["network"],
        desk["hardware"],
        reason,
    )
    assert Label.objects.get(field__key="category").choice == desk["hardware"]
    assert "Wrong category" in Effect.objects.get(kind="note").payload["text"]


def test_an_override_without_a_reason_is_refused_and_leaves_nothing(
    desk: Desk, technician: User
) -> None:
    with pytest.raises(DecisionRefused, match="pick a reason for Category"):
        accept(desk, technician, choices={"category": desk["hardware"]})

    assert not Decision.objects.exists()
    assert not Label.objects.exists()
    assert Waiting.objects.count() == 1


def test_the_reason_other_needs_words(desk: Desk, technician: User) -> None:
    said = {
        "choices": {"category": desk["hardware"]},
        "reasons": {"category": desk.reason("other")},
    }

    with pytest.raises(DecisionRefused, match="needs a few words"):
        accept(desk, technician, **said, text="  ")

    assert accept(desk, technician, **said, text="Cable, not tunnel.").text == "Cable, not tunnel."


def test_a_choice_of_another_field_or_a_retired_one_is_refused(
    desk: Desk, technician: User
) -> None:
    desk.retire("hardware")
    reasons = {"category": desk.reason("wrong-category")}

    with pytest.raises(DecisionRefused, match="is not a choice of Category"):
        accept(desk, technician, choices={"category": desk["urgent"]}, reasons=reasons)
    with pytest.raises(DecisionRefused, match="is retired"):
        accept(desk, technician, choices={"category": desk["hardware"]}, reasons=reasons)


def test_second_reviewer_learns_who_was_first(
    desk: Desk, technician: User, team_lead: User
) -> None:
    accept(desk, technician)

    with pytest.raises(AlreadyDecided, match="Maya Berg has already accepted"):
        accept(desk, team_lead)

    assert Decision.objects.get().reviewer == technician


@pytest.mark.django_db(transaction=True)
def test_of_eight_reviewers_at_once_one_decides(
    desk: Desk, make_user: Callable[..., User], in_threads: Callable[..., None]
) -> None:
    reviewers = [make_user(f"r{number}") for number in range(8)]
    start, answers = Barrier(8), []

    def press(reviewer: User) -> None:
        start.wait()
        try:
            accept(desk, reviewer)
            answers.append("decided")
        except AlreadyDecided as error:
            answers.append(error.decision.reviewer.username)

    in_threads([lambda r=reviewer: press(r) for reviewer in reviewers])

    winner = Decision.objects.get().reviewer.username
    assert sorted(answers) == sorted(["decided", *[winner] * 7])
    assert Effect.objects.filter(kind="values").count() == 1


def test_a_newer_version_of_the_ticket_stops_the_decision(desk: Desk, technician: User) -> None:
    delivery = Delivery.objects.create(
        source=desk.source, webhook_id="w2", body=b"{}", body_sha256="x", outcome="applied"
    )
    TicketVersion.objects.create(ticket=desk.ticket, version=2, subject="", delivery=delivery)

    with pytest.raises(Superseded):
        accept(desk, technician)

    assert not Decision.objects.exists()


def test_escalating_routes_to_the_team_and_labels_nothing(desk: Desk, technician: User) -> None:
    decision = escalate(
        proposal=desk.proposal,
        reviewer=technician,
        reason=desk.reason("major-incident"),
        team=desk["service-desk"],
    )

    assert decision.verdict == "escalated"
    assert Effect.objects.get(kind="values").payload == {"values": {"team": "service-desk"}}
    assert not Label.objects.exists()


def test_sending_back_changes_no_value(desk: Desk, technician: User) -> None:
    send_back(proposal=desk.proposal, reviewer=technician, reason=desk.reason("not-it"))

    assert list(Effect.objects.values_list("kind", flat=True)) == ["note"]
    assert not Waiting.objects.exists()


def test_a_reason_for_overriding_does_not_serve_for_escalating(
    desk: Desk, technician: User
) -> None:
    with pytest.raises(DecisionRefused, match="is not a reason for escalating"):
        escalate(proposal=desk.proposal, reviewer=technician, reason=desk.reason("wrong-category"))


def test_filling_a_value_that_was_left_open_needs_no_reason(
    open_desk: Desk, technician: User
) -> None:
    with pytest.raises(DecisionRefused, match="Choose a value for Category"):
        accept(open_desk, technician)

    decision = accept(open_desk, technician, choices={"category": open_desk["network"]})

    assert decision.verdict == "overridden"
    assert Label.objects.get(field__key="category").choice == open_desk["network"]


def test_the_main_field_is_named_even_if_another_open_one_comes_first(
    open_desk: Desk, technician: User
) -> None:
    Field.objects.filter(key="category").update(position=9)

    with pytest.raises(DecisionRefused, match="Choose a value for Category"):
        accept(open_desk, technician)


def test_accepting_a_playbook_replies_and_resolves(desk: Desk, technician: User) -> None:
    desk.offer_playbook()

    accept(desk, technician, with_playbook=True)

    kinds = list(Effect.objects.order_by("position").values_list("kind", flat=True))
    assert kinds == ["values", "note", "call", "reply", "status"]
    assert Effect.objects.get(kind="reply").payload["text"].startswith("Hello Ann")


def test_a_playbook_that_was_not_offered_cannot_be_accepted(desk: Desk, technician: User) -> None:
    with pytest.raises(DecisionRefused, match="offers no playbook"):
        accept(desk, technician, with_playbook=True)


def test_deciding_a_ticket_that_was_closed_meanwhile_is_refused(
    desk: Desk, technician: User
) -> None:
    desk.ticket.events.create(key="e1", kind="closed", happened_at=desk.ticket.opened_at)
    inbox.settle(desk.ticket)

    with pytest.raises(Superseded, match="closed"):
        accept(desk, technician)


def test_reasons_keep_their_digit_to_themselves(desk: Desk) -> None:
    taken = desk.reason("wrong-category")

    assert Reason.objects.filter(applies_to="override", digit=taken.digit).count() == 1
