"""Conditions as people hand them in: everything wrong is said, and nothing raises."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.samples import CATALOGUE, items_like, json_values, make_facts
from triage.policy.conditions import KINDS, check, matches, sentence

ARGUMENTS = sorted({name for kind in KINDS.values() for name in kind.arguments})
FIELD_IS = {"kind": "field_is", "field": "category", "choice": "network"}
WORDS = {"kind": "words_any", "words": ["vip"], "where": "either"}


@pytest.mark.parametrize(
    ("conditions", "problem"),
    [
        ({"kind": "hold"}, "The conditions must be a list; got an object."),
        (None, "The conditions must be a list; got nothing."),
        ([], "A rule has 1 to 20 conditions; got 0."),
        ([FIELD_IS] * 21, "A rule has 1 to 20 conditions; got 21."),
        (["vip"], "Condition 1: must be an object with a kind; got “vip”."),
        ([FIELD_IS, {}], "Condition 2: the kind must be one of field_is, field_in, "),
        ([{"kind": ["field_is"]}], "; got a list of 1."),
        ([{"kind": "regex", "pattern": "a+"}], "; got “regex”."),
        ([{"kind": "out_of_hours", "zone": 1}], "Condition 1: out_of_hours takes no “zone”."),
        ([{"kind": "older_than"}], "older_than needs “minutes”, which is missing."),
        (
            [{**FIELD_IS, "field": "colour"}],
            "“field” must be a field of the source (category, priority, team); got “colour”.",
        ),
        ([{**FIELD_IS, "choice": "net"}], "“choice” must be a choice of “category”; got “net”."),
        ([{**FIELD_IS, "choice": None}], "“choice” must be a choice of “category”; got nothing."),
        (
            [{"kind": "field_in", "field": "team", "choices": ["net", {}]}],
            "“choices” must be a choice of “team”; got an object.",
        ),
        (
            [{"kind": "field_in", "field": "team", "choices": []}],
            "“choices” must have 1 to 50 entries; got 0.",
        ),
        ([{**WORDS, "words": ["w"] * 51}], "“words” must have 1 to 50 entries; got 51."),
        ([{**WORDS, "words": "vip"}], "“words” must be a list; got “vip”."),
        ([{**WORDS, "words": ["  "]}], "“words” must hold text that is not empty; got “  ”."),
        ([{**WORDS, "words": [7]}], "“words” must hold text that is not empty; got 7."),
        ([{**WORDS, "words": ["++"]}], "must hold words with a letter or digit; got “++”."),
        ([{**WORDS, "words": ["x" * 81]}], "“words” must hold at most 80 characters; got 81."),
        ([{**WORDS, "words": ["a\0b"]}], "must hold no control characters; got “a\ufffdb”."),
        ([{**WORDS, "words": ["a\ud800"]}], "must hold no control characters; got “a\ufffd”."),
        ([{**WORDS, "where": "title"}], "must be one of subject, body, either; got “title”."),
        (
            [{"kind": "requester_is", "addresses": [""]}],
            "“addresses” must hold text that is not empty; got “”.",
        ),
        (
            [{"kind": "requester_domain", "domains": ["@example.org"]}],
            "must hold bare domains such as example.org; got “@example.org”.",
        ),
        (
            [{"kind": "requester_domain", "domains": ["*.example.org"]}],
            "must hold bare domains such as example.org; got “*.example.org”.",
        ),
        (
            [{"kind": "older_than", "minutes": "90"}],
            "“minutes” must be a number above 0, up to 525600; got “90”.",
        ),
        ([{"kind": "older_than", "minutes": float("nan")}], "; got nan."),
        ([{"kind": "older_than", "minutes": 10**400}], "; got a number of more than 12 digits."),
        ([{"kind": "older_than", "minutes": 10**5000}], "; got a number of more than 12 digits."),
        ([{"kind": "older_than", "minutes": 0}], "; got 0."),
        ([{"kind": "older_than", "minutes": True}], "; got true."),
        (
            [{"kind": "reopened_at_least", "count": 1.5}],
            "“count” must be a whole number above 0, up to 1000; got 1.5.",
        ),
        (
            [{"kind": "probability_below", "field": "category", "value": 60}],
            "“value” must be a number above 0, up to 1; got 60.",
        ),
    ],
)
def test_what_is_wrong_is_named_with_the_rule_and_what_came(conditions: Any, problem: str) -> None:
    (only,) = check(conditions, CATALOGUE)
    assert problem in only


def test_everything_wrong_is_said_at_once() -> None:
    problems = check(
        [{"kind": "words_any", "words": ["", "ok", 1], "colour": 1}, {"kind": "?"}, 3], CATALOGUE
    )
    assert [problem.split(":")[0] for problem in problems] == ["Condition 1"] * 4 + [
        "Condition 2",
        "Condition 3",
    ]


def test_what_came_is_cut_short_in_the_sentence() -> None:
    (problem,) = check([{**WORDS, "where": "x" * 100_000}], CATALOGUE)
    assert len(problem) < 150


def test_a_source_without_fields_refuses_every_field() -> None:
    assert check([FIELD_IS], {}) == [
        "Condition 1: field_is: “field” must be a field of the source (none yet); got “category”."
    ]


@settings(max_examples=400, deadline=None)
@given(conditions=items_like(list(KINDS), ARGUMENTS) | json_values)
def test_no_json_makes_the_check_raise_and_clean_ones_can_be_used(conditions: Any) -> None:
    problems = check(conditions, CATALOGUE)
    "".join(problems).encode()
    if not problems:
        matches("all", conditions, make_facts())
        matches("any", conditions, make_facts())
        sentence("all", conditions, [], {}).encode()


@st.composite
def clean_conditions(draw: st.DrawFn) -> list[dict[str, Any]]:
    field = draw(st.sampled_from(sorted(CATALOGUE)))
    choices = st.sampled_from(sorted(CATALOGUE[field]))
    words = st.lists(st.from_regex(r"[\w'-]{0,20}\d", fullmatch=True), min_size=1, max_size=4)
    values = {
        "field": st.just(field),
        "choice": choices,
        "choices": st.lists(choices, min_size=1, max_size=3),
        "words": words,
        "where": st.sampled_from(["subject", "body", "either"]),
        "addresses": words,
        "domains": st.just(["example.org"]),
        "minutes": st.floats(0.1, 1000),
        "count": st.integers(1, 5),
        "value": st.floats(0.01, 1),
    }
    kind = draw(st.sampled_from(list(KINDS)))
    return [{"kind": kind, **{name: draw(values[name]) for name in KINDS[kind].arguments}}]


@settings(max_examples=300, deadline=None)
@given(conditions=clean_conditions(), subject=st.text(max_size=60), body=st.text(max_size=60))
def test_clean_conditions_are_accepted_and_answer_whatever_the_ticket_says(
    conditions: list[dict[str, Any]], subject: str, body: str
) -> None:
    assert check(conditions, CATALOGUE) == []
    facts = make_facts(subject=subject, body=body)
    assert matches("all", conditions, facts) == matches("any", conditions, facts)


@settings(max_examples=300, deadline=None)
@given(
    before=st.text(max_size=40), word=st.text(min_size=1, max_size=20), after=st.text(max_size=40)
)
def test_a_word_is_found_in_any_text_that_has_it_between_spaces(
    before: str, word: str, after: str
) -> None:
    condition = {"kind": "words_any", "words": [word], "where": "body"}
    if not check([condition], CATALOGUE):
        facts = make_facts(body=f"{before} {word} {after}")
        assert matches("all", [condition], facts)
