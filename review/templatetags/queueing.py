"""How many wait and how long there is to go, said calmly."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from review.queue import COUNTED_UPTO, QueuePage, counted
from triage.models import Waiting

register = template.Library()

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@register.filter
def upto(number: int) -> str:
    """`1,000+` for whatever is more than is counted."""
    return _("1,000+") if number > COUNTED_UPTO else str(number)


@register.filter
def lasting(span: timedelta) -> str:
    """`45 min`, `3 h`, `3 h 30 min`, `2 days`."""
    if span >= 2 * DAY:
        days = span // DAY
        return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    minutes = span // MINUTE
    if minutes < 120:
        return _("%(minutes)s min") % {"minutes": minutes}
    hours, rest = divmod(minutes, 60)
    if rest and hours < 12:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    return _("%(hours)s h") % {"hours": hours}


@register.filter
def is_over(due: datetime) -> bool:
    return timezone.now() - due >= MINUTE


@register.filter
def due_words(due: datetime) -> str:
    """`due 14:05`, `due Tue 14:05`, or `12 min over target`."""
    now = timezone.now()
    if now - due >= MINUTE:
        return _("%(late)s over target") % {"late": lasting(_coarse(now - due))}
    return _("due %(moment)s") % {"moment": clock(due)}


@register.filter
def clock(moment: datetime) -> str:
    """A moment near now, as short as it is plain: the time, the weekday with it, or the date."""
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return date_format(local, "H:i")
    if abs(local.date() - today) < 7 * DAY:
        return date_format(local, "D H:i")
    return date_format(local, "j M")


def _coarse(span: timedelta) -> timedelta:
    """From two hours on, whole hours will do."""
    return span if span < 2 * HOUR else span // HOUR * HOUR


@register.simple_tag(takes_context=True)
def waiting_count(context: template.Context) -> int:
    """How many wait, up to one more than is counted; the page's own figure where it has one."""
    page = context.get("queue")
    if isinstance(page, QueuePage) and not page.filter.narrows:
        return page.total
    return counted(Waiting.objects.all())
