"""The dashboard and the page about monitoring name what is exposed: all of it, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django import Settings

from tests.review.scraping import TOKEN, scraped

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).parents[2] / "docs"
NAME = re.compile(r"\bcountersign_[a-z_]+\b")


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.COUNTERSIGN_SCRAPE_TOKEN = TOKEN


@pytest.fixture
def exposed(client: Client) -> set[str]:
    return set(scraped(client).names())


@pytest.fixture(scope="module")
def dashboard() -> Any:
    return json.loads((DOCS / "grafana.json").read_text())


def panels(dashboard: Any) -> list[Any]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard: Any) -> Iterator[str]:
    for panel in panels(dashboard):
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["definition"] for one in dashboard["templating"]["list"] if "definition" in one)


def code(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / "monitoring.md").read_text(), re.DOTALL)


def test_the_dashboard_shows_each_metric_and_asks_for_no_other(
    dashboard: Any, exposed: set[str]
) -> None:
    assert {name for query in queries(dashboard) for name in NAME.findall(query)} == exposed


def test_each_metric_is_documented_and_no_other(exposed: set[str]) -> None:
    page = (DOCS / "monitoring.md").read_text()
    rows = re.findall(r"^\| `(countersign_\w+)` \|", page, re.MULTILINE)

    assert sorted(rows) == sorted(exposed)
    assert set(NAME.findall(page)) == exposed


def test_labels_of_queries_and_of_the_page_are_those_of_the_samples(client: Client) -> None:
    """Of those that have samples in an empty service; figures are tested with rows elsewhere."""
    page = (DOCS / "monitoring.md").read_text()
    documented = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(r"^\| `(countersign_\w+)` \| (.*?) ?\|", page, re.MULTILINE)
    }
    found = {}
    for family in scraped(client).families:
        for sample in family.samples:
            found[sample.name] = set(sample.labels)

    assert {name: documented[name] for name in found} == found


def test_the_dashboard_can_be_imported_anywhere(dashboard: Any) -> None:
    shown = dashboard["panels"]
    variable = next(v for v in dashboard["templating"]["list"] if v["type"] == "datasource")

    assert variable["name"] == "datasource"
    assert len({panel["id"] for panel in shown}) == len(shown)
    for panel in panels(dashboard):
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]


def test_no_panel_covers_another(dashboard: Any) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_the_examples_are_yaml_and_every_alert_says_what_it_means() -> None:
    probes, scrape, alerts = (yaml.safe_load(text) for text in code("yaml"))

    assert probes["readinessProbe"]["httpGet"]["path"] == "/ready/"
    assert scrape["scrape_configs"][0]["authorization"]["type"] == "Bearer"
    for rule in alerts["groups"][0]["rules"]:
        assert NAME.search(rule["expr"]), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
