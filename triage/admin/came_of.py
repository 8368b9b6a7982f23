"""What came of deliveries: read for a whole page of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from triage.models import Delivery, Job, Ticket, TicketEvent, TicketVersion

WAITS, BEING_READ, DEAD = "waits", "being read", "dead letter"
WAITING, BEING_DONE = "waiting", "being done"
Outcome = Delivery.Outcome
COLOURS = {
    WAITS: "default",
    BEING_READ: "info",
    Outcome.APPLIED.value: "success",
    Outcome.STALE.value: "warning",
    Outcome.REPEATED.value: "default",
    Outcome.ECHO.value: "primary",
    Outcome.REFUSED.value: "danger",
    DEAD: "danger",
}


@dataclass(frozen=True)
class CameOf:
    """The rows that one delivery led to, and the jobs about it that are not done."""

    version: TicketVersion | None = None
    event: TicketEvent | None = None
    reading: Job | None = None
    triage: Job | None = None

    @property
    def ticket(self) -> Ticket | None:
        row = self.version or self.event
        return row.ticket if row is not None else None

    @property
    def is_dead(self) -> bool:
        return any(job is not None and job.dead_at for job in (self.reading, self.triage))

    def state(self, delivery: Delivery) -> str:
        """In one or two words; what needs a person goes before what was done."""
        if self.is_dead:
            return DEAD
        if delivery.outcome:
            return delivery.outcome
        is_leased = self.reading is not None and state_of(self.reading) == BEING_DONE
        return BEING_READ if is_leased else WAITS


def state_of(job: Job) -> str:
    """What is happening to a job; a lease that ran out holds it no longer."""
    if job.dead_at:
        return DEAD
    if job.lease_until is not None and job.lease_until > timezone.now():
        return BEING_DONE
    return WAITING


def came_of(deliveries: Sequence[Delivery]) -> dict[int, CameOf]:
    """By the delivery's primary key; four queries, whatever their number."""
    pks = [delivery.pk for delivery in deliveries]
    versions = TicketVersion.objects.filter(delivery__in=pks).select_related("ticket")
    events = TicketEvent.objects.filter(delivery__in=pks).select_related("ticket", "choice__field")
    version_of = {row.delivery_id: row for row in versions.defer(*_texts("ticket__"), "body")}
    event_of = {row.delivery_id: row for row in events.defer(*_texts("ticket__"))}
    reading = jobs(Job.Kind.RECEIVE, pks)
    triage = jobs(Job.Kind.PROPOSE, [version.pk for version in version_of.values()])
    return {
        pk: CameOf(
            version=version_of.get(pk),
            event=event_of.get(pk),
            reading=reading.get(pk),
            triage=triage.get(version_of[pk].pk) if pk in version_of else None,
        )
        for pk in pks
    }


def jobs(kind: str, subjects: Sequence[int]) -> Mapping[int, Job]:
    return {job.subject: job for job in Job.objects.filter(kind=kind, subject__in=subjects)}


def _texts(prefix: str) -> tuple[str, ...]:
    """The long columns of a ticket, which no page here shows."""
    return tuple(f"{prefix}{name}" for name in ("search", "body", "resolution"))
