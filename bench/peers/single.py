"""Tasks as most services would have them: one for each ticket, and one that does nothing.

    celery -A bench.peers.single worker --queues bench-peer

The application is the service's own, with its settings, so that only the shape of the work
differs. Results are kept for these tasks alone, to see when each had ended.
"""

import sys
from collections.abc import Sequence

from celery.backends.redis import RedisBackend
from django.conf import settings

from config.celery import app
from triage import steps

QUEUE = "bench-peer"
KEPT_SECONDS = 600

results = RedisBackend(app=app, url=settings.REDIS_URL, expires=KEPT_SECONDS)


@app.task(name="bench.single")
def single(version_id: int) -> None:
    """Triage one ticket version."""
    steps.propose([version_id])


@app.task(name="bench.noop", backend=results, ignore_result=False)
def noop() -> None:
    return


@app.task(name="bench.modules", backend=results, ignore_result=False)
def modules(version_ids: Sequence[int]) -> list[str]:
    """What a worker that has triaged these ticket versions has imported."""
    steps.propose(version_ids)
    return sorted(name for name in sys.modules if not name.startswith(("bench", "__")))
