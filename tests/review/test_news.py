"""What changed: read from rows, new since somebody looked, and counted without a query."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import concerns, decisions, news, policy_news
from review.models import Decision, Withdrawal
from tests.emptying import forget_cached
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reasons,
    make_technician,
)
from triage import ledger
from triage.models import (
    Certificate,
    Effect,
    EmergencyStop,
    EscalationRule,
    LedgerEntry,
    Playbook,
    Proposal,
    RuleVersion,
    Rung,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 20


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    forget_cached()


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def maya() -> User:
    """Here for as long as news lasts."""
    user = make_technician("maya", first_name="Maya", last_name="Okafor")
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=60))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/news/{query}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


def bell_of(client: Client) -> str:
    return client.get("/news/count/").content.decode()


def overridden(desk: Desk, reviewer: User, **over: Any) -> Decision:
    reasons = make_reasons() if "reason" not in over else {}
    return decisions.decide(
        proposal=over.get("proposal") or make_proposal(desk),
        reviewer=reviewer,
        choices={"category": desk["access.password"]},
        reasons={"category": over.get("reason") or reasons["override.wrong"]},
        with_playbook=False,
    )


def a_rule(desk: Desk, proposal: Proposal | None, author: User | None = None) -> EscalationRule:
    rule = EscalationRule.objects.create(
        source=desk.source, name="Hardware of warehouse to Team X", owner=desk.owner
    )
    RuleVersion.objects.create(
        rule=rule,
        number=1,
        conditions=[],
        actions=[],
        author=author or desk.owner,
        prompted_by=proposal,
    )
    return rule


def told(desk: Desk, subject: str, kind: str = "policy", **payload: Any) -> None:
    ledger.append(kind=kind, subject=subject, payload=payload, actor=ledger.actor_of(desk.owner))


# --- What is news ---------------------------------------------------------------------------
def test_an_override_that_became_a_rule_is_told_to_who_overrode(
    technician: Client, desk: Desk, maya: User
) -> None:
    decision = overridden(desk, maya)
    rule = a_rule(desk, decision.proposal)
    number = decision.proposal.ticket.external_id
    said = f"Your override of #{number} became the rule “{rule}”, by Olga Owner."

    assert said in page(technician)
    technician.force_login(make_technician("bob"))
    assert said not in page(technician)
    technician.force_login(maya)
    EscalationRule.objects.update(is_active=False)
    assert said not in page(technician)


def test_a_rule_of_ones_own_is_no_news(technician: Client, desk: Desk, maya: User) -> None:
    a_rule(desk, overridden(desk, maya).proposal, author=maya)

    assert "became the rule" not in page(technician)


def test_a_decision_that_somebody_else_took_back_is_told(
    technician: Client, desk: Desk, maya: User
) -> None:
    mine, theirs, own = (make_proposal(desk) for _ in range(3))
    bob = make_technician("bob", first_name="Bob", last_name="Ray")
    first, second, third = (
        decisions.decide(
            proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False
        )
        for proposal in (mine, theirs, own)
    )
    Decision.objects.filter(pk=second.pk).update(stands_for=None)
    new = Decision.objects.create(
        proposal=theirs,
        stands_for=theirs,
        reviewer=bob,
        verdict=Decision.Verdict.OVERRIDDEN,
        decided_at=timezone.now(),
    )
    now = timezone.now()
    Withdrawal.objects.create(decision=first, by=bob, at=now)
    Withdrawal.objects.create(decision=second, by=bob, at=now, reversed_by=new)
    Withdrawal.objects.create(decision=third, by=maya, at=now)

    html = page(technician, "?kind=taken_back")

    number = mine.ticket.external_id
    assert f"Bob Ray took your decision on #{number} back; the proposal waits again." in html
    assert f"Bob Ray decided #{theirs.ticket.external_id} anew after you: overridden." in html
    assert own.ticket.external_id not in html


def test_what_did_not_reach_the_helpdesk_is_told_once_with_the_way_on(
    technician: Client, desk: Desk, maya: User
) -> None:
    proposal = make_proposal(desk)
    decisions.decide(proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False)
    before = Effect.objects.create(
        key="before",
        ticket=proposal.ticket,
        proposal=make_proposal(desk),
        kind="values",
        payload={},
        seen_version=1,
        state=Effect.State.CONFLICT,
        finished_at=timezone.now(),
    )
    states = (Effect.State.CONFLICT, Effect.State.REFUSED)
    effects = Effect.objects.filter(proposal=proposal).order_by("position")
    for effect, state in zip(effects, states, strict=True):
        Effect.objects.filter(pk=effect.pk).update(state=state, finished_at=timezone.now())

    html = page(technician)

    number = proposal.ticket.external_id
    assert html.count(f"Your decision on #{number} did not reach Norvik as a whole.") == 1
    assert "Set fields: not done: changed meanwhile in the helpdesk" in html
    assert "Add an internal note: not done: the helpdesk refused it" in html
    assert f'href="/tickets/{proposal.ticket_id}/"' in html
    assert before.proposal.ticket.external_id not in html


def test_an_answered_concern_is_told_to_who_reported_it(
    technician: Client, desk: Desk, maya: User
) -> None:
    for is_anonymous in (False, True):
        concern = concerns.report(by=maya, text="zq", ticket=None, is_anonymous=is_anonymous)
        concerns.answer(concern, by=desk.owner, text="Done.")

    html = page(technician)

    assert html.count("Your concern was answered.") == 1
    assert 'href="/concerns/mine/"' in html


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"event": "added"}, "New rule “R”, by Olga Owner."),
        ({"event": "changed", "fields": ["Conditions"]}, "Rule “R” was changed, by"),
        (
            {"event": "changed", "fields": ["Active"], "is_active": False},
            "Rule “R” was switched off, by",
        ),
        (
            {"event": "changed", "fields": ["is_active"], "is_active": True},
            "Rule “R” was switched on, by",
        ),
    ],
)
def test_a_change_of_a_rule_is_told_to_everybody_in_plain_words(
    technician: Client, desk: Desk, payload: dict[str, Any], said: str
) -> None:
    rule = EscalationRule.objects.create(source=desk.source, name="R", owner=desk.owner)

    told(desk, f"rule:{rule.pk}", **payload)

    assert said in page(technician)


def rows_of_policy(desk: Desk) -> dict[str, Any]:
    model = make_model(desk, number=3)
    reasons = make_reasons()
    return {
        "rung": Rung.objects.create(
            field=desk.category, choice=desk["network.vpn"], owner=desk.owner, reason="x"
        ),
        "playbook": Playbook.objects.create(
            source=desk.source, name="Roll back", owner=desk.owner, reply="x"
        ),
        "reason": reasons["override.wrong"],
        "stop": EmergencyStop.objects.create(reason="x", pulled_by=desk.owner),
        "certificate": Certificate.objects.create(
            field=desk.category,
            choice=desk["network.vpn"],
            model_version=model,
            threshold=0.8,
            alpha=0.05,
            delta=0.05,
            checks=93,
            errors=0,
            issued_by=desk.owner,
            expires_at=timezone.now(),
        ),
        "choice": desk["network.vpn"],
        "model": model,
    }


def test_every_kind_of_policy_has_its_words(technician: Client, desk: Desk) -> None:
    rows = rows_of_policy(desk)
    said: dict[str, dict[str, Any]] = {
        "rung": {"event": "changed", "fields": ["level"], "level": "prefill", "reason": "12/13"},
        "playbook": {"event": "added"},
        "reason": {"event": "changed", "fields": ["is_active"], "is_active": False},
        "stop": {"event": "added", "reason": "The gateway is broken"},
        "certificate": {"event": "ended by drift of inputs"},
        "choice": {"event": "retired"},
    }
    for kind, payload in said.items():
        told(desk, f"{kind}:{rows[kind].pk}", **payload)
    told(desk, f"model:{rows['model'].pk}", "model", in_service=True, instead_of=1, reason="better")
    told(desk, f"stop:{rows['stop'].pk}", event="released")

    html = page(technician, "?kind=policy")

    assert "Network › VPN is filled in beforehand, and a person decides, by Olga Owner." in html
    assert "12/13" in html
    assert "New playbook “Roll back”" in html
    assert "Reason “Wrong (override)” is no longer offered" in html
    assert "Emergency stop of everything: nothing is applied without a person" in html
    assert "The gateway is broken" in html
    assert "The emergency stop of everything was released" in html
    assert "The certificate of Network › VPN ended, because its model has drifted" in html
    assert "Network › VPN is retired: it is proposed no more" in html
    assert "Version 3 now answers for Category, instead of the one before" in html


def test_what_concerns_no_reviewer_and_what_is_gone_breaks_nothing(
    technician: Client, desk: Desk
) -> None:
    told(desk, "secret:1", event="added")
    told(desk, "token:zqtoken", event="added")
    told(desk, "model:1", "model", labels=200)
    for kind in ("rule", "rung", "playbook", "reason", "stop", "certificate", "choice"):
        told(desk, f"{kind}:987654", event="changed", fields=[])
        told(desk, f"{kind}:none", event="changed", fields=[])
    told(desk, "model:987654", "model", in_service=True)

    html = page(technician)

    assert html.count("<time") == 15
    assert "zqtoken" not in html


def test_only_thirty_days_are_told(technician: Client, desk: Desk, maya: User) -> None:
    rule = a_rule(desk, overridden(desk, maya).proposal)
    RuleVersion.objects.update(created_at=timezone.now() - timedelta(days=31))

    assert rule.name not in page(technician)
    assert "Nothing has changed in the last 30 days." in page(technician)


# --- Pages and filters ----------------------------------------------------------------------
def test_news_are_grouped_by_day_and_filtered_by_kind_in_the_url(
    technician: Client, desk: Desk, maya: User
) -> None:
    a_rule(desk, overridden(desk, maya).proposal)
    RuleVersion.objects.update(created_at=timezone.now() - timedelta(days=2))
    told(desk, "rule:0", event="added")

    assert page(technician).count('class="day"') == 2
    only = page(technician, "?kind=rule")
    assert "became the rule" in only
    assert "New rule" not in only
    assert "Nothing of this kind" in page(technician, "?kind=answer")
    assert "became the rule" in page(technician, "?kind=nonsense")


def test_pages_hold_everything_once(technician: Client, desk: Desk) -> None:
    made = news.PAGE_SIZE * 2 + 3
    ledger.append_all(
        [
            ledger.Entry("policy", f"rule:{10_000 + number}", {"event": "added"})
            for number in range(made)
        ]
    )

    pages = [page(technician, f"?kind=policy&page={number}") for number in (1, 2, 3)]

    names = [name for html in pages for name in re.findall(r"New rule “(\d+)”", html)]
    assert (len(names), len(set(names))) == (made, made)
    assert '?kind=policy&page=2"' in pages[0]
    assert "page 3 of 3" in page(technician, "?kind=policy&page=999")
    assert "page 1 of 3" in page(technician, "?kind=policy&page=x")


def test_the_page_costs_the_same_queries_however_much_is_new(
    technician: Client, desk: Desk, maya: User
) -> None:
    rows = rows_of_policy(desk)
    reason = rows["reason"]

    def once() -> None:
        decision = overridden(desk, maya, reason=reason)
        RuleVersion.objects.create(
            rule=EscalationRule.objects.create(
                source=desk.source, name=f"r{decision.pk}", owner=desk.owner
            ),
            number=1,
            conditions=[],
            actions=[],
            author=desk.owner,
            prompted_by=decision.proposal,
        )
        Withdrawal.objects.create(decision=decision, by=desk.owner, at=timezone.now())
        Effect.objects.filter(proposal=decision.proposal).update(
            state="conflict", finished_at=timezone.now()
        )
        concern = concerns.report(by=maya, text="x", ticket=None, is_anonymous=False)
        concerns.answer(concern, by=desk.owner, text="y")
        for kind in ("rung", "playbook", "reason", "stop", "certificate", "choice"):
            told(desk, f"{kind}:{rows[kind].pk}", event="changed", fields=[])

    once()
    page(technician)
    with CaptureQueriesContext(connection) as few:
        page(technician)
    once()
    with CaptureQueriesContext(connection) as many:
        page(technician)

    assert len(many) == len(few) <= MOST_QUERIES + 4


def test_the_ledger_is_read_by_an_index_of_its_own(desk: Desk) -> None:
    ledger.append_all(
        [
            ledger.Entry(LedgerEntry.Kind.PROPOSAL, f"proposal:{number}", {})
            for number in range(3_000)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE triage_ledgerentry")
    since = timezone.now() - timedelta(days=30)

    assert "ledger_news" in policy_news.entries(since).explain()
