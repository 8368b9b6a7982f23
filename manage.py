#!/usr/bin/env python
"""Django's commands. Without a DATABASE_URL they run on services of their own, in `.data/demo`."""

import os
import sys

import django
from django.core.management import (
    BaseCommand,
    CommandError,
    call_command,
    execute_from_command_line,
)
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.embedded import EmbeddedError, activate, data_directory, do_without

# These read or write the code, or bring the database about themselves.
WITHOUT_MIGRATIONS = frozenset(
    {"check", "collectstatic", "compilemessages", "diffsettings", "help", "makemessages"}
    | {"makemigrations", "migrate", "optimizemigration", "showmigrations", "spectacular"}
    | {"sqlmigrate", "squashmigrations", "startapp", "test", "testserver", "version"}
)
# These need no database, no broker and no key; a service that is down does not stop them.
WITHOUT_SERVICES = frozenset({"evaluate"})
ONE_MIGRATES_AT_A_TIME = 7_264_901


def migrate_if_needed() -> None:
    """Bring a local database up to date. Of several commands at once, one does it."""
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_MIGRATES_AT_A_TIME])
        try:
            BaseCommand().check(tags=["database"], databases=["default"])
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                call_command("migrate", interactive=False, verbosity=0)
                call_command("prepare", verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_MIGRATES_AT_A_TIME])
    connection.close()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "help")
    asks_for_help = not {"-h", "--help", "--version"}.isdisjoint(sys.argv[1:])
    is_local = not os.environ.get("DATABASE_URL") and command not in WITHOUT_SERVICES
    try:
        if command in WITHOUT_SERVICES:
            do_without()
        else:
            activate(data_directory("demo"))
    except EmbeddedError as error:
        sys.exit(str(error))
    try:
        if is_local and command not in WITHOUT_MIGRATIONS and not asks_for_help:
            migrate_if_needed()
        execute_from_command_line(sys.argv)
    except CommandError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
