"""The newest changes of policy in the words of the desk: what, how, by whom, with a link."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from triage.admin.base import full_name
from triage.admin.record import LEDGER_PAGES
from triage.models import Choice, LedgerEntry, ModelVersion, Rung, TrainingRun

LATEST = 8
# What a name needs besides its own row, so that eight entries cost no query each.
NEEDED = {
    "rung": ("playbook", "field", "choice__parent"),
    "choice": ("parent",),
    "model": ("field",),
    "training": ("field",),
    "certificate": ("choice",),
    "stop": ("source", "choice"),
    "secret": ("source",),
}
TITLES = {"stop": "Emergency stop of", "token": "API token", "training": "Training of"}
Known = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class Change:
    """One line of the first page; no link where the person may not open the row."""

    entry: LedgerEntry
    about: str
    happened: str
    who: str
    link: str


def latest_changes(request: HttpRequest) -> list[Change]:
    """The newest entries about policy and models; one query for each type of row among them."""
    kinds = [LedgerEntry.Kind.POLICY, LedgerEntry.Kind.MODEL]
    entries = list(LedgerEntry.objects.filter(kind__in=kinds).order_by("-sequence")[:LATEST])
    known = _rows(entry.subject for entry in entries)
    ids = [entry.actor.removeprefix("user:") for entry in entries]
    people = User.objects.in_bulk([int(one) for one in ids if one.isdecimal()])
    return [
        Change(
            entry=entry,
            about=about(entry.subject, known),
            happened=happened(entry.payload),
            who=full_name(people.get(int(one))) or entry.actor if one.isdecimal() else entry.actor,
            link=_link(request, entry.subject, known),
        )
        for entry, one in zip(entries, ids, strict=True)
    ]


def about(subject: str, known: Known) -> str:
    """`rung:7` as “Rung Network › VPN”; a row that is not there any more keeps its number."""
    kind, _, key = subject.partition(":")
    row = known.get((kind, key))
    title = TITLES.get(kind, kind.capitalize())
    return f"{title} {key if row is None else _name(row, kind)}"


def happened(payload: Mapping[str, Any]) -> str:
    """What an entry says happened, in a few words; empty where the entry itself has to be read."""
    event = str(payload.get("event", "")).rstrip(".")
    if fields := payload.get("fields"):
        if event == "changed":
            event = f"changed: {', '.join(str(field).replace('_', ' ') for field in fields)}"
    elif not event and payload.get("in_service"):
        event = "put into service"
    elif not event and "labels" in payload:
        event = f"trained on {payload['labels']} labels"
    level = payload.get("level")
    return ", ".join(part for part in (event, f"at {level}" if level else "") if part)


def _rows(subjects: Iterable[str]) -> dict[tuple[str, str], Model]:
    """The rows that subjects are about, by type and id."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for subject in subjects:
        kind, _, key = subject.partition(":")
        if kind in LEDGER_PAGES and key.isascii() and key.isdigit():
            wanted[kind].add(int(key))
    found: dict[tuple[str, str], Model] = {}
    for kind, keys in wanted.items():
        table = apps.get_model(LEDGER_PAGES[kind].replace("_", ".", 1))
        rows = table._default_manager.select_related(*NEEDED.get(kind, ()))
        found |= {(kind, str(key)): row for key, row in rows.in_bulk(keys).items()}
    return found


def _name(row: Any, kind: str) -> str:
    if isinstance(row, Rung):
        if row.choice is not None:
            return _path(row.choice)
        return f"{row.field}: all other choices" if row.field else f"of playbook {row.playbook}"
    if isinstance(row, Choice):
        return _path(row)
    if isinstance(row, ModelVersion):
        return f"{row.field.name.lower()} v{row.number}"
    if isinstance(row, TrainingRun):
        return row.field.name.lower()
    if kind == "label":
        return str(row.pk)
    if kind == "certificate":
        return str(row.choice)
    if kind == "stop":
        return str(row.choice or row.source or "everything")
    if kind == "secret":
        return f"{row} of {row.source}"
    return str(row)


def _path(choice: Choice) -> str:
    return f"{choice.parent} › {choice}" if choice.parent else str(choice)


def _link(request: HttpRequest, subject: str, known: Known) -> str:
    kind, _, key = subject.partition(":")
    if (kind, key) not in known:
        return ""
    page = LEDGER_PAGES[kind]
    app, table = page.split("_", 1)
    may = any(request.user.has_perm(f"{app}.{verb}_{table}") for verb in ("view", "change"))
    return reverse(f"admin:{page}_change", args=[key]) if may else ""
