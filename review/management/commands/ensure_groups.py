"""manage.py ensure_groups"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from review.roles import ROLES, PermissionMissing, ensure_groups


class Command(BaseCommand):
    help = "Create the four groups (roles) and give each exactly its permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ensure_groups()
        except PermissionMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Groups: {', '.join(ROLES)}.")
