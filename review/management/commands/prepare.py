"""Make what a new installation needs before its first login."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from review.reasons import ensure_reasons
from review.roles import ROLES, PermissionMissing, ensure_groups


class Command(BaseCommand):
    help = (
        "Make the four roles with exactly their permissions, and the coded reasons if there are "
        "none. Run it after each migrate; running it again changes nothing else."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ensure_groups()
        except PermissionMissing as error:
            raise CommandError(str(error)) from error
        ensure_reasons()
        if options["verbosity"]:
            self.stdout.write(f"Roles: {', '.join(ROLES)}. Coded reasons are there.")
