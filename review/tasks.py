"""The Celery edge of this app: what the beat asks for once a day."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone
from knox.models import AuthToken

from review import concerns, leases
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
