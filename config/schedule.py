"""What the beat asks for, and how often."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, Any] = {
    "tidy": {
        "task": "review.tidy",
        "schedule": timedelta(days=1),
        # A worker that was away does it once, not once for each day.
        "options": {"expires": 6 * 3600},
    },
    "count days": {
        "task": "review.count_days",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "send weekly reports": {
        "task": "review.send_weekly_reports",
        # Due on Monday at 06:00 in the service's time zone, whatever its clocks do: asked each
        # quarter hour, so that one that was missed is made up for. Nobody is sent one twice.
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 15 * 60},
    },
    "look after models": {
        "task": "triage.look_after_models",
        # In UTC. Days that a service which was away has missed are made up for.
        "schedule": crontab(hour=2, minute=17),
        "options": {"expires": 6 * 3600},
    },
}
