"""What models in shadow say of live tickets: stored beside the champion's, shown to nobody.

Asked in a job of its own, after the proposal is stored, so that a shadow that fails, is slow or
takes the worker down with it holds up no ticket.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from triage import bulk
from triage.learning import serving
from triage.learning.text import document
from triage.models import ModelVersion, Prediction, Source, TicketVersion
from triage.policies import Policies
from triage.policies_in_force import policies_in_force

logger = logging.getLogger(__name__)

# A batch takes no longer than this, and one slice more. Tickets that it does not come to are
# passed over: a comparison needs many tickets, not all.
SECONDS_PER_BATCH = 1.0
SLICE = 10


def predictions(version_ids: Sequence[int]) -> list[Prediction]:
    """What the shadows in force say of ticket versions, not saved; unknown ids are passed over.

    A shadow that cannot answer says nothing; the log says why.
    """
    versions = (
        TicketVersion.objects.filter(pk__in=bulk.among(version_ids))
        .select_related("ticket")
        .only("subject", "body", "ticket__source_id")
        .order_by("pk")
    )
    by_source: dict[int, list[TicketVersion]] = defaultdict(list)
    for version in versions:
        # What was erased meanwhile is no ticket any more.
        if version.subject or version.body:
            by_source[version.ticket.source_id].append(version)
    sources = Source.objects.in_bulk(by_source)
    until = time.monotonic() + SECONDS_PER_BATCH
    return [
        row
        for pk, group in by_source.items()
        for model, live in _shadows(policies_in_force(sources[pk]))
        for row in _asked(model, live, group, until)
    ]


def _shadows(policies: Policies) -> Iterator[tuple[ModelVersion, frozenset[str]]]:
    for model in policies.models:
        if model.state == ModelVersion.State.SHADOW:
            yield model, frozenset(policies.field(model.field.key).choices)


def _asked(
    model: ModelVersion, live: frozenset[str], versions: Sequence[TicketVersion], until: float
) -> Iterator[Prediction]:
    for start in range(0, len(versions), SLICE):
        some = versions[start : start + SLICE]
        if time.monotonic() > until:
            left = len(versions) - start
            logger.warning("model %s in shadow is slow: %s tickets passed over", model.pk, left)
            return
        try:
            answers = serving.ask(model, [document(v.subject, v.body) for v in some], live)
        except Exception as error:  # Whatever is wrong with it, it is only in shadow.
            logger.error("model %s in shadow cannot answer: %s", model.pk, error)
            return
        for version, answer in zip(some, answers, strict=True):
            yield Prediction(
                ticket_version_id=version.pk,
                model_version_id=model.pk,
                probabilities=answer.probabilities,
                in_scope=answer.in_scope,
                tier=answer.tier,
            )
