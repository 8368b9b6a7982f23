"""From stored labels to a model version with its evidence."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import sklearn
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from sklearn.model_selection import train_test_split

from triage import ledger
from triage.learning import artefacts, evaluation
from triage.learning.classifier import Classifier
from triage.learning.fitting import fit
from triage.learning.serving import model_path
from triage.learning.text import document
from triage.models import Field, Label, LedgerEntry, ModelVersion, Ticket

logger = logging.getLogger(__name__)

HELD_OUT_SHARE = 0.2
# Best truth first: of several labels for one ticket, the first of these counts.
TRUST = (Label.Origin.SPOT_CHECK, Label.Origin.DECISION, Label.Origin.OUTCOME, Label.Origin.HISTORY)

Progress = Callable[[float, str], None]


class TrainingRefused(Exception):
    """There is too little to learn from; the message says what is missing."""


@dataclass(frozen=True)
class Examples:
    """Texts with their choice keys, oldest ticket first, and how many came from where."""

    texts: list[str]
    labels: list[str]
    origins: Counter[str]


def train(
    field: Field,
    *,
    owner: User,
    seed: int = 0,
    leave_out_small: bool = False,
    progress: Progress | None = None,
) -> ModelVersion:
    """Fit on 80 %, measure on the held-out 20 %, fit on all, store as a candidate.

    Refuses below TRAINING_LABEL_FLOOR labels for any choice that has labels, naming them, unless
    these choices are to be left out. Untouched AI output is never a label, so it never teaches.
    """
    tell = progress or (lambda share, what: None)
    tell(0.0, "reading labels")
    erased = _erased(field)
    found = _above_floor(field, examples(field), leave_out_small=leave_out_small)
    began = monotonic()
    evidence = _evidence(found, seed, lambda share, what: tell(0.02 + 0.45 * share, what))
    classifier = fit(
        found.texts,
        found.labels,
        seed=seed,
        progress=lambda share, what: tell(0.47 + 0.5 * share, what),
    ).classifier
    evidence |= {
        "fit_seconds": round(monotonic() - began, 2),
        "calibration": classifier.calibration,
        "origins": dict(found.origins),
        "labels_by_choice": dict(sorted(Counter(found.labels).items())),
        "seed": seed,
        "scikit_learn": sklearn.__version__,
    }
    version = _store(field, owner, classifier, evidence, len(found.texts), erased)
    tell(1.0, "stored")
    return version


def examples(field: Field) -> Examples:
    """One example per ticket, by the most trusted of its labels; retired choices teach nothing."""
    rank: dict[str, int] = {origin: place for place, origin in enumerate(TRUST)}
    best: dict[int, tuple[int, str, str]] = {}
    rows = (
        Label.objects.filter(
            field=field, choice__retired_at__isnull=True, ticket__erased_at__isnull=True
        )
        .order_by("ticket__opened_at", "ticket_id")
        .values_list("ticket_id", "origin", "choice__key", "ticket__subject", "ticket__body")
    )
    origins: dict[int, str] = {}
    for ticket, origin, key, subject, body in rows.iterator(chunk_size=2000):
        if ticket not in best or rank[origin] < best[ticket][0]:
            best[ticket] = (rank[origin], key, document(subject, body))
            origins[ticket] = origin
    kept = [(key, text) for _, key, text in best.values() if text.strip()]
    return Examples([t for _, t in kept], [k for k, _ in kept], Counter(origins.values()))


def _above_floor(field: Field, found: Examples, *, leave_out_small: bool) -> Examples:
    floor = settings.TRAINING_LABEL_FLOOR
    counts = Counter(found.labels)
    small = {key: n for key, n in sorted(counts.items()) if n < floor}
    if small and not leave_out_small:
        listed = ", ".join(f"{key} ({n})" for key, n in list(small.items())[:10])
        raise TrainingRefused(
            f"Field {field.key}: each choice needs at least {floor} labels. Too few: {listed}"
            f"{' and more' if len(small) > 10 else ''}. Add labels, retire these choices, or "
            "train without them (--leave-out-small)."
        )
    kept = [i for i, key in enumerate(found.labels) if key not in small]
    if len({found.labels[i] for i in kept}) < 2:
        raise TrainingRefused(
            f"Field {field.key}: at least two choices need {floor} labels each; "
            f"there are {len(counts)} choices with labels, {len(found.labels)} labels in all."
        )
    return Examples([found.texts[i] for i in kept], [found.labels[i] for i in kept], found.origins)


def _erased(field: Field) -> int:
    """How many of the field's labelled tickets are erased."""
    return Ticket.objects.filter(labels__field=field, erased_at__isnull=False).distinct().count()


def _evidence(found: Examples, seed: int, tell: Progress) -> dict[str, Any]:
    """Figures on a stratified random fifth that the measured model has not seen."""
    train_texts, test_texts, train_labels, test_labels = train_test_split(
        found.texts,
        found.labels,
        test_size=HELD_OUT_SHARE,
        random_state=seed,
        stratify=found.labels,
    )
    measured = fit(train_texts, train_labels, seed=seed, progress=tell).classifier
    answers = measured.predict_proba(test_texts)
    return {
        "held_out": len(test_texts),
        **evaluation.report(answers, test_labels, measured.classes_),
    }


def name_of(field: Field) -> str:
    """How the names of all model files of a field begin."""
    return f"{field.source.slug}-{field.key}-{field.pk}"


@transaction.atomic
def _store(
    field: Field,
    owner: User,
    classifier: Classifier,
    evidence: dict[str, Any],
    labels: int,
    erased: int,
) -> ModelVersion:
    """File first, row second: a row never points at a file that is not there.

    Refused if more of its tickets are erased by now than the number that came.
    """
    locked = Field.objects.select_for_update().select_related("source").get(pk=field.pk)
    if _erased(locked) != erased:
        raise TrainingRefused(
            f"Field {field.key}: tickets were erased while it was trained, and the model may know "
            "their words. It was not kept; train again."
        )
    last = ModelVersion.objects.filter(field=locked).aggregate(last=Max("number"))["last"]
    number = (last or 0) + 1
    version = ModelVersion(
        field=locked,
        number=number,
        owner=owner,
        artefact=f"{name_of(locked)}-v{number}.skops",
        evidence=evidence,
        choices=classifier.classes_,
        label_count=labels,
    )
    path = model_path(version)
    path.parent.mkdir(parents=True, exist_ok=True)
    artefacts.save(classifier, path, settings.COUNTERSIGN_MODEL_KEY.encode())
    version.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    version.save()
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"model:{version.pk}",
        payload={"field": field.pk, "number": number, "sha256": version.sha256, "labels": labels},
        actor=ledger.actor_of(owner),
    )
    logger.info("model %s stored: %s labels", version.pk, labels)
    return version
