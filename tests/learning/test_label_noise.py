"""Labels that look wrong: by hand, beside cleanlab, and where it is known which are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, estimate_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label
from numpy.typing import NDArray

from tests.learning.conftest import Tickets
from triage.learning import label_noise
from triage.learning.fitting import Fit, fit

Made = tuple[NDArray[np.float64], NDArray[np.intp]]


def made(seed: int, n: int = 3000, k: int = 6, noise: float = 0.1) -> Made:
    """Probabilities of a fair model, and labels of which a share was drawn anew."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, n, p=rng.dirichlet(np.full(k, 3.0)))
    scores = rng.normal(0, 1, (n, k))
    scores[np.arange(n), truth] += 2.5
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(n) < noise, rng.integers(0, k, n), truth).astype(np.intp)
    return probabilities, labels


# --- By hand --------------------------------------------------------------------------------
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.2, 0.8]])
LABELS = np.array([0, 0, 0, 1, 1])


def test_thresholds_are_the_mean_probability_where_a_class_is_the_label() -> None:
    assert label_noise.thresholds(PROBABILITIES, LABELS) == pytest.approx([0.6, 0.75])


def test_a_row_is_confidently_of_the_class_whose_threshold_it_reaches_or_of_none() -> None:
    found = label_noise.confident_classes(PROBABILITIES, LABELS)

    assert found.tolist() == [0, 0, 1, -1, 1]


def test_the_joint_counts_labels_down_and_confident_classes_across() -> None:
    assert label_noise.confident_joint(PROBABILITIES, LABELS).tolist() == [[2, 1], [0, 1]]
    joint = label_noise.estimated_joint(PROBABILITIES, LABELS)
    assert joint == pytest.approx(np.array([[0.4, 0.2], [0.0, 0.4]]))
    assert label_noise.noise_share(PROBABILITIES, LABELS) == pytest.approx(0.2)


def test_the_label_against_which_a_model_is_sure_is_doubted() -> None:
    assert label_noise.doubtful(PROBABILITIES, LABELS).tolist() == [2]
    margins = label_noise.margin(PROBABILITIES, LABELS)
    assert margins == pytest.approx([0.8, 0.6, -0.8, 0.4, 0.6])


def test_a_label_that_is_the_most_probable_choice_is_never_doubted() -> None:
    """Its class may be out of reach because it is usually surer; that makes no label wrong."""
    probabilities = np.array([[0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 1, 1])

    assert label_noise.confident_classes(probabilities, labels)[1] == 1
    assert 1 not in label_noise.doubtful(probabilities, labels)


def test_a_class_without_a_label_is_nobodys_true_class() -> None:
    probabilities = np.array([[0.2, 0.1, 0.7], [0.1, 0.6, 0.3]])
    labels = np.array([0, 1])

    assert label_noise.confident_classes(probabilities, labels).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.empty((0, 2)), np.empty(0, dtype=int), "at least one row"),
        (np.array([[0.5, 0.5]]), np.array([0, 1]), "one for each label"),
        (np.array([[0.5, 0.5]]), np.array([2]), "column from 0 to 1"),
        (np.array([[np.nan, np.nan]]), np.array([0]), "never held out"),
    ],
)
def test_what_is_not_a_table_of_probabilities_is_refused(
    probabilities: NDArray[np.float64], labels: NDArray[np.intp], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        label_noise.doubtful(probabilities, labels)


def test_only_the_two_ranks_are_known() -> None:
    with pytest.raises(ValueError, match="got 'hunch'"):
        label_noise.doubtful(PROBABILITIES, LABELS, ranked_by="hunch")


# --- Beside cleanlab ------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("self_confidence", "self_confidence"), ("margin", "normalized_margin")],
)
def test_the_same_labels_are_doubted_in_the_same_order_as_by_cleanlab(
    seed: int, ours: str, theirs: str
) -> None:
    """Where two classes reach their thresholds and a third is on top, cleanlab takes the third."""
    probabilities, labels = made(seed)
    reached = probabilities >= label_noise.thresholds(probabilities, labels)
    top = probabilities.argmax(axis=1)
    is_third = (reached.sum(axis=1) > 1) & ~reached[np.arange(len(top)), top]

    found = label_noise.doubtful(probabilities, labels, ranked_by=ours)
    expected = find_label_issues(
        labels,
        probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by=theirs,
        n_jobs=1,
    )

    assert is_third.mean() < 0.05
    assert len(found) > 100
    assert [row for row in found if not is_third[row]] == [
        row for row in expected if not is_third[row]
    ]


def test_joint_and_margin_are_those_of_cleanlab() -> None:
    probabilities, labels = made(7)
    joint = label_noise.confident_joint(probabilities, labels)
    theirs = compute_confident_joint(labels, probabilities, calibrate=False)
    estimate = estimate_joint(labels, probabilities)
    margins = get_normalized_margin_for_each_label(labels, probabilities)

    assert np.abs(joint - theirs).sum() < 0.01 * joint.sum()
    assert np.abs(label_noise.estimated_joint(probabilities, labels) - estimate).sum() < 0.01
    assert label_noise.margin(probabilities, labels) == pytest.approx(2 * margins - 1)


# --- Where it is known which labels are wrong -----------------------------------------------
def flipped(labels: list[str], share: float, seed: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Labels of which a share was given another one that occurs, and which these are."""
    rng = np.random.default_rng(seed)
    every = sorted(set(labels))
    is_wrong = rng.random(len(labels)) < share
    others = [rng.choice([one for one in every if one != label]) for label in labels]
    given = [
        other if wrong else label
        for label, other, wrong in zip(labels, others, is_wrong, strict=True)
    ]
    return [str(label) for label in given], is_wrong


def found_in(fitted: Fit, labels: list[str]) -> tuple[NDArray[np.intp], float]:
    classes = fitted.classifier.classes_
    codes = np.array([classes.index(label) for label in labels])
    share = label_noise.noise_share(fitted.out_of_fold, codes)
    return label_noise.doubtful(fitted.out_of_fold, codes), share


def test_many_labels_that_were_made_wrong_are_found_in_a_few_hundred_tickets(demo: Tickets) -> None:
    """A model of 40 tickets a choice is right in two thirds, and takes hard tickets for wrong."""
    texts, truth = demo
    labels, is_wrong = flipped(truth, 0.08, seed=1)

    doubted, _ = found_in(fit(texts, labels, seed=0), labels)

    assert is_wrong[doubted].sum() / is_wrong.sum() >= 0.5
    # The head of the list is what a person looks at: most of it deserves that.
    assert is_wrong[doubted[: is_wrong.sum() // 2]].mean() >= 0.5
    assert is_wrong[doubted].mean() >= 3 * is_wrong.mean()


def test_most_labels_that_were_made_wrong_are_found_among_real_tickets(
    real_parts: tuple[Tickets, Tickets],
) -> None:
    """Real labels are noisy before anybody makes them so, which precision pays for."""
    texts, truth = real_parts[0]
    labels, is_wrong = flipped(truth, 0.08, seed=2)

    doubted, share = found_in(fit(texts, labels, seed=0), labels)

    assert is_wrong[doubted].sum() / is_wrong.sum() >= 0.6
    assert is_wrong[doubted[: is_wrong.sum() // 2]].mean() >= 0.8
    assert share >= is_wrong.mean()
