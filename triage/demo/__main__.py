"""Run the simulated helpdesk: `manage.py demo` starts it and tells it its secrets.

It knows Countersign only over HTTP, as any helpdesk would: no database, no models.
"""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path
from threading import Event, Thread

from triage.demo import OnlyInDemo, require_demo_mode
from triage.demo.company import entries
from triage.demo.corpus import SEED, split, stories
from triage.demo.desk import Desk
from triage.demo.feed import Feed, Post
from triage.demo.frame import Frame
from triage.demo.helpdesk import Helpdesk

logger = logging.getLogger("triage.demo")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m triage.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--target", required=True, help="where Countersign answers")
    parser.add_argument("--store", type=Path, help="JSON file that keeps the tickets")
    parser.add_argument("--every", type=float, default=6.0, metavar="SECONDS")
    parser.add_argument("--first", type=int, default=25, help="tickets to begin with")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    try:
        require_demo_mode()
    except OnlyInDemo as error:
        sys.exit(str(error))
    secrets: dict[str, str] = json.load(sys.stdin)
    desk = Desk(chosen.store, url=f"http://127.0.0.1:{chosen.port}")
    url = chosen.target.rstrip("/")
    # Nobody signs in at the simulated helpdesk: the first of the staff sits there.
    sits_here = entries("staff")[0]["username"]
    helpdesk = Helpdesk(
        desk,
        port=chosen.port,
        token=secrets["outbound"],
        automation_secret=secrets["automation"],
        frame=Frame(url, secrets["source"], sits_here, secrets["inbound"]),
    )
    target = f"{url}/api/v1/sources/{secrets['source']}/webhook"
    feed = Feed(desk, Post(target, secrets["inbound"]), split(stories())[1], seed=SEED)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Thread(target=helpdesk.serve_forever, daemon=True).start()
    logger.info("helpdesk started on %s", helpdesk.url)
    feed.run(stop, every_seconds=chosen.every, first=chosen.first)
    helpdesk.shutdown()
    logger.info("helpdesk stopped")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    main()
