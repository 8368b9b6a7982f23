"""Figures, ages and cited words, said so that a person in a hurry reads them rightly."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django import template
from django.contrib.messages.storage.base import Message
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from review.lines import Torn
from review.metrics.estimators import Interval
from review.models import Decision
from triage.models import ProposedValue

register = template.Library()

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# A ticket less typical than this share of what was learnt from is worth a warning.
UNUSUAL_BELOW = 0.05
# Of what a model is torn between, so many are named.
TORN_SHOWN = 3


@register.filter
def age(since: datetime | None) -> str:
    """`4 min`, `3 h`, `12 days`; the unit that a person would say."""
    if since is None:
        return ""
    passed = timezone.now() - since
    if passed < MINUTE:
        return _("just now")
    if passed < HOUR:
        return _("%(minutes)s min") % {"minutes": passed // MINUTE}
    if passed < DAY:
        return _("%(hours)s h") % {"hours": passed // HOUR}
    days = passed // DAY
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


@register.filter
def ago(since: datetime | None) -> str:
    """`4 min ago`, each unit as a whole, because some languages bend it after their `ago`."""
    if since is None:
        return ""
    passed = timezone.now() - since
    if passed < MINUTE:
        return _("just now")
    if passed < HOUR:
        return _("%(minutes)s min ago") % {"minutes": passed // MINUTE}
    if passed < DAY:
        return _("%(hours)s h ago") % {"hours": passed // HOUR}
    days = passed // DAY
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}


@register.filter
def percent(share: float) -> str:
    """A fraction as whole percent; never 0 or 100 unless it is exactly that."""
    whole = round(share * 100)
    if whole == 0 and share > 0:
        return "< 1 %"
    if whole == 100 and share < 1:
        return "> 99 %"
    return f"{whole} %"


@register.filter
def span(interval: Interval) -> str:
    """`3–19 %`"""
    return f"{interval.low * 100:.0f}–{interval.high * 100:.0f} %"


@register.filter
def in_ten(probability: float) -> str:
    """A probability as a count of cases: `about 9 in 10`."""
    if probability >= 0.995:
        return _("more than 99 in 100")
    if probability >= 0.975:
        return _("about 49 in 50")
    if probability >= 0.93:
        return _("about 19 in 20")
    if probability < 0.05:
        return _("fewer than 1 in 20")
    return _("about %(tenths)s in 10") % {"tenths": max(1, round(probability * 10))}


@register.filter
def meaning(value: ProposedValue) -> str:
    """What the model's probability stands for, and how far such figures were off when tested."""
    if value.probability is None:
        return ""
    expects = _("The model expects %(often)s like this to be right.") % {
        "often": in_ten(value.probability)
    }
    if value.basis == ProposedValue.Basis.PARENT:
        # Only probabilities of single choices were tested.
        return expects
    evidence = value.prediction.model_version.evidence if value.prediction else {}
    error, tickets = evidence.get("calibration_error"), evidence.get("held_out")
    if error is None or tickets is None:
        return expects
    tested = ngettext(
        "Tested on %(tickets)s ticket, such figures were off by %(points)s points.",
        "Tested on %(tickets)s tickets, such figures were off by %(points)s points on average.",
        tickets,
    ) % {"tickets": tickets, "points": number_format(error * 100, 1)}
    return f"{expects} {tested}"


@register.filter
def doubt(value: ProposedValue) -> str:
    """Why a value that a model has an opinion on was left open; else empty."""
    if value.asked is None or value.prediction is None:
        return ""
    if value.doubt == ProposedValue.Doubt.UNLIKE:
        return _(
            "Left open: this ticket is unlike anything the model was taught (%(share)s of that "
            "looks stranger, asked for %(asked)s)."
        ) % {"share": percent(value.prediction.in_scope), "asked": percent(value.asked)}
    sure, asked = percent(value.probability or 0.0), percent(value.asked)
    if sure == asked:
        sure = _("just under %(share)s") % {"share": asked}
    return _("Left open: the model is not sure (%(sure)s, asked for %(asked)s).") % {
        "sure": sure,
        "asked": asked,
    }


@register.filter
def between(torn: Torn) -> str:
    """`VPN 34 %, Wi-Fi 31 %: both are Network.`; the likeliest three by name."""
    shown = ", ".join(
        f"{name or _('%(parent)s itself') % {'parent': torn.parent}} {percent(share)}"
        for name, share in torn.between[:TORN_SHOWN]
    )
    more = len(torn.between) - TORN_SHOWN
    if more > 0:
        return ngettext(
            "%(shown)s and %(more)s more: all are %(parent)s.",
            "%(shown)s and %(more)s more: all are %(parent)s.",
            more,
        ) % {"shown": shown, "more": more, "parent": torn.parent}
    if len(torn.between) == 2:
        return _("%(shown)s: both are %(parent)s.") % {"shown": shown, "parent": torn.parent}
    return _("%(shown)s: all are %(parent)s.") % {"shown": shown, "parent": torn.parent}


@register.filter
def unusual(value: ProposedValue) -> str:
    """A warning where the ticket is unlike what the model learnt from; else empty."""
    if value.prediction is None or value.prediction.in_scope >= UNUSUAL_BELOW:
        return ""
    return _("This ticket is unlike what the model learnt from: look twice.")


@register.filter
def item(mapping: Mapping[str, object], key: object) -> object:
    return mapping.get(str(key))


@register.simple_tag
def cited(text: str, words_for: Iterable[str], words_against: Iterable[str]) -> SafeString:
    """The text, escaped, with whole cited words marked; the longest wins where two overlap."""
    against = {word.lower() for word in words_against}
    wanted = against | {word.lower() for word in words_for}
    wanted.discard("")
    if not wanted:
        return format_html("{}", text)
    longest_first = sorted(wanted, key=len, reverse=True)
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)"
    # Split by one group: every second part is a cited word.
    parts = re.split(pattern, text, flags=re.IGNORECASE)
    return format_html_join(
        "",
        "{}",
        ((_marked(part, against) if place % 2 else part,) for place, part in enumerate(parts)),
    )


def _marked(word: str, against: set[str]) -> SafeString:
    if word.lower() in against:
        return format_html('<mark class="against">{}</mark>', word)
    return format_html("<mark>{}</mark>", word)


def undo_tag(decision: Decision) -> str:
    """What makes a message offer to take the decision back."""
    return f"undo-{decision.pk}"


@register.filter
def undoes(message: Message) -> int | None:
    """The decision that a message offers to take back, by primary key."""
    found = re.search(r"\bundo-(\d+)", message.extra_tags or "")
    return int(found.group(1)) if found else None
