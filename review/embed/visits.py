"""One look through a frame: what its link proves, checked against what is so now."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from review.embed import links
from review.embed.links import Grant, LinkRefused
from triage.models import Source, Ticket
from triage.origins import usable

SEES = "review.view_decision"
DECIDES = "review.add_decision"


@dataclass(frozen=True)
class Visit:
    """A person in front of one ticket of one source; `ticket` is missing until it has arrived."""

    source: Source
    person: User
    grant: Grant
    ticket: Ticket | None

    @property
    def external_id(self) -> str:
        return self.grant.ticket

    @property
    def token(self) -> str:
        return links.sealed(self.grant)

    @property
    def via(self) -> str:
        """For the ledger: that it came through a frame, and on whose word."""
        return f"embed {self.grant.vouched}"


def open_source(slug: str) -> Source | None:
    return Source.objects.filter(slug=slug, is_active=True).first()


def opened(source: Source, external_id: str, query: Mapping[str, str]) -> Visit:
    """By a link, which is for exactly this ticket; it may be opened again until it ends."""
    if "token" in query:
        grant = links.read_minted(query["token"])
        if (grant.source, grant.ticket) != (source.slug, external_id):
            raise LinkRefused("invalid", source.slug)
    else:
        grant = links.signed_by_helpdesk(source, external_id, query)
    return _visit(source, grant)


def continued(token: str) -> Visit:
    """By what the page was sealed with."""
    grant = links.read_sealed(token)
    source = open_source(grant.source)
    if source is None:
        raise LinkRefused("invalid")
    return _visit(source, grant)


def _visit(source: Source, grant: Grant) -> Visit:
    if not usable(source.embed_origins):
        raise LinkRefused("off", source.slug)
    if not links.is_vouched(grant, source):
        raise LinkRefused("invalid", source.slug)
    person = User.objects.filter(pk=grant.person, is_active=True).first()
    if person is None:
        raise LinkRefused("unknown_person", source.slug)
    if not person.has_perm(SEES):
        raise LinkRefused("no_permission", source.slug)
    ticket = Ticket.objects.filter(source=source, external_id=grant.ticket).only("pk").first()
    return Visit(source, person, grant, ticket)
