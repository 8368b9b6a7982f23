"""Check the whole chain of the ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from triage import ledger
from triage.models import LedgerEntry


class Command(BaseCommand):
    help = "Recompute every link of the ledger. Ends with 1 and names the first broken entry."

    def handle(self, *args: Any, **options: Any) -> None:
        fault = ledger.verify()
        if fault is not None:
            raise CommandError(f"Ledger broken at entry {fault.sequence}: {fault.problem}.")
        self.stdout.write(f"Ledger holds: {LedgerEntry.objects.count()} entries.")
