"""The metrics as JSON."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from review.metrics.definitions import DEFINITIONS
from tests.review.helpers import make_reader, make_user
from tests.review.metrics.helpers import (
    LONG_AGO,
    accept,
    make_desk,
    make_proposal,
    override,
)

pytestmark = pytest.mark.django_db
METRICS = "/api/v1/metrics/"
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


def test_the_list_names_every_definition_and_leads_to_its_figures(reader: Client) -> None:
    found = reader.get(METRICS).json()

    assert [metric["key"] for metric in found] == list(DEFINITIONS)
    for metric in found:
        assert metric["formula"]
        assert metric["caveat"]
        assert metric["version"] == DEFINITIONS[metric["key"]].version
        assert reader.get(metric["url"]).status_code == 200


def test_a_figure_comes_with_n_interval_and_its_tickets(reader: Client) -> None:
    desk = make_desk()
    for _ in range(9):
        accept(make_proposal(desk))
    override(make_proposal(desk), category=desk.choices["wifi"])

    found = reader.get(f"{METRICS}acceptance/", MARCH).json()

    (row,) = found["rows"]
    rate = next(figure for figure in row["figures"] if figure["key"] == "rate")
    assert found["window"] == {
        "first": "2026-03-01",
        "last": "2026-03-31",
        "time_zone": "UTC",
        "source_slug": "",
        "group": "category",
    }
    assert row["labels"] == ["Network › VPN"]
    assert (rate["value"], rate["k"], rate["n"], rate["confidence"]) == (0.9, 9, 10, 0.95)
    assert rate["low"] == pytest.approx(0.5958, abs=5e-5)
    assert rate["high"] == pytest.approx(0.9821, abs=5e-5)
    address = urlsplit(rate["tickets"])
    assert "9 proposals" in reader.get(f"{address.path}?{address.query}").text


def test_below_the_minimum_there_is_a_count_and_no_rate(reader: Client) -> None:
    accept(make_proposal(make_desk()))

    found = reader.get(f"{METRICS}acceptance/", MARCH).json()

    rate = next(f for f in found["rows"][0]["figures"] if f["key"] == "rate")
    assert (rate["n"], rate["value"], rate["low"], rate["confidence"]) == (1, None, None, None)


@pytest.mark.parametrize(
    "query", [{"days": "8"}, {"from": "soon"}, {"source": "no\x00where"}, {"group": "reviewer"}]
)
def test_a_wrong_filter_is_named(reader: Client, query: dict[str, str]) -> None:
    answer = reader.get(f"{METRICS}acceptance/", query)

    assert answer.status_code == 400
    assert list(answer.json()) == list(query)


def test_an_unknown_metric_is_not_found(reader: Client) -> None:
    assert reader.get(f"{METRICS}persons/").status_code == 404


@pytest.mark.parametrize("path", [METRICS, f"{METRICS}acceptance/"])
def test_without_login_or_permission_there_is_nothing_to_read(client: Client, path: str) -> None:
    make_proposal(make_desk(), at=LONG_AGO)

    assert client.get(path).status_code == 401
    client.force_login(make_user("tom"))
    assert client.get(path).status_code == 403
