from __future__ import annotations

import re
import time

import numpy as np
import pytest

from tests.learning.conftest import Tickets
from triage.learning.classifier import Ask, Classifier
from triage.learning.explanation import words, words_of_all
from triage.learning.features import TOKEN
from triage.learning.fitting import Fit
from triage.learning.second import Encoder
from triage.learning.vectors import Remembering


def without(text: str, gone: set[str]) -> str:
    return TOKEN.sub(lambda found: "" if found.group().lower() in gone else found.group(), text)


def mean_drops(
    classifier: Classifier,
    texts: list[str],
    *,
    remembering: Encoder | None = None,
    ask: Ask = Ask.UNSURE,
) -> tuple[float, float]:
    """How far p(answer) falls without the cited words, and without as many random ones."""
    rng = np.random.default_rng(0)
    found = classifier.predict(texts, encoder=remembering, ask=ask)
    cut, random = [], []
    for text, evidence in zip(
        texts,
        words_of_all(classifier, texts, found, found.labels, encoder=remembering),
        strict=True,
    ):
        cited = {one.word.lower() for one in evidence.for_}
        others = sorted({token.lower() for token in TOKEN.findall(text)})
        drawn = set(rng.choice(others, min(len(cited), len(others)), replace=False).tolist())
        cut.append(without(text, cited))
        random.append(without(text, drawn))
    rows, best = np.arange(len(texts)), found.probabilities.argmax(axis=1)
    before = found.probabilities[rows, best]
    after_cut, after_random = (
        classifier.predict_proba(changed, encoder=remembering, ask=ask)[rows, best]
        for changed in (cut, random)
    )
    return float((before - after_cut).mean()), float((before - after_random).mean())


def test_removing_cited_words_of_demo_tickets_costs_more_than_random_ones(
    demo_parts: tuple[Tickets, Tickets], demo_classifier: Classifier
) -> None:
    cited, random = mean_drops(demo_classifier, demo_parts[1][0])
    assert cited > 3 * random
    assert cited > 0.1


def test_removing_cited_words_of_real_tickets_costs_more_than_random_ones(
    real_parts: tuple[Tickets, Tickets], real_classifier: Classifier
) -> None:
    cited, random = mean_drops(real_classifier, real_parts[1][0][:400])
    assert cited > 3 * random
    assert cited > 0.1


def test_removing_words_cited_by_the_second_tier_costs_more_than_random_ones(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit, remembering: Remembering
) -> None:
    cited, random = mean_drops(
        two_tiers.classifier, real_parts[1][0][:40], remembering=remembering, ask=Ask.ALWAYS
    )
    assert cited > 3 * random
    assert cited > 0.1


def test_the_second_tier_cites_words_of_a_long_text_as_they_are_spelled(
    real_parts: tuple[Tickets, Tickets], two_tiers: Fit, remembering: Remembering
) -> None:
    text = "My PRINTER jams. " + " ".join(real_parts[1][0][3:9])
    said = two_tiers.classifier.predict([text], encoder=remembering, ask=Ask.ALWAYS)

    found = words_of_all(two_tiers.classifier, [text], said, ["Hardware"], encoder=remembering)[0]

    cited = [one.word for one in found.for_ + found.against]
    assert len(found.for_) == len(found.against) == 4
    assert len(set(cited)) == 8
    assert set(cited) <= set(TOKEN.findall(text))


def test_words_are_spelled_as_in_the_text(demo_classifier: Classifier) -> None:
    text = "My PRINTER jams, the Printer-Driver is from März. PRINTER!"
    evidence = words(demo_classifier, text, "hardware_printer")
    cited = [one.word for one in evidence.for_ + evidence.against]
    assert evidence.for_[0].word == "PRINTER"
    assert len(cited) == len({word.lower() for word in cited})
    assert all(re.search(rf"\b{word}\b", text) for word in cited)


def test_signs_and_order_tell_for_from_against(demo_classifier: Classifier) -> None:
    text = "The printer prints nothing, and the vpn drops at home every evening"
    evidence = words(demo_classifier, text, "hardware_printer", top=3)
    for_, against = ([one.weight for one in some] for some in (evidence.for_, evidence.against))
    assert for_ == sorted(for_, reverse=True)
    assert against == sorted(against)
    assert min(for_) > 0 > max(against)
    assert max(len(for_), len(against)) <= 3
    assert "vpn" in {one.word for one in evidence.against}


def test_the_weights_of_all_words_add_up_to_the_score(demo_classifier: Classifier) -> None:
    text = "The printer on floor 3 prints pale, pale labels and the printer on floor 4 none"
    found = demo_classifier.predict([text])
    evidence = words(demo_classifier, text, "hardware_printer", top=99)
    label = demo_classifier.classes_.index("hardware_printer")
    others = found.probabilities[0].copy()
    others[label] = 0
    scores = (found.rows @ demo_classifier.weights)[0]
    expected = scores[label] - scores @ (others / others.sum())
    total = sum(one.weight for one in evidence.for_ + evidence.against)
    assert total == pytest.approx(expected, abs=1e-4)


def test_a_text_without_words_has_no_evidence(demo_classifier: Classifier) -> None:
    evidence = words(demo_classifier, "!?", "hardware_printer")
    assert (evidence.for_, evidence.against) == ([], [])


def test_unknown_labels_and_unequal_lengths_are_refused(demo_classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="got \\['gardening'\\]"):
        words(demo_classifier, "printer", "gardening")
    with pytest.raises(ValueError, match="got 2, 1 and 1"):
        words_of_all(demo_classifier, ["a", "b"], demo_classifier.predict(["a"]), ["x"])


def test_a_ticket_is_explained_in_less_than_two_milliseconds(
    real_parts: tuple[Tickets, Tickets], real_classifier: Classifier
) -> None:
    texts = real_parts[1][0][:300]
    found = real_classifier.predict(texts)
    started = time.process_time()
    words_of_all(real_classifier, texts, found, found.labels)
    assert (time.process_time() - started) / len(texts) < 0.002
