"""Taking words out of a classifier: these go, and nothing else is answered differently."""

from __future__ import annotations

import numpy as np

from tests.learning.conftest import Tickets
from triage.learning.classifier import Classifier
from triage.learning.fitting import fit
from triage.learning.forgetting import (
    Terms,
    known,
    knows_nothing_but,
    only_theirs,
    terms_of,
    without,
)


def test_terms_are_words_pairs_and_the_pieces_inside_words() -> None:
    found = terms_of(["VPN is down"])

    assert {"vpn", "is", "down", "vpn is", "is down"} == found.words
    assert {" vpn ", "dow", "wn "} <= found.pieces


def test_a_term_that_anybody_else_used_is_not_only_theirs() -> None:
    theirs = terms_of(["Zorblatt printer"])

    left = only_theirs(theirs, ["the printer hums", "a blat"])

    assert left.words == {"zorblatt", "zorblatt printer"}
    assert "orb" in left.pieces
    assert "blat" not in left.pieces
    assert not left.pieces & terms_of(["printer"]).pieces


def test_texts_without_the_words_are_answered_exactly_as_before(
    demo_parts: tuple[Tickets, Tickets],
) -> None:
    (texts, labels), (others, _) = demo_parts
    taught = [f"{text} zorblatt wexqu" if n % 50 == 0 else text for n, text in enumerate(texts)]
    classifier = fit(taught, labels, seed=1).classifier
    gone = only_theirs(terms_of(["zorblatt wexqu"]), [*texts, *others])

    pruned = without(classifier, gone)

    assert known(classifier, gone)
    assert not known(pruned, gone)
    assert "zorblatt" not in pruned.features.words
    assert pruned.features.n_columns == classifier.features.n_columns - len(known(classifier, gone))
    before, after = classifier.predict(others), pruned.predict(others)
    np.testing.assert_array_equal(after.probabilities, before.probabilities)
    np.testing.assert_array_equal(after.in_scope, before.in_scope)
    assert not np.array_equal(
        pruned.predict_proba(["zorblatt"]), classifier.predict_proba(["zorblatt"])
    )


def test_a_pruned_classifier_can_be_stored(demo_classifier: Classifier) -> None:
    pruned = without(demo_classifier, terms_of(["printer"]))

    stored = Classifier.from_state(pruned.state())

    np.testing.assert_array_equal(
        stored.predict_proba(["the printer hums"]), pruned.predict_proba(["the printer hums"])
    )


def test_everything_a_classifier_knows_may_be_theirs(demo_classifier: Classifier) -> None:
    features = demo_classifier.features

    assert knows_nothing_but(demo_classifier, Terms(set(features.words), set()))
    assert knows_nothing_but(demo_classifier, Terms(set(), set(features.pieces)))
    assert not knows_nothing_but(demo_classifier, terms_of(["printer"]))
