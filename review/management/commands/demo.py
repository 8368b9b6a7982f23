"""Run everything here on made-up tickets, and end it all with Ctrl-C."""

import fcntl
import json
import logging
import shutil
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from review import demo
from triage.demo import OnlyInDemo, catalogue, processes, require_demo_mode
from triage.demo.company import company, entries
from triage.demo.processes import Child, ChildFailed
from triage.models import Source

PORT, HELPDESK_PORT = 8000, 8010
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = (
        "Load the demo company's past, train on it, and run web pages, workers, sweeper and a "
        "simulated helpdesk that sends tickets. Ctrl-C ends all of it. A second start goes on "
        "where the first one ended. Demo mode only: COUNTERSIGN_DEMO=1, as in `make demo`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help="Or the next free one.")
        parser.add_argument("--helpdesk-port", type=int, default=HELPDESK_PORT)
        parser.add_argument("--every", type=float, default=6.0, metavar="SECONDS")
        parser.add_argument("--reset", action="store_true", help="Forget the last demo first.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_demo_mode()
        except OnlyInDemo as error:
            raise CommandError(str(error)) from error
        # What happens is told stage by stage; only warnings are to come between.
        logging.getLogger("triage").setLevel(logging.WARNING)
        folder = demo_folder()
        with alone(folder), ended_by_signals():
            try:
                self._run(folder, options)
            except KeyboardInterrupt:
                self._say("Stopped; nothing is left running. The data stays for the next start.")
            except (ChildFailed, demo.Occupied) as error:
                raise CommandError(str(error)) from error

    def _run(self, folder: Path, options: dict[str, Any]) -> None:
        began = time.monotonic()
        if options["reset"]:
            with self._stage("Forgetting the last demo"):
                reset(folder)
        source = catalogue.demo_source() or self._load()
        port = processes.free_port(options["port"])
        helpdesk_port = processes.free_port(
            options["helpdesk_port"] + (options["helpdesk_port"] == port)
        )
        helpdesk_url = f"http://127.0.0.1:{helpdesk_port}"
        catalogue.connect(source, helpdesk_url)
        children = self._children(source, folder, port, helpdesk_port, options["every"])
        # The children have connections of their own.
        connection.close()
        try:
            for child in children:
                child.start()
            processes.wait_for(children, told=self._tell_ready)
            self._welcome(f"http://127.0.0.1:{port}", helpdesk_url, time.monotonic() - began)
            processes.watch(children)
        finally:
            with undisturbed():
                processes.stop(children)

    def _load(self) -> Source:
        self._say("First start: making a past for Norvik Freight, an invented company.")
        with transaction.atomic():
            return demo.load(now=timezone.now(), stage=self._stage)

    def _children(
        self, source: Source, folder: Path, port: int, helpdesk_port: int, every: float
    ) -> list[Child]:
        """The helpdesk first: it sends, so it ends before those who take what it sends."""
        url, helpdesk = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{helpdesk_port}"
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        # Links in notices must lead to the port that was really free.
        python = ["env", f"SITE_URL={url}", sys.executable]
        serve = [
            *python, "-m", "triage.demo", "--port", str(helpdesk_port), "--target", url,
            "--store", str(folder / "helpdesk.json"), "--every", str(every),
        ]  # fmt: skip
        web = [
            *python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1", "--blocking-threads", "4",
            "--no-ws", "config.wsgi:application",
        ]  # fmt: skip
        celery = [
            *python, "-m", "celery", "-A", "config", "worker", "--without-gossip",
            "--without-mingle", "--loglevel", "INFO",
        ]  # fmt: skip
        work = [*celery, "-Q", "triage", "-n", "worker@%h", "--concurrency", "1"]
        write = [*celery, "-Q", "effects", "-n", "writer@%h", "-P", "threads", "--concurrency", "4"]
        # Whoever waits for a proposal goes first.
        learn = ["nice", *celery, "-Q", "learning", "-n", "trainer@%h", "--concurrency", "1"]
        return [
            Child(
                "helpdesk",
                serve,
                logs / "helpdesk.log",
                lambda _: processes.answers(helpdesk),
                told=json.dumps(catalogue.secrets_for_helpdesk(source)),
            ),
            Child("web", web, logs / "web.log", lambda _: processes.answers(f"{url}/ready/")),
            Child("worker", work, logs / "worker.log", celery_answers),
            Child("writer", write, logs / "writer.log", celery_answers),
            Child("trainer", learn, logs / "trainer.log", celery_answers),
            Child(
                "sweeper",
                [*python, sys.argv[0], "sweep"],
                logs / "sweeper.log",
                partial(Child.says, words="sweeper started"),
            ),
        ]

    @contextmanager
    def _stage(self, name: str) -> Iterator[Callable[[str], None]]:
        began = time.monotonic()
        self._say(f"{name} ...")
        yield lambda what: self._say(f"    {what}")
        self._say(f"    {time.monotonic() - began:.1f} s")

    def _tell_ready(self, child: Child, seconds: float) -> None:
        self._say(f"  {child.name} is up after {seconds:.1f} s")

    def _welcome(self, url: str, helpdesk_url: str, seconds: float) -> None:
        widest = max(len(entry["role"]) for entry in entries("staff"))
        lines = [
            "",
            f"Countersign is ready after {seconds:.0f} s:  {url}/",
            f"The simulated helpdesk:          {helpdesk_url}/",
            "",
            f"  {'role':<{widest}}  login",
        ]
        by_role: dict[str, list[str]] = {}
        for entry in entries("staff"):
            by_role.setdefault(entry["role"], []).append(entry["username"])
        lines += [f"  {role:<{widest}}  {', '.join(names)}" for role, names in by_role.items()]
        lines += [
            "",
            f"The password is {demo.PASSWORD} for all of them; the owner's desk is {url}/admin/",
            "Company, people and past decisions are invented. Ctrl-C stops everything.",
            "",
        ]
        self._say("\n".join(lines))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def demo_folder() -> Path:
    """Where models, logs and the simulated helpdesk's tickets of this demo are kept."""
    return Path(settings.COUNTERSIGN_MODEL_DIR).parent


def celery_answers(child: Child) -> bool:
    """Asked over the broker, as the service will ask it."""
    said = current_app.control.ping(timeout=0.3) or []
    return any(name.startswith(f"{child.name}@") for reply in said for name in reply)


def reset(folder: Path) -> None:
    """Empty the database and forget models and helpdesk; refused if others' data is in it."""
    others = Source.objects.exclude(slug=company()["source"]["slug"])
    if others.exists():
        listed = ", ".join(others.values_list("slug", flat=True)[:5])
        raise CommandError(
            f"--reset empties the whole database, and it holds other sources too ({listed})."
        )
    # The ledger refuses to be emptied, so the schema goes as a whole.
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    call_command("migrate", interactive=False, verbosity=0)
    (folder / "helpdesk.json").unlink(missing_ok=True)
    shutil.rmtree(settings.COUNTERSIGN_MODEL_DIR, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[TextIO]:
    """Two demos on the same data would tell every ticket twice."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"A demo is running on {folder} already.") from None
        yield lock


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the children behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
