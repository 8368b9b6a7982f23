"""What counts as evidence, and what it takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.conftest import new_ticket
from tests.triage.admin.rows import new_check, new_prediction
from triage.certify import (
    Check,
    NotEnoughEvidence,
    blind_checks,
    certify,
    live_certificate,
    share,
    thinned,
)
from triage.models import Certificate, Choice, Label, ModelVersion, TicketVersion
from triage.policy import certificates


@pytest.fixture
def network(choices: dict[str, Choice]) -> Choice:
    return choices["network"]


@pytest.fixture
def version(make_version: Callable[..., ModelVersion]) -> ModelVersion:
    return make_version()


def test_enough_right_checks_make_a_certificate_and_a_ledger_entry(
    network: Choice,
    version: ModelVersion,
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    checks = [new_check(version, network, network, 0.7 + number / 1000) for number in range(160)]

    issued = certify(network, by=ai_owner)

    tested = [label for label in checks if share(label.ticket_id, "tuning") >= 0.5]
    lowest_tuned = min(
        0.7 + number / 1000
        for number, label in enumerate(checks)
        if share(label.ticket_id, "tuning") < 0.5
    )
    above = [label for label in tested if 0.7 + checks.index(label) / 1000 >= lowest_tuned]
    assert (issued.checks, issued.errors) == (len(above), 0)
    assert issued.threshold == pytest.approx(lowest_tuned)
    assert issued.model_version == version
    assert issued.expires_at - issued.issued_at == pytest.approx(
        timedelta(days=90), abs=timedelta(seconds=5)
    )
    assert live_certificate(network) == issued
    [payload] = recorded("certificate")
    assert payload["choice"] == network.pk
    assert payload["checks"] == len(above)


def test_too_few_checks_are_refused_with_the_number_it_takes(
    network: Choice, version: ModelVersion, ai_owner: User
) -> None:
    for _ in range(80):
        new_check(version, network, network, 0.9)

    with pytest.raises(NotEnoughEvidence, match=r"has 80 blind checks.*that takes 59\.$"):
        certify(network, by=ai_owner)

    assert Certificate.objects.count() == 0


def test_too_many_wrong_checks_are_refused(
    choices: dict[str, Choice], version: ModelVersion, ai_owner: User
) -> None:
    for number in range(160):
        truth = choices["access" if number % 5 == 0 else "network"]
        new_check(version, choices["network"], truth, 0.9)

    with pytest.raises(NotEnoughEvidence, match="wrong"):
        certify(choices["network"], by=ai_owner)


def test_the_same_labels_give_the_same_answer(
    network: Choice, version: ModelVersion, ai_owner: User
) -> None:
    for number in range(200):
        new_check(version, network, network, 0.6 + number / 1000)

    first, second = certify(network, by=ai_owner), certify(network, by=ai_owner)

    assert (first.threshold, first.checks) == (second.threshold, second.checks)


def test_without_a_model_in_service_nothing_is_certified(
    network: Choice, make_version: Callable[..., ModelVersion], ai_owner: User
) -> None:
    make_version(state="shadow")

    with pytest.raises(NotEnoughEvidence, match="no model in service"):
        certify(network, by=ai_owner)


def test_only_blind_checks_of_this_model_and_this_choice_count(
    choices: dict[str, Choice], version: ModelVersion, make_version: Callable[..., ModelVersion]
) -> None:
    network, access = choices["network"], choices["access"]
    other = make_version(state="retired")
    counts = new_check(version, network, network, 0.9)
    new_check(version, network, network, 0.9, origin="decision", propensity=None)
    new_check(version, network, network, 0.9, propensity=None)
    new_check(version, access, network, 0.9)
    new_check(other, network, network, 0.9)
    second_best = new_ticket(network.field.source)
    new_prediction(second_best, version, access=0.6, network=0.4)
    Label.objects.create(
        ticket=second_best, field=network.field, choice=network, origin="spot_check", propensity=0.1
    )

    assert blind_checks(network, version) == [Check(counts.ticket_id, 0.9, False, 0.1)]


def test_a_check_that_the_model_may_have_learnt_from_does_not_count(
    network: Choice, version: ModelVersion
) -> None:
    label = new_check(version, network, network, 0.9)
    Label.objects.filter(pk=label.pk).update(created_at=version.created_at - timedelta(minutes=1))

    assert blind_checks(network, version) == []


def test_out_of_scope_tickets_predicted_as_the_choice_count_as_wrong(
    choices: dict[str, Choice], version: ModelVersion
) -> None:
    elsewhere = Choice.objects.create(field=version.field, key="none", name="None of these")
    new_check(version, choices["network"], elsewhere, 0.9)

    [check] = blind_checks(choices["network"], version)

    assert check.is_wrong


def test_a_ticket_counts_once_by_its_newest_version(network: Choice, version: ModelVersion) -> None:
    label = new_check(version, network, network, 0.6)
    newer = TicketVersion.objects.create(ticket=label.ticket, version=2, subject="Edited")
    version.predictions.create(ticket_version=newer, probabilities={"network": 0.95}, in_scope=0.9)

    assert [check.score for check in blind_checks(network, version)] == [0.95]


def test_thinning_keeps_all_rarely_drawn_checks_and_a_share_of_the_others() -> None:
    rare = [Check(ticket, 0.9, False, 0.1) for ticket in range(1000)]
    often = [Check(ticket, 0.9, False, 0.4) for ticket in range(1000, 5000)]

    kept = thinned(rare + often)

    assert [check for check in kept if check.propensity == 0.1] == rare
    assert len(kept) - len(rare) == pytest.approx(1000, abs=90)


def test_halves_and_thinning_are_drawn_independently() -> None:
    tickets = range(20_000)
    both = sum(share(t, "tuning") < 0.5 and share(t, "thin") < 0.5 for t in tickets)

    assert both / len(tickets) == pytest.approx(0.25, abs=0.01)


def test_a_certificate_dies_with_its_time_and_with_its_model(
    network: Choice, version: ModelVersion, ai_owner: User
) -> None:
    for _ in range(160):
        new_check(version, network, network, 0.9)
    issued = certify(network, by=ai_owner)

    Certificate.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert live_certificate(network) is None
    Certificate.objects.update(expires_at=issued.expires_at)
    ModelVersion.objects.update(state="retired")
    assert live_certificate(network) is None


def test_the_number_named_is_the_number_it_takes() -> None:
    needed = certificates.labels_needed(0.05, 0.05, 0)

    assert certificates.p_value(needed, 0, 0.05) <= 0.05 < certificates.p_value(needed - 1, 0, 0.05)
