"""Every address, asked by every role with every method: nobody sees or does what is not theirs."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from bench.chaos.dressed import SPARE_JOB, Dressed, dress
from bench.chaos.routes import Route, newest_rows, routes
from bench.chaos.visitors import Visitor, everybody
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import Answer, Sender, in_threads, ticket
from bench.stack import Stack
from bench.world import new_desk, new_secret
from review.models import Batch, BlindAnswer, Concern, SpotCheck, TeamAgreement
from triage.models import (
    Certificate,
    DriftFinding,
    Effect,
    Job,
    Label,
    LabelDoubt,
    ModelVersion,
    RetrainingProposal,
    Ticket,
    TrainingRun,
)

METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
COMMON = ("GET", "POST")
LOGINS = ("/accounts/login/", "/admin/login/")
THREADS = 4
QUIET_SECONDS = 120.0
SEED = 20_260_302


@dataclass(frozen=True)
class Visit:
    route: Route
    visitor: Visitor
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.route.path} by {self.visitor.name}"


def matrix(stack: Stack, *, share: float, of_odd_methods: float) -> Result:
    """Every visit with GET and POST, or a share of them, and a share of those with other methods.

    All addresses must have a right in any case.
    """
    stack.up()
    canary = f"kanarienvogel{secrets.token_hex(6)}"
    dressed = dress(stack, [canary])[0]
    everyone = everybody()
    _one_of_everything(dressed, everyone)
    sender = Sender(stack.url, new_desk())
    found = routes(_rows(dressed, _another(sender)))
    visits = _drawn(found, everyone, share, of_odd_methods)
    # Last, since they take the session from all later visits.
    endings = [visit for visit in visits if visit.route.ends_sessions]
    others = [visit for visit in visits if not visit.route.ends_sessions]
    parts = [others[number::THREADS] for number in range(THREADS)]
    judged = in_threads([partial(_ask_all, sender, part, canary) for part in parts], THREADS)
    judged.append(_ask_all(sender, endings, canary))
    wrong = [said for part in judged for said in part[0]]
    counted = sum((part[1] for part in judged), Counter())
    return Result(
        passed=not wrong and counted["shown"] > 0 and counted["refused"] > 0,
        figure=f"{len(found)} addresses x {len(everyone)} visitors x {len(METHODS)} methods, "
        f"{len(visits):,} asked: {counted['refused']:,} refused, {counted['let in']:,} let in, the "
        f"canary shown to {counted['shown']:,} who may see it, {len(wrong)} wrong"
        + (f": {'; '.join(wrong[:5])}" if wrong else ""),
    )


def _drawn(
    found: Sequence[Route], everyone: Sequence[Visitor], share: float, of_odd_methods: float
) -> list[Visit]:
    """In random order, so that neighbours do not prepare the ground for each other."""
    rng = Random(SEED)
    drawn = [
        Visit(route, visitor, method)
        for route in found
        for visitor in everyone
        for method in METHODS
        if rng.random() < (share if method in COMMON else of_odd_methods)
    ]
    rng.shuffle(drawn)
    return drawn


def _ask_all(
    sender: Sender, visits: Sequence[Visit], canary: str
) -> tuple[list[str], Counter[str]]:
    wrong, counted = [], Counter[str]()
    # One that was idle meanwhile may be closed by the server just now.
    sender.close()
    for visit in visits:
        kind = "application/json" if visit.route.is_api else "application/x-www-form-urlencoded"
        headers = {"content-type": kind, **visit.visitor.headers}
        answer = sender.send(visit.method, visit.route.path, b"", headers)
        said = _judge(visit, answer, canary)
        if said:
            wrong.append(f"{visit}: {answer.status}, {said}")
        may = visit.visitor.may(visit.route, visit.method)
        counted["let in" if may else "refused"] += 1
        counted["shown"] += canary.encode() in answer.body
    sender.close()
    return wrong, counted


def _judge(visit: Visit, answer: Answer, canary: str) -> str:
    """What is wrong with an answer; "" if nothing."""
    right, may = visit.route.right, visit.visitor.may(visit.route, visit.method)
    is_shut = answer.status in (401, 403) or is_login(answer)
    if answer.status >= 500:
        return "it broke"
    if canary.encode() in answer.body and (not may or right.is_public):
        return "it tells of a ticket"
    if not may:
        # That an address takes certain methods tells nothing of what is there.
        is_bare = visit.method == "OPTIONS" and not answer.body
        is_refused = is_shut or is_bare or answer.status in (404, 405)
        return "" if is_refused else "this should be refused"
    if right.is_public:
        return ""
    if is_login(answer) or (is_shut and not right.may_decline):
        return "this should be let in"
    if answer.status == 404 and not right.may_decline:
        return "nothing is there"
    return ""


def is_login(answer: Answer) -> bool:
    place = answer.headers.get("location", "")
    return answer.status in (301, 302, 303) and place.startswith(LOGINS)


def _one_of_everything(dressed: Dressed, everyone: Sequence[Visitor]) -> None:
    """Rows of the tables that neither the dressed desk nor the visitors have filled."""
    TeamAgreement.objects.create(agreed_by=User.objects.earliest("pk"))
    choice, source = dressed.choice, dressed.waiting.source
    person = User.objects.create_user(f"spare-{secrets.token_hex(4)}")
    model = ModelVersion.objects.filter(field=choice.field).latest("pk")
    Certificate.objects.create(
        field=choice.field,
        choice=choice,
        model_version=model,
        threshold=0.8,
        alpha=0.05,
        delta=0.05,
        checks=93,
        errors=1,
        issued_by=source.owner,
        expires_at=timezone.now(),
    )
    day = timezone.localdate()
    DriftFinding.objects.create(
        model_version=model, kind="inputs", said="Words moved.", since=day, until=day
    )
    RetrainingProposal.objects.create(
        field=choice.field, model_version=model, new_labels=60, reasons=["It has drifted: inputs."]
    )
    label, _ = Label.objects.update_or_create(
        ticket=dressed.waiting, field=choice.field, origin="history", defaults={"choice": choice}
    )
    _one_doubt(model, label, source.owner)
    check = SpotCheck.objects.create(
        proposal=dressed.decision.proposal,
        propensity=0.05,
        stratum="waiting",
        drawn_at=timezone.now(),
    )
    BlindAnswer.objects.create(
        check_of=check, reviewer=person, answered_at=timezone.now(), seconds=9
    )
    new_secret(source)
    Group.objects.create(name=f"spare {secrets.token_hex(4)}")
    EmailAddress.objects.create(user=person, email=f"{person.username}@example.org")
    Authenticator.objects.create(user=person, type="totp", data={"secret": "sealed"})
    app = SocialApp.objects.create(provider="openid_connect", name="Single sign-on", client_id="c")
    account = SocialAccount.objects.create(user=person, provider="openid_connect", uid="u")
    SocialToken.objects.create(app=app, account=account, token="t")
    tried = {"username": person.username, "ip_address": "192.0.2.1", "user_agent": "none"}
    AccessAttempt.objects.create(**tried, get_data="", post_data="", failures_since_start=1)
    AccessLog.objects.create(**tried)
    AccessFailureLog.objects.create(**tried)


def _one_doubt(model: ModelVersion, label: Label, owner: User) -> None:
    """With the training that it came from."""
    TrainingRun.objects.get_or_create(
        model_version=model,
        defaults={"field": model.field, "asked_by": owner, "finished_at": timezone.now()},
    )
    LabelDoubt.objects.get_or_create(
        model_version=model,
        label=label,
        defaults={
            "given": label.choice,
            "suggested": label.choice,
            "given_probability": 0.1,
            "confidence": 0.8,
        },
    )


def _another(sender: Sender) -> Ticket:
    """A ticket that may be erased without taking the canary along."""
    name = f"spare-{secrets.token_hex(4)}"
    sender.deliver(ticket(1, id=name))
    until_quiet(QUIET_SECONDS)
    return Ticket.objects.get(external_id=name)


def _dead_job() -> Job:
    """One about nothing, which may be sent again without anything coming of it."""
    subject = SPARE_JOB + secrets.randbelow(SPARE_JOB)
    return Job.objects.create(kind=Job.Kind.NOTICE, subject=subject, dead_at=timezone.now())


def _concern() -> Concern:
    return Concern.objects.create(text="Too many tickets.", reported_at=timezone.now())


def _batch(person: User) -> dict[str, str]:
    made = Batch.objects.create(reviewer=person, decided_at=timezone.now())
    return dict.fromkeys(("review:batch pk", "review:undo_batch pk"), str(made.pk))


def _rows(dressed: Dressed, another: Ticket) -> dict[str, str]:
    """What the places of addresses are filled with: rows of the dressed desk where it has them."""
    waiting, decision = dressed.waiting, dressed.decision
    proposal = waiting.proposals.latest("pk")
    effect = Effect.objects.filter(ticket=dressed.decided).earliest("pk")
    own = {
        "triage/ticket": waiting.pk,
        "triage/proposal": proposal.pk,
        "triage/choice": dressed.choice.pk,
        "triage/escalationrule": dressed.rule.pk,
        "triage/playbook": dressed.playbook.pk,
        "triage/prediction": dressed.prediction.pk,
        "triage/delivery": waiting.versions.latest("pk").delivery_id,
        "triage/effect": effect.pk,
        "triage/source": waiting.source_id,
        "review/decision": decision.pk,
    }
    return {
        **newest_rows(),
        **{f"{table} object_id": str(pk) for table, pk in own.items()},
        "review:ticket pk": str(waiting.pk),
        "review:ahead pk": str(waiting.pk),
        "review:lease pk": str(waiting.pk),
        "review:effects pk": str(dressed.decided.pk),
        "review:requester pk": str(waiting.pk),
        "review:beside pk": str(waiting.pk),
        "other": str(dressed.decided.pk),
        **dict.fromkeys(("review:concern pk", "review:answer_concern pk"), str(_concern().pk)),
        "triage_api:ticket pk": str(waiting.pk),
        "review:undo pk": str(decision.pk),
        **_batch(decision.reviewer),
        **dict.fromkeys(
            ("review:look pk", "review:look_answer pk", "review_api:check pk"),
            str(SpotCheck.objects.latest("pk").pk),
        ),
        **{f"review_api:{name} pk": str(decision.pk) for name in ("decision", "undo", "reverse")},
        "admin:triage_ticket_erase object_id": str(another.pk),
        "admin:triage_job_redeliver_one object_id": str(_dead_job().pk),
        "mfa_remove_webauthn pk": "1",
        "mfa_edit_webauthn pk": "1",
        "pk": str(proposal.pk),
        "key": "acceptance",
        "version": "1",
        "slug": waiting.source.slug,
        "external_id": waiting.external_id,
        "content_type_id": str(ContentType.objects.get_for_model(ModelVersion).pk),
        "object_id": "1",
        "id": str(decision.reviewer_id),
    }


CHECKS = [
    Check(
        "access matrix",
        matrix,
        full={"share": 1.0, "of_odd_methods": 0.2},
        small={"share": 0.02, "of_odd_methods": 0.004},
    ),
]
