"""Moments as people ask for them: how long ago, and exactly when."""

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

SCRIPT = "triage/local_times.js"


def moment(at: datetime | None) -> SafeString | str:
    """How long ago, and when in the desk's time zone; SCRIPT turns that into the browser's zone."""
    if at is None:
        return "-"
    return format_html(
        '{} <time class="desk-time" datetime="{}">{}</time>',
        naturaltime(at),
        at.isoformat(),
        timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z"),
    )


def age(seconds: float) -> str:
    """`12 seconds`, `4 minutes`, `3 hours`, `12 days`: rounded down, in the unit one would say."""
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = int(seconds // size)
        if count or name == "second":
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    raise AssertionError("Seconds end the list.")
