"""Gives the tests a real PostgreSQL and Valkey before Django's settings ask for them.

Loaded with `-p` from pyproject.toml, so that any `pytest` command works by itself.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Generator

import psycopg
import pytest
from psycopg import sql

from config.embedded import activate, data_directory

RUN_OF_DATABASE = re.compile(r"test_countersign_(\d+)_[0-9a-f]{4}")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """A wrapper, because wrappers run before pytest-django reads the settings."""
    # The workers of xdist inherit all of this from the process that started them.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        os.environ.pop("COUNTERSIGN_DEMO", None)
        # Two runs on the same services must not share a database or a key.
        os.environ["COUNTERSIGN_TEST_RUN"] = f"{os.getpid()}_{secrets.token_hex(2)}"
        is_local = not os.environ.get("DATABASE_URL")
        activate(data_directory("test"), durable=False)
        if is_local:
            drop_databases_of_dead_runs(os.environ["DATABASE_URL"])
    else:
        # Their databases number rows alike, so what is remembered of a row must not be shared.
        os.environ["COUNTERSIGN_TEST_RUN"] += f"_{os.environ['PYTEST_XDIST_WORKER']}"
    return (yield)


def drop_databases_of_dead_runs(url: str) -> None:
    """A run that was killed leaves its databases; their names tell the pid it had."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
            run = RUN_OF_DATABASE.match(name)
            if run and not is_alive(int(run.group(1))):
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                with contextlib.suppress(psycopg.Error):
                    connection.execute(drop.format(sql.Identifier(name)))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
