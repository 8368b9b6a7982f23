"""Two tiers: what the second adds, whom it answers, and what it can forget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.learning.conftest import Tickets
from triage.learning import artefacts
from triage.learning.classifier import Ask, Classifier
from triage.learning.evaluation import report
from triage.learning.fitting import Fit, fit
from triage.learning.forgetting import Terms, known, terms_of, without
from triage.learning.second import Memory, Vectors, print_of
from triage.learning.stacking import blend_of
from triage.learning.vectors import Remembering

KEY = b"0123456789abcdef0123456789abcdef"


class Other:
    """An encoder from another file."""

    sha256 = "other"

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise AssertionError("nobody may ask it")


def test_real_tickets_are_answered_better_by_both_tiers_and_best_by_asking_always(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit, remembering: Remembering
) -> None:
    texts, labels = real_parts[1]
    texts, labels = texts[:600], labels[:600]
    figures = {
        ask: report(
            two_tiers.classifier.predict_proba(texts, encoder=remembering, ask=ask),
            labels,
            two_tiers.classifier.classes_,
        )
        for ask in Ask
    }

    assert figures[Ask.ALWAYS]["accuracy"] > figures[Ask.NEVER]["accuracy"] + 0.01
    assert figures[Ask.ALWAYS]["log_loss"] < figures[Ask.NEVER]["log_loss"]
    assert figures[Ask.UNSURE]["accuracy"] > figures[Ask.NEVER]["accuracy"]
    assert figures[Ask.ALWAYS]["brier"] < figures[Ask.UNSURE]["brier"] < figures[Ask.NEVER]["brier"]


def test_the_second_tier_is_asked_for_about_a_fifth(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit, remembering: Remembering
) -> None:
    texts = real_parts[1][0][:300]
    cascade = two_tiers.classifier.predict(texts, encoder=remembering)
    alone = two_tiers.classifier.predict(texts)
    always = two_tiers.classifier.predict(texts, encoder=remembering, ask=Ask.ALWAYS)

    asked = cascade.tiers == 2
    assert 0.12 < asked.mean() < 0.3
    assert (alone.tiers == 1).all()
    assert (always.tiers == 2).all()
    np.testing.assert_array_equal(cascade.probabilities[~asked], alone.probabilities[~asked])
    np.testing.assert_allclose(cascade.probabilities[asked], always.probabilities[asked], atol=0.02)


def test_another_encoder_or_none_leaves_the_first_tier_alone(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit
) -> None:
    texts = real_parts[1][0][:50]

    said = two_tiers.classifier.predict(texts, encoder=Other(), ask=Ask.ALWAYS)

    assert (said.tiers == 1).all()
    np.testing.assert_array_equal(
        said.probabilities, two_tiers.classifier.predict(texts).probabilities
    )


def test_a_classifier_of_two_tiers_is_stored_whole(
    real_parts: tuple[Tickets, Tickets],
    two_tiers: Fit,
    remembering: Remembering,
    tmp_path: Path,
) -> None:
    texts = real_parts[1][0][:60]
    artefacts.save(two_tiers.classifier, tmp_path / "a.model", KEY)

    loaded = artefacts.load(tmp_path / "a.model", KEY)

    for ask in Ask:
        before = two_tiers.classifier.predict(texts, encoder=remembering, ask=ask)
        after = loaded.predict(texts, encoder=remembering, ask=ask)
        np.testing.assert_array_equal(after.probabilities, before.probabilities)
        np.testing.assert_array_equal(after.in_scope, before.in_scope)


@pytest.mark.parametrize("name", ["memory_codes", "sentence_weights", "matrix", "centres"])
def test_arrays_that_do_not_fit_each_other_are_refused(two_tiers: Fit, name: str) -> None:
    state = two_tiers.classifier.state()
    second = dict(state["second"])
    second[name] = second[name][1:]

    with pytest.raises(ValueError, match=f"{name} must have shape"):
        Classifier.from_state({**state, "second": second})


def test_a_remembered_text_of_no_class_is_refused(two_tiers: Fit) -> None:
    state = two_tiers.classifier.state()
    codes = np.full_like(state["second"]["memory_codes"], 99)

    with pytest.raises(ValueError, match="memory_codes must name columns from 0 to 7"):
        Classifier.from_state({**state, "second": {**state["second"], "memory_codes": codes}})


def test_out_of_fold_probabilities_are_rows_that_sum_to_one(two_tiers: Fit) -> None:
    rows = two_tiers.out_of_fold

    assert rows.shape == (2_000, 8)
    assert np.allclose(rows.sum(axis=1), 1)


def test_a_forgotten_text_is_remembered_no_more(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit, remembering: Remembering
) -> None:
    texts, labels = real_parts[0]
    classifier, gone = two_tiers.classifier, Terms(prints={print_of(texts[7])})
    assert known(classifier, terms_of([texts[7]])).prints == gone.prints

    pruned = without(classifier, gone)

    assert classifier.second is not None
    assert pruned.second is not None
    assert len(pruned.second.memory.codes) == len(classifier.second.memory.codes) - 1
    assert not known(pruned, terms_of([texts[7]])).prints
    assert pruned.classes_ == sorted(set(labels))
    before = classifier.predict(texts[:20]).probabilities
    np.testing.assert_array_equal(pruned.predict(texts[:20]).probabilities, before)
    assert pruned.is_two_tiered(remembering)


def test_without_any_text_left_the_second_tier_is_gone(two_tiers: Fit) -> None:
    second = two_tiers.classifier.second
    assert second is not None

    pruned = without(two_tiers.classifier, Terms(prints=second.memory.known()))

    assert pruned.second is None


def test_neighbours_vote_by_nearness_by_hand() -> None:
    """Two of class 0 at cosine 1 and 0.8, one of class 1 at 0.8: e^0 + e^-4 against e^-4."""
    near = np.array([[1.0, 0.0], [0.8, 0.6], [0.8, -0.6]], dtype=np.float32)
    memory = Memory(near, np.array([0, 0, 1]), np.zeros((3, 8), dtype=np.uint8))

    votes, nearness = memory.ask(np.array([[1.0, 0.0]], dtype=np.float32), 3)

    far = np.exp(-4)
    shares = np.array([1 + far, far, 0]) / (1 + 2 * far)
    np.testing.assert_allclose(votes[0], np.log(shares + 0.02), atol=1e-5)
    assert nearness[0] == pytest.approx((1 + 0.8 + 0.8) / 3, abs=1e-6)


def test_a_blend_leaves_out_noise_and_takes_each_opinion_for_what_it_is_worth() -> None:
    """Two opinions that each see half of the truth, and one that sees nothing."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 6_000)
    half = np.eye(3)[truth] * (np.arange(6_000) % 2 == 0)[:, None] * 4
    other = np.eye(3)[truth] * (np.arange(6_000) % 2 == 1)[:, None] * 2
    noise = rng.normal(size=(6_000, 3))

    blend = blend_of([half, other, noise], truth, np.ones(6_000))

    # Twice as loud for the same: half the weight; the noise next to nothing.
    assert blend[1] == pytest.approx(2 * blend[0], rel=0.1)
    assert blend[2] < 0.1 * blend[0]


def test_the_same_seed_gives_the_same_two_tiers(
    demo_parts: tuple[Tickets, Tickets], remembering: Remembering
) -> None:
    (texts, labels), (held, _) = demo_parts

    first, second = (
        fit(texts[:150], labels[:150], seed=2, encoder=remembering).classifier.predict(
            held, encoder=remembering, ask=Ask.ALWAYS
        )
        for _ in range(2)
    )

    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    np.testing.assert_array_equal(first.in_scope, second.in_scope)


def test_labels_that_count_more_pull_the_answer_to_their_side(
    remembering: Remembering,
) -> None:
    texts = ["the printer is broken"] * 40 + ["my mailbox is full"] * 20
    labels = ["a", "b"] * 20 + ["c"] * 20
    weights = [9.0 if label == "b" else 1.0 for label in labels]

    for used in (None, remembering):
        even = fit(texts, labels, seed=0, encoder=used).classifier
        bent = fit(texts, labels, seed=0, weights=weights, encoder=used).classifier
        said, otherwise = (
            one.predict_proba(["the printer is broken"], encoder=used, ask=Ask.ALWAYS)[0]
            for one in (even, bent)
        )
        assert said[1] == pytest.approx(0.5, abs=0.1)
        assert otherwise[1] > said[1] + 0.1


def test_a_weight_that_is_not_above_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="one weight above 0, got 4 weights, the least 0"):
        fit(["a b", "c d", "a e", "c f"], ["x", "y", "x", "y"], seed=0, weights=[1, 1, 0, 1])
