"""Rows for tests of the review pages, each made with as little said as possible."""

from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from review.models import Reason
from triage.models import (
    Choice,
    Field,
    ModelVersion,
    Prediction,
    Proposal,
    ProposedValue,
    Source,
    Ticket,
    TicketVersion,
    Waiting,
)
from triage.policy.worth import target_minutes

PASSWORD = "a-long-enough-password"
numbers = count(48_201)


def make_user(name: str = "ann", *permissions: str, **over: Any) -> User:
    """A user with permissions named as app.codename; password PASSWORD."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, **over)
    wanted = Q(pk__in=[])
    for permission in permissions:
        app, code = permission.split(".")
        wanted |= Q(content_type__app_label=app, codename=code)
    user.user_permissions.set(Permission.objects.filter(wanted))
    return user


def make_technician(name: str = "maya", **over: Any) -> User:
    return make_user(name, "review.view_decision", "review.add_decision", **over)


def make_reader(name: str = "lena", **over: Any) -> User:
    return make_user(name, "review.view_decision", **over)


@dataclass
class Desk:
    """A source with category, team and priority, and what is in them."""

    source: Source
    owner: User
    category: Field
    team: Field
    priority: Field
    choices: dict[str, Choice]

    def __getitem__(self, key: str) -> Choice:
        return self.choices[key]


def make_desk(slug: str = "norvik", **over: Any) -> Desk:
    owner, _ = User.objects.get_or_create(
        username=f"{slug}-owner", defaults={"first_name": "Olga", "last_name": "Owner"}
    )
    settings = {
        "name": slug.title(),
        "owner": owner,
        "api_url": "https://desk.example.org/api",
        "blind_share": 0.0,
        "second_share": 0.0,
    }
    source = Source.objects.create(slug=slug, **{**settings, **over})
    category = Field.objects.create(
        source=source, key="category", name="Category", is_main=True, position=0
    )
    team = Field.objects.create(source=source, key="team", name="Team", position=1)
    priority = Field.objects.create(
        source=source, key="priority", name="Priority", is_ordered=True, position=2
    )
    desk = Desk(source, owner, category, team, priority, {})
    for key, name in {
        "network": "Network",
        "access": "Access",
        "hardware": "Hardware",
    }.items():
        desk.choices[key] = Choice.objects.create(field=category, key=key, name=name)
    for key, name, parent in [
        ("network.vpn", "VPN", "network"),
        ("network.wifi", "Wi-Fi", "network"),
        ("access.password", "Password", "access"),
        ("hardware.printer", "Printer", "hardware"),
    ]:
        desk.choices[key] = Choice.objects.create(
            field=category, key=key, name=name, parent=desk[parent]
        )
    for key, name in {"team.net": "Network operations", "team.id": "Identity"}.items():
        desk.choices[key] = Choice.objects.create(field=team, key=key, name=name)
    for rank, key in enumerate(["low", "normal", "high", "urgent"]):
        desk.choices[key] = Choice.objects.create(
            field=priority, key=key, name=key.title(), rank=rank
        )
    for key in ("network", "network.vpn", "network.wifi"):
        desk[key].implies.add(desk["team.net"])
    for key in ("access", "access.password"):
        desk[key].implies.add(desk["team.id"])
    return desk


def make_ticket(desk: Desk, **over: Any) -> Ticket:
    number = next(numbers)
    fields = {
        "external_id": str(number),
        "version": 1,
        "subject": f"VPN drops, case {number}",
        "body": "My VPN client disconnects every five minutes.",
        "requester": "ann.lind@example.org",
        "requester_name": "Ann Lind",
        "opened_at": timezone.now() - timedelta(minutes=5),
    }
    ticket = Ticket.objects.create(source=desk.source, **{**fields, **over})
    TicketVersion.objects.create(
        ticket=ticket, version=ticket.version, subject=ticket.subject, body=ticket.body
    )
    return ticket


def make_model(desk: Desk, **over: Any) -> ModelVersion:
    fields = {
        "field": desk.category,
        "number": 1,
        "owner": desk.owner,
        "state": ModelVersion.State.CHAMPION,
        "artefact": "category-1.skops",
        "sha256": "0" * 64,
        "evidence": {"calibration_error": 0.021, "held_out": 72},
        "choices": ["network.vpn", "access.password"],
        "label_count": 360,
    }
    return ModelVersion.objects.create(**{**fields, **over})


def make_prediction(
    version: TicketVersion, model: ModelVersion, probability: float, **over: Any
) -> Prediction:
    return Prediction.objects.create(
        ticket_version=version,
        model_version=model,
        probabilities={"network.vpn": probability, "access.password": 1 - probability},
        in_scope=0.6,
        **over,
    )


def make_proposal(
    desk: Desk,
    ticket: Ticket | None = None,
    *,
    main: str | None = "network.vpn",
    team: str | None = "team.net",
    priority: str | None = "normal",
    model: ModelVersion | None = None,
    waits: bool = True,
    probability: float = 0.91,
    words_for: list[str] | None = None,
    words_against: list[str] | None = None,
    **over: Any,
) -> Proposal:
    """A proposal for the ticket's newest version, waiting unless told otherwise."""
    ticket = ticket or make_ticket(desk)
    version = ticket.versions.order_by("-version")[0]
    fields = {"ticket": ticket, "ticket_version": version, "route": Proposal.Route.REVIEW}
    proposal = Proposal.objects.create(**{**fields, **over})
    prediction = None
    if model is not None:
        cited = {"words_for": words_for or [], "words_against": words_against or []}
        prediction = make_prediction(version, model, probability, **cited)
    basis = ProposedValue.Basis
    ProposedValue.objects.create(
        proposal=proposal,
        field=desk.category,
        choice=desk[main] if main else None,
        basis=basis.MODEL if main else basis.NONE,
        probability=probability if main else None,
        prediction=prediction,
    )
    ProposedValue.objects.create(
        proposal=proposal,
        field=desk.team,
        choice=desk[team] if team else None,
        basis=basis.FOLLOWS if team else basis.NONE,
    )
    ProposedValue.objects.create(
        proposal=proposal,
        field=desk.priority,
        choice=desk[priority] if priority else None,
        basis=basis.HELPDESK if priority else basis.NONE,
    )
    if waits:
        make_waiting(desk, proposal, main, priority, probability)
    return proposal


def make_waiting(
    desk: Desk, proposal: Proposal, main: str | None, priority: str | None, probability: float
) -> Waiting:
    target = target_minutes(desk[priority].rank if priority else None)
    return Waiting.objects.create(
        proposal=proposal,
        ticket=proposal.ticket,
        source=desk.source,
        main_choice=desk[main] if main else None,
        choices=[value.choice_id for value in proposal.values.exclude(choice=None)],
        with_playbook=proposal.playbook_id is not None,
        urgency=desk[priority].rank if priority else 0,
        is_held=proposal.route == Proposal.Route.HOLD,
        uncertainty=1 - probability if main else 1.0,
        since=proposal.ticket.opened_at,
        target_minutes=target,
        look_by=proposal.ticket.opened_at + timedelta(minutes=target),
    )


def make_reasons() -> dict[str, Reason]:
    """Two reasons for each way of deciding; the one called `…other` needs a text."""
    made = {}
    for applies_to in Reason.AppliesTo.values:
        for digit, key in enumerate(["wrong", "other"], start=1):
            made[f"{applies_to}.{key}"] = Reason.objects.create(
                key=key,
                label=f"{key.title()} ({applies_to})",
                applies_to=applies_to,
                digit=digit,
                needs_text=key == "other",
            )
    return made


def ticket_page(client: Client, ticket: Ticket, query: str = "") -> str:
    """The page of a ticket, with its entities read as the characters they stand for."""
    response = client.get(f"/tickets/{ticket.pk}/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def make_torn(desk: Desk, ticket: Ticket | None = None, **over: Any) -> Proposal:
    """A proposal of Network, because the model is torn between VPN and Wi-Fi."""
    proposal = make_proposal(desk, ticket, main="network", probability=0.65, **over)
    said = {"network.vpn": 0.34, "network.wifi": 0.31, "access.password": 0.2}
    return _say(desk, proposal, said, basis=ProposedValue.Basis.PARENT)


def make_doubtful(desk: Desk, *, in_scope: float = 0.6, **over: Any) -> Proposal:
    """A proposal whose category the model left open, at 18 %; `over` changes the value."""
    said = {"network.vpn": 0.18, "access.password": 0.17}
    doubt = {"doubt": ProposedValue.Doubt.UNSURE, "asked": 0.2, "probability": 0.18}
    proposal = make_proposal(desk, main=None, team=None)
    return _say(desk, proposal, said, in_scope, **doubt | over)


def _say(
    desk: Desk, proposal: Proposal, said: dict[str, float], in_scope: float = 0.6, **over: Any
) -> Proposal:
    """Let the model in service have said this of the proposal's category."""
    model = ModelVersion.objects.filter(field=desk.category).first() or make_model(desk)
    prediction = Prediction.objects.create(
        ticket_version=proposal.ticket_version,
        model_version=model,
        probabilities=said,
        in_scope=in_scope,
        words_for=["VPN"],
    )
    proposal.values.filter(field=desk.category).update(prediction=prediction, **over)
    return proposal
