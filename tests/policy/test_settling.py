"""A choice, the parent of several, or nothing and why: from probabilities and a tree of choices."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from math import fsum, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.policy.fields import ChoiceSpec, Thresholds
from triage.policy.settling import BY_MODEL, Doubt, Predicted, Settled, settle

PARENTS = {
    "network": None,
    "network.remote": "network",
    "network.remote.vpn": "network.remote",
    "network.remote.citrix": "network.remote",
    "network.wifi": "network",
    "mail": None,
}
ASKED = Thresholds(propose_from=0.2, scope_from=0.01, settle_from=0.5)


def tree(parents: Mapping[str, str | None], retired: frozenset[str]) -> dict[str, ChoiceSpec]:
    """Live choices as the service reads them: a loop of parents ends where it began."""
    choices = {}
    for key in parents:
        ancestors: list[str] = []
        parent = parents[key]
        while parent is not None and parent not in ancestors:
            ancestors.append(parent)
            parent = parents[parent]
        if key not in retired:
            choices[key] = ChoiceSpec(key, ancestors=tuple(ancestors))
    return choices


def settled(
    probabilities: Mapping[str, float],
    *,
    in_scope: float = 1.0,
    retired: frozenset[str] = frozenset(),
    **asked: float,
) -> Settled:
    found = settle(
        tree(PARENTS, retired), replace(ASKED, **asked), Predicted(probabilities, in_scope)
    )
    assert found is not None
    return found


def test_a_choice_that_is_likely_enough_stands_alone() -> None:
    assert settled({"network.wifi": 0.5, "mail": 0.5}) == Settled("mail", "model", 0.5)
    assert settled({"network.wifi": 0.6, "network": 0.4}) == Settled("network.wifi", "model", 0.6)


def test_siblings_that_share_the_probability_give_way_to_their_parent() -> None:
    torn = {"network.remote.vpn": 0.34, "network.remote.citrix": 0.31, "mail": 0.35}

    assert settled({**torn, "mail": 0.3}) == Settled("network.remote", "parent", 0.65)
    # The likeliest choice leads: its parent is asked, not whichever branch holds most.
    assert settled(torn) == Settled("mail", "model", 0.35)


def test_it_climbs_until_a_branch_holds_enough() -> None:
    torn = {"network.remote.vpn": 0.3, "network.remote.citrix": 0.1, "network.wifi": 0.25}

    assert settled(torn) == Settled("network", "parent", 0.65)
    assert settled(torn, settle_from=0.4) == Settled("network.remote", "parent", 0.4)
    assert settled(torn, settle_from=0.7) == Settled("network.remote.vpn", "model", 0.3)
    assert settled(torn, settle_from=0.0) == Settled("network.remote.vpn", "model", 0.3)


def test_a_parent_counts_what_it_is_given_itself() -> None:
    assert settled({"network.wifi": 0.3, "network": 0.25, "mail": 0.2}) == Settled(
        "network", "parent", 0.55
    )
    assert settled({"network": 0.3, "network.wifi": 0.25, "mail": 0.2}) == Settled(
        "network", "parent", 0.55
    )


def test_a_retired_parent_is_passed_over_and_its_children_count_for_the_next() -> None:
    torn = {"network.remote.vpn": 0.34, "network.remote.citrix": 0.31, "mail": 0.3}

    assert settled(torn, retired=frozenset({"network.remote"})) == Settled(
        "network", "parent", 0.65
    )
    assert settled(torn, retired=frozenset({"network.remote", "network"})) == Settled(
        "network.remote.vpn", "model", 0.34
    )


def test_what_was_retired_after_the_prediction_was_stored_is_not_proposed_nor_counted() -> None:
    torn = {"network.wifi": 0.4, "network.remote.vpn": 0.35, "network.remote.citrix": 0.25}

    assert settled(torn, retired=frozenset({"network.wifi"})) == Settled(
        "network.remote", "parent", 0.6
    )


def test_below_what_is_asked_nothing_is_proposed_and_the_figures_are_told() -> None:
    assert settled({"mail": 0.18}) == Settled("mail", "none", 0.18, Doubt.UNSURE, 0.2)
    assert settled({"mail": 0.2}) == Settled("mail", "model", 0.2)


def test_a_ticket_unlike_what_was_taught_is_left_open_however_sure_the_model_is() -> None:
    assert settled({"mail": 0.99}, in_scope=0.009) == Settled(
        "mail", "none", 0.99, Doubt.UNLIKE, 0.01
    )
    assert settled({"mail": 0.99}, in_scope=nan).doubt == Doubt.UNLIKE
    assert settled({"mail": 0.99}, in_scope=0.01).basis == "model"


def test_where_more_is_asked_of_a_proposal_a_parent_may_still_reach_it() -> None:
    torn = {"network.remote.vpn": 0.6, "network.remote.citrix": 0.3}

    assert settled(torn, propose_from=0.8) == Settled("network.remote", "parent", 0.9)
    assert settled(torn, propose_from=0.95).doubt == Doubt.UNSURE


def test_the_order_of_the_keys_changes_nothing() -> None:
    """The database gives them back in another order than the model did."""
    torn = {"network.wifi": 0.1, "network.remote.vpn": 0.2, "mail": 0.2, "network": 0.3}
    ways = {
        settled(dict(order), settle_from=0.6).probability for order in permutations(torn.items())
    }

    assert ways == {0.6}
    assert settled({"b": 0.4, "mail": 0.4, "network": 0.4}, settle_from=0) == settled(
        {"network": 0.4, "mail": 0.4}, settle_from=0
    )


@pytest.mark.parametrize("said", [{}, {"gone": 0.9}, {"mail": 0.0}, {"mail": nan}, {"mail": -1.0}])
def test_a_prediction_that_speaks_of_no_live_choice_settles_nothing(said: dict[str, float]) -> None:
    assert settle(tree(PARENTS, frozenset()), ASKED, Predicted(said)) is None


# --- Whatever the tree and the figures are like ---------------------------------------------
KEYS = "abcdefgh"
shares = st.floats(0, 1)
figures = shares | st.sampled_from([nan, -1.0, 2.0, float("inf")])
asked = st.builds(Thresholds, shares, shares, shares)


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[str, ChoiceSpec], Predicted]:
    """Trees with loops and retired choices; probabilities that also name unknown ones."""
    parents = {key: draw(st.none() | st.sampled_from(KEYS)) for key in KEYS}
    retired = draw(st.frozensets(st.sampled_from(KEYS), max_size=5))
    if draw(st.booleans()):
        weights = draw(st.dictionaries(st.sampled_from(KEYS + "xyz"), st.floats(0.01, 1)))
        total = fsum(weights.values())
        said = {key: round(weight / total, 6) for key, weight in weights.items()}
    else:
        said = draw(st.dictionaries(st.sampled_from(KEYS + "xyz"), figures))
    return tree(parents, retired), Predicted(said, draw(figures))


def branch_of(choices: Mapping[str, ChoiceSpec], parent: str, said: Predicted) -> float:
    return fsum(
        p
        for key, p in said.probabilities.items()
        if key in choices and 0 < p <= 1 and (key == parent or parent in choices[key].ancestors)
    )


@given(situations(), asked)
def test_only_live_choices_are_proposed_and_at_the_probability_that_was_stored(
    situation: tuple[dict[str, ChoiceSpec], Predicted], thresholds: Thresholds
) -> None:
    choices, said = situation
    found = settle(choices, thresholds, said)
    if found is None:
        assert not said.probabilities.keys() & choices.keys() or all(
            not 0 < said.probabilities[key] <= 1 for key in said.probabilities.keys() & choices
        )
        return

    assert found.choice in choices
    assert 0 < found.probability <= 1
    if found.basis == "parent":
        total = branch_of(choices, found.choice, said)
        assert found.probability == pytest.approx(min(1, total), abs=1e-6)
        assert found.probability >= thresholds.settle_from
    else:
        assert found.probability == said.probabilities[found.choice]
    if found.basis in BY_MODEL:
        assert found.probability >= thresholds.propose_from
        assert said.in_scope >= thresholds.scope_from
        assert (found.doubt, found.asked) == (Doubt.NONE, None)
    else:
        assert found.asked in (thresholds.propose_from, thresholds.scope_from)


@given(situations(), asked, st.sampled_from(["propose_from", "scope_from"]), shares)
def test_asking_for_more_never_fills_what_was_open(
    situation: tuple[dict[str, ChoiceSpec], Predicted],
    thresholds: Thresholds,
    name: str,
    more: float,
) -> None:
    choices, said = situation
    low, high = sorted((getattr(thresholds, name), more))
    before = settle(choices, replace(thresholds, **{name: low}), said)
    after = settle(choices, replace(thresholds, **{name: high}), said)

    if before is None or after is None:
        assert before is after
    elif before.basis == "none":
        assert after.basis == "none"
    elif after.basis != "none":
        assert after.probability >= before.probability


@given(situations(), asked, shares)
def test_a_higher_bar_for_single_choices_climbs_or_gives_up_climbing(
    situation: tuple[dict[str, ChoiceSpec], Predicted], thresholds: Thresholds, more: float
) -> None:
    choices, said = situation
    low, high = sorted((thresholds.settle_from, more))
    before = settle(choices, replace(thresholds, settle_from=low), said)
    after = settle(choices, replace(thresholds, settle_from=high), said)

    if before is not None and after is not None and before.basis == after.basis == "parent":
        assert after.probability >= before.probability
    if before is not None and after is not None and before.basis == "none":
        # Below what is asked of a proposal only a parent can be likely enough.
        assert after.basis in ("none", "parent")


@given(situations(), asked)
def test_a_parent_that_may_not_stand_is_never_proposed(
    situation: tuple[dict[str, ChoiceSpec], Predicted], thresholds: Thresholds
) -> None:
    choices, said = situation

    def refuse(*_: Any) -> bool:
        return False

    found = settle(choices, thresholds, said, refuse)

    assert found is None or found.basis != "parent"
