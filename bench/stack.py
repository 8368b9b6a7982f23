"""The whole service as it runs in production, on the ground that was planned for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from django.core.management import call_command
from django.db import connections

from bench import ground
from bench.parts import Part, PartFailed, program
from config import embedded_keeper
from triage.demo.processes import answers

__all__ = ["Part", "PartFailed", "Stack"]


class Stack:
    """PostgreSQL, Valkey, web (2 processes), worker (prefork 2), writer, trainer and sweeper.

    `with Stack() as stack` starts nothing and ends everything. `url` is where web listens.
    """

    def __init__(self) -> None:
        self.folder: Path = ground.folder()
        self.url = f"http://127.0.0.1:{ground.web_port()}"
        self._is_migrated = False
        self._added: list[Part] = []
        # PostgreSQL would wait for its clients to leave if asked with SIGTERM.
        self.postgres = self._embedded("postgres", self._launch_postgres, signal.SIGINT)
        self.valkey = self._embedded("valkey", self._launch_valkey, signal.SIGTERM)
        self.web = self._program(
            "web",
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
                "--port", str(ground.web_port()), "--workers", "2", "--no-ws",
                "--respawn-failed-workers", "config.wsgi:application",
            ],
            lambda _: answers(f"{self.url}/ready/"),
        )  # fmt: skip
        self.worker = self._celery("worker", "triage", "--concurrency", "2")
        self.writer = self._celery("writer", "effects", "-P", "threads", "--concurrency", "16")
        self.trainer = self._celery("trainer", "learning", "--concurrency", "1", before=["nice"])
        self.sweeper = self._program(
            "sweeper",
            [sys.executable, str(ground.PROJECT / "manage.py"), "sweep"],
            lambda part: part.says("sweeper started"),
        )
        # In the order of starting; they stop in the opposite one.
        self.parts = {
            part.name: part
            for part in (
                self.postgres, self.valkey, self.web, self.worker, self.writer, self.trainer,
                self.sweeper,
            )
        }  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connections.close_all()
        for part in (*self._added, *reversed(self.parts.values())):
            part.stop()

    def up(self, *names: str) -> None:
        """Start those that are not running and wait until all of them answer; all without names.

        PostgreSQL comes with its tables. From the main thread only.
        """
        wanted = [part for name, part in self.parts.items() if not names or name in names]
        if unknown := set(names) - set(self.parts):
            raise PartFailed(f"There is no part {sorted(unknown)}; there are {list(self.parts)}.")
        for part in wanted:
            if part.is_alive():
                # A check that failed may have left it frozen.
                part.signal(signal.SIGCONT)
                continue
            part.start()
            if part is self.postgres:
                self._migrate()
        for part in wanted:
            part.wait_ready()

    def _migrate(self) -> None:
        # Connections to the server before this one are dead.
        connections.close_all()
        if not self._is_migrated:
            call_command("migrate", interactive=False, verbosity=0)
            call_command("prepare", verbosity=0)
            self._is_migrated = True

    def add(self, name: str, command: list[str], ready: Callable[[Part], bool]) -> Part:
        """One more process of the service; its caller starts it, the stack ends it."""
        part = self._program(name, command, ready)
        self._added.append(part)
        return part

    def _program(self, name: str, command: list[str], ready: Callable[[Part], bool]) -> Part:
        # Its connections carry its name in pg_stat_activity.
        environment = os.environ | {"PYTHONPATH": str(ground.PROJECT), "PGAPPNAME": name}
        launch = program(command, folder=self.folder, environment=environment)
        return Part(name, self.folder / f"{name}.log", launch, ready)

    def _celery(self, name: str, queue: str, *options: str, before: Sequence[str] = ()) -> Part:
        node = f"{name}@bench"
        command = [
            *before, sys.executable, "-m", "celery", "-A", "config", "worker",
            "--loglevel", "INFO", "-Q", queue, "-n", node, *options,
        ]  # fmt: skip
        return self._program(name, command, lambda part: part.says(f"{node} ready."))

    def _embedded(
        self,
        name: str,
        launch: Callable[[Part], subprocess.Popen[bytes]],
        polite: signal.Signals,
    ) -> Part:
        # What the keeper starts has answered when it returns.
        return Part(name, self.folder / f"{name}.log", launch, Part.is_alive, polite=polite)

    def _launch_postgres(self, _: Part) -> subprocess.Popen[bytes]:
        return embedded_keeper.start_postgres(self.folder, ground.sockets(), durable=True).process

    def _launch_valkey(self, _: Part) -> subprocess.Popen[bytes]:
        port, password = ground.valkey_address()
        return embedded_keeper.start_valkey(self.folder, port=port, password=password).process
