"""What Prometheus would read, by its own parser."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-of-the-tests-that-is-long-enough"


def ask(client: Client, token: str = TOKEN, **headers: str) -> Any:
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}", **headers})


class Scraped:
    """Samples by name and labels: `scraped("countersign_jobs", lane="triage", state="due")`."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float | None:
        found = [s.value for s in self.samples if s.name == name and s.labels == labels]
        assert len(found) <= 1
        return found[0] if found else None

    def labels_of(self, name: str) -> list[dict[str, str]]:
        return [sample.labels for sample in self.samples if sample.name == name]

    def names(self) -> Iterator[str]:
        """As queries use them."""
        for family in self.families:
            yield f"{family.name}_total" if family.type == "counter" else family.name


def scraped(client: Client) -> Scraped:
    answer = ask(client)
    assert answer.status_code == 200
    found = Scraped(answer.content.decode())
    assert not any(s.value for s in found.samples if s.name == "countersign_scrape_errors")
    return found


def rows_read(table: str, statement: str, given: Any) -> int:
    """How many rows of a table PostgreSQL touched, in whatever way."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", given)
        [[plan]] = cursor.fetchall()
    found = 0
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == table:
            aside = node.get("Rows Removed by Filter", 0)
            found += int((node["Actual Rows"] + aside) * node["Actual Loops"])
    return found
