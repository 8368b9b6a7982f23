"""Why a proposal says what it says: the words that counted, and solved tickets that read alike.

Worked out after the proposal is made, so that no ticket waits for another's explanation.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from triage import similar
from triage.learning import serving
from triage.learning.artefacts import ArtefactRefused
from triage.learning.text import document
from triage.models import ModelVersion, Prediction, Proposal

logger = logging.getLogger(__name__)

FOUND_LATER = ["similar"]
CITED = ["words_for", "words_against"]


def gather(proposal_ids: Sequence[int]) -> tuple[list[Proposal], list[Prediction]]:
    """The proposals and the predictions that their values rest on, with evidence, not saved."""
    proposals = list(
        Proposal.objects.filter(pk__in=proposal_ids)
        .select_related("ticket_version", "ticket")
        # Not the search vector, which is longer than the text.
        .only("ticket_version__subject", "ticket_version__body", "ticket__source_id")
        .order_by("pk")
    )
    texts = {
        proposal.ticket_version_id: document(
            proposal.ticket_version.subject, proposal.ticket_version.body
        )
        for proposal in proposals
    }
    asked = [(proposal.ticket, texts[proposal.ticket_version_id]) for proposal in proposals]
    for proposal, found in zip(proposals, similar.solved(asked), strict=True):
        proposal.similar = found
    return proposals, _cited(proposals, texts)


def _cited(proposals: Sequence[Proposal], texts: Mapping[int, str]) -> list[Prediction]:
    by_model: dict[ModelVersion, list[Prediction]] = defaultdict(list)
    for prediction in (
        Prediction.objects.filter(values__proposal__in=proposals)
        .select_related("model_version")
        .order_by("pk")
        .distinct()
    ):
        if prediction.probabilities:
            by_model[prediction.model_version].append(prediction)
    cited = []
    for model, predictions in by_model.items():
        best = [max(row.probabilities, key=row.probabilities.__getitem__) for row in predictions]
        asked = [texts[row.ticket_version_id] for row in predictions]
        try:
            evidence = serving.words(model, asked, best)
        except ArtefactRefused as error:
            logger.error("model %s cannot say why: %s", model.pk, error)
            continue
        for prediction, words in zip(predictions, evidence, strict=True):
            prediction.words_for = [word.word for word in words.for_]
            prediction.words_against = [word.word for word in words.against]
        cited += predictions
    return cited
