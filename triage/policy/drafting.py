"""From predictions and rules to the values of one proposal. Values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from triage.policy.fields import FieldSpec
from triage.policy.ladder import SHADOW, SUGGEST, Acting, acting_level
from triage.policy.routing import Outcome
from triage.policy.settling import NONE, PARENT, Doubt, Predicted, Settled, settle


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
    """What will be proposed for one field; choice None leaves it open for a person.

    Where a model's value was left open, `doubt` says what was too low and `asked` what was asked.
    """

    field: str
    choice: str | None
    basis: str
    level: str
    probability: float | None = None
    rule_version: int | None = None
    doubt: str = ""
    asked: float | None = None


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
    settled = None if predicted is None else _settled(spec, predicted, rungs)
    if settled is not None:
        return _of_model(spec, settled, rungs, draw)
    current = helpdesk.get(spec.key)
    if current in spec.choices:
        return DraftValue(spec.key, current, "helpdesk", SUGGEST)
    return DraftValue(spec.key, None, NONE, SUGGEST)


def _settled(
    spec: FieldSpec, predicted: Predicted, rungs: Mapping[tuple[str, str], RungSpec]
) -> Settled | None:
    """What the prediction comes to; a parent stands only where its own rung would show it."""

    def may_stand(parent: str, probability: float) -> bool:
        acting = _acting(_rung(spec, parent, rungs), probability)
        return acting.proposes and acting.level != SHADOW

    return settle(spec.choices, spec.thresholds, predicted, may_stand)


def _of_model(
    spec: FieldSpec, settled: Settled, rungs: Mapping[tuple[str, str], RungSpec], draw: float
) -> DraftValue:
    rung = _rung(spec, settled.choice, rungs)
    acting = _acting(rung, settled.probability, draw)
    level, doubt, asked = acting.level, settled.doubt, settled.asked
    if settled.basis == NONE:
        level = _level_in_doubt(spec, rung, rungs)
    elif not acting.proposes and level == SUGGEST:
        doubt, asked = Doubt.UNSURE, rung.threshold
    elif acting.proposes and level != SHADOW:
        # Certificates speak of what a model chose itself, so a parent has earned but a look.
        level = SUGGEST if settled.basis == PARENT else level
        return DraftValue(spec.key, settled.choice, settled.basis, level, settled.probability)
    # Shown to nobody: what is in shadow stays with its prediction and is no value to accept.
    return DraftValue(spec.key, None, NONE, level, settled.probability, doubt=doubt, asked=asked)


def _level_in_doubt(
    spec: FieldSpec, rung: RungSpec, rungs: Mapping[tuple[str, str], RungSpec]
) -> str:
    """The level of a value that a doubt left open: no ticket is hidden because of a doubt.

    Nothing was chosen, so off and shadow hold only if the likeliest choice and the field itself
    agree on them.
    """
    levels = {_acting(one, nan).level for one in (rung, _rung(spec, "", rungs))}
    return levels.pop() if len(levels) == 1 else SUGGEST


def _rung(spec: FieldSpec, choice: str, rungs: Mapping[tuple[str, str], RungSpec]) -> RungSpec:
    return rungs.get((spec.key, choice)) or rungs.get((spec.key, "")) or RungSpec()


def _acting(rung: RungSpec, probability: float, draw: float = 0.0) -> Acting:
    return acting_level(
        level=rung.level,
        cap=rung.cap,
        probability=probability,
        threshold=rung.threshold,
        certified_from=rung.certified_from,
        canary_percent=rung.canary_percent,
        draw=draw,
        stopped=rung.stopped,
        held=False,
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
