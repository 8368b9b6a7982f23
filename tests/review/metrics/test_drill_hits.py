"""Drills as figures of the team: counted by hand, and never of fewer than five people."""

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.metrics import drill
from review.metrics.definitions_drills import DRILL_HITS
from review.metrics.drill_hits import Counted, Groups, drill_hits, shown_groups
from review.metrics.estimators import jeffreys
from review.metrics.figures import Bucket
from review.metrics.groups import Named
from review.metrics.report import Report
from review.metrics.window import Group
from tests.review.helpers import make_reader
from tests.review.metrics.drill_world import make_drills, make_person
from tests.review.metrics.helpers import LONG_AGO, NOW, make_desk, make_scope

pytestmark = pytest.mark.django_db
MARCH = "from=2026-03-01&to=2026-03-31"


def counted(report: Report) -> dict[str, tuple[int, ...]]:
    """By label: wrong advice and hits, right advice and hits."""
    names = ("wrong", "wrong-hit", "right", "right-hit")
    return {
        row.labels[0]: tuple(row.figures[name].n for name in names)
        for row in (*report.totals, *report.rows)
    }


def test_hits_are_overrides_of_wrong_and_acceptances_of_right_advice() -> None:
    desk = make_desk()
    make_drills(desk, "vpn", "wrong", people=6, times=5, hits=21)
    make_drills(desk, "vpn", "right", people=5, times=4, hits=19)
    make_drills(desk, "wifi", "wrong", people=5, hits=2)

    report = drill_hits(make_scope())

    assert counted(report) == {
        "all": (35, 23, 20, 19),
        "Network › VPN": (30, 21, 20, 19),
        "Network › Wi-Fi": (5, 2, 0, 0),
    }
    wrong, right = (report.rows[0].figures[f"{kind}_rate"] for kind in ("wrong", "right"))
    assert (wrong.value, wrong.interval) == (0.7, jeffreys(21, 30))
    assert (right.value, right.interval) == (0.95, jeffreys(19, 20))
    # Beta(21.5, 9.5) at its outer fortieths.
    assert wrong.interval is not None
    assert wrong.interval == pytest.approx((0.5235, 0.8400), abs=0.0001)
    # Five are too few for a rate, though not for a count.
    assert report.rows[1].figures["wrong_rate"].value is None
    assert report.size == 55


def test_what_was_passed_on_or_not_answered_in_the_window_is_not_counted() -> None:
    desk = make_desk()
    make_drills(desk, people=5, hits=5)
    make_drills(desk, people=5, verdict="passed")
    make_drills(desk, people=5, at=LONG_AGO - timedelta(days=40))
    make_drills(desk, people=5, at=NOW + timedelta(days=1))

    assert counted(drill_hits(make_scope()))["all"] == (5, 5, 0, 0)


def test_four_people_are_no_figure_however_many_drills_they_had() -> None:
    desk = make_desk()
    make_drills(desk, people=4, times=30, hits=60)
    scope = make_scope()

    report = drill_hits(scope)

    assert counted(report) == {"all": (0, 0, 0, 0)}
    assert (report.size, report.rows) == (0, ())
    assert "before at least 5 people have answered" in report.notes[0].text
    for cell in ("wrong", "wrong-hit", "right"):
        for of in ("", str(desk.choices["vpn"].pk)):
            assert not drill.rows(scope, Bucket(DRILL_HITS.key, of=of, cell=cell)).exists()


def test_a_group_of_few_is_left_out_and_so_is_the_one_that_would_tell_of_it() -> None:
    desk = make_desk()
    make_drills(desk, "vpn", people=9)
    make_drills(desk, "wifi", people=6)
    make_drills(desk, "password", "right", people=7, hits=7)
    few = make_drills(desk, "password", people=2)
    scope = make_scope()

    report = drill_hits(scope)

    # 17 - 9 would be 8 of at least five people, where 17 - 9 - 6 would be those of two.
    assert counted(report) == {
        "all": (17, 0, 7, 7),
        "Network › VPN": (9, 0, 0, 0),
        "Password": (0, 0, 7, 7),
    }
    assert "1 group is left out" in report.notes[0].text
    for key in ("wifi", "password"):
        bucket = Bucket(DRILL_HITS.key, of=str(desk.choices[key].pk), cell="wrong")
        assert not drill.rows(scope, bucket).exists()

    make_drills(desk, "password", people=[*few, *(make_person() for _ in range(3))])
    assert counted(drill_hits(make_scope()))["Network › Wi-Fi"] == (6, 0, 0, 0)


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ({"a": "12345"}, {"a"}),
        ({"a": "1234"}, set()),
        # Those of two groups that are left out are five together.
        ({"a": "12345", "b": "123", "c": "45"}, {"a"}),
        # The same four people twice are four.
        ({"a": "12345", "b": "1234", "c": "1234"}, set()),
        ({"a": "123456", "b": "12345", "c": "1"}, {"a"}),
        ({"a": "12345", "b": "12345"}, {"a", "b"}),
        ({}, set()),
    ],
)
def test_whom_is_left_out_is_never_fewer_than_five(people: dict[str, str], shown: set[str]) -> None:
    groups: Groups = {
        Named(name, name): Counted(1, 0, {int(one) for one in who}) for name, who in people.items()
    }

    assert {name.key for name in shown_groups(groups, 5)} == shown


def test_figures_are_split_by_source_and_by_model_as_well() -> None:
    for slug in ("here", "there"):
        make_drills(make_desk(slug), people=5, hits=1)

    by_source = drill_hits(make_scope(group=Group.SOURCE))
    by_model = drill_hits(make_scope(group=Group.MODEL))

    assert counted(by_source) == {
        "all": (10, 2, 0, 0),
        "Here": (5, 1, 0, 0),
        "There": (5, 1, 0, 0),
    }
    assert {row.labels[0] for row in by_model.rows} == {"Category v1 (Here)", "Category v1 (There)"}


def test_a_team_may_ask_for_more_people_than_five() -> None:
    desk = make_desk()
    make_drills(desk, people=7)
    scope = make_scope()

    stricter = replace(DRILL_HITS, version=2, min_people=8)

    assert counted(drill_hits(replace(scope, meanings={DRILL_HITS.key: stricter}))) == {
        "all": (0, 0, 0, 0)
    }


def test_the_page_answers_whether_people_catch_errors_and_names_nobody(client: Client) -> None:
    desk = make_desk()
    who = make_drills(desk, people=6, times=5, hits=21)
    client.force_login(make_reader())

    page = text(client.get(f"/metrics/people/?{MARCH}"))
    assert "Do people catch errors?" in page
    assert "Drill hits" in page
    assert "70\N{NO-BREAK SPACE}%" in page
    listed = text(client.get(f"/metrics/tickets/?{MARCH}&metric=drill-hits&cell=wrong-hit"))
    assert "wrong advice, overridden" in listed
    sent: Any = client.get(f"/metrics/drill-hits.csv?{MARCH}")
    table = b"".join(sent.streaming_content).decode()
    assert ",0.7,21,30," in table
    for shown in (page, listed, table):
        assert not any(person.username in shown for person in who)


def test_the_empty_page_says_what_is_missing(client: Client) -> None:
    make_desk()
    client.force_login(make_reader())

    page = text(client.get("/metrics/people/"))

    assert "before at least 5 people have answered drills" in page
    assert client.get("/metrics/people/?from=x").status_code == 400


@pytest.mark.parametrize("cell", ["person", "wrong-", "wrong_hit", "1"])
def test_cells_that_there_are_not_are_refused(cell: str) -> None:
    form = drill.BucketForm({"metric": "drill-hits", "cell": cell})

    assert list(form.errors) == ["cell"]


def test_the_report_asks_the_same_however_many_drills_there_are() -> None:
    desk = make_desk()

    def queries() -> int:
        scope = make_scope()
        with CaptureQueriesContext(connection) as asked:
            drill_hits(scope)
        return len(asked)

    people: list[User] = make_drills(desk, people=5)
    few = queries()
    make_drills(desk, "wifi", people=people, times=8)

    assert queries() == few == 2


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())
