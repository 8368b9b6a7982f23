"""Everything a proposal will say, worked out before any row is written or locked."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from triage import bulk
from triage.learning import serving
from triage.learning.artefacts import ArtefactRefused
from triage.learning.text import document
from triage.models import ModelVersion, Playbook, Prediction, Proposal, Source, TicketVersion
from triage.policies import Policies
from triage.policies_in_force import policies_in_force
from triage.policy import playbooks
from triage.policy.conditions import Facts
from triage.policy.drafting import DraftValue, opinions, route, with_rules
from triage.policy.ladder import canary_draw
from triage.policy.routing import Outcome, apply_rules, in_working_hours
from triage.policy.settling import BY_MODEL, Predicted
from triage.policy.worth import Worth

logger = logging.getLogger(__name__)

SALT = "canary"
# Not all, because the text's search vector is longer than the text.
READ = ("ticket_id", "version", "subject", "body", "values")
READ_OF_TICKET = (
    "source_id", "external_id", "requester", "requester_name", "opened_at", "reopened_count",
)  # fmt: skip


@dataclass
class Draft:
    """One proposal to be, with the ids that its rows need."""

    version: TicketVersion
    main: str
    values: dict[str, DraftValue]
    route: str
    field_ids: Mapping[str, int]
    choice_ids: Mapping[tuple[str, str], int]
    urgency: int
    target_minutes: int
    draw: float
    input_sha256: str
    predictions: dict[str, Prediction] = field(default_factory=dict)
    hits: list[int] = field(default_factory=list)
    notices: list[tuple[int, str]] = field(default_factory=list)
    playbook: Playbook | None = None
    playbook_is_auto: bool = False
    reply: str = ""
    has_shadows: bool = False

    def choice_id(self, field_key: str, choice: str | None) -> int | None:
        return None if choice is None else self.choice_ids[field_key, choice]

    def record(self) -> dict[str, Any]:
        """What the ledger keeps of it: ids, keys and figures, never the ticket's text."""
        return {
            "ticket": self.version.ticket_id,
            "version": self.version.version,
            "input": self.input_sha256,
            "route": self.route,
            "values": {
                key: [value.choice, value.basis, value.level, value.probability]
                for key, value in self.values.items()
            },
            "doubts": {
                key: [value.doubt, value.asked] for key, value in self.values.items() if value.doubt
            },
            "models": sorted(row.model_version_id for row in self.predictions.values()),
            "rules": self.hits,
            "playbook": self.playbook.pk if self.playbook else None,
            "draw": self.draw,
        }

    def final_keys(self) -> dict[str, str]:
        return {k: v.choice for k, v in self.values.items() if v.choice is not None}

    def automatic_keys(self) -> dict[str, str]:
        """Of these, without what a model said that has not earned to act alone."""
        values = {
            k: v for k, v in self.values.items() if v.basis not in BY_MODEL or v.level == "auto"
        }
        return {k: v.choice for k, v in values.items() if v.choice is not None}

    @property
    def worth(self) -> Worth:
        """Unknown to every model: as uncertain as can be, and nothing to be unlike."""
        main, told = self.values.get(self.main), self.predictions.get(self.main)
        probability = main.probability if main is not None else None
        return Worth(
            target_minutes=self.target_minutes,
            uncertainty=1.0 if probability is None else 1.0 - probability,
            novelty=0.0 if told is None else 1.0 - told.in_scope,
        )

    @property
    def is_prefilled(self) -> bool:
        main = self.values.get(self.main)
        return main is not None and main.level == "prefill" and main.choice is not None


def drafts(version_ids: Sequence[int]) -> list[Draft]:
    """Drafts for ticket versions in any order, grouped by source; unknown ids are passed over."""
    versions = (
        TicketVersion.objects.filter(pk__in=bulk.among(version_ids))
        .select_related("ticket")
        .only(*READ, *(f"ticket__{field}" for field in READ_OF_TICKET))
    )
    by_source: dict[int, list[TicketVersion]] = defaultdict(list)
    for version in versions:
        by_source[version.ticket.source_id].append(version)
    sources = Source.objects.in_bulk(by_source)
    return [draft for pk, group in by_source.items() for draft in _of_source(sources[pk], group)]


def _of_source(source: Source, versions: Sequence[TicketVersion]) -> list[Draft]:
    policies = policies_in_force(source)
    for version in versions:
        version.ticket.source = source
    texts = [document(version.subject, version.body) for version in versions]
    champions = _asked(policies, versions, texts)
    now = timezone.now()
    made = [
        draft_of(
            policies,
            version,
            text,
            {key: row[i] for key, row in champions.items()},
            now=now,
            reopened_count=version.ticket.reopened_count,
        )
        for i, (version, text) in enumerate(zip(versions, texts, strict=True))
    ]
    has_shadows = any(model.state == ModelVersion.State.SHADOW for model in policies.models)
    for draft in made:
        draft.has_shadows = has_shadows
    return made


def _asked(
    policies: Policies, versions: Sequence[TicketVersion], texts: Sequence[str]
) -> dict[str, list[Prediction]]:
    """Predictions of the champions by field key."""
    champions: dict[str, list[Prediction]] = {}
    for model in policies.models:
        if model.state != ModelVersion.State.CHAMPION:
            continue
        key = model.field.key
        live = frozenset(policies.field(key).choices)
        try:
            answers = serving.ask(model, texts, live)
        except ArtefactRefused as error:
            # A ticket without a prediction still reaches the queue; the owner sees the log line.
            logger.error("model %s cannot answer: %s", model.pk, error)
            continue
        champions[key] = [
            Prediction(
                ticket_version_id=version.pk,
                model_version_id=model.pk,
                probabilities=answer.probabilities,
                in_scope=answer.in_scope,
                tier=answer.tier,
            )
            for version, answer in zip(versions, answers, strict=True)
        ]
    return champions


def draft_of(
    policies: Policies,
    version: TicketVersion,
    text: str,
    predictions: Mapping[str, Prediction],
    *,
    now: datetime,
    reopened_count: int,
) -> Draft:
    """What the policies make of one version of a ticket at the moment `now`.

    `text` is the version's document, `predictions` are the champions' by field key, fresh or as
    they were stored, and `reopened_count` is how often the ticket had been reopened by then.
    Reads no row but the version's ticket and source, and writes none.
    """
    ticket = version.ticket
    draw = canary_draw(f"{ticket.source_id}:{ticket.external_id}", SALT)
    predicted = {
        key: Predicted(row.probabilities, row.in_scope) for key, row in predictions.items()
    }
    before = opinions(policies.fields, predicted, version.values, policies.rungs, draw=draw)
    facts = _facts(policies, version, before, now, reopened_count)
    outcome = apply_rules(facts, policies.rules)
    values = _without_auto(with_rules(policies.fields, before, outcome), outcome)
    draft = Draft(
        version=version,
        main=policies.main,
        values=values,
        route=route(values, policies.main, held=bool(outcome.holds)),
        field_ids=policies.field_ids,
        choice_ids=policies.choice_ids,
        urgency=policies.urgency(values),
        target_minutes=policies.target_minutes(values),
        draw=draw,
        input_sha256=sha256(text.encode()).hexdigest(),
        predictions=dict(predictions),
        hits=list(outcome.hits),
        notices=list(outcome.notices),
    )
    if draft.route != Proposal.Route.SHADOW:
        _offer_playbook(policies, draft, text)
    return draft


def _without_auto(values: dict[str, DraftValue], outcome: Outcome) -> dict[str, DraftValue]:
    """A rule that matched means that a person looks, so nothing stays automatic."""
    if not outcome.holds:
        return values
    return {
        key: replace(value, level="suggest") if value.level == "auto" else value
        for key, value in values.items()
    }


def _facts(
    policies: Policies,
    version: TicketVersion,
    values: Mapping[str, DraftValue],
    now: datetime,
    reopened_count: int,
) -> Facts:
    ticket, source = version.ticket, version.ticket.source
    return Facts(
        subject=version.subject,
        body=version.body,
        requester=ticket.requester,
        values={k: v.choice for k, v in values.items() if v.choice is not None},
        parents=policies.parents(values),
        ranks=policies.ranks,
        probabilities={k: v.probability for k, v in values.items() if v.probability is not None},
        age_minutes=max(0.0, (now - ticket.opened_at).total_seconds() / 60),
        reopened_count=reopened_count,
        in_working_hours=in_working_hours(
            now.astimezone(ZoneInfo(source.time_zone)),
            source.work_starts,
            source.work_ends,
            source.work_days,
        ),
    )


def _offer_playbook(policies: Policies, draft: Draft, text: str) -> None:
    """The first fitting playbook, with its reply filled in for this ticket."""
    main = draft.values.get(draft.main)
    if main is None or main.choice is None:
        return
    kin = {main.choice, *policies.field(draft.main).choices[main.choice].ancestors}
    for offer in policies.playbooks:
        if kin & offer.choices and playbooks.fits(offer.row.words, text):
            ticket = draft.version.ticket
            draft.playbook = offer.row
            draft.playbook_is_auto = offer.level == "auto" and offer.row.is_reversible
            draft.reply = playbooks.render(
                offer.row.reply,
                {
                    "requester_name": ticket.requester_name or ticket.requester,
                    "subject": draft.version.subject,
                    "external_id": ticket.external_id,
                    "category": policies.choice_names[draft.main, main.choice],
                    "source": ticket.source.name,
                },
            )
            return
