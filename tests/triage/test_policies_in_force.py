"""What is kept of a source's policies is never older than their rows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from tests.triage.admin.rows import HOLD_VIPS, new_certificate, new_rule
from triage.models import (
    Certificate,
    Choice,
    EmergencyStop,
    EscalationRule,
    Field,
    ModelVersion,
    Playbook,
    RuleVersion,
    Rung,
    Source,
)
from triage.policies import Policies, policies_of
from triage.policies_in_force import policies_in_force

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(source: Source, catalogue: dict[str, Choice]) -> Source:
    """The source `desk` with one row of each kind that its policies rest on."""
    owner, network = source.owner, catalogue["network"]
    new_rule(source)
    playbook = Playbook.objects.create(source=source, name="Book", owner=owner, reply="Hello")
    playbook.for_choices.add(network)
    Rung.objects.create(playbook=playbook, owner=owner, reason="Start")
    Rung.objects.create(field=network.field, choice=network, owner=owner, reason="Start")
    champion = ModelVersion.objects.create(
        field=network.field, number=1, owner=owner, state="champion", label_count=9
    )
    new_certificate(champion, network)
    return source


def told(policies: Policies) -> dict[str, Any]:
    """All of it as values: rows are equal once they have the same primary key."""
    return vars(policies) | {
        "playbooks": [(one.row.reply, one.choices, one.level) for one in policies.playbooks],
        "models": [(one.pk, one.state, one.sha256) for one in policies.models],
    }


def new_field(source: Source) -> None:
    Field.objects.create(source=source, key="product", name="Product", position=9)


def new_choice(source: Source) -> None:
    Choice.objects.create(field=source.fields.get(key="category"), key="wifi", name="Wifi")


def stop_everything(source: Source) -> None:
    EmergencyStop.objects.create(pulled_by=source.owner, reason="Wrong teams")


def new_version_of_the_rule(source: Source) -> None:
    RuleVersion.objects.create(
        rule=EscalationRule.objects.get(), number=2, author=source.owner, **HOLD_VIPS
    )


def imply_less(source: Source) -> None:
    Choice.objects.get(key="network").implies.clear()


def offer_for_more(source: Source) -> None:
    Playbook.objects.get().for_choices.add(Choice.objects.get(key="access"))


def swap_certificates(source: Source) -> None:
    old = Certificate.objects.get()
    Certificate.objects.all().delete()
    new_certificate(old.model_version, old.choice, threshold=0.9)


CHANGES: list[Callable[[Source], object]] = [
    new_field,
    new_choice,
    imply_less,
    offer_for_more,
    new_version_of_the_rule,
    stop_everything,
    swap_certificates,
    lambda _: Field.objects.filter(key="team").update(position=7),
    lambda _: Field.objects.filter(key="category").update(settle_from=0.7),
    lambda _: Choice.objects.filter(key="network").update(retired_at=timezone.now()),
    lambda _: EscalationRule.objects.update(is_active=False),
    lambda _: Playbook.objects.update(reply="Good day"),
    lambda _: Rung.objects.filter(choice=None).update(level="prefill"),
    lambda _: Rung.objects.exclude(choice=None).update(level="auto"),
    lambda _: Rung.objects.exclude(choice=None).delete(),
    lambda _: ModelVersion.objects.update(state="shadow"),
    lambda _: Certificate.objects.update(threshold=0.7),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_row_is_in_force_for_the_next_batch(
    policy: Source, change: Callable[[Source], object]
) -> None:
    before = told(policies_in_force(policy))

    change(policy)

    after = told(policies_in_force(policy))
    assert after == told(policies_of(policy))
    assert after != before


def test_a_stop_that_is_released_is_over_at_once(policy: Source) -> None:
    stop_everything(policy)
    stopped = policies_in_force(policy)
    EmergencyStop.objects.update(released_at=timezone.now(), released_by=policy.owner)

    assert stopped.rungs["category", "network"].stopped
    assert not policies_in_force(policy).rungs["category", "network"].stopped


def test_a_certificate_ends_without_any_row_changing(policy: Source) -> None:
    assert policies_in_force(policy).rungs["category", "network"].certified_from == 0.8

    with time_machine.travel(Certificate.objects.get().expires_at + timedelta(seconds=1)):
        assert policies_in_force(policy).rungs["category", "network"].certified_from is None


def test_unchanged_policies_cost_one_statement(
    policy: Source, django_assert_num_queries: Any
) -> None:
    first = policies_in_force(policy)

    with django_assert_num_queries(1):
        again = policies_in_force(policy)

    assert again is first


def test_two_sources_do_not_share_what_is_kept(
    policy: Source, make_source: Callable[..., Source]
) -> None:
    other = make_source(slug="other")

    assert policies_in_force(other).fields == []
    assert [field.key for field in policies_in_force(policy).fields] == [
        "category", "team", "priority",
    ]  # fmt: skip
