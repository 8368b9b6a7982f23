"""No model keeps a word that only erased tickets had, and no other answer changes."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from bench import traces
from tests.conftest import new_ticket
from tests.triage.ann import ANN, BOB, BODY, SUBJECT
from triage import erasure, ledger
from triage.erasure import Whose
from triage.learning import registry, serving, training
from triage.learning.examples import examples
from triage.learning.serving import model_path
from triage.models import Choice, Label, LedgerEntry, ModelVersion, Source, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def learnt(
    source: Source, catalogue: dict[str, Choice], settings: Settings, tmp_path: Path
) -> list[ModelVersion]:
    """Three versions that learnt from forty tickets, two of them Ann's: one serves."""
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    settings.TRAINING_LABEL_FLOOR = 2
    field = catalogue["network"].field
    words = {"network": "the vpn tunnel drops", "access": "my password is locked"}
    for key, text in words.items():
        for number in range(20):
            is_anns = number == 7
            ticket = new_ticket(
                source,
                subject=f"{text} {SUBJECT if is_anns else ''}",
                body=f"{text} since day {number} {BODY if is_anns else ''}",
                requester=ANN if is_anns else BOB,
                closed_at=timezone.now(),
            )
            Label.objects.create(
                ticket=ticket, field=field, choice=catalogue[key], origin="history"
            )
    versions = [training.train(field, owner=source.owner) for _ in range(3)]
    registry.promote(versions[0], by=source.owner, reason="first")
    registry.promote(versions[1], by=source.owner, reason="second")
    ModelVersion.objects.filter(pk=versions[2].pk).update(state="shadow")
    return versions


def test_no_model_file_keeps_a_word_that_only_erased_tickets_had(
    learnt: list[ModelVersion],
    source: Source,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    folder = tmp_path / "models"
    theirs = (SUBJECT, BODY, "zqbod")
    before = traces.in_files(folder.iterdir(), theirs)

    with django_capture_on_commit_callbacks(execute=True):
        report = erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert {len(files) for files in before.values()} == {3}
    assert traces.in_files(folder.iterdir(), theirs) == {}
    assert len(list(folder.iterdir())) == len(report.models) == 3
    kept = traces.in_files(folder.iterdir(), ("tunnel", "password"))
    assert {len(files) for files in kept.values()} == {3}


def test_other_texts_are_answered_as_before_and_the_new_file_is_the_one_that_answers(
    learnt: list[ModelVersion], source: Source, django_capture_on_commit_callbacks: Any
) -> None:
    live = frozenset({"network", "access"})
    texts = ["vpn tunnel", "password locked since day 3", "something else"]
    champion = registry.champion(learnt[0].field)
    assert champion is not None
    before = serving.ask(champion, texts, live)
    knew = serving.ask(champion, [BODY], live)

    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(Whose(source, requester=ANN), by=source.owner)

    old, champion = champion, registry.champion(learnt[0].field)
    assert champion is not None
    assert champion == old
    assert serving.ask(champion, texts, live) == before
    assert serving.ask(champion, [BODY], live) != knew
    assert (champion.artefact, champion.sha256) != (old.artefact, old.sha256)
    assert not model_path(old).exists()


def test_each_pruned_version_is_on_the_record(learnt: list[ModelVersion], source: Source) -> None:
    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    entries = LedgerEntry.objects.filter(kind="model", payload__event="erased words")
    sums = ModelVersion.objects.values_list("sha256", flat=True)
    assert {entry.payload["sha256"] for entry in entries} == set(sums)
    assert ledger.verify() is None


def test_a_word_that_somebody_else_wrote_too_stays_in_the_model(
    learnt: list[ModelVersion], source: Source, tmp_path: Path
) -> None:
    theirs = Ticket.objects.filter(requester=BOB).first()
    assert theirs is not None
    theirs.versions.update(body=f"as ann says: {BODY}")

    report = erasure.erase(Whose(source, requester=ANN), by=source.owner)

    kept = traces.in_files([model_path(pruned.version) for pruned in report.models], (BODY,))
    assert len(kept[BODY]) == 3


def test_a_file_that_cannot_be_read_is_removed(
    learnt: list[ModelVersion], source: Source, django_capture_on_commit_callbacks: Any
) -> None:
    broken = model_path(learnt[2])
    broken.write_bytes(b"CSMODEL\0" + BODY.encode())

    with django_capture_on_commit_callbacks(execute=True):
        report = erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert not broken.exists()
    assert [pruned.version.pk for pruned in report.models if pruned.is_removed] == [learnt[2].pk]


def test_files_that_no_version_points_at_are_removed(
    learnt: list[ModelVersion], source: Source, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    left = folder / f"desk-category-{learnt[0].field_id}-v9.skops"
    other = folder / "lab-category-99-v1.skops"
    for path in (left, other):
        path.write_bytes(BODY.encode())

    erasure.erase(Whose(source, requester="nobody@example.org"), by=source.owner)

    assert (left.exists(), other.exists()) == (False, True)


def test_erased_tickets_teach_nothing_and_are_found_by_no_word(
    learnt: list[ModelVersion], source: Source
) -> None:
    assert len(examples(learnt[0].field).texts) == 40

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert len(examples(learnt[0].field).texts) == 38
    assert Label.objects.count() == 40
    assert not Ticket.objects.filter(search=SUBJECT).exists()


def test_a_model_that_was_trained_meanwhile_is_not_kept(
    learnt: list[ModelVersion], source: Source
) -> None:
    files = set(model_path(learnt[0]).parent.iterdir())

    def erase_once(share: float, what: str) -> None:
        if share > 0.5 and not Ticket.objects.filter(erased_at__isnull=False).exists():
            erasure.erase(Whose(source, requester=ANN), by=source.owner)

    with pytest.raises(training.TrainingRefused, match="erased while it was trained"):
        training.train(learnt[0].field, owner=source.owner, progress=erase_once)

    assert ModelVersion.objects.count() == 3
    assert not set(model_path(learnt[0]).parent.glob("*-v4*")) - files


def test_the_evidence_of_a_version_holds_no_text(learnt: list[ModelVersion]) -> None:
    found = traces.in_database((SUBJECT, BODY))

    assert not any(place.startswith("triage_modelversion") for place in found[BODY])
