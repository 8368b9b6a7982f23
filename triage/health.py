"""Whether the process answers, and whether it can do its work. Without login, never cached."""

import logging
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from triage.jobs import leases
from triage.jobs.lanes import PROMPT_KINDS
from triage.models import Job

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_SECONDS = 1.0


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; asks nothing else."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """503 without the database. A dead broker only slows the work down: degraded, 200.

    `oldest_job_seconds` is the age of the oldest job that is neither done nor dead; workers that
    are stuck show there and nowhere else. Trainings take minutes and are left out.
    """
    broker = _broker()
    database, age = _database()
    status = "not ready"
    if database:
        status = "ready" if broker else "degraded"
    answer: dict[str, Any] = {
        "status": status,
        "database": "ok" if database else "down",
        "broker": "ok" if broker else "down",
        "oldest_job_seconds": age,
    }
    return JsonResponse(answer, status=200 if database else 503)


def oldest_ticket_seconds() -> float:
    """How long the oldest delivery or ticket has waited for its proposal to be made."""
    return leases.oldest_age_seconds([Job.Kind.RECEIVE, Job.Kind.PROPOSE])


def _database() -> tuple[bool, float | None]:
    try:
        return True, round(leases.oldest_age_seconds(PROMPT_KINDS), 1)
    except Error as error:
        logger.warning("not ready, the database failed: %s", type(error).__name__)
        return False, None


def _broker() -> bool:
    try:
        with Redis.from_url(
            settings.CELERY_BROKER_URL,
            socket_timeout=BROKER_TIMEOUT_SECONDS,
            socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
        ) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False


urlpatterns = [path("health/", health, name="health"), path("ready/", ready, name="ready")]
