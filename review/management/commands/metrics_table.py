"""Print the table of definitions as it stands in docs/metrics.md."""

from typing import Any

from django.core.management.base import BaseCommand

from review.metrics.handbook import table


class Command(BaseCommand):
    help = "Print the definitions of all metrics, as they came with the service, as Markdown."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table())
