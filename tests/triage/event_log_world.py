"""The log of one incident with a full life, and the command that imports it."""

import csv
import gzip
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from triage.models import TicketEvent

COLUMNS = (
    "number", "opened", "updated", "state", "team", "topic", "solved", "moves", "returns",
)  # fmt: skip
Line = dict[str, str]


def line(minute: int, state: str, number: str = "A", **over: str) -> Line:
    opened = {"number": number, "opened": "2026-03-01T09:00Z"}
    at = f"2026-03-01T{9 + minute // 60:02}:{minute % 60:02}Z"
    given = {"updated": at, "state": state, "team": "desk", "topic": "vpn", **over}
    return dict.fromkeys(COLUMNS, "?") | opened | given


STORY = [
    line(1, "New"),
    line(5, "Active", moves="0"),
    line(9, "Awaiting User Info", team="network", moves="1"),
    line(20, "Active", team="network", topic="wifi", moves="1"),
    line(30, "Awaiting Vendor", team="network", topic="wifi"),
    line(50, "Resolved", team="network", topic="wifi"),
    line(70, "Active", team="network", topic="wifi", returns="1"),
    line(80, "Resolved", team="desk", topic="wifi"),
    line(200, "Closed", team="desk", topic="wifi"),
]
TOLD = [
    ("started", "09:05", None),
    ("reassigned", "09:09", "network"),
    ("awaiting", "09:09", None),
    ("recategorised", "09:20", "wifi"),
    ("started", "09:20", None),
    ("paused", "09:30", None),
    ("resolved", "09:50", None),
    ("reopened", "10:10", None),
    ("started", "10:10", None),
    ("reassigned", "10:20", "desk"),
    ("resolved", "10:20", None),
    ("closed", "12:20", None),
]


def write(path: Path, lines: list[Line]) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return path


def import_log(path: Path, *extra: str) -> str:
    out = StringIO()
    call_command(
        "import_events",
        str(path),
        "--source=real",
        "--id=number",
        "--updated=updated",
        "--state=state",
        "--opened=opened",
        "--team=team",
        "--category=topic",
        "--empty=?",
        f"--report={path.parent / 'refused.csv'}",
        *extra,
        stdout=out,
        verbosity=0,
    )
    return out.getvalue()


def told(number: str = "A") -> list[tuple[str, str, str | None]]:
    events = TicketEvent.objects.filter(ticket__external_id=number).select_related("choice")
    return [
        (event.kind, f"{event.happened_at:%H:%M}", event.choice.key if event.choice else None)
        for event in events
    ]


def refused(folder: Path) -> list[list[str]]:
    with (folder / "refused.csv").open() as file:
        return list(csv.reader(file))[1:]
