"""Figures in words. Percent and minutes for people; exports carry the plain numbers."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from review.metrics.estimators import Interval

NO_BREAK = "\N{NO-BREAK SPACE}"
EN_DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
MINUTE, HOUR, DAY = 60, 3600, 86_400


def whole(number: int) -> str:
    return number_format(number, 0, use_l10n=True, force_grouping=True)


def percent(rate: float) -> str:
    """A fraction as percent. What is not zero never reads as zero, nor what is not all as all."""
    rounded = f"{100 * rate:.0f}"
    if rounded == "0" and rate > 0:
        rounded = "<1"
    if rounded == "100" and rate < 1:
        rounded = ">99"
    return f"{rounded}{NO_BREAK}%"


def percent_range(interval: Interval) -> str:
    return f"{100 * interval.low:.0f}{EN_DASH}{100 * interval.high:.0f}{NO_BREAK}%"


def decimal(number: float) -> str:
    """To two places; what is not quite 1 never reads as 1."""
    rounded = min(number, 0.99) if number < 1 else number
    return number_format(rounded, 2, use_l10n=True).replace("-", MINUS)


def decimal_range(interval: Interval) -> str:
    return _("%(low)s to %(high)s") % {"low": decimal(interval.low), "high": decimal(interval.high)}


def points(difference: float) -> str:
    """A difference of fractions in percentage points, always with its sign."""
    rounded = f"{100 * abs(difference):.0f}"
    sign = "±" if rounded == "0" else MINUS if difference < 0 else "+"
    return f"{sign}{rounded}"


def points_range(interval: Interval) -> str:
    return _("%(low)s to %(high)s points") % {
        "low": points(interval.low),
        "high": points(interval.high),
    }


def duration(seconds: float) -> str:
    """The two largest units that matter: 40 s, 12 min, 3 h 5 min, 2 d 4 h."""
    if seconds < MINUTE:
        return f"{seconds:.0f}{NO_BREAK}{pgettext('seconds', 's')}"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes}{NO_BREAK}{pgettext('minutes', 'min')}"
    if seconds < DAY:
        return _two(minutes, HOUR // MINUTE, pgettext("hours", "h"), pgettext("minutes", "min"))
    return _two(round(seconds / HOUR), DAY // HOUR, pgettext("days", "d"), pgettext("hours", "h"))


def duration_range(interval: Interval) -> str:
    return f"{duration(interval.low)} {EN_DASH} {duration(interval.high)}"


def _two(amount: int, size: int, large: str, small: str) -> str:
    whole_units, rest = divmod(amount, size)
    text = f"{whole_units}{NO_BREAK}{large}"
    return f"{text} {rest}{NO_BREAK}{small}" if rest else text
