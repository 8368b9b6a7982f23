"""One file per helpdesk; `dialect` finds the one a source speaks."""

from triage.helpdesks.base import Helpdesk
from triage.helpdesks.generic import Generic
from triage.helpdesks.hub import Hub
from triage.models import Source

DIALECTS: dict[str, Helpdesk] = {"generic": Generic(), "hub": Hub(Generic())}


class UnknownHelpdesk(Exception):
    pass


def dialect(source: Source) -> Helpdesk:
    try:
        return DIALECTS[source.helpdesk]
    except KeyError:
        known = ", ".join(sorted(DIALECTS))
        raise UnknownHelpdesk(
            f"Source {source.slug} has helpdesk {source.helpdesk!r}; known are: {known}."
        ) from None
