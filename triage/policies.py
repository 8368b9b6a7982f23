"""A source's policy as values: fields, rungs, rules, playbooks, models, read once per batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from triage.models import (
    Certificate,
    Choice,
    EmergencyStop,
    Field,
    Level,
    ModelVersion,
    Playbook,
    RuleVersion,
    Rung,
    Source,
)
from triage.policy.drafting import DraftValue, RungSpec
from triage.policy.fields import ChoiceSpec, FieldSpec, Thresholds
from triage.policy.routing import RuleSpec
from triage.policy.worth import target_minutes

LIVE_STATES = (ModelVersion.State.CHAMPION, ModelVersion.State.SHADOW)


@dataclass(frozen=True)
class Offer:
    """A playbook in force, the choices it is for, and the level its rung holds."""

    row: Playbook
    choices: frozenset[str]
    level: str


@dataclass(frozen=True)
class Policies:
    """What holds for one source at one moment."""

    fields: list[FieldSpec]
    main: str
    field_ids: Mapping[str, int]
    choice_ids: Mapping[tuple[str, str], int]
    choice_names: Mapping[tuple[str, str], str]
    rungs: Mapping[tuple[str, str], RungSpec]
    rules: list[RuleSpec]
    playbooks: list[Offer]
    models: list[ModelVersion]

    def field(self, key: str) -> FieldSpec:
        return next(spec for spec in self.fields if spec.key == key)

    @cached_property
    def ranks(self) -> dict[str, dict[str, int]]:
        return {
            spec.key: {choice.key: choice.rank for choice in spec.choices.values()}
            for spec in self.fields
            if spec.is_ordered
        }

    def parents(self, values: Mapping[str, DraftValue]) -> dict[str, frozenset[str]]:
        return {
            spec.key: frozenset(choice.ancestors)
            for spec in self.fields
            if (value := values.get(spec.key)) is not None
            and (choice := spec.choices.get(value.choice or "")) is not None
        }

    def urgency(self, values: Mapping[str, DraftValue]) -> int:
        """The highest rank that an ordered field is proposed at."""
        return max((choice.rank for choice in self._ordered(values)), default=0)

    def target_minutes(self, values: Mapping[str, DraftValue]) -> int:
        """The shortest target of the priorities that are proposed."""
        targets = [target_minutes(one.rank, one.target_minutes) for one in self._ordered(values)]
        return min(targets, default=target_minutes(None))

    def _ordered(self, values: Mapping[str, DraftValue]) -> list[ChoiceSpec]:
        return [
            choice
            for spec in self.fields
            if spec.is_ordered
            and (value := values.get(spec.key)) is not None
            and (choice := spec.choices.get(value.choice or "")) is not None
        ]


def policies_of(source: Source) -> Policies:
    fields = list(Field.objects.filter(source=source).order_by("position", "key"))
    choices = list(
        Choice.objects.filter(field__in=fields)
        .select_related("field")
        .prefetch_related("implies__field")
    )
    specs = [_field_spec(field, choices) for field in fields]
    mains = [field.key for field in fields if field.is_main] or [f.key for f in fields[:1]]
    return Policies(
        fields=specs,
        main=mains[0] if mains else "",
        field_ids={field.key: field.pk for field in fields},
        choice_ids={(c.field.key, c.key): c.pk for c in choices},
        choice_names={(c.field.key, c.key): c.name for c in choices},
        rungs=_rungs(source, fields),
        rules=_rules(source),
        playbooks=_offers(source),
        models=list(
            ModelVersion.objects.filter(field__in=fields, state__in=LIVE_STATES)
            .select_related("field")
            .order_by("field__position", "-number")
        ),
    )


def _field_spec(field: Field, choices: Sequence[Choice]) -> FieldSpec:
    own = {choice.pk: choice for choice in choices if choice.field_id == field.pk}
    return FieldSpec(
        key=field.key,
        is_main=field.is_main,
        is_ordered=field.is_ordered,
        choices={
            choice.key: ChoiceSpec(
                key=choice.key,
                rank=choice.rank,
                target_minutes=choice.target_minutes,
                ancestors=_ancestors(choice, own),
                implies={
                    other.field.key: other.key
                    for other in choice.implies.all()
                    if other.retired_at is None
                },
            )
            for choice in own.values()
            if choice.retired_at is None
        },
        thresholds=Thresholds(field.propose_from, field.scope_from, field.settle_from),
    )


def _ancestors(choice: Choice, own: Mapping[int, Choice]) -> tuple[str, ...]:
    """Keys of all parents, nearest first; a loop that somebody made by hand ends where it began."""
    found: dict[int, str] = {}
    parent = choice.parent_id
    while parent is not None and parent in own and parent not in found:
        found[parent] = own[parent].key
        parent = own[parent].parent_id
    return tuple(found.values())


def _rungs(source: Source, fields: Sequence[Field]) -> dict[tuple[str, str], RungSpec]:
    stops = EmergencyStop.objects.filter(released_at__isnull=True).filter(
        Q(source=None, choice=None) | Q(source=source) | Q(choice__field__source=source)
    )
    stopped_choices = {stop.choice_id for stop in stops if stop.choice_id is not None}
    all_stopped = any(stop.choice_id is None for stop in stops)
    certified = _certified(fields)
    rows = Rung.objects.filter(field__in=fields).select_related("field", "choice")
    return {
        (rung.field.key, rung.choice.key if rung.choice else ""): RungSpec(
            level=rung.level,
            cap=rung.cap,
            threshold=rung.threshold,
            canary_percent=rung.canary_percent,
            certified_from=certified.get(rung.choice_id) if rung.choice_id else None,
            stopped=all_stopped or rung.choice_id in stopped_choices,
        )
        for rung in rows
        if rung.field is not None
    }


def _certified(fields: Sequence[Field]) -> dict[int, float]:
    """Choice id -> lowest certified probability, of live certificates of present champions."""
    live = (
        Certificate.objects.filter(
            field__in=fields,
            expires_at__gt=timezone.now(),
            model_version__state=ModelVersion.State.CHAMPION,
        )
        .order_by("issued_at")
        .values_list("choice_id", "threshold")
    )
    return dict(live)


def _rules(source: Source) -> list[RuleSpec]:
    newest = (
        RuleVersion.objects.filter(rule__source=source, rule__is_active=True)
        .order_by("rule_id", "-number")
        .distinct("rule_id")
        .select_related("rule")
    )
    ordered = sorted(newest, key=lambda version: (version.rule.position, version.rule_id))
    return [
        RuleSpec(version.pk, version.combine, version.conditions, version.actions)
        for version in ordered
    ]


def _offers(source: Source) -> list[Offer]:
    rows = (
        Playbook.objects.filter(source=source, is_active=True)
        .select_related("rung")
        .prefetch_related("for_choices")
        .order_by("position", "pk")
    )
    offers = []
    for row in rows:
        rung = getattr(row, "rung", None)
        level = Level.SUGGEST if rung is None else rung.level
        if level not in (Level.OFF, Level.SHADOW):
            offers.append(Offer(row, frozenset(c.key for c in row.for_choices.all()), level))
    return offers
