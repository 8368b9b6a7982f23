"""Write the weekly report into a file, without mailing it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from review.metrics.window import local_now
from review.weekly import pdf
from review.weekly.contents import content
from review.weekly.weeks import Week
from triage.models import Source


class Command(BaseCommand):
    help = "Write the report of a week as a PDF file, without mailing it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, help="The file, FILE.pdf.")
        parser.add_argument(
            "--week", default="", help="2026-W47; without it the last that is over."
        )
        parser.add_argument("--source", default="", help="Slug of a source; without it all.")
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=dict(settings.LANGUAGES)
        )

    def handle(self, *args: Any, **options: Any) -> None:
        newest = Week.before(local_now().date())
        try:
            week = Week.parse(options["week"]) if options["week"] else newest
        except ValueError as error:
            raise CommandError(str(error)) from error
        if week.monday > newest.monday:
            raise CommandError(f"The week {week} is not over yet.")
        source = None
        if options["source"]:
            source = Source.objects.filter(slug=options["source"]).first()
            if source is None:
                raise CommandError(f"There is no source {options['source']!r}.")
        with override(options["language"]):
            written = pdf.made(content(week, source), options["language"])
        try:
            options["to"].write_bytes(written)
        except OSError as error:
            raise CommandError(f"{options['to']} cannot be written: {error.strerror}.") from error
        if options["verbosity"]:
            self.stdout.write(f"The report of {week} is in {options['to']}.")
