"""Erase what a requester wrote."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from review import erasure
from triage.erasure import ErasureRefused, Report, Whose
from triage.models import Source

HELP = """\
Erase what a requester wrote: all of it, or one ticket. Says what will go and asks first.

  manage.py erase --requester ann@example.org --dry-run     what there is, in all sources
  manage.py erase --source desk --requester ann@example.org
  manage.py erase --source desk --ticket 4711 --yes --by olivia

Goes: subject, text, requester, address, resolution, of every version; stored deliveries; replies,
notes and comments; cited words; words in model files that nobody else used; write-backs not sent.
Stays: the rows with their times, values, decisions and counts; the ledger, which has no text.
Not reached: the helpdesk itself, backups, logs of other systems. See docs/erasure.md.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--source", metavar="SLUG", help="Of which source; default for --requester: all."
        )
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--requester", metavar="X", default="", help="Mail address or login.")
        whose.add_argument(
            "--ticket", metavar="ID", default="", help="Its number in the helpdesk; needs --source."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and stop.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument(
            "--by", metavar="USERNAME", help="Who answers for it on the record; default: nobody."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = self._person(options["by"])
        try:
            whose = Whose(self._source(options["source"]), options["requester"], options["ticket"])
        except ErasureRefused as error:
            raise CommandError(str(error)) from error
        there = erasure.preview(whose)
        self._say(there)
        if options["dry_run"]:
            return
        if not there.is_empty and not options["yes"] and not _agreed():
            raise CommandError("Nothing was erased.")
        # Also where nothing was found: a process that was killed may have left a model file.
        done = erasure.erase(whose, by=by, tell=lambda step: self.stdout.write(f"… {step}"))
        for pruned in done.models:
            self.stdout.write(f"  {pruned}")
        self.stdout.write(f"Erased {done.counts.tickets} tickets.")

    def _say(self, report: Report) -> None:
        if report.is_empty:
            self.stdout.write("There is nothing to erase.")
        for name, number in report.counts.named().items():
            if number:
                self.stdout.write(f"{number:>8,}  {name}")
        for rule in report.rules:
            self.stdout.write(
                self.style.WARNING(
                    f"The rule {rule} lists the address; its owner has to change it."
                )
            )

    def _source(self, slug: str | None) -> Source | None:
        if slug is None:
            return None
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            known = ", ".join(Source.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no source {slug!r}; known: {known}.")
        return source

    def _person(self, name: str | None) -> User | None:
        if name is None:
            return None
        person = User.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"--by {name!r}: there is no such active user.")
        return person


def _agreed() -> bool:
    try:
        return input("Erase it for good? Type yes: ").strip() == "yes"
    except EOFError:
        return False
