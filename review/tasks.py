"""The Celery edge of this app: what the beat asks for."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone
from knox.models import AuthToken

from review import concerns, leases
from review.metrics import rollups
from review.weekly import sending
from triage.learning import vectors


@shared_task(name="review.tidy")
def tidy() -> None:
    """Forget sessions, API tokens, leases and sentence vectors that are too old, and put concerns
    on record; safe to repeat.
    """
    call_command("clearsessions")
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()
    leases.tidy()
    vectors.tidy()
    concerns.put_on_record()


@shared_task(name="review.count_days")
def count_days() -> None:
    """Count the days anew of which something changed, so that no report has to; safe to repeat."""
    rollups.catch_up()


@shared_task(name="review.send_weekly_reports")
def send_weekly_reports() -> None:
    """Send the weekly report that is due to whoever was not sent it; safe to repeat."""
    sending.send_due()
