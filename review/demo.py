"""The demo's people and what they decided in the past. Everything here is invented."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction

from review import pulse, roles
from review.demo_checks import check_past
from review.demo_decisions import Word, store
from review.demo_kpis import agree
from review.metrics import rollups
from review.models import Decision, PulseCount, Reason
from review.reasons import MORE_PRECISE, ensure_reasons
from triage.demo import catalogue, hindsight, past, require_demo_mode
from triage.demo.company import address, entries
from triage.demo.corpus import SEED, Story, split, stories
from triage.models import Choice, Proposal, ProposedValue, Source, TicketEvent

PASSWORD = "demo-countersign"
DECIDED_DAYS = 60
# The workflow in which automation helps nobody: proposed rightly, and handed on all the same.
HANDED_ON = {"security.phishing"}

Stage = Callable[[str], AbstractContextManager[Callable[[str], None]]]


class Occupied(Exception):
    """The database has people with the demo's names already: it is not the demo's to fill."""


def load(*, now: datetime, stage: Stage) -> Source:
    """Fill an empty database with the demo's company, its past, its models and decisions.

    `stage(name)` surrounds each step and gives what it may tell meanwhile.
    """
    require_demo_mode()
    with stage("People, catalogue, rules and playbooks"):
        people = install_people()
        ensure_reasons()
        source = catalogue.install(people["olivia"])
    with stage("Three months of solved tickets") as tell:
        began = now - timedelta(days=DECIDED_DAYS)
        told = past.load(source, split(stories())[0], now=now, by_hand_before=began)
        tell(f"{len(told)} tickets")
    with stage("Training") as tell:
        past.train(source, source.owner, tell=tell)
    with stage("Two months of proposals and decisions") as tell:
        proposals = hindsight.propose(source, since=began)
        truths = {each.ticket.pk: each.story for each in told}
        count = decide_past(source, proposals, truths, list(people.values()))
        tell(f"{len(proposals)} proposals, {count} decisions")
    with stage("Counting them for the metrics"):
        rollups.catch_up()
        agree(source, people["olivia"], at=began - timedelta(days=1))
    return source


def install_people() -> dict[str, User]:
    """The staff with their roles, by username; all with the same known password."""
    require_demo_mode()
    names = [entry["username"] for entry in entries("staff")]
    if known := User.objects.filter(username__in=names).first():
        raise Occupied(
            f"There is a user {known.username!r} in this database already, so the demo will not "
            "put its people and their known password there. Set COUNTERSIGN_DATA to another folder."
        )
    roles.ensure_groups()
    # Hashing is slow on purpose, so it is done once for all of them.
    hashed = make_password(PASSWORD)
    people = {}
    for entry in entries("staff"):
        name = entry["username"]
        person = User(
            username=name,
            first_name=entry["first_name"],
            last_name=entry["last_name"],
            email=address(f"{name}.{entry['last_name'].lower()}"),
            password=hashed,
        )
        person.save()
        roles.give_role(person, entry["role"])
        people[name] = person
    return people


@dataclass
class Habits:
    """How a demo technician works; shares are of cases, 0 to 1."""

    person: User
    notices_wrong_category: float
    minutes: float


@dataclass
class Desk:
    """What deciding a past ticket needs to know."""

    choices: Mapping[tuple[str, str], Choice]
    reasons: Mapping[tuple[str, str], Reason]
    team: Sequence[Habits]
    chance: random.Random
    words: list[Word] = field(default_factory=list)


@transaction.atomic
def decide_past(
    source: Source,
    proposals: Sequence[Proposal],
    truths: Mapping[int, Story],
    people: Sequence[User],
) -> int:
    """Let the technicians decide on proposals of the past; answers how many they decided.

    They accept most, change much of what is wrong but wave some of it through, escalate and
    send back where the ticket calls for it, and never get round to some.
    """
    chance = random.Random(SEED)
    technicians = [person for person in people if person.groups.filter(name=roles.TECHNICIAN)]
    desk = Desk(
        choices=past.choices_of(source),
        reasons={(row.applies_to, row.key): row for row in Reason.objects.all()},
        team=[
            Habits(person, chance.uniform(0.55, 0.9), chance.uniform(6, 25))
            for person in technicians
        ],
        chance=chance,
    )
    values: dict[int, list[ProposedValue]] = {proposal.pk: [] for proposal in proposals}
    for value in ProposedValue.objects.filter(proposal__in=proposals).select_related(
        "field", "choice"
    ):
        values[value.proposal_id].append(value)
    for proposal in proposals:
        if proposal.route in (Proposal.Route.REVIEW, Proposal.Route.HOLD):
            word = _word(desk, proposal, values[proposal.pk], truths[proposal.ticket_id])
            if word is not None:
                desk.words.append(word)
    store(desk.words)
    main = next(key for key, choice in desk.choices.items() if choice.field.is_main)[0]
    right = {
        ticket: desk.choices[main, past.values_of(story)[main]]
        for ticket, story in truths.items()
        if story.in_scope
    }
    check_past(desk.words, right, technicians, chance)
    ask_past(proposals[-1].created_at.date(), chance, len(technicians))
    return len(desk.words)


def ask_past(until: date, chance: random.Random, people: int) -> None:
    """Three rounds of the question how people are, a little worse in each."""
    for rounds in (3, 2, 1):
        begins = pulse.round_of(until) - rounds * pulse.ROUND
        steps = [1, 1, 1, 2, 2, 2, 3, 4][max(0, 2 - rounds) :]
        said = Counter(chance.choice(steps) for _ in range(people))
        PulseCount.objects.bulk_create(
            PulseCount(begins_on=begins, answer=step, n=said[step]) for step in pulse.ANSWERS
        )


def _word(
    desk: Desk, proposal: Proposal, values: Sequence[ProposedValue], story: Story
) -> Word | None:
    """What somebody said about the proposal; None where nobody did."""
    chance = desk.chance
    habits = chance.choice(desk.team)
    minutes = min(
        chance.lognormvariate(0, 0.9) * habits.minutes, 0.6 * story.happenings[0].after_minutes
    )
    word = Word(
        proposal=proposal,
        reviewer=habits.person,
        decided_at=proposal.created_at + timedelta(minutes=max(minutes, 0.3)),
    )
    if chance.random() < 0.07:
        return None
    if not story.in_scope or (len(story.body) < 40 and chance.random() < 0.5):
        key = "more-information" if story.in_scope else "not-it"
        return _with_reason(desk, word, Decision.Verdict.SENT_BACK, "send_back", key)
    was_escalated = any(h.kind == TicketEvent.Kind.ESCALATED for h in story.happenings)
    if was_escalated and chance.random() < 0.6:
        key = (
            "sensitive"
            if story.team == "security"
            else chance.choice(["specialist", "specialist", "major-incident"])
        )
        return _with_reason(desk, word, Decision.Verdict.ESCALATED, "escalate", key)
    if story.category in HANDED_ON and chance.random() < 0.4:
        return _with_reason(desk, word, Decision.Verdict.ESCALATED, "escalate", "sensitive")
    _settle(desk, word, habits, values, story)
    word.with_playbook = (
        proposal.playbook is not None
        and word.verdict == Decision.Verdict.ACCEPTED
        and chance.random() < 0.6
    )
    return word


def _with_reason(desk: Desk, word: Word, verdict: str, applies_to: str, key: str) -> Word:
    word.verdict = verdict
    word.reason = desk.reasons[applies_to, key]
    return word


def _settle(
    desk: Desk, word: Word, habits: Habits, values: Sequence[ProposedValue], story: Story
) -> None:
    """Accept, change or fill each value; the reviewer sees the truth only as often as they look."""
    truth = past.values_of(story)
    word.verdict = Decision.Verdict.ACCEPTED
    category_changed = False
    for value in values:
        key, right = value.field.key, desk.choices[value.field.key, truth[value.field.key]]
        final, reason = value.choice, ""
        if value.choice is None:
            is_filled = value.field.is_main or desk.chance.random() < 0.7
            final = right if is_filled else None
            if value.field.is_main:
                word.verdict = Decision.Verdict.OVERRIDDEN
                category_changed = True
        elif value.choice != right and _is_noticed(desk, habits, value, right, category_changed):
            is_below = right.parent_id == value.choice.pk
            final = right
            reason = MORE_PRECISE if is_below else _why(desk, key, category_changed)
            word.verdict = Decision.Verdict.OVERRIDDEN
            category_changed = category_changed or value.field.is_main
        word.settled.append((value, final, desk.reasons["override", reason] if reason else None))


def _is_noticed(
    desk: Desk, habits: Habits, value: ProposedValue, right: Choice, category_changed: bool
) -> bool:
    if value.choice is not None and right.parent_id == value.choice.pk:
        # A parent is visibly unfinished, and the right one is a press away.
        share = 0.9
    elif value.field.is_main:
        share = habits.notices_wrong_category
    elif value.field.key == "priority" and value.choice is not None:
        share = 0.12 if abs(value.choice.rank - right.rank) == 1 else 0.75
    else:
        # Who changes the category changes the team with it; else the team shows later.
        share = 0.95 if category_changed else 0.35
    return desk.chance.random() < share


def _why(desk: Desk, key: str, category_changed: bool) -> str:
    usual = {
        "category": ["wrong-category"] * 7 + ["missing-context", "missing-context", "unclear"],
        "team": ["wrong-team"] * 3 + ["missing-context"],
        "priority": ["missing-context"] * 3 + ["policy-exception", "unclear"],
    }
    if key == "team" and category_changed:
        return "wrong-category"
    return desk.chance.choice(usual[key])
