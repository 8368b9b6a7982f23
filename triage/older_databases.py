"""Migrations that were drawn together need a database that has had either all of them or none."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def half_way(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """One error for each database that stopped within what is one step now."""
    if not databases:
        return []
    steps = MigrationLoader(None, ignore_no_migrations=True).disk_migrations.values()
    found: list[CheckMessage] = []
    for alias in databases:
        applied = set(MigrationRecorder(connections[alias]).applied_migrations())
        missing = [
            one
            for step in steps
            if applied.intersection(step.replaces)
            for one in step.replaces
            if one not in applied
        ]
        if missing:
            found.append(_says(alias, missing))
    return found


def _says(alias: str, missing: Sequence[tuple[str, str]]) -> CheckMessage:
    names = ", ".join(f"{app}.{name}" for app, name in missing)
    return Error(
        f"The database {alias!r} was made by an older state of Countersign and stopped half-way: "
        f"it lacks {names}.",
        hint="Check out the last commit that has these migrations and run `manage.py migrate` "
        "there, then come back. A demo is made anew: delete .data/demo.",
        id="triage.E001",
    )
