"""What owners have set up: every choice of every field, and the coded reasons.

Kept by each process, and read again when a row has changed: a digest of the rows takes one
statement, and cannot be out of date, whoever wrote them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef

from review.models import Reason
from triage.models import Choice, Field, ModelVersion, Source

TEAM = "team"
PRIORITY = "priority"


class Catalogue:
    """The choices of all sources, retired ones included, because old decisions name them."""

    def __init__(
        self,
        choices: Iterable[Choice],
        *,
        reasons: Iterable[Reason],
        implied: dict[int, list[int]],
        with_model: set[int],
    ) -> None:
        """`implied` is by choice, what follows from it; `with_model`: fields with a champion."""
        self.by_pk = {choice.pk: choice for choice in choices}
        self.reasons = {reason.pk: reason for reason in reasons}
        self.with_model = with_model
        self._implied = implied
        self._paths: dict[int, str] = {}
        self.fields = {choice.field_id: choice.field for choice in self.by_pk.values()}

    @cached_property
    def sources(self) -> list[Source]:
        """Those that have choices, by name."""
        found = {field.source_id: field.source for field in self.fields.values()}
        return sorted(found.values(), key=lambda source: (source.name, source.pk))

    def main_field(self, source_pk: int) -> Field | None:
        """The field of a source that workflows are grouped by."""
        fields = self.fields.values()
        return next((one for one in fields if one.is_main and one.source_id == source_pk), None)

    def live_reasons(self, applies_to: str) -> list[Reason]:
        return [
            reason
            for reason in self.reasons.values()
            if reason.is_active and reason.applies_to == applies_to
        ]

    @cached_property
    def _children(self) -> dict[int, list[int]]:
        children: dict[int, list[int]] = defaultdict(list)
        for choice in self.by_pk.values():
            if choice.parent_id is not None:
                children[choice.parent_id].append(choice.pk)
        return children

    @cached_property
    def _of_field(self) -> dict[int, list[Choice]]:
        lists: dict[int, list[Choice]] = defaultdict(list)
        for choice in self.by_pk.values():
            lists[choice.field_id].append(choice)
        return lists

    def lineage(self, pk: int) -> list[Choice]:
        """The choice and its parents, outermost first. A loop in the data ends it."""
        line: list[Choice] = []
        seen: set[int] = set()
        step = self.by_pk.get(pk)
        while step is not None and step.pk not in seen:
            seen.add(step.pk)
            line.append(step)
            step = self.by_pk.get(step.parent_id) if step.parent_id is not None else None
        return line[::-1]

    def path(self, pk: int | None) -> str:
        """`Network › VPN`; empty without a choice."""
        if pk is None:
            return ""
        if pk not in self._paths:
            self._paths[pk] = " › ".join(choice.name for choice in self.lineage(pk))
        return self._paths[pk]

    def path_below(self, pk: int, parent_pk: int) -> str:
        """`Remote › VPN`: the path from below the parent on; empty for the parent itself."""
        names = [choice.name for choice in self.lineage(pk)]
        return " › ".join(names[len(self.lineage(parent_pk)) :])

    def key_path(self, field: Field, key: str) -> str:
        """The path of a choice by its key in the helpdesk; the key itself if it is unknown."""
        for choice in self._of_field[field.pk]:
            if choice.key == key:
                return self.path(choice.pk)
        return key

    def is_implied(self, field_pk: int) -> bool:
        """Whether any choice of another field brings one of this field along."""
        ends = {end for pairs in self._implied.values() for end in pairs}
        return any(self.by_pk[end].field_id == field_pk for end in ends if end in self.by_pk)

    def implied(self, pk: int, field_pk: int) -> Choice | None:
        """What a choice implies for another field; like triage, its parents are not asked."""
        for end in self._implied.get(pk, []):
            choice = self.by_pk.get(end)
            if choice and choice.field_id == field_pk and choice.retired_at is None:
                return choice
        return None

    def with_key(self, key: str, *, field: str = "", main: bool = False) -> list[Choice]:
        """The choices of all sources that have this key, in fields of one kind."""
        return [
            choice
            for choice in self.by_pk.values()
            if choice.key == key and (choice.field.is_main if main else choice.field.key == field)
        ]

    def subtree(self, choices: Iterable[Choice]) -> set[int]:
        """Primary keys of the choices and everything below them."""
        found: set[int] = set()
        open_ = [choice.pk for choice in choices]
        while open_:
            pk = open_.pop()
            if pk not in found:
                found.add(pk)
                open_.extend(self._children[pk])
        return found

    def branch(self, choice: Choice | None) -> list[Choice]:
        """The choice and everything below it, retired ones included; nothing without a choice."""
        return [self.by_pk[pk] for pk in sorted(self.subtree([choice]))] if choice else []

    def live(self, field_pk: int) -> list[Choice]:
        """The choices of a field that may be chosen now: by rank, then by path."""
        offered = [choice for choice in self._of_field[field_pk] if choice.retired_at is None]
        return sorted(offered, key=lambda choice: (-choice.rank, self.path(choice.pk).casefold()))

    def names(self, *, field: str = "", main: bool = False) -> dict[str, str]:
        """Key to path of all choices of one kind of field, retired ones included."""
        return {
            choice.key: self.path(choice.pk)
            for choice in self.by_pk.values()
            if (choice.field.is_main if main else choice.field.key == field)
        }

    def options(self, *, field: str = "", main: bool = False) -> list[tuple[str, str]]:
        """(key, path) of what can be filtered by, each key once over all sources."""
        chosen = [
            choice
            for choice in self.by_pk.values()
            if choice.retired_at is None
            and (choice.field.is_main if main else choice.field.key == field)
        ]
        chosen.sort(key=lambda choice: (-choice.rank, self.path(choice.pk).casefold()))
        return list({choice.key: (choice.key, self.path(choice.pk)) for choice in chosen}.values())


# Of each row the place and the transaction that wrote it: an update changes at least one of them.
DIGEST = """
    SELECT count(*), coalesce(sum(hashtextextended(concat_ws('/', part, ctid, xmin), id)), 0)::text
    FROM (
        SELECT 1 AS part, id, ctid, xmin FROM triage_choice
        UNION ALL SELECT 2, id, ctid, xmin FROM triage_field
        UNION ALL SELECT 3, id, ctid, xmin FROM triage_source
        UNION ALL SELECT 4, id, ctid, xmin FROM triage_choice_implies
        UNION ALL SELECT 5, id, ctid, xmin FROM triage_modelversion WHERE state = 'champion'
        UNION ALL SELECT 6, id, ctid, xmin FROM review_reason
    ) AS place
"""


@dataclass(frozen=True)
class Kept:
    digest: tuple[int, str]
    catalogue: Catalogue


_kept: dict[str, Kept] = {}


def catalogue() -> Catalogue:
    """As it is now; shared by all who ask, so not to be changed."""
    with connection.cursor() as cursor:
        cursor.execute(DIGEST)
        digest = cursor.fetchone()
    kept = _kept.get(connection.alias)
    if kept is None or kept.digest != digest:
        # What changes from here on is read or not; it is noticed next time either way.
        kept = _kept[connection.alias] = Kept(digest, _read())
    return kept.catalogue


def _read() -> Catalogue:
    champions = ModelVersion.objects.filter(
        field=OuterRef("field"), state=ModelVersion.State.CHAMPION
    )
    followers = Choice.implies.through.objects.filter(from_choice=OuterRef("pk"))
    choices = list(
        Choice.objects.select_related("field__source")
        .defer("description", "synonyms")
        .annotate(ends=ArraySubquery(followers.values("to_choice")), has_model=Exists(champions))
        .order_by("field__position", "-rank", "name")
    )
    return Catalogue(
        choices,
        reasons=Reason.objects.all(),
        implied={choice.pk: choice.ends for choice in choices if choice.ends},
        with_model={choice.field_id for choice in choices if choice.has_model},
    )
