"""Reply templates: what is refused, and that values stay text."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.policy.samples import json_values
from triage.policy.playbooks import PLACEHOLDERS, check, check_words, fits, render

VALUES = {
    "requester_name": "Ann",
    "subject": "VPN drops",
    "external_id": "42",
    "category": "Network › VPN",
    "source": "Desk",
}


def test_placeholders_are_filled_in_wherever_they_stand() -> None:
    template = "Hello {requester_name},\n“{subject}” ({external_id}{source}) is {category}.\n"
    assert check(template) == []
    assert render(template, VALUES) == ("Hello Ann,\n“VPN drops” (42Desk) is Network › VPN.\n")


KNOWN = "{requester_name} {subject} {external_id} {category} {source}"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("", "The reply must be text that is not empty; got “”."),
        (" \n", "The reply must be text that is not empty; got “ \ufffd”."),
        (None, "The reply must be text that is not empty; got nothing."),
        ("x" * 4001, "The reply has at most 4000 characters; got 4001."),
        ("Hi {name}", f"The placeholders are {KNOWN}; got “{{name}}”."),
        ("Hi {}", f"The placeholders are {KNOWN}; got “{{}}”."),
        ("Hi {0}", f"The placeholders are {KNOWN}; got “{{0}}”."),
        ("Hi { subject }", f"The placeholders are {KNOWN}; got “{{ subject }}”."),
        ("{subject.__class__}", f"The placeholders are {KNOWN}; got “{{subject.__class__}}”."),
        ("{subject[0]}", f"The placeholders are {KNOWN}; got “{{subject[0]}}”."),
        ("{subject!r}", f"The placeholders are {KNOWN}; got “{{subject!r}}”."),
        ("{subject:>999999999}", f"The placeholders are {KNOWN}; got “{{subject:>999999999}}”."),
        (
            "one\ntwo }",
            "A brace must belong to a placeholder; got a stray “}” on line 2.",
        ),
        (
            "{ {subject}",
            "A brace must belong to a placeholder; got a stray “{” on line 1.",
        ),
        (
            "nul \0",
            "The reply must not hold control characters but tabs and line breaks.",
        ),
        (
            "half \ud800",
            "The reply must not hold control characters but tabs and line breaks.",
        ),
    ],
)
def test_a_wrong_template_is_refused_with_a_sentence(template: object, problem: str) -> None:
    assert check(template) == [problem]


def test_every_problem_is_named_once() -> None:
    assert len(check("{a} {b} {a} }\n}")) == 4


def test_the_longest_template_of_nothing_but_braces_is_checked_and_answered_briefly() -> None:
    assert len(check("{" * 4000)) == 1
    assert len(check("}\n" * 2000)) == 10
    assert check("x" * 4000) == []


def test_values_with_braces_stay_text() -> None:
    assert render("{subject}", {"subject": "{source} {0} {{ } %s \\1 {subject}"}) == (
        "{source} {0} {{ } %s \\1 {subject}"
    )


def test_a_missing_value_leaves_nothing_and_an_unknown_placeholder_stays() -> None:
    assert render("a{subject}b", {}) == "ab"
    assert render("a{secret}b } {", {"secret": "x"}) == "a{secret}b } {"


def test_control_characters_and_direction_marks_are_dropped_from_values() -> None:
    hostile = "  a\r\nBcc: x\tb\x00\x1b[31m\x7f\u202egnp\ud800\u2028c "
    assert render("{subject}", {"subject": hostile}) == "a Bcc: x b[31mgnp c"


def test_a_family_of_joined_characters_stays_whole() -> None:
    assert render("{subject}", {"subject": "👩\u200d💻 Grüße"}) == "👩\u200d💻 Grüße"


def test_a_long_value_ends_in_an_ellipsis_at_200_characters() -> None:
    assert render("{subject}", {"subject": "x" * 200}) == "x" * 200
    assert render("{subject}", {"subject": "x" * 201}) == "x" * 199 + "…"


@settings(max_examples=300, deadline=None)
@given(template=json_values | st.text(st.sampled_from("{}a \n"), max_size=30))
def test_no_value_makes_the_check_raise(template: object) -> None:
    problems = check(template)
    "".join(problems).encode()
    if not problems:
        render(str(template), {})


pieces = st.lists(
    st.sampled_from([f"{{{name}}}" for name in PLACEHOLDERS]) | st.text(max_size=10), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(pieces=pieces, value=st.text(st.characters(exclude_categories=()), max_size=300))
def test_a_clean_template_renders_to_its_own_text_with_the_values_between(
    pieces: list[str], value: str
) -> None:
    template = "".join(pieces)
    assume(check(template) == [])
    result = render(template, dict.fromkeys(PLACEHOLDERS, value))

    fixed = re.split("|".join(f"{{{name}}}" for name in PLACEHOLDERS), template)
    filled = render("{subject}", {"subject": value})
    assert result == filled.join(fixed)
    assert len(filled) <= 200
    filled.encode()


def test_a_playbook_fits_a_text_with_one_of_its_words() -> None:
    assert fits(["password", "locked out"], "I am LOCKED-OUT since 9")
    assert not fits(["password", "locked out"], "passwords; locked in, out")
    assert fits([], "anything")
    assert not fits(["++"], "anything ++")


def test_words_of_a_playbook_are_checked_as_those_of_rules() -> None:
    assert check_words([]) == []
    assert check_words(["locked out", "vpn"]) == []
    assert check_words("vpn") == ["The words must be a list; got “vpn”."]
    assert check_words(["vpn", ""]) == ["The words must hold text that is not empty; got “”."]


@settings(max_examples=200, deadline=None)
@given(words=json_values)
def test_no_words_make_their_check_raise(words: object) -> None:
    if not check_words(words) and isinstance(words, list):
        fits(words, "text")
