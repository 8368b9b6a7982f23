"""Programs of their own that use the embedded services, and what has become of processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

from config.embedded_keeper import command_line

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 15
# A shell starts what it puts in the background with SIGINT ignored, and so would this be.
USES_SERVICES = """
import os, signal, sys
from pathlib import Path
from config.embedded import EmbeddedError, activate
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    activate(Path(sys.argv[1]), durable=len(sys.argv) > 2)
except EmbeddedError as error:
    sys.exit(str(error))
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.read()
"""


def outside(**over: str) -> dict[str, str]:
    """The environment of a fresh shell: none of what this test run was given."""
    given = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "COUNTERSIGN_")
    return {k: v for k, v in os.environ.items() if not k.startswith(given)} | over


class Program:
    """A process that uses the services in `data` until it is told to end."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-c", USES_SERVICES, str(data), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=outside(),
            start_new_session=True,
        )
        assert self.process.stdout
        self.urls = self.process.stdout.readline().split()

    def pids(self) -> list[int]:
        state = json.loads((self.data / "services.json").read_text())
        return [state["keeper"], *state["pids"].values()]

    def end(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, said.strip()

    def sql(self, statement: str) -> str:
        with psycopg.connect(self.urls[0], autocommit=True) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return str(row[0]) if row else ""

    def valkey_answers(self) -> bool:
        with redis.Redis.from_url(self.urls[1]) as client:
            return bool(client.ping())


Start = Callable[..., Program]


def are_gone(pids: list[int]) -> bool:
    """Whether all have ended; one that waits to be reaped has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(command_line(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
