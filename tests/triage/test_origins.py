"""Which origins may be listed: a header is built from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.origins import problem, usable


@pytest.mark.parametrize(
    "origin",
    [
        "https://desk.example.org",
        "https://desk.example.org:8443",
        "https://*.example.org",
        "https://helpdesk",
        "http://127.0.0.1:8010",
        "http://localhost:8010",
        "https://xn--mller-kva.example",
    ],
)
def test_origins_that_may_be_listed(origin: str) -> None:
    assert problem(origin) == ""


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("", "is not an origin"),
        ("*", "is not an origin"),
        ("https://*", "is not an origin"),
        ("https:", "is not an origin"),
        ("desk.example.org", "is not an origin"),
        ("https://desk.example.org/", "is not an origin"),
        ("https://desk.example.org/path", "is not an origin"),
        ("https://desk.example.org?x", "is not an origin"),
        ("https://me@desk.example.org", "is not an origin"),
        ("https://desk.*.org", "is not an origin"),
        ("https://desk.example.org; script-src *", "is not an origin"),
        ("https://desk.example.org\n", "is not an origin"),
        ("https://müller.example", "is not an origin"),
        ("'self'", "is not an origin"),
        ("javascript:alert(1)", "is not an origin"),
        ("https://desk.example.org:0", "is not an origin"),
        ("https://desk.example.org:70000", "no such port"),
        ("http://desk.example.org", "only https is safe"),
        ("http://localhost.example.org", "only https is safe"),
        ("https://*.org", "a star stands for"),
    ],
)
def test_what_is_no_origin_is_refused_with_the_reason(origin: str, said: str) -> None:
    assert said in problem(origin)


@given(st.lists(st.text(max_size=40) | st.sampled_from(["https://a.example", "'self' *"])))
def test_nothing_but_origins_reaches_the_header(origins: list[str]) -> None:
    for origin in usable(origins):
        assert not set(origin) & set(" ;,'\"\n")
        assert origin.startswith(("https://", "http://localhost", "http://127."))
