"""Who is sent the weekly report, and that each is sent it once."""

import logging
from smtplib import SMTPException
from time import monotonic

from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from review.metrics.window import local_now
from review.models import WeeklySent, WeeklySubscription
from review.weekly import pdf
from review.weekly.contents import Content, content
from review.weekly.weeks import Week, newest_due
from triage.models import Source

logger = logging.getLogger(__name__)

RECEIVES = "review.receive_weeklyreport"
BACKEND = "django.contrib.auth.backends.ModelBackend"
# A run stops after so long; the next goes on with whoever is left.
MOST_SECONDS = 60.0


def subscribe(person: User, *, source: Source | None, language: str) -> WeeklySubscription:
    """Ask for it, or for another source or language. Safe to repeat."""
    row, _made = WeeklySubscription.objects.update_or_create(
        person=person,
        defaults={"source": source, "language": language},
        create_defaults={"source": source, "language": language, "since": timezone.now()},
    )
    return row


def unsubscribe(person: User) -> None:
    WeeklySubscription.objects.filter(person=person).delete()


def send_due() -> int:
    """Send everybody the report that is due and that they have not been sent; answers how many.

    Safe to repeat and to run twice at once. Who asked for it after it was due waits for the next.
    Who may no longer see metrics, has left or has no address is passed over.
    """
    now = local_now()
    week = newest_due(now)
    made: dict[tuple[int | None, str], EmailMultiAlternatives] = {}
    sent, end = 0, monotonic() + MOST_SECONDS
    for subscription in _due(week, week.due(now)):
        if monotonic() > end:
            break
        kind = (subscription.source_id, subscription.language)
        if kind not in made:
            made[kind] = written(week, subscription.source, subscription.language)
        sent += _send(subscription.person, week, made[kind])
    return sent


def written(week: Week, source: Source | None, language: str) -> EmailMultiAlternatives:
    """The mail without a recipient: plain text, HTML, and the PDF attached."""
    with override(language):
        told = content(week, source)
        mail = EmailMultiAlternatives(
            subject=_("[Countersign] Week %(week)s: %(source)s")
            % {
                "week": str(week),
                # One line: a name with a line break would be refused as a header.
                "source": " ".join(source.name.split()) if source else _("all sources"),
            },
            body=render_to_string("review/weekly/mail.txt", {"content": told}),
        )
        html = render_to_string("review/weekly/mail.html", {"content": told, "language": language})
        mail.attach_alternative(html, "text/html")
        mail.attach(file_name(told), pdf.made(told, language), "application/pdf")
    return mail


def file_name(told: Content) -> str:
    return f"countersign-{told.week}{f'-{told.source.slug}' if told.source else ''}.pdf"


def _due(week: Week, due: object) -> list[WeeklySubscription]:
    may = User.objects.with_perm(RECEIVES, include_superusers=False, backend=BACKEND)
    rows = WeeklySubscription.objects.filter(
        person__in=may.filter(is_active=True).exclude(email=""), since__lt=due
    )
    had = WeeklySent.objects.filter(monday=week.monday).values("person")
    return list(
        rows.exclude(person__in=had)
        .select_related("person", "source")
        .order_by("source_id", "language", "pk")
    )


def _send(person: User, week: Week, mail: EmailMultiAlternatives) -> bool:
    """The row first: a second sender waits for it and then finds it.

    A mail that fails leaves no row and is tried again at the next run; one that was sent but whose
    row could not be kept goes twice.
    """
    try:
        with transaction.atomic():
            WeeklySent.objects.create(person=person, monday=week.monday, sent_at=timezone.now())
            mail.to = [person.email]
            mail.send()
    except IntegrityError:
        return False
    except (SMTPException, OSError, ValueError) as error:
        logger.warning(
            "the report of %s was not sent to user %s: %s", week, person.pk, type(error).__name__
        )
        return False
    return True
