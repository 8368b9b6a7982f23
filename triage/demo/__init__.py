"""The demo: hand-written tickets of an invented company and the helpdesk that sends them.

Nothing here is part of the service. Its people, tickets and past decisions are made up; what
the pages then compute from them is computed, not made up.
"""

from django.conf import settings


class OnlyInDemo(Exception):
    """Something that must never happen outside demo mode was asked for."""


def require_demo_mode() -> None:
    """Known passwords and writes to loopback are for a demo alone."""
    if not settings.COUNTERSIGN_DEMO:
        raise OnlyInDemo("This is for the demo alone: set COUNTERSIGN_DEMO=1 or run `make demo`.")
