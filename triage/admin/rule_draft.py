"""A rule begun from an override: what the form says before the owner has changed a word of it.

The address names the proposal and the choice that it was overridden with. The words are found
here, so that none of a requester's stands in an address, which servers log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triage.learning.text import document
from triage.models import Choice, EscalationRule, Proposal, ProposedValue
from triage.policy.conditions import TEAM
from triage.similar import rare_words

MOST_WORDS, OF_TEXT = 5, 3
LONGEST_NAME = 120
LONGEST_KEY = 18
LONGEST_WORD = 40


@dataclass(frozen=True)
class Override:
    """What was proposed for a field, and the choice of the same field that was right."""

    value: ProposedValue
    choice: Choice

    @property
    def proposal(self) -> Proposal:
        return self.value.proposal


def prompted_by(address: Mapping[str, str]) -> Proposal | None:
    """The proposal that the address of the form names, if it does and people could see it."""
    key = _number(address.get("prompted_by", ""))
    shown = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
    return shown.select_related("ticket__source").filter(pk=key).first()


def override(proposal: Proposal, address: Mapping[str, str]) -> Override | None:
    """None where the address names no choice: then the form starts empty, as ever."""
    key = _number(address.get("choice", ""))
    choice = Choice.objects.filter(pk=key, retired_at__isnull=True).first()
    if choice is None:
        return None
    values = proposal.values.select_related(
        "field", "choice", "prediction", "proposal__ticket__source", "proposal__ticket_version"
    )
    value = values.filter(field=choice.field_id).first()
    return Override(value, choice) if value is not None else None


def draft(found: Override) -> dict[str, Any]:
    """Initial values of the rule's form: where it was proposed wrongly and has these words."""
    field, proposed = found.value.field, found.value.choice
    words = _words(found)
    conditions: list[dict[str, Any]] = []
    if proposed is not None and proposed.retired_at is None:
        conditions.append({"kind": "field_is", "field": field.key, "choice": proposed.key})
    if words:
        conditions.append({"kind": "words_any", "words": words, "where": "either"})
    action = {"kind": "set_field", "field": field.key, "choice": found.choice.key}
    if field.key == TEAM:
        action = {"kind": "route_to", "choice": found.choice.key}
    return {
        "name": _name(found, words),
        "combine": "all",
        "conditions": conditions,
        "actions": [action],
    }


def _words(found: Override) -> list[str]:
    """What spoke against the proposal, then what is rare in the subject, then in the text."""
    prediction, version = found.value.prediction, found.proposal.ticket_version
    source = found.proposal.ticket.source_id
    told = list(prediction.words_against) if prediction else []
    # Masked: no address or number of a person becomes part of a rule by itself.
    told += rare_words(source, document(version.subject, ""), OF_TEXT)
    if not told:
        told += rare_words(source, document(version.subject, version.body), OF_TEXT)
    kept: dict[str, str] = {}
    for word in filter(_is_plain, told):
        kept.setdefault(word.casefold(), word)
    return list(kept.values())[:MOST_WORDS]


def _is_plain(word: str) -> bool:
    """Not what stands in place of personal data, nor a word too long for a condition."""
    return bool(word.strip()) and "_" not in word and len(word) <= LONGEST_WORD


def _name(found: Override, words: list[str]) -> str:
    """One that the source does not have yet."""
    what = found.value.choice.name if found.value.choice else found.value.field.name
    name = (
        f"{what}: {words[0]} to {found.choice.name}" if words else f"{what} to {found.choice.name}"
    )
    name = name[: LONGEST_NAME - 4]
    taken = set(
        EscalationRule.objects.filter(
            source=found.proposal.ticket.source_id, name__startswith=name
        ).values_list("name", flat=True)
    )
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _number(text: str) -> int:
    """0, which is the key of no row, for what is no number."""
    is_key = text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY
    return int(text) if is_key else 0
