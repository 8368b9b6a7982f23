"""Count everything that reports add up anew."""

from typing import Any

from django.core.management.base import BaseCommand

from review.metrics import rollups


class Command(BaseCommand):
    help = (
        "Count all days that reports add up anew, from the rows themselves. Needed after TIME_ZONE "
        "was changed, and harmless at any time: the figures come out the same."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        days = rollups.recount()
        if options["verbosity"]:
            self.stdout.write(f"Counted {days} days anew.")
