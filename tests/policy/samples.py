"""Facts and a catalogue to test policy on; each test changes only what it is about."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from triage.policy.conditions import Facts

CATALOGUE = {
    "category": frozenset({"network", "network.vpn", "hardware", "access"}),
    "priority": frozenset({"low", "normal", "high", "urgent"}),
    "team": frozenset({"net", "desk"}),
}
PLAIN = Facts(
    subject="VPN drops every hour",
    body="Since Monday the tunnel closes. I tried the guest wifi as well.",
    requester="Ann.Lee@it.example.org",
    values={"category": "network.vpn", "priority": "normal"},
    parents={"category": frozenset({"network"})},
    ranks={"priority": {"low": 10, "normal": 20, "high": 30, "urgent": 40}},
    probabilities={"category": 0.6},
    age_minutes=90.0,
    reopened_count=1,
    in_working_hours=True,
)


def make_facts(**over: Any) -> Facts:
    return replace(PLAIN, **over)


# What a JSON parser can hand over, lone surrogates, nan and huge numbers included.
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=100)
_wild_text = st.text(st.characters(exclude_categories=()), max_size=20)
json_values = st.recursive(
    _scalars | _wild_text | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=10) | _wild_text, inner, max_size=5)
    ),
    max_leaves=12,
)


def items_like(kinds: list[str], arguments: list[str]) -> st.SearchStrategy[object]:
    """Lists of objects that look right enough to get past the first refusals."""
    keys = st.sampled_from([*arguments, "kind", "extra"])
    known = sorted(CATALOGUE) + sorted(set().union(*CATALOGUE.values()))
    values = st.sampled_from([*known, "either", 1, 0.5, ["vpn"], ["network"]]) | json_values
    item = st.dictionaries(keys, values, max_size=4)
    named = st.builds(lambda item, kind: {**item, "kind": kind}, item, st.sampled_from(kinds))
    return st.lists(named | item | json_values, max_size=4)
