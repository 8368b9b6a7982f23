"""One scrape: every part is asked within a time limit, and one that fails takes no other along."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

# Prometheus waits ten seconds unless told otherwise.
LONGEST_SECONDS = 6.0
STATEMENT_SECONDS = 2.0


@dataclass(frozen=True)
class Part:
    """Figures that come from the same few statements; the name is a label of its errors."""

    name: str
    collect: Callable[[], Sequence[Metric]]


class Scrape(Collector):
    """What a registry asks for all parts. Nothing is kept from one scrape to the next."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts

    def collect(self) -> Iterator[Metric]:
        errors = GaugeMetricFamily(
            "countersign_scrape_errors",
            "1 where this part of the scrape failed or came too late, so that its metrics are "
            "missing; else 0.",
            labels=["part"],
        )
        took = GaugeMetricFamily(
            "countersign_scrape_duration_seconds",
            "How long this part of the scrape took.",
            labels=["part"],
        )
        until = time.monotonic() + LONGEST_SECONDS
        for part in self.parts:
            began = time.monotonic()
            found = _collected(part) if began + STATEMENT_SECONDS <= until else None
            yield from found or ()
            errors.add_metric([part.name], float(found is None))
            took.add_metric([part.name], time.monotonic() - began)
        yield errors
        yield took


def _collected(part: Part) -> Sequence[Metric] | None:
    """None if it failed. Whatever the error is: monitoring must not end with what it watches."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Gone with the transaction, so that no later request on this connection has it.
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), "
                "set_config('lock_timeout', %s, true)",
                [f"{STATEMENT_SECONDS * 1000:.0f}ms"] * 2,
            )
            return list(part.collect())
    except Exception as error:
        logger.error("scrape: %s failed: %s", part.name, type(error).__name__)
        return None


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"countersign_{name}", text, labels=labels)
