"""Reading spot checks by program: how far they are and what is true, never who said it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.review.helpers import Desk, make_technician, make_user
from tests.review.looks.world import give, make_waiting_check, second_desk
from tests.triage.api.conftest import with_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return second_desk()


@pytest.fixture
def owner() -> User:
    return make_user("olga", "review.view_spotcheck")


def test_a_check_tells_its_draws_and_truths_and_nobody_who_answered(
    desk: Desk, owner: User
) -> None:
    maya, tom = make_technician("maya"), make_technician("tom")
    waits, settled = make_waiting_check(desk, maya), make_waiting_check(desk, maya)
    give(desk, settled, tom, category="network.vpn")

    one = with_token(owner).get(f"/api/v1/checks/{settled.pk}/").json()
    rows = with_token(owner).get("/api/v1/checks/").json()["results"]

    assert [row["id"] for row in rows] == [settled.pk, waits.pk]
    assert (one["second_at"], one["answers"], one["waits_for"]) == (1.0, 2, None)
    assert rows[1]["waits_for"] == "second"
    (truth,) = one["truths"]
    assert (truth["field"], truth["choice"], truth["origin"]) == (
        "category",
        "network.vpn",
        "agreed",
    )
    assert "maya" not in str(rows)
    assert "tom" not in str(rows)


def test_checks_are_filtered_and_cost_the_same_queries_for_1_and_8(desk: Desk, owner: User) -> None:
    maya = make_technician("maya")
    make_waiting_check(desk, maya)
    asking = with_token(owner)
    with CaptureQueriesContext(connection) as one:
        asking.get("/api/v1/checks/")
    for _ in range(7):
        make_waiting_check(desk, maya)
    with CaptureQueriesContext(connection) as eight:
        asking.get("/api/v1/checks/")

    assert len(one) == len(eight)
    assert asking.get("/api/v1/checks/?stratum=auto").json()["results"] == []
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert asking.get(f"/api/v1/checks/?since={tomorrow}").json()["results"] == []
    assert asking.get("/api/v1/checks/?stratum=none").status_code == 400


def test_whoever_may_only_decide_reads_no_checks(desk: Desk) -> None:
    assert with_token(make_technician()).get("/api/v1/checks/").status_code == 403
