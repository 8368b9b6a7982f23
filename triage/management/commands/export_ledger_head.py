"""Write down, signed, how far the ledger reaches now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.ledger import heads


class Command(BaseCommand):
    help = (
        "Append the ledger's signed head (how many entries, the hash of the last one, when) to "
        "the file of this month in COUNTERSIGN_LEDGER_DIR, and say where. The sweeper does the "
        "same once an hour by itself; from cron or by hand it may be run at any time. Copy the "
        "lines to where the service cannot write: verify_ledger finds a cut or rewritten record "
        "only by heads that nobody could change together with it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--print", action="store_true", help="print the line and write no file"
        )
        instead.add_argument(
            "--public-key",
            action="store_true",
            help="print the public key (PEM) that heads are checked with, and sign nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["public_key"]:
            self.stdout.write(heads.as_pem(heads.public_key()), ending="")
            return
        if options["print"]:
            self.stdout.write(heads.sign().line)
            return
        try:
            head, path = heads.export()
        except OSError as error:
            raise CommandError(f"The head was not exported: {error}") from error
        self.stdout.write(f"{head.sequence} entries at {head.at}: appended to {path}")
