"""Weeks from Monday to Sunday in the service's time zone, and when their report is due."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

WEEK = timedelta(days=7)
HOUR = time(6)
WRITTEN = re.compile(r"([0-9]{4})-W([0-9]{2})")


@dataclass(frozen=True)
class Week:
    monday: date

    def __str__(self) -> str:
        year, number, _day = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def last(self) -> date:
        return self.monday + timedelta(days=6)

    @classmethod
    def parse(cls, text: str) -> Self:
        """2026-W47, as ISO 8601 writes a week. ValueError for what is none."""
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"A week is written as 2026-W47; got {text[:40]!r}.")
        year, number = int(found[1]), int(found[2])
        if not 2000 <= year <= 2199:
            raise ValueError(f"The year of a week lies between 2000 and 2199; got {year}.")
        return cls(date.fromisocalendar(year, number, 1))

    @classmethod
    def before(cls, day: date) -> Self:
        """The last week that was over when this day began."""
        return cls(day - timedelta(days=day.weekday()) - WEEK)

    def due(self, now: datetime) -> datetime:
        """Six o'clock on the Monday after, on the clocks of the zone of `now`."""
        return datetime.combine(self.monday + WEEK, HOUR, tzinfo=now.tzinfo)


def newest_due(now: datetime) -> Week:
    """The newest week whose report is due at `now`, which is in the service's time zone."""
    week = Week.before(now.date())
    return week if week.due(now) <= now else Week(week.monday - WEEK)
