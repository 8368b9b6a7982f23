"""From predictions and rules to the values of one proposal. Values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triage.policy.ladder import Acting, acting_level
from triage.policy.routing import Outcome


@dataclass(frozen=True)
class ChoiceSpec:
    """A live choice: where it stands and what follows from it (field key -> choice key)."""

    key: str
    rank: int = 0
    ancestors: frozenset[str] = frozenset()
    implies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FieldSpec:
    key: str
    is_main: bool
    is_ordered: bool
    choices: Mapping[str, ChoiceSpec]


@dataclass(frozen=True)
class Predicted:
    """A model's best live choice, with its calibrated probability in [0, 1]."""

    choice: str
    probability: float


@dataclass(frozen=True)
class RungSpec:
    """The autonomy that holds for one choice; the default is to suggest whatever comes."""

    level: str = "suggest"
    cap: str = "auto"
    threshold: float = 0.0
    canary_percent: int = 5
    certified_from: float | None = None
    stopped: bool = False


@dataclass(frozen=True)
class DraftValue:
    """What will be proposed for one field; choice None leaves it open for a person."""

    field: str
    choice: str | None
    basis: str
    level: str
    probability: float | None = None
    rule_version: int | None = None


def opinions(
    fields: Sequence[FieldSpec],
    predicted: Mapping[str, Predicted],
    helpdesk: Mapping[str, str],
    rungs: Mapping[tuple[str, str], RungSpec],
    *,
    draw: float,
) -> dict[str, DraftValue]:
    """Values before any rule is asked: field key -> value.

    What an owner stated (a category's team) goes before a second model's opinion, that before
    what the helpdesk has set, which is often only a form's default.
    """
    values = {
        spec.key: _opinion(spec, predicted.get(spec.key), helpdesk, rungs, draw) for spec in fields
    }
    return _follow(fields, values, taken=frozenset())


def with_rules(
    fields: Sequence[FieldSpec], values: Mapping[str, DraftValue], outcome: Outcome
) -> dict[str, DraftValue]:
    """Values after the rules: what a rule set stands, and what follows from it follows."""
    live = {spec.key: spec.choices for spec in fields}
    # A choice that was retired after the rule was stored is never proposed.
    said = {k: v for k, v in outcome.values.items() if v[0] in live.get(k, {})}
    result = dict(values)
    for key, (choice, version) in said.items():
        result[key] = DraftValue(key, choice, "rule", "suggest", rule_version=version)
    if not any(spec.is_main and spec.key in said for spec in fields):
        return result
    return _follow(fields, result, taken=frozenset(said))


def _opinion(
    spec: FieldSpec,
    predicted: Predicted | None,
    helpdesk: Mapping[str, str],
    rungs: Mapping[tuple[str, str], RungSpec],
    draw: float,
) -> DraftValue:
    if predicted is not None:
        acting = acting_for(spec, predicted, rungs, draw=draw, held=False)
        # Shown to nobody: what is in shadow stays with its prediction and is no value to accept.
        if acting.proposes and acting.level != "shadow":
            return DraftValue(
                spec.key, predicted.choice, "model", acting.level, predicted.probability
            )
        return DraftValue(spec.key, None, "none", acting.level, predicted.probability)
    current = helpdesk.get(spec.key)
    if current in spec.choices:
        return DraftValue(spec.key, current, "helpdesk", "suggest")
    return DraftValue(spec.key, None, "none", "suggest")


def acting_for(
    spec: FieldSpec,
    predicted: Predicted,
    rungs: Mapping[tuple[str, str], RungSpec],
    *,
    draw: float,
    held: bool,
) -> Acting:
    rung = rungs.get((spec.key, predicted.choice)) or rungs.get((spec.key, "")) or RungSpec()
    return acting_level(
        level=rung.level,
        cap=rung.cap,
        probability=predicted.probability,
        threshold=rung.threshold,
        certified_from=rung.certified_from,
        canary_percent=rung.canary_percent,
        draw=draw,
        stopped=rung.stopped,
        held=held,
    )


def _follow(
    fields: Sequence[FieldSpec], values: Mapping[str, DraftValue], *, taken: frozenset[str]
) -> dict[str, DraftValue]:
    result = dict(values)
    for spec in fields:
        main = values[spec.key] if spec.is_main else None
        lead = spec.choices.get(main.choice) if main is not None and main.choice else None
        if main is None or lead is None:
            continue
        for other in fields:
            implied = lead.implies.get(other.key)
            if implied in other.choices and other.key not in taken and not other.is_main:
                result[other.key] = DraftValue(other.key, implied, "follows", main.level)
    return result


def route(values: Mapping[str, DraftValue], main: str, *, held: bool) -> str:
    """review, hold, auto or shadow for the whole proposal.

    The main field leads. Nothing is hidden because a model is unsure: only a rung of off or
    shadow on the main field keeps a ticket out of the queue, and a rule that holds it wins.
    """
    if held:
        return "hold"
    lead = values.get(main)
    if lead is None or lead.choice is None:
        return "shadow" if lead is not None and lead.level == "shadow" else "review"
    return {"auto": "auto", "shadow": "shadow"}.get(lead.level, "review")
