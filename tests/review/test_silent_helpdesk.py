"""A helpdesk that does not answer: what people are told, and when it is over."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from review import decisions
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician
from triage.effects.silence import silences
from triage.models import Effect, Job, Proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk("zammad", name="Zammad")


def words(response: Any) -> str:
    return unescape(response.content.decode())


def decided(desk: Desk, by: Any) -> Proposal:
    proposal = make_proposal(desk)
    decisions.decide(proposal=proposal, reviewer=by, choices={}, reasons={}, with_playbook=False)
    return proposal


def fail(proposal: Proposal, error: str, **over: Any) -> None:
    Job.objects.filter(kind=Job.Kind.EFFECT, subject=proposal.pk).update(
        attempts=2,
        last_error=error,
        created_at=timezone.now() - timedelta(minutes=9),
        **over,
    )


def test_a_silent_helpdesk_is_named_with_what_waits_for_it(
    client: Client, desk: Desk, django_assert_num_queries: Any
) -> None:
    maya = make_technician()
    first, _ = decided(desk, maya), decided(desk, maya)
    decided(make_desk("other", name="Other"), maya)
    with django_assert_num_queries(1):
        assert silences() == []
    fail(first, "HelpdeskSilent: no answer in 5 s")

    [found] = silences()

    assert (found.name, found.waiting, found.given_up) == ("Zammad", 2, 0)
    client.force_login(maya)
    page = words(client.get(f"/tickets/{first.ticket_id}/"))
    assert "Zammad does not answer since" in page
    assert "2 tickets wait to be written to" in page
    assert "Your decision is kept" in page
    part = words(client.get(f"/tickets/{first.ticket_id}/effects/"))
    assert "Your decision is kept" in part


def test_what_was_given_up_is_said_too_and_another_failure_is_no_silence(desk: Desk) -> None:
    maya = make_technician()
    given_up, refused = decided(desk, maya), decided(desk, maya)
    fail(given_up, "HelpdeskUnavailable: 503", dead_at=timezone.now())
    fail(refused, "ValueError: no such thing")

    [found] = silences()

    assert (found.waiting, found.given_up) == (1, 1)


def test_it_is_over_with_the_last_job_and_old_dead_letters_are_no_news(desk: Desk) -> None:
    maya = make_technician()
    sent, old = decided(desk, maya), decided(desk, maya)
    fail(sent, "HelpdeskSilent: no answer")
    fail(old, "HelpdeskSilent: no answer", dead_at=timezone.now() - timedelta(days=2))
    assert len(silences()) == 1

    Job.objects.filter(subject=sent.pk).delete()
    Effect.objects.filter(proposal=sent).update(state=Effect.State.APPLIED)

    assert silences() == []
