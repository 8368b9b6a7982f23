"""Changes of policy in plain words for everybody who reviews: what changed, and who did it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from review.metrics.definitions import DEFINITIONS
from review.models import DrillProgramme, MetricDefinition, Reason
from triage.models import (
    Certificate,
    Choice,
    EmergencyStop,
    EscalationRule,
    LedgerEntry,
    ModelVersion,
    Playbook,
    Rung,
)

# Type in an entry's subject -> the table, and what its name needs besides the row.
TABLES: Mapping[str, tuple[type[Model], tuple[str, ...]]] = {
    "rule": (EscalationRule, ("source",)),
    "rung": (Rung, ("playbook", "field", "choice__parent")),
    "playbook": (Playbook, ("source",)),
    "reason": (Reason, ()),
    "stop": (EmergencyStop, ("source", "choice")),
    "certificate": (Certificate, ("choice__parent",)),
    "choice": (Choice, ("parent", "field")),
    "model": (ModelVersion, ("field",)),
    "definition": (MetricDefinition, ()),
    "drills": (DrillProgramme, ("source",)),
}
POLICIES = "|".join(kind for kind in TABLES if kind != "model")
Payload = Mapping[str, Any]


@dataclass(frozen=True)
class PolicyNews:
    """`said` is a sentence without who; `because` is what the owner wrote, maybe nothing.

    `href` leads to where something can be done about it, as a vote does that is open.
    """

    kind: str
    said: str
    because: str
    who: str
    actor: str
    href: str = ""


def entries(since: datetime) -> QuerySet[LedgerEntry]:
    """What people who review are told of: not secrets, tokens, trainings and connections."""
    policy = Q(kind=LedgerEntry.Kind.POLICY, subject__regex=rf"^({POLICIES}):")
    service = Q(kind=LedgerEntry.Kind.MODEL, subject__startswith="model:", payload__in_service=True)
    kinds = [LedgerEntry.Kind.POLICY, LedgerEntry.Kind.MODEL]
    return LedgerEntry.objects.filter(policy | service, kind__in=kinds, at__gt=since)


def told(sequences: Collection[int]) -> dict[int, PolicyNews]:
    """By sequence; one query for each type of row among them, and one for the people."""
    if not sequences:
        return {}
    found = list(LedgerEntry.objects.filter(pk__in=sequences))
    rows = _rows(entry.subject for entry in found)
    keys = {entry.actor: entry.actor.removeprefix("user:") for entry in found}
    people = User.objects.in_bulk([int(key) for key in keys.values() if key.isdecimal()])
    names = {
        actor: person.get_full_name() or person.get_username()
        for actor, key in keys.items()
        if key.isdecimal() and (person := people.get(int(key)))
    }
    return {entry.sequence: _told(entry, rows, names) for entry in found}


def _told(
    entry: LedgerEntry, rows: Mapping[tuple[str, str], Any], names: Mapping[str, str]
) -> PolicyNews:
    kind, _colon, key = entry.subject.partition(":")
    row = rows.get((kind, key))
    name = _name(kind, row) if row is not None else key
    reason = entry.payload.get("reason")
    return PolicyNews(
        kind=kind,
        said=SENTENCES[kind](name, entry.payload, row),
        because=reason if isinstance(reason, str) else "",
        who=names.get(entry.actor, ""),
        actor=entry.actor,
        href=_page_of(row),
    )


def _rows(subjects: Iterable[str]) -> dict[tuple[str, str], Model]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for subject in subjects:
        kind, _colon, key = subject.partition(":")
        if kind in TABLES and key.isascii() and key.isdigit() and len(key) < 19:
            wanted[kind].add(int(key))
    found: dict[tuple[str, str], Model] = {}
    for kind, keys in wanted.items():
        table, related = TABLES[kind]
        rows = table._default_manager.select_related(*related).in_bulk(keys)
        found |= {(kind, str(key)): row for key, row in rows.items()}
    return found


def _page_of(row: Any) -> str:
    if isinstance(row, MetricDefinition) and row.key in DEFINITIONS:
        return reverse("review:definition", args=[row.key, row.version])
    if isinstance(row, DrillProgramme):
        return reverse("review:drills")
    return ""


def _name(kind: str, row: Any) -> str:
    if isinstance(row, Choice):
        return _path(row)
    if isinstance(row, MetricDefinition):
        return str(DEFINITIONS[row.key].name) if row.key in DEFINITIONS else row.key
    if isinstance(row, DrillProgramme):
        return str(row.source)
    if isinstance(row, Certificate):
        return _path(row.choice)
    if isinstance(row, ModelVersion):
        return str(row.field.name)
    if isinstance(row, EmergencyStop):
        if row.choice is not None:
            return str(row.choice)
        return str(row.source) if row.source else _("everything")
    if isinstance(row, Rung):
        if row.choice is not None:
            return _path(row.choice)
        return str(row.playbook or row.field)
    return str(row)


def _path(choice: Choice) -> str:
    return f"{choice.parent} › {choice}" if choice.parent else str(choice)


# --- Sentences --------------------------------------------------------------------------------
def _switched(payload: Payload) -> bool | None:
    """Whether the change switched the row on or off; None if it did neither."""
    fields = {str(field).lower().replace("_", " ") for field in payload.get("fields", [])}
    if not fields & {"active", "is active"}:
        return None
    return bool(payload.get("is_active"))


def _rule(name: str, payload: Payload, row: Any) -> str:
    if payload.get("event") == "added":
        return _("New rule “%(name)s”") % {"name": name}
    if (is_on := _switched(payload)) is not None:
        said = (
            _("Rule “%(name)s” was switched on") if is_on else _("Rule “%(name)s” was switched off")
        )
        return said % {"name": name}
    return _("Rule “%(name)s” was changed") % {"name": name}


def _playbook(name: str, payload: Payload, row: Any) -> str:
    if payload.get("event") == "added":
        return _("New playbook “%(name)s”") % {"name": name}
    if (is_on := _switched(payload)) is not None:
        said = (
            _("Playbook “%(name)s” was switched on")
            if is_on
            else _("Playbook “%(name)s” was switched off")
        )
        return said % {"name": name}
    return _("Playbook “%(name)s” was changed") % {"name": name}


def _reason(name: str, payload: Payload, row: Any) -> str:
    if payload.get("event") == "added":
        return _("New reason “%(name)s”") % {"name": name}
    if (is_on := _switched(payload)) is not None:
        said = (
            _("Reason “%(name)s” can be chosen again")
            if is_on
            else _("Reason “%(name)s” is no longer offered")
        )
        return said % {"name": name}
    return _("Reason “%(name)s” was changed") % {"name": name}


def _rung(name: str, payload: Payload, row: Any) -> str:
    levels = {
        "off": _("%(name)s is no longer proposed"),
        "shadow": _("%(name)s is tried out without being shown"),
        "suggest": _("%(name)s is suggested, and a person decides"),
        "prefill": _("%(name)s is filled in beforehand, and a person decides"),
        "auto": _("%(name)s may be applied without a person"),
    }
    changed = _("The rung of %(name)s was changed")
    moved = payload.get("event") == "added" or "level" in payload.get("fields", [])
    said = levels.get(str(payload.get("level")), changed) if moved else changed
    return said % {"name": name}


def _stop(name: str, payload: Payload, row: Any) -> str:
    if payload.get("event") == "released":
        return _("The emergency stop of %(name)s was released") % {"name": name}
    return _("Emergency stop of %(name)s: nothing is applied without a person") % {"name": name}


def _certificate(name: str, payload: Payload, row: Any) -> str:
    if str(payload.get("event", "")).startswith("ended"):
        said = _("The certificate of %(name)s ended, because its model has drifted")
    else:
        said = _("%(name)s was certified: it was right often enough when checked")
    return said % {"name": name}


def _choice(name: str, payload: Payload, row: Any) -> str:
    events = {
        "added": _("New choice %(name)s"),
        "retired": _("%(name)s is retired: it is proposed no more"),
        "brought back": _("%(name)s is a choice again"),
        "deleted": _("Choice %(name)s is gone"),
    }
    said = events.get(str(payload.get("event")), _("Choice %(name)s was changed"))
    return said % {"name": name}


def _model(name: str, payload: Payload, row: Any) -> str:
    if row is None:
        return _("A model was put into service")
    said = (
        _("Version %(number)s now answers for %(name)s, instead of the one before")
        if payload.get("instead_of")
        else _("Version %(number)s now answers for %(name)s")
    )
    return said % {"number": row.number, "name": name}


def _definition(name: str, payload: Payload, row: Any) -> str:
    events = {
        "proposed": _("Version %(number)s of the metric “%(name)s” is proposed: discuss it"),
        "withdrawn": _("Version %(number)s of the metric “%(name)s” was withdrawn"),
        "vote opened": _("Vote on version %(number)s of the metric “%(name)s”"),
        "vote closed": _("The vote on version %(number)s of the metric “%(name)s” is closed"),
        "activated": _("Version %(number)s of the metric “%(name)s” is in force"),
        "retired": _("Version %(number)s of the metric “%(name)s” is retired"),
    }
    said = events.get(str(payload.get("event")), _("The metric “%(name)s” was changed"))
    return said % {"number": payload.get("version"), "name": name}


def _drills(name: str, payload: Payload, row: Any) -> str:
    switched = payload.get("event") == "added" or "is_on" in payload.get("fields", [])
    if switched and payload.get("is_on"):
        said = _("Drills in %(name)s were switched on: read what that means")
    elif switched and payload.get("event") != "added":
        said = _("Drills in %(name)s were switched off")
    else:
        said = _("The drills in %(name)s were set anew: read what that means")
    return said % {"name": name}


SENTENCES: Mapping[str, Callable[[str, Payload, Any], str]] = {
    "rule": _rule,
    "playbook": _playbook,
    "reason": _reason,
    "rung": _rung,
    "stop": _stop,
    "certificate": _certificate,
    "choice": _choice,
    "model": _model,
    "definition": _definition,
    "drills": _drills,
}
