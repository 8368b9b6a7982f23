"""Reading a stored delivery once more: asked for by a person, for whatever reason."""

from collections.abc import Collection

from django.db import transaction

from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.models import Delivery, Job, Ticket, TicketVersion


@transaction.atomic
def redeliver(deliveries: Collection[int]) -> None:
    """Have deliveries, by primary key, read anew, and try dead triage of their tickets again.

    Safe to repeat, and for deliveries that were read before: reading one twice leaves what one
    reading leaves, and a version that has its proposal gets no second one. Those that were erased
    are passed over.
    """
    readable = Delivery.objects.filter(pk__in=deliveries, erased_at__isnull=True)
    leases.put(Job.Kind.RECEIVE, sorted(readable.values_list("pk", flat=True)))
    own = TicketVersion.objects.filter(delivery__in=deliveries)
    # An event may have called for triage of a version that another delivery brought.
    tickets = Ticket.objects.filter(events__delivery__in=deliveries)
    brought_back = TicketVersion.objects.filter(ticket__in=tickets)
    versions = {*own.values_list("pk", flat=True), *brought_back.values_list("pk", flat=True)}
    dead = Job.objects.filter(kind=Job.Kind.PROPOSE, subject__in=versions, dead_at__isnull=False)
    leases.put(Job.Kind.PROPOSE, sorted(dead.values_list("subject", flat=True)))
    ring_after_commit()
