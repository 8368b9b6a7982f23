"""What the commands that import files share: the source, its owner, and the list of refusals."""

import csv
from argparse import ArgumentParser
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from triage.models import Source
from triage.spreadsheets import safe

AI_OWNERS = "AI owner"


class ImportCommand(BaseCommand):
    """Adds the arguments that name the file and the source, and collects refused rows."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, metavar="SLUG", help="Made if missing.")
        parser.add_argument("--owner", metavar="USERNAME", help="Owner of a source that is made.")
        parser.add_argument("--delimiter", default=",")
        parser.add_argument("--encoding", default="utf-8-sig")
        parser.add_argument("--report", type=Path, help="Default: FILE's name + .refused.csv here.")

    def file(self, path: Path) -> Path:
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        return path

    def list_refused(self, refusals: list[tuple[int, str]], path: Path, given: Path | None) -> None:
        if not refusals:
            return
        report = given or Path(f"{path.name}.refused.csv")
        with report.open("w", newline="") as file:
            csv.writer(file).writerow(("row", "reason"))
            # A reason quotes what came.
            csv.writer(file).writerows((row, safe(why)) for row, why in sorted(refusals))
        self.stdout.write(f"Refused rows are listed in {report}.")

    def source(self, slug: str, owner_name: str | None) -> Source:
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
