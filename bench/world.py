"""Desks: connected sources as owners set them up, each with the demo company's catalogue."""

import base64
import secrets
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from triage.demo import past
from triage.demo.company import Entry, entries
from triage.demo.corpus import SEED, split, stories
from triage.learning import registry, training
from triage.models import Choice, Field, ModelVersion, Source, SourceSecret

FIELDS = (("category", "Category"), ("team", "Team"), ("priority", "Priority"))
# Above anything a check can send, so that only the check of the limit itself meets the limit.
UNLIMITED = 100_000_000
_numbers = count(1)


@dataclass(frozen=True)
class Desk:
    """A connected source; `secret` is the one that signs its deliveries."""

    source: Source
    secret: str


@transaction.atomic
def new_desk(**over: Any) -> Desk:
    """An active source with an owner, a live inbound secret, and category (main), team, priority.

    `over` changes the source. Without an api_url nothing is written back.
    """
    number = f"{next(_numbers)}-{secrets.token_hex(3)}"
    values: dict[str, Any] = {
        "slug": f"desk-{number}",
        "name": f"Desk {number}",
        "deliveries_per_minute": UNLIMITED,
        # What is answered first cannot be decided at once; checks of that ask for it.
        "blind_share": 0.0,
    }
    if "owner" not in over:
        values["owner"] = User.objects.create_user(f"owner-{number}")
    source = Source.objects.create(**values | over)
    _catalogue(source)
    return Desk(source, new_secret(source))


def new_secret(source: Source, purpose: str = SourceSecret.Purpose.INBOUND) -> str:
    """One more live secret of the source, in the clear."""
    value = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    secret = SourceSecret(source=source, purpose=purpose)
    secret.put(value)
    secret.save()
    return value


def train_champion(desk: Desk) -> ModelVersion:
    """A model for the category that learnt the demo's past, in service.

    The past comes as solved tickets of the desk that no delivery brought.
    """
    past.load(desk.source, split(stories())[0], now=timezone.now())
    field = Field.objects.get(source=desk.source, key="category")
    version = training.train(field, owner=desk.source.owner, seed=SEED)
    registry.promote(version, by=desk.source.owner, reason="The first model.")
    return version


@cache
def trained_desk() -> Desk:
    """A desk with a champion that checks share, because training takes seconds.

    Whoever uses it sends tickets under ids of its own.
    """
    desk = new_desk()
    train_champion(desk)
    return desk


def _catalogue(source: Source) -> None:
    made: dict[str, dict[str, Choice]] = {}
    for position, (key, name) in enumerate(FIELDS):
        field = Field.objects.create(
            source=source,
            key=key,
            name=name,
            position=position,
            is_main=key == "category",
            is_ordered=key == "priority",
        )
        made[key] = _choices(field, entries(key))
    for entry in entries("category"):
        if "team" in entry:
            made["category"][entry["key"]].implies.add(made["team"][entry["team"]])


def _choices(field: Field, told: list[Entry]) -> dict[str, Choice]:
    made: dict[str, Choice] = {}
    for entry in told:
        made[entry["key"]] = Choice.objects.create(
            field=field,
            key=entry["key"],
            name=entry["name"],
            parent=made.get(entry.get("parent", "")),
            rank=entry.get("rank", 0),
        )
    return made
