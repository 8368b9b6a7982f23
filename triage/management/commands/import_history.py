"""Import solved tickets with their labels from a CSV file."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from tqdm import tqdm

from triage.history import Columns, load
from triage.imports import ImportRefused
from triage.management.importing import ImportCommand
from triage.models.catalogue import KEY


class Command(ImportCommand):
    help = (
        "Import solved tickets from FILE (CSV, also .gz). Can be stopped and run again: tickets "
        "that are there already are left alone. Rows that cannot be taken are listed in the "
        "report file with line and reason. Example: import_history old.csv --source desk "
        "--id number --subject title --body text --field category=topic --opened created"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        body = parser.add_mutually_exclusive_group(required=True)
        body.add_argument("--text", metavar="COL", help="Column with the whole text.")
        body.add_argument("--body", metavar="COL")
        for name in ("subject", "id", "opened", "closed", "requester", "resolution"):
            parser.add_argument(f"--{name}", metavar="COL", default="")
        parser.add_argument(
            "--field",
            action="append",
            default=[],
            metavar="KEY=COL",
            help="Label column; repeat for more. The first is the main field of a new source.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = self.file(options["file"])
        columns = Columns(
            body=options["text"] or options["body"],
            fields=dict(_pair(text) for text in options["field"]),
            **{
                name: options[name]
                for name in ("subject", "id", "opened", "closed", "requester", "resolution")
            },
        )
        source = self.source(options["source"], options["owner"])
        refusals: list[tuple[int, str]] = []
        quiet = options["verbosity"] == 0
        with tqdm(unit=" rows", desc=path.name, disable=quiet) as bar:
            try:
                tally = load(
                    path,
                    source,
                    columns,
                    refuse=lambda line, why: refusals.append((line, why)),
                    progress=bar.update,
                    encoding=options["encoding"],
                    delimiter=options["delimiter"],
                )
            except (ImportRefused, LookupError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"{tally.read} rows: {tally.created} tickets new, {tally.known} there already, "
            f"{tally.refused} refused."
        )
        self.list_refused(refusals, path, options["report"])


def _pair(text: str) -> tuple[str, str]:
    key, sign, column = text.partition("=")
    if not sign or not column:
        raise CommandError(f"--field takes KEY=COL, for example category=topic; got {text!r}.")
    try:
        KEY(key)
    except ValidationError as error:
        raise CommandError(f"--field {text!r}: {KEY.message}") from error
    return key, column
