from __future__ import annotations

import time

import numpy as np
import pytest

from tests.learning.conftest import Tickets
from triage.learning.classifier import Classifier
from triage.learning.evaluation import expected_calibration_error, report
from triage.learning.fitting import fit


def few(topic: str, count: int) -> list[str]:
    return [f"the {topic} is broken again in room {number}" for number in range(count)]


def test_the_demo_tickets_are_learnt_far_beyond_chance_and_without_overconfidence(
    demo_parts: tuple[Tickets, Tickets], demo_classifier: Classifier
) -> None:
    texts, labels = demo_parts[1]
    classes = demo_classifier.classes_
    probabilities = demo_classifier.predict_proba(texts)
    found = report(probabilities, labels, classes)
    truth = np.array([classes.index(label) for label in labels])
    assert len(classes) == 12
    assert found["accuracy"] > 0.65
    assert found["top_3"] > 0.80
    assert found["log_loss"] < 0.55 * np.log(12)
    # Bins of some 40 tickets; in smaller ones chance alone makes gaps of 0.1.
    assert expected_calibration_error(probabilities, truth, bins=3) < 0.15


def test_real_tickets_are_answered_as_well_as_measured_before(
    real_parts: tuple[Tickets, Tickets], real_classifier: Classifier
) -> None:
    texts, labels = real_parts[1]
    found = report(real_classifier.predict_proba(texts), labels, real_classifier.classes_)
    assert found["accuracy"] > 0.80
    assert found["macro_f1"] > 0.79
    assert found["calibration_error"] < 0.04


def test_probabilities_are_rows_that_sum_to_one(demo_classifier: Classifier) -> None:
    texts = ["printer jam", "", "日本語", "x" * 20_000]
    probabilities = demo_classifier.predict_proba(texts)
    assert probabilities.shape == (4, len(demo_classifier.classes_))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (probabilities >= 0).all()


def test_the_same_seed_gives_the_same_model(demo_parts: tuple[Tickets, Tickets]) -> None:
    train, held = demo_parts
    first, second = (fit(*train, seed=5).classifier.predict(held[0]) for _ in range(2))
    assert (first.probabilities == second.probabilities).all()
    assert (first.in_scope == second.in_scope).all()


def test_one_by_one_and_together_give_the_same_answers(demo_classifier: Classifier) -> None:
    texts = ["printer jam on floor 3", "vpn drops every hour", "cannot log in"]
    together = demo_classifier.predict(texts)
    for number, text in enumerate(texts):
        alone = demo_classifier.predict([text])
        assert np.allclose(alone.probabilities[0], together.probabilities[number], atol=1e-6)
        assert alone.in_scope[0] == pytest.approx(together.in_scope[number], abs=0.01)


def test_two_classes_work_and_are_told_apart() -> None:
    classifier = fit(
        few("printer", 30) + few("network", 30), ["p"] * 30 + ["n"] * 30, seed=0
    ).classifier
    assert classifier.classes_ == ["n", "p"]
    found = classifier.predict(["my printer is broken", "our network is broken"])
    assert found.labels == ["p", "n"]
    assert found.probabilities.max() < 1


def test_a_class_with_one_text_does_not_stop_training() -> None:
    classifier = fit(
        [*few("printer", 5), *few("network", 5), "the moon is loud"],
        ["p"] * 5 + ["n"] * 5 + ["m"],
        seed=0,
    ).classifier
    assert classifier.classes_ == ["m", "n", "p"]
    assert classifier.predict(["printer broken"]).labels == ["p"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([], [], "needs texts, got none"),
        (["a", "b"], ["x", "x"], "at least two classes, got only 'x'"),
        (["a"], ["x", "y"], "got 1 texts and 2 labels"),
        (["a", "b"], ["x", "y"], "got 2 with one each"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    texts: list[str], labels: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(texts, labels, seed=0)


def test_a_text_without_words_trains_and_predicts() -> None:
    texts = [*few("printer", 5), *few("network", 5), "", "!?"]
    classifier = fit(texts, ["p"] * 5 + ["n"] * 5 + ["p", "n"], seed=0).classifier
    assert classifier.in_scope([""])[0] == 0


def test_unusual_texts_score_lower_in_scope_than_held_out_ones(
    real_parts: tuple[Tickets, Tickets], real_classifier: Classifier
) -> None:
    held = real_classifier.in_scope(real_parts[1][0])
    alien = real_classifier.in_scope(
        [
            "how many calories has a banana",
            "sing me a song about the moon",
            "convert ten miles into kilometres",
            "wie wird das wetter morgen in hamburg",
        ]
    )
    assert 0.4 < held.mean() < 0.6
    assert (alien < 0.2).all()


def test_progress_goes_from_nothing_to_all(demo_parts: tuple[Tickets, Tickets]) -> None:
    told: list[float] = []
    fit(*demo_parts[0], seed=1, progress=lambda done, what: told.append(done))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_batches_are_answered_by_the_thousand_a_second(
    real_parts: tuple[Tickets, Tickets], real_classifier: Classifier
) -> None:
    texts = real_parts[1][0][:1_000]
    real_classifier.predict(texts)
    started = time.process_time()
    for start in range(0, 1_000, 100):
        real_classifier.predict(texts[start : start + 100])
    assert time.process_time() - started < 1
