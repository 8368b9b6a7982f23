"""Run the simulated helpdesk of the demo."""

import logging
import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from triage.demo import OnlyInDemo, catalogue, past, require_demo_mode
from triage.demo.corpus import stories
from triage.demo.desk import Desk
from triage.demo.feed import Feed, Post
from triage.demo.helpdesk import Helpdesk
from triage.models import SourceSecret

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run the demo's helpdesk on loopback: it posts signed webhooks every few seconds and takes "
        "write-backs. `manage.py demo` starts it; it refuses outside demo mode."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8010)
        parser.add_argument("--target", required=True, help="Where Countersign answers.")
        parser.add_argument("--store", type=Path, help="JSON file that keeps the tickets.")
        parser.add_argument("--every", type=float, default=6.0, metavar="SECONDS")
        parser.add_argument("--first", type=int, default=25, help="Tickets to begin with.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_demo_mode()
        except OnlyInDemo as error:
            raise CommandError(str(error)) from error
        source = catalogue.demo_source()
        if source is None:
            raise CommandError("The demo has not been loaded: start it with `manage.py demo`.")
        desk = Desk(options["store"], url=f"http://127.0.0.1:{options['port']}")
        helpdesk = Helpdesk(
            desk,
            port=options["port"],
            token=catalogue.secret_of(source, SourceSecret.Purpose.OUTBOUND),
            automation_secret=catalogue.secret_of(source, SourceSecret.Purpose.AUTOMATION),
        )
        post = Post(
            f"{options['target'].rstrip('/')}/api/v1/sources/{source.slug}/webhook",
            catalogue.secret_of(source, SourceSecret.Purpose.INBOUND),
        )
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Thread(target=helpdesk.serve_forever, daemon=True).start()
        logger.info("helpdesk started on %s", helpdesk.url)
        feed = Feed(desk, post, past.split(stories())[1], seed=past.SEED)
        feed.run(stop, every_seconds=options["every"], first=options["first"])
        helpdesk.shutdown()
        logger.info("helpdesk stopped")
