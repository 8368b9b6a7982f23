"""How many talk to one destination at a time, and a pause after it kept silent."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings

from triage.effects.locks import NotNow, held
from triage.helpdesks.base import HelpdeskSilent
from triage.helpdesks.http import DEADLINE_SECONDS, destination
from triage.models import Job

PAUSE_SECONDS = 10.0
# Jobs that wait for a place are looked at about that often in all, however many they are.
LOOKS_PER_SECOND = 50


class DestinationBusy(NotNow):
    """As many workers as are allowed talk to this destination already, or it keeps silent."""


class Pauses:
    """Destinations that kept silent, and until when nobody is sent there.

    After the pause one call tries whether there is an answer; all others wait for its outcome.
    Kept in each process: it costs a process one silence to learn of it, and neither a broker
    nor a table that is away can hold up what is written to a healthy helpdesk.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def enter(self, where: str) -> None:
        """Raises DestinationBusy, or lets the caller through to try."""
        now = time.monotonic()
        with self._lock:
            until = self._until.get(where)
            if until is None:
                return
            if until > now:
                # Spread out, so that those who waited together do not come back together.
                wait = until - now + random.uniform(0, 2)
                raise DestinationBusy(f"{where} kept silent a moment ago.", seconds=wait)
            self._until[where] = now + DEADLINE_SECONDS

    def kept_silent(self, where: str) -> None:
        with self._lock:
            self._until[where] = time.monotonic() + PAUSE_SECONDS

    def answered(self, where: str) -> None:
        with self._lock:
            self._until.pop(where, None)


pauses = Pauses()


@contextmanager
def place(url: str) -> Iterator[None]:
    """One of the EFFECTS_PER_DESTINATION places at a destination, across all processes.

    Raises DestinationBusy before the block is begun if there is none; HelpdeskSilent from within
    pauses the destination. Raises HelpdeskRefused for an address that is not valid.
    """
    where = destination(url)
    with _free_place(where):
        pauses.enter(where)
        try:
            yield
        except HelpdeskSilent:
            pauses.kept_silent(where)
            raise
        except BaseException:
            pauses.answered(where)
            raise
        pauses.answered(where)


@contextmanager
def _free_place(where: str) -> Iterator[None]:
    numbers = random.sample(
        range(settings.EFFECTS_PER_DESTINATION), settings.EFFECTS_PER_DESTINATION
    )
    with ExitStack() as stack:
        for number in numbers:
            if stack.enter_context(held(f"destination:{where}:{number}")):
                break
        else:
            raise DestinationBusy(f"{where} has all its calls.", seconds=_until_next_look())
        yield


def _until_next_look() -> float:
    waiting = Job.objects.filter(kind=Job.Kind.EFFECT, dead_at__isnull=True).count()
    return random.uniform(0.5, 1.5) * max(1.0, waiting / LOOKS_PER_SECOND)
