"""Commands that bring the services they need: config.embedded, manage.py and pytest itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.config.programs import PATIENCE_SECONDS, PROJECT, Start, outside
from tests.services_plugin import drop_databases_of_dead_runs


def run_embedded(data: Path, *command: str, **over: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.embedded", "--data", str(data), "--", *command],
        cwd=PROJECT,
        env=outside(**over),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_gets_the_variables_and_gives_its_exit_code(tmp_path: Path) -> None:
    done = run_embedded(tmp_path, "sh", "-c", 'echo "$DATABASE_URL $SECRET_KEY"; exit 7')

    assert done.returncode == 7
    url, key = done.stdout.split()
    assert url.startswith("postgresql://countersign@%2F")
    assert key == json.loads((tmp_path / "env.json").read_text())["SECRET_KEY"]


def test_a_command_in_a_fresh_checkout_finds_its_tables(tmp_path: Path) -> None:
    counts = "from django.contrib.auth.models import User; print('users:', User.objects.count())"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", counts],
        cwd=PROJECT,
        env=outside(COUNTERSIGN_DATA=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "users: 0" in done.stdout, done.stderr
    assert (tmp_path / "postgres/PG_VERSION").exists()


def test_only_databases_of_dead_test_runs_are_dropped(start: Start, used: Path) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    program = start(used)
    kept = [f"test_countersign_{os.getpid()}_0a1b_gw0", "test_countersign_local"]
    for name in (*kept, f"test_countersign_{dead.pid}_0a1b_gw0"):
        program.sql(f"CREATE DATABASE {name}")

    drop_databases_of_dead_runs(program.urls[0])

    left = (
        "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'test'"
    )
    assert program.sql(left).split() == sorted(kept)


def test_a_database_from_outside_brings_no_made_up_secrets(tmp_path: Path) -> None:
    script = 'echo "$DATABASE_URL ${REDIS_URL%%:*} ${SECRET_KEY-unset}"'
    done = run_embedded(tmp_path, "sh", "-c", script, DATABASE_URL="postgresql://elsewhere/db")

    assert done.stdout.split() == ["postgresql://elsewhere/db", "redis", "unset"]
    assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "env.json").exists()


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    done = run_embedded(tmp_path, "no-such-command", DATABASE_URL="x", REDIS_URL="y")

    assert done.returncode == 1
    assert "no-such-command" in done.stderr


def test_a_signal_reaches_the_command(tmp_path: Path) -> None:
    script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"
    command = ["-m", "config.embedded", "--data", str(tmp_path), "--", "sh", "-c", script]
    urls = {"DATABASE_URL": "postgresql://elsewhere/db", "REDIS_URL": "redis://elsewhere"}
    with subprocess.Popen(
        [sys.executable, *command], cwd=PROJECT, env=outside(**urls), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.terminate()

        assert process.wait(PATIENCE_SECONDS) == 9
