"""From stored labels to a model version with its evidence."""

import hashlib
import logging
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as version_of
from time import monotonic
from typing import Any

import sklearn
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max

from triage import ledger
from triage.learning import artefacts, describing, measuring, vectors
from triage.learning.classifier import Ask, Classifier
from triage.learning.examples import Examples, examples
from triage.learning.fitting import fit
from triage.learning.measuring import Doubt, Setting
from triage.learning.serving import model_path
from triage.models import Choice, Field, LabelDoubt, LedgerEntry, ModelVersion, Ticket

logger = logging.getLogger(__name__)

LIBRARIES = ("numpy", "scipy", "scikit-learn")
_WHILE_ERASED = (
    "Field {field}: tickets were erased while it was trained, and the model may know their words. "
    "It was not kept; train again."
)
Progress = Callable[[float, str], None]


class TrainingRefused(Exception):
    """There is too little to learn from; the message says what is missing."""


@dataclass(frozen=True)
class Learnt:
    """What a training came to, before it is stored. `erased`: labelled tickets erased by then."""

    field: Field
    classifier: Classifier
    evidence: dict[str, Any]
    labels: int
    doubts: list[Doubt]
    erased: int


def train(
    field: Field,
    *,
    owner: User,
    seed: int = 0,
    leave_out_small: bool = False,
    progress: Progress | None = None,
) -> ModelVersion:
    """`learn` and `store` in one, for those who keep no record of the run."""
    tell = progress or (lambda share, what: None)
    learnt = learn(field, seed=seed, leave_out_small=leave_out_small, progress=tell)
    version = store(learnt, owner=owner)
    tell(1.0, "stored")
    return version


def learn(field: Field, *, seed: int, leave_out_small: bool, progress: Progress) -> Learnt:
    """Fit on 80 % and measure on the rest, twice, then fit on all; stores nothing.

    TrainingRefused below TRAINING_LABEL_FLOOR labels for any choice that has labels, naming them,
    unless these choices are to be left out.
    """
    progress(0.0, "reading labels")
    erased = _erased(field)
    every = examples(field, read=lambda count: progress(0.0, f"reading labels: {count}"))
    found = _above_floor(field, every, leave_out_small=leave_out_small)
    began = monotonic()
    setting = Setting(
        seed,
        vectors.encoder_for_training(),
        Ask(settings.SEMANTIC_ASK),
        timed=vectors.bare_encoder(),
    )
    figures = measuring.measured(
        found, setting, lambda share, what: progress(0.02 + 0.58 * share, what)
    )
    fitted = fit(
        found.texts,
        found.labels,
        seed=seed,
        weights=found.weights,
        encoder=setting.encoder,
        progress=lambda share, what: progress(0.6 + 0.36 * share, what),
    )
    seconds = monotonic() - began
    _forget_if_erased(field, found, erased)
    progress(0.97, "doubting labels")
    noise, doubts = measuring.doubts(found, fitted)
    evidence = {
        **figures,
        **_origin_of(fitted.classifier, found, seed),
        "fit_seconds": round(seconds, 2),
        "label_noise": noise,
    }
    return Learnt(field, fitted.classifier, evidence, len(found.rows), doubts, erased)


def _forget_if_erased(field: Field, found: Examples, erased: int) -> None:
    """The vectors of a ticket that was erased meanwhile may have been stored after its erasure."""
    with transaction.atomic():
        # An erasure under way holds the field until it is committed.
        Field.objects.select_for_update().get(pk=field.pk)
        is_as_before = _erased(field) == erased
    if not is_as_before:
        vectors.forget(found.texts)
        raise TrainingRefused(_WHILE_ERASED.format(field=field.key))


def _origin_of(classifier: Classifier, found: Examples, seed: int) -> dict[str, Any]:
    """What the version was made of and with."""
    return {
        "calibration": classifier.calibration,
        "origins": dict(found.origins),
        "labels_by_choice": dict(sorted(Counter(found.labels).items())),
        "data": describing.described(found),
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "libraries": {
            "Python": platform.python_version(),
            **{name: version_of(name) for name in LIBRARIES},
        },
    }


def _above_floor(field: Field, found: Examples, *, leave_out_small: bool) -> Examples:
    floor = settings.TRAINING_LABEL_FLOOR
    counts = Counter(found.labels)
    small = {key: n for key, n in sorted(counts.items()) if n < floor}
    if small and not leave_out_small:
        listed = ", ".join(f"{key} ({n})" for key, n in list(small.items())[:10])
        raise TrainingRefused(
            f"Field {field.key}: each choice needs at least {floor} labels. Too few: {listed}"
            f"{' and more' if len(small) > 10 else ''}. Add labels, retire these choices, or "
            "leave small choices out (--leave-out-small)."
        )
    kept = found.without(small)
    if len(set(kept.labels)) < 2:
        raise TrainingRefused(
            f"Field {field.key}: at least two choices need {floor} labels each; "
            f"there are {len(counts)} choices with labels, {len(found.labels)} labels in all."
        )
    return kept


def _erased(field: Field) -> int:
    """How many of the field's labelled tickets are erased."""
    return Ticket.objects.filter(labels__field=field, erased_at__isnull=False).distinct().count()


def name_of(field: Field) -> str:
    """How the names of all model files of a field begin."""
    return f"{field.source.slug}-{field.key}-{field.pk}"


@transaction.atomic
def store(learnt: Learnt, *, owner: User) -> ModelVersion:
    """File first, row second: a row never points at a file that is not there.

    Refused if more of its tickets are erased by now than the number that came.
    """
    locked = Field.objects.select_for_update().select_related("source").get(pk=learnt.field.pk)
    if _erased(locked) != learnt.erased:
        raise TrainingRefused(_WHILE_ERASED.format(field=locked.key))
    last = ModelVersion.objects.filter(field=locked).aggregate(last=Max("number"))["last"]
    number = (last or 0) + 1
    version = ModelVersion(
        field=locked,
        number=number,
        owner=owner,
        artefact=f"{name_of(locked)}-v{number}.skops",
        evidence=learnt.evidence,
        choices=learnt.classifier.classes_,
        label_count=learnt.labels,
    )
    path = model_path(version)
    path.parent.mkdir(parents=True, exist_ok=True)
    artefacts.save(learnt.classifier, path, settings.COUNTERSIGN_MODEL_KEY.encode())
    version.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    version.save()
    _store_doubts(version, learnt.doubts)
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"model:{version.pk}",
        payload={
            "field": locked.pk,
            "number": number,
            "sha256": version.sha256,
            "labels": learnt.labels,
        },
        actor=ledger.actor_of(owner),
    )
    logger.info("model %s stored: %s labels", version.pk, learnt.labels)
    return version


def _store_doubts(version: ModelVersion, doubts: list[Doubt]) -> None:
    """The most suspicious; those that nobody judged of earlier versions make place for them.

    What the owner has called right is not asked about again.
    """
    of_field = LabelDoubt.objects.filter(label__field=version.field)
    of_field.filter(verdict=LabelDoubt.Verdict.OPEN).delete()
    judged = set(of_field.filter(given=F("label__choice")).values_list("label", "given__key"))
    choices = dict(Choice.objects.filter(field=version.field).values_list("key", "pk"))
    asked = [doubt for doubt in doubts if (doubt.label, doubt.given) not in judged]
    LabelDoubt.objects.bulk_create(
        LabelDoubt(
            model_version=version,
            label_id=doubt.label,
            given_id=choices[doubt.given],
            suggested_id=choices[doubt.suggested],
            given_probability=doubt.given_probability,
            confidence=doubt.confidence,
        )
        for doubt in asked[: measuring.MOST_DOUBTS]
    )
