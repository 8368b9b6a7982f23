from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from triage.demo import company
from triage.demo.corpus import CARRIES, CorpusError, load, split, stories
from triage.models import TicketEvent

GOOD = """
[[ticket]]
id = "vpn-1"
subject = "No tunnel"
body = "It stops at 45 %."
requester = "emma.clarke"
team = "network"
priority = "high"
language = "en"
resolution = "New profile."
events = [ {kind = "reassigned", after_minutes = 4, team = "network"},
           {kind = "resolved", after_minutes = 95} ]
"""


def folder_with(folder: Path, text: str, name: str = "network_vpn.toml") -> Path:
    (folder / name).write_text(text)
    return folder


def texts() -> list[str]:
    return [f"{story.subject}\n{story.body}" for story in stories()]


def test_there_are_more_than_four_hundred_tickets_in_three_languages() -> None:
    told = stories()

    assert len(told) >= 400
    assert Counter(story.language for story in told).keys() == {"en", "de", "es"}
    assert {story.category for story in told} == company.leaves() | {""}
    assert min(Counter(story.category for story in told).values()) >= 26


def test_no_two_tickets_read_alike() -> None:
    counts = CountVectorizer(analyzer="char", ngram_range=(3, 3)).fit_transform(texts())
    rows = normalize(counts.astype(float))
    alike = (rows @ rows.T).toarray()
    np.fill_diagonal(alike, 0)

    one, other = np.unravel_index(alike.argmax(), alike.shape)
    assert alike.max() <= 0.8, (stories()[one].key, stories()[other].key)


def test_a_plain_model_finds_most_categories_but_not_all() -> None:
    told = [story for story in stories() if story.in_scope]
    truth = np.array([story.category for story in told])
    plain = make_pipeline(
        make_union(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
            TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 5)),
        ),
        LinearSVC(random_state=0),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)

    said = cross_val_predict(
        plain, [f"{story.subject}\n{story.body}" for story in told], truth, cv=folds
    )

    assert 0.75 <= (said == truth).mean() <= 0.95


def test_the_past_leaves_enough_labels_for_every_choice_and_the_outage_is_still_to_come() -> None:
    past, live = split(stories())

    assert {story.key for story in past}.isdisjoint(story.key for story in live)
    assert len(past) + len(live) == len(stories())
    labels = Counter(story.category for story in past if story.in_scope)
    assert labels.keys() == company.leaves()
    assert min(labels.values()) >= 30
    assert min(Counter(story.priority for story in past if story.in_scope).values()) >= 30
    assert all(story.minute is None for story in past)
    assert sum(story.minute is not None for story in live) == 18


def test_kinds_of_events_are_those_that_the_service_knows() -> None:
    assert set(CARRIES) == set(TicketEvent.Kind.values)


def test_the_truth_is_the_last_recategorisation(tmp_path: Path) -> None:
    moved = GOOD.replace(
        '{kind = "resolved"',
        '{kind = "recategorised", after_minutes = 9, category = "access.password"}, '
        '{kind = "resolved"',
    )

    (story,) = load(folder_with(tmp_path, moved))

    assert story.category == "access.password"
    assert story.minutes_to_the_end == 95


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('priority = "high"', 'priority = "asap"', "priority must be one of"),
        ('team = "network"\npri', 'team = "it"\npri', "team must be one of"),
        ('requester = "emma.clarke"', 'requester = "a.real.person"', "requester must be one of"),
        ('subject = "No tunnel"', 'subject = "  "', "subject must be text"),
        ('language = "en"', "", "the key 'language' is missing"),
        ('language = "en"', 'language = "en"\nmood = "bad"', "there is no key 'mood'"),
        ("after_minutes = 95", "after_minutes = 2", "in the order of after_minutes"),
        ("after_minutes = 95", "after_minutes = true", "after_minutes must be 0 or more"),
        ('kind = "resolved"', 'kind = "solved"', "kind must be one of"),
        ('4, team = "network"', "4", "reassigned takes"),
    ],
)
def test_a_wrong_ticket_is_named_with_its_file_and_the_rule(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert GOOD.count(old) == 1

    with pytest.raises(CorpusError, match=r"network_vpn\.toml, ticket vpn-1: ") as caught:
        load(folder_with(tmp_path, GOOD.replace(old, new)))

    assert said in str(caught.value)


def test_an_id_used_twice_an_unknown_category_and_broken_toml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="vpn-1: an id may be used once"):
        load(folder_with(tmp_path, GOOD + GOOD))
    folder_with(tmp_path, "")
    (tmp_path / "network_vpn.toml").unlink()
    with pytest.raises(CorpusError, match="category must be one of"):
        load(folder_with(tmp_path, GOOD, "network_pigeon.toml"))
    with pytest.raises(CorpusError, match=r"network_pigeon\.toml is not a file of"):
        load(folder_with(tmp_path, "[[ticket", "network_pigeon.toml"))
