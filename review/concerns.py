"""Concerns: reported by anybody, past the line, and answered by auditors.

The ledger is read by team leads and owners too. So it never names who reported; and its entry is
made with those of the day at night, so that its place among decisions gives nobody away.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, time

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from review.models import Concern
from triage import ledger
from triage.models import LedgerEntry, Ticket

logger = logging.getLogger(__name__)

OPEN, ANSWERED = "open", "answered"
ANSWERS = "review.answer_concern"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class AlreadyAnswered(Exception):
    """Somebody was first; the concern names them."""


def report(*, by: User, text: str, ticket: Ticket | None, is_anonymous: bool) -> Concern:
    """Store a concern. Of an anonymous one the day is kept, neither the person nor the hour."""
    now = timezone.now()
    return Concern.objects.create(
        reporter=None if is_anonymous else by,
        ticket=ticket,
        text=text,
        reported_at=_midnight(now) if is_anonymous else now,
    )


@transaction.atomic
def answer(concern: Concern, *, by: User, text: str) -> Concern:
    """The first answer is kept; AlreadyAnswered for a second one."""
    locked = Concern.objects.select_for_update(of=("self",)).get(pk=concern.pk)
    if locked.answered_at is not None:
        raise AlreadyAnswered(f"Concern {locked.pk} has an answer.")
    locked.answer, locked.answered_by, locked.answered_at = text, by, timezone.now()
    locked.save(update_fields=["answer", "answered_by", "answered_at"])
    ledger.append(
        kind=LedgerEntry.Kind.CONCERN,
        subject=f"concern:{locked.pk}",
        payload={"event": "answered"},
        actor=ledger.actor_of(by),
    )
    return locked


def concerns(state: str = "") -> QuerySet[Concern]:
    """Newest first; `state` is OPEN, ANSWERED or empty."""
    rows = Concern.objects.select_related("reporter", "ticket__source", "answered_by").defer(
        "ticket__body", "ticket__search", "ticket__resolution"
    )
    if state in (OPEN, ANSWERED):
        rows = rows.filter(answered_at__isnull=state == OPEN)
    return rows


def put_on_record() -> int:
    """What was reported since the last time, in the ledger and, if anonymous, told to auditors."""
    ours = LedgerEntry.objects.filter(
        subject=Concat(
            Value("concern:"), Cast(OuterRef("pk"), CharField()), output_field=CharField()
        ),
        payload__event="reported",
    )
    with transaction.atomic():
        new = list(
            Concern.objects.select_for_update()
            .filter(~Exists(ours))
            .order_by("pk")
            .only("pk", "reporter")
        )
        ledger.append_all(
            [
                ledger.Entry(LedgerEntry.Kind.CONCERN, f"concern:{one.pk}", {"event": "reported"})
                for one in new
            ]
        )
    tell_auditors(one for one in new if one.reporter_id is None)
    return len(new)


def tell_auditors(new: Iterable[Concern]) -> None:
    """A mail that there is something to read, without a word of it. One that fails is let go."""
    found = list(new)
    if not found:
        return
    auditors = User.objects.with_perm(ANSWERS, include_superusers=False, backend=BACKEND)
    addresses = sorted(
        auditors.filter(is_active=True).exclude(email="").values_list("email", flat=True)
    )
    if not addresses:
        return
    links = "\n".join(f"{settings.SITE_URL}/concerns/{one.pk}/" for one in found)
    mail = EmailMessage(
        subject="[Countersign] A concern was reported",
        body=f"Somebody has reported a concern. Only auditors can read and answer it:\n{links}\n",
        bcc=addresses,
    )
    try:
        mail.send()
    except (OSError, ValueError) as error:
        # Nobody's report fails for want of a mail server; the list of concerns has it all.
        logger.warning("no mail about a concern: %s", type(error).__name__)


def _midnight(now: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
