"""A helpdesk on a busy morning, the same each time: what the pictures show."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from review import decisions, recalled
from review.models import Decision
from review.reasons import ensure_reasons
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_technician,
    make_ticket,
    make_torn,
)
from triage.models import (
    Delivery,
    Effect,
    EscalationRule,
    Job,
    ModelVersion,
    Proposal,
    RuleHit,
    RuleVersion,
    Ticket,
    TicketVersion,
)

VPN_TEXT = """Hi,

since this morning's update my VPN client disconnects every five minutes or so.
I have to type the password again each time. Wired and wifi both do it, at home and in the café.

I have a client call at ten and need the shared drive, so please hurry.

Ann"""
# Number, minutes since it was opened, subject, text, requester, category, priority, how sure.
WAITING = (
    (48213, 24, "VPN drops every five minutes since the update", VPN_TEXT, "Ann Lindqvist",
     "network.vpn", "high", 0.94),
    (48217, 22, "Can't open the finance share after the password change",
     "It says access denied since I changed my password on Monday.", "Tomás Oliveira",
     "access.password", "normal", 0.46),
    (48221, 19, "Drucker im 3. Stock druckt nur leere Seiten",
     "Seit heute früh kommen nur leere Seiten, auch nach dem Neustart.", "Jana Weiß",
     "hardware.printer", "normal", 0.97),
    (48230, 14, "VPN keeps disconnecting at home",
     "The tunnel closes after a few minutes, then asks for the password again.", "Noah Brandt",
     "network.vpn", "high", 0.91),
    (48231, 13, "Remote access drops during calls",
     "Every call breaks off: the VPN icon turns grey and comes back a minute later.",
     "Ines Duarte", "network.vpn", "high", 0.88),
    (48233, 11, "VPN client 6.2 loses the connection",
     "Since the client went to 6.2 it reconnects all the time.", "Pavel Novák",
     "network.vpn", "high", 0.93),
    (48236, 9, "Slow since the update, maybe the VPN?",
     "Everything is slow from home. In the office it is fine.", "Grace Okonkwo",
     "network.vpn", "high", 0.58),
    (48240, 6, "Wi-Fi in the meeting room cuts out",
     "Only in room 4.12, and only when the door is shut.", "Lars Holm",
     "network.wifi", "normal", 0.83),
)  # fmt: skip
SOLVED = (
    (47012, 26, "VPN client disconnects after 6.2 update", "Rolled back to 6.1, then fixed."),
    (46950, 170, "Remote access unstable from home", "MTU set to 1380."),
    (46120, 900, "Keeps asking for my password on VPN", "First sent to Access, came back."),
)


@dataclass
class Scene:
    """`maya` looks at it, `tom` works beside her."""

    desk: Desk
    model: ModelVersion
    maya: User
    tom: User
    proposals: dict[int, Proposal] = field(default_factory=dict)

    def __getitem__(self, number: int) -> Proposal:
        return self.proposals[number]

    def path(self, number: int, query: str = "") -> str:
        return f"/tickets/{self[number].ticket_id}/{query}"


def bare_scene() -> Scene:
    """The helpdesk, its people and its model; nothing waits."""
    ensure_reasons()
    desk = make_desk("zammad", name="Zammad")
    for key, name in {"low": "Low", "normal": "Normal", "high": "High", "urgent": "Urgent"}.items():
        type(desk[key]).objects.filter(pk=desk[key].pk).update(name=name)
    maya = make_technician("maya", first_name="Maya", last_name="Okafor")
    maya.user_permissions.add(Permission.objects.get(codename="report_concern"))
    tom = make_technician("tom", first_name="Tom", last_name="Ferreira")
    return Scene(desk, make_model(desk), maya, tom)


def busy_scene() -> Scene:
    """Eight tickets of WAITING, one that a rule holds, and one the model is torn about."""
    scene = bare_scene()
    similar = _solved(scene)
    _track_record(scene)
    for number, minutes, subject, body, requester, main, priority, sure in WAITING:
        ticket = waiting_ticket(scene, number, minutes, subject, body, requester)
        is_vpn = main == "network.vpn"
        scene.proposals[number] = make_proposal(
            scene.desk,
            ticket,
            main=main,
            team={"net": "team.net", "acc": "team.id"}.get(main[:3]),
            priority=priority,
            model=scene.model,
            probability=sure,
            words_for=["VPN", "disconnects", "wifi"] if is_vpn else [],
            words_against=["password"] if is_vpn else [],
            similar=similar if number == WAITING[0][0] else [],
        )
    _held(scene)
    torn = waiting_ticket(
        scene, 48244, 4, "No network after the move", "We moved desks, nothing works.", "Mia Sato"
    )
    scene.proposals[48244] = make_torn(scene.desk, torn)
    return scene


def waiting_ticket(
    scene: Scene, number: int, minutes: int, subject: str, body: str, requester: str
) -> Ticket:
    return make_ticket(
        scene.desk,
        external_id=str(number),
        subject=subject,
        body=body,
        requester=f"{requester.split()[0].lower()}@norvik.example",
        requester_name=requester,
        url=f"https://desk.example.org/{number}",
        opened_at=ago(minutes),
    )


def decide(scene: Scene, number: int, by: User) -> Decision:
    return decisions.decide(
        proposal=scene[number], reviewer=by, choices={}, reasons={}, with_playbook=False
    )


def change(scene: Scene, number: int) -> None:
    """The helpdesk sends a newer version of the ticket."""
    ticket = scene[number].ticket
    delivery = Delivery.objects.create(
        source=ticket.source,
        webhook_id=f"changed-{number}",
        body=b"{}",
        outcome=Delivery.Outcome.APPLIED,
    )
    TicketVersion.objects.create(
        ticket=ticket, version=2, subject=ticket.subject, body=ticket.body, delivery=delivery
    )


def review_for(scene: Scene, *, minutes: float, reviews: int) -> None:
    """Maya has reviewed without a pause for so long, so often."""
    apart = minutes / reviews
    for number in range(reviews):
        proposal = make_proposal(scene.desk, waits=False)
        Decision.objects.create(
            proposal=proposal,
            stands_for=proposal,
            reviewer=scene.maya,
            verdict=Decision.Verdict.ACCEPTED,
            decided_at=ago(minutes - apart * number),
        )


def fall_silent(scene: Scene) -> None:
    """The helpdesk keeps silent while what was decided is sent."""
    proposals = Effect.objects.filter(state=Effect.State.PENDING).values("proposal")
    Job.objects.filter(kind=Job.Kind.EFFECT, subject__in=proposals).update(
        attempts=3,
        last_error="HelpdeskSilent: no answer within 5 s",
        created_at=ago(14),
        next_attempt_at=ago(-2),
    )
    recalled.forget()


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def _solved(scene: Scene) -> list[dict[str, float]]:
    alike = (0.94, 0.81, 0.77)
    found = []
    for (number, hours, subject, resolution), similarity in zip(SOLVED, alike, strict=True):
        ticket = make_ticket(
            scene.desk,
            external_id=str(number),
            subject=subject,
            opened_at=ago(60 * hours + 90),
            closed_at=ago(60 * hours),
            resolution=resolution,
            requester=f"{number}@norvik.example",
            values={"category": "network.vpn"},
        )
        found.append({"ticket": ticket.pk, "similarity": similarity})
    return found


def _track_record(scene: Scene) -> None:
    """Fourteen earlier decisions on VPN, so that the page can say how they fared."""
    for number in range(14):
        ticket = make_ticket(
            scene.desk,
            external_id=str(45000 + number),
            subject="VPN will not connect",
            requester=f"person{number}@norvik.example",
            opened_at=ago(60 * 24 * (number + 3)),
        )
        proposal = make_proposal(scene.desk, ticket, model=scene.model)
        decision = decisions.decide(
            proposal=proposal,
            reviewer=scene.tom,
            choices={},
            reasons={},
            with_playbook=False,
        )
        Decision.objects.filter(pk=decision.pk).update(decided_at=ago(60 * 24 * (number + 3) - 30))
        ticket.effects.update(state="applied")


def _held(scene: Scene) -> None:
    rule = EscalationRule.objects.create(
        source=scene.desk.source, name="Looks like phishing", owner=scene.desk.owner
    )
    version = RuleVersion.objects.create(
        rule=rule,
        number=1,
        conditions=[{"kind": "words_any", "words": ["invoice"]}],
        actions=[{"kind": "hold"}],
        author=scene.desk.owner,
    )
    ticket = waiting_ticket(
        scene,
        48209,
        11,
        "Invoice from “Micros0ft”: is this real?",
        "The link wants my password. I have not clicked on it.",
        "Ruth Abel",
    )
    held = make_proposal(
        scene.desk,
        ticket,
        main="access.password",
        team="team.id",
        priority="urgent",
        model=scene.model,
        probability=0.52,
        route=Proposal.Route.HOLD,
    )
    RuleHit.objects.create(proposal=held, rule_version=version)
    scene.proposals[48209] = held
