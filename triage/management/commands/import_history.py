"""Import solved tickets with their labels from a CSV file."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from tqdm import tqdm

from triage.history import Columns, ImportRefused, load
from triage.models import Source
from triage.models.catalogue import KEY
from triage.spreadsheets import safe

AI_OWNERS = "AI owner"


class Command(BaseCommand):
    help = (
        "Import solved tickets from FILE (CSV, also .gz). Can be stopped and run again: tickets "
        "that are there already are left alone. Rows that cannot be taken are listed in the "
        "report file with line and reason. Example: import_history old.csv --source desk "
        "--id number --subject title --body text --field category=topic --opened created"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, metavar="SLUG", help="Made if missing.")
        parser.add_argument("--owner", metavar="USERNAME", help="Owner of a source that is made.")
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
        parser.add_argument("--delimiter", default=",")
        parser.add_argument("--encoding", default="utf-8-sig")
        parser.add_argument("--report", type=Path, help="Default: FILE's name + .refused.csv here.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        columns = Columns(
            body=options["text"] or options["body"],
            fields=dict(_pair(text) for text in options["field"]),
            **{
                name: options[name]
                for name in ("subject", "id", "opened", "closed", "requester", "resolution")
            },
        )
        source = self._source(options["source"], options["owner"])
        report: Path = options["report"] or Path(f"{path.name}.refused.csv")
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
        if refusals:
            with report.open("w", newline="") as file:
                csv.writer(file).writerow(("row", "reason"))
                # A reason quotes what came.
                csv.writer(file).writerows((row, safe(why)) for row, why in refusals)
            self.stdout.write(f"Refused rows are listed in {report}.")

    def _source(self, slug: str, owner_name: str | None) -> Source:
        source = Source.objects.filter(slug=slug).first()
        if source is not None:
            return source
        try:
            validate_slug(slug)
        except ValidationError as error:
            raise CommandError(f"--source {slug!r}: letters, digits, - and _ only.") from error
        owner = self._owner(owner_name)
        self.stdout.write(f"Source {slug} is new; its owner is {owner.get_username()}.")
        return Source.objects.create(slug=slug, name=slug, owner=owner)

    def _owner(self, name: str | None) -> User:
        if name:
            named = User.objects.filter(username=name).first()
            if named is None:
                raise CommandError(f"--owner {name!r}: there is no such user.")
            return named
        known = User.objects.filter(groups__name=AI_OWNERS, is_active=True).order_by("pk").first()
        if known is not None:
            return known
        owner = User.objects.create_user("owner", is_staff=True)
        owner.groups.add(Group.objects.get_or_create(name=AI_OWNERS)[0])
        self.stdout.write(
            "There was no AI owner: made the user 'owner' without a password "
            "(manage.py changepassword owner gives it one)."
        )
        return owner


def _pair(text: str) -> tuple[str, str]:
    key, sign, column = text.partition("=")
    if not sign or not column:
        raise CommandError(f"--field takes KEY=COL, for example category=topic; got {text!r}.")
    try:
        KEY(key)
    except ValidationError as error:
        raise CommandError(f"--field {text!r}: {KEY.message}") from error
    return key, column
