import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db.models import Count, F, Sum
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from review import demo, roles
from review.metrics.kpis.board import Change, with_baseline
from review.metrics.window import ScopeForm, local_now
from review.models import CheckCount, DecidedValue, Decision, SpotCheck, Truth
from triage import ledger
from triage.demo import OnlyInDemo, catalogue, company, past
from triage.demo.corpus import Story, split, stories
from triage.models import (
    Choice,
    Effect,
    Field,
    Label,
    ModelVersion,
    Prediction,
    Proposal,
    RuleVersion,
    Source,
    Ticket,
    Touched,
    Waiting,
)

SMALL = ("network.vpn", "software.email", "security.phishing", "people.onboarding")


@pytest.fixture
def demo_mode(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.COUNTERSIGN_DEMO = True
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    settings.TRAINING_LABEL_FLOOR = 5


def a_few() -> list[Story]:
    """Some past stories of four categories, and some that are nothing for IT."""
    groups: dict[str, list[Story]] = defaultdict(list)
    for story in split(stories())[0]:
        groups[story.category].append(story)
    return [story for key in (*SMALL, "") for story in groups[key][:36]]


def test_nothing_is_made_outside_demo_mode(db: None) -> None:
    with pytest.raises(OnlyInDemo, match="COUNTERSIGN_DEMO=1"):
        demo.install_people()
    with pytest.raises(OnlyInDemo):
        demo.load(now=timezone.now(), stage=lambda name: nullcontext(lambda what: None))


def test_the_catalogue_says_what_the_company_file_says(demo_mode: None) -> None:
    people = demo.install_people()

    source = catalogue.install(people["olivia"])

    leaves = Choice.objects.filter(field__source=source, key__in=company.leaves())
    assert leaves.count() == 12
    for leaf in leaves:
        assert leaf.description
        assert leaf.parent is not None
        assert [choice.field.key for choice in leaf.implies.all()] == ["team"]
    assert Field.objects.get(source=source, is_main=True).key == "category"
    assert RuleVersion.objects.count() == len(company.entries("rule"))
    assert source.secrets.count() == 3
    assert ledger.verify() is None


def test_everybody_has_one_role_and_the_known_password(demo_mode: None) -> None:
    people = demo.install_people()

    held = {name: person.groups.get().name for name, person in people.items()}
    assert set(held.values()) == set(roles.ROLES)
    assert all(person.check_password(demo.PASSWORD) for person in people.values())
    assert not any(person.is_superuser for person in people.values())


def test_a_database_that_knows_such_people_is_left_alone(demo_mode: None) -> None:
    User.objects.create_user("priya", password="her own")

    with pytest.raises(demo.Occupied, match="a user 'priya'"):
        demo.install_people()

    assert User.objects.count() == 1


def test_the_past_lies_in_working_hours_and_is_over(demo_mode: None) -> None:
    now = timezone.now()
    source = catalogue.install(demo.install_people()["olivia"])

    told = past.load(source, a_few(), now=now)

    assert Ticket.objects.count() == len(told) == len(a_few())
    for ticket in Ticket.objects.prefetch_related("events"):
        opened = ticket.opened_at.astimezone(ZoneInfo(source.time_zone))
        assert opened.weekday() < 5
        assert 7 <= opened.hour < 18
        assert ticket.closed_at is not None
        assert ticket.closed_at < now
        assert max(event.happened_at for event in ticket.events.all()) < now
    in_scope = sum(each.story.in_scope for each in told)
    assert Label.objects.count() == 3 * in_scope


def test_the_same_moment_gives_the_same_past(demo_mode: None) -> None:
    now = timezone.now()
    source = catalogue.install(demo.install_people()["olivia"])
    first = [
        (t.ticket.external_id, t.ticket.opened_at) for t in past.load(source, a_few(), now=now)
    ]
    Ticket.objects.all().delete()

    again = past.load(source, a_few(), now=now)

    assert [(t.ticket.external_id, t.ticket.opened_at) for t in again] == first


@contextmanager
def quiet(name: str) -> Iterator[Any]:
    yield lambda what: None


@pytest.fixture(scope="module")
def loaded(rows_of_a_module: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """Loaded once, because it takes long; none of the tests that read it changes a row."""
    patch = pytest.MonkeyPatch()
    patch.setattr("review.demo.stories", lambda: tuple(a_few()))
    patch.setattr("review.demo.split", lambda told: (list(told), []))
    models = tmp_path_factory.mktemp("past") / "models"
    with override_settings(
        COUNTERSIGN_DEMO=True,
        COUNTERSIGN_MODEL_DIR=models,
        COUNTERSIGN_BLIND_LEAST=0.0,
        TRAINING_LABEL_FLOOR=5,
    ):
        yield demo.load(now=timezone.now(), stage=quiet)
    patch.undo()


def test_the_past_is_as_the_service_would_have_left_it(loaded: Source, db: None) -> None:
    now = timezone.now()
    decided = Decision.objects.select_related("proposal__ticket")
    assert ledger.verify() is None
    assert ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).count() == 2
    assert decided.count() > 30
    assert not Waiting.objects.exists()
    for decision in decided.prefetch_related("values", "proposal__effects"):
        proposal = decision.proposal
        assert proposal.route in (Proposal.Route.REVIEW, Proposal.Route.HOLD)
        assert proposal.created_at < decision.decided_at < now
        settled = decision.verdict in (Decision.Verdict.ACCEPTED, Decision.Verdict.OVERRIDDEN)
        assert len(decision.values.all()) == (3 if settled else 0)
        assert (decision.reason is None) == settled
        kinds = [effect.kind for effect in proposal.effects.all()]
        assert (Effect.Kind.VALUES in kinds) == settled
        assert kinds.count(Effect.Kind.NOTE) == 1
    assert not Effect.objects.exclude(state=Effect.State.APPLIED).exists()
    undecided = Proposal.objects.filter(decision__isnull=True)
    assert not Effect.objects.filter(proposal__in=undecided).exists()
    verdicts_fit_values_and_labels()
    hindsight_reaches_back_as_far_as_asked()


def verdicts_fit_values_and_labels() -> None:
    changed = DecidedValue.objects.exclude(proposed=None).exclude(proposed=F("final"))
    filled = DecidedValue.objects.filter(proposed=None, final__isnull=False, field__is_main=True)
    overridden = set(changed.values_list("decision", flat=True)) | set(
        filled.values_list("decision", flat=True)
    )

    assert (
        set(
            Decision.objects.filter(verdict=Decision.Verdict.OVERRIDDEN).values_list(
                "pk", flat=True
            )
        )
        == overridden
    )
    settled = DecidedValue.objects.filter(final__isnull=False)
    labels = Label.objects.filter(origin=Label.Origin.DECISION)
    assert set(settled.values_list("decision__proposal__ticket", "field", "final")) == set(
        labels.values_list("ticket", "field", "choice")
    )


def test_people_wave_some_errors_through_and_the_models_made_real_ones(
    loaded: Source, db: None
) -> None:
    truths = dict(
        Label.objects.filter(origin=Label.Origin.HISTORY, field__key="category").values_list(
            "ticket", "choice__key"
        )
    )
    rows = Prediction.objects.filter(model_version__field__key="category").select_related(
        "ticket_version"
    )
    right = [
        max(row.probabilities, key=row.probabilities.__getitem__)
        == truths[row.ticket_version.ticket_id]
        for row in rows
        if row.ticket_version.ticket_id in truths
    ]
    assert 0.5 < sum(right) / len(right) < 1
    accepted = DecidedValue.objects.filter(
        decision__verdict=Decision.Verdict.ACCEPTED, field__key="category"
    ).values_list("decision__proposal__ticket", "final__key")
    waved = [key for ticket, key in accepted if ticket in truths and truths[ticket] != key]
    assert waved


def test_one_workflow_is_handed_on_far_more_often_than_others(loaded: Source, db: None) -> None:
    escalated: dict[bool, list[bool]] = {True: [], False: []}
    # In one filter, so that both are said of the same label.
    decided = Decision.objects.filter(
        proposal__ticket__labels__origin=Label.Origin.HISTORY,
        proposal__ticket__labels__field__key="category",
    )
    for verdict, key in decided.values_list("verdict", "proposal__ticket__labels__choice__key"):
        escalated[key in demo.HANDED_ON].append(verdict == Decision.Verdict.ESCALATED)

    share = {is_such: sum(told) / len(told) for is_such, told in escalated.items()}
    assert share[True] > 0.2 > 3 * share[False]


def test_fewer_tickets_are_handed_on_than_before_automation(loaded: Source, db: None) -> None:
    window = ScopeForm({"days": past.DAYS})
    assert window.is_valid()

    (board,) = with_baseline(window.scope(local_now()))

    lines = {line.measure.key: line for line in board.lines}
    assert lines["reassigned"].change == Change.LOWER
    assert {key for key, line in lines.items() if line.target} == {
        "reassigned",
        "came-back",
        "time-to-resolve",
    }
    assert not any(line.is_late for line in lines.values())


def test_a_ticket_that_was_sent_on_ends_later_and_with_its_own_team() -> None:
    told = [story for story in split(stories())[0] if story.in_scope]

    sent = [past.sent_on(story, random.Random(number)) for number, story in enumerate(told)]

    changed = [(was, now) for was, now in zip(told, sent, strict=True) if was != now]
    assert 0.25 < len(changed) / len(told) < 0.5
    for was, now in changed:
        first = now.happenings[0]
        assert (first.kind, first.team) == ("reassigned", was.team)
        assert was.team != past.FIRST_TEAM
        assert now.minutes_to_the_end == was.minutes_to_the_end + first.after_minutes


def hindsight_reaches_back_as_far_as_asked() -> None:
    since = timezone.now() - timedelta(days=demo.DECIDED_DAYS)

    oldest = Ticket.objects.filter(proposals__isnull=False).earliest("opened_at").opened_at

    assert oldest >= since
    assert Ticket.objects.filter(opened_at__lt=since).exists()


def test_the_past_was_checked_by_two_people_each(loaded: Source, db: None) -> None:
    # Whoever opens the metrics first finds everything counted.
    assert not Touched.objects.exists()
    corners = {
        (right, kept): count
        for right, kept, count in CheckCount.objects.filter(is_twice=True)
        .values_list("is_right", "kept")
        .annotate(count=Sum("n"))
    }

    # The demo's people never change what is right; they wave some of what is wrong through.
    assert {(True, True), (False, False)} <= set(corners)
    assert (True, False) not in corners
    assert sum(corners.values()) == SpotCheck.objects.count() == Truth.objects.count() > 20
    assert min(SpotCheck.objects.annotate(n=Count("answers")).values_list("n", flat=True)) == 2
    assert Label.objects.filter(origin="spot_check").count() == Truth.objects.count()
