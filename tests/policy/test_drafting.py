"""What is proposed, by whom, and where the ticket goes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.policy.drafting import DraftValue, RungSpec, opinions, route, with_rules
from triage.policy.fields import ChoiceSpec, FieldSpec, Thresholds
from triage.policy.ladder import LEVELS
from triage.policy.routing import Outcome
from triage.policy.settling import Predicted

VPN = ChoiceSpec("vpn", ancestors=("network",), implies={"team": "netops"})
MAIL = ChoiceSpec("mail")
FIELDS = [
    FieldSpec("category", True, False, {"vpn": VPN, "mail": MAIL}),
    FieldSpec("team", False, False, {c: ChoiceSpec(c) for c in ("netops", "desk")}),
    FieldSpec(
        "priority", False, True, {"low": ChoiceSpec("low", 1), "high": ChoiceSpec("high", 3)}
    ),
]


def propose(
    predicted: dict[str, Predicted] | None = None,
    helpdesk: dict[str, str] | None = None,
    rungs: dict[tuple[str, str], RungSpec] | None = None,
    draw: float = 0.5,
) -> dict[str, DraftValue]:
    return opinions(FIELDS, predicted or {}, helpdesk or {}, rungs or {}, draw=draw)


def test_without_any_model_the_helpdesks_values_stand_and_the_rest_is_open() -> None:
    values = propose(helpdesk={"priority": "low", "category": "gone"})

    assert (values["priority"].choice, values["priority"].basis) == ("low", "helpdesk")
    assert (values["category"].choice, values["category"].basis) == (None, "none")
    assert route(values, "category", held=False) == "review"


def test_the_team_follows_from_the_category_even_against_a_team_model() -> None:
    values = propose({"category": Predicted({"vpn": 0.9}), "team": Predicted({"desk": 0.99})})

    assert (values["team"].choice, values["team"].basis) == ("netops", "follows")


def test_where_nothing_follows_the_model_answers() -> None:
    values = propose({"category": Predicted({"mail": 0.9}), "team": Predicted({"desk": 0.7})})

    assert (values["team"].choice, values["team"].basis) == ("desk", "model")
    assert values["team"].probability == 0.7


def test_below_its_threshold_a_choice_is_left_open_with_its_probability() -> None:
    rungs = {("category", "vpn"): RungSpec(threshold=0.8)}
    values = propose({"category": Predicted({"vpn": 0.79})}, rungs=rungs)

    assert values["category"].choice is None
    assert values["category"].probability == 0.79
    assert values["team"].choice is None
    assert route(values, "category", held=False) == "review"


def test_the_fields_own_rung_holds_for_choices_without_one() -> None:
    rungs = {("category", ""): RungSpec(level="off"), ("category", "mail"): RungSpec()}

    assert propose({"category": Predicted({"vpn": 1.0})}, rungs=rungs)["category"].choice is None
    assert propose({"category": Predicted({"mail": 1.0})}, rungs=rungs)["category"].choice == "mail"


def test_shadow_on_the_main_field_keeps_the_ticket_out_of_the_queue() -> None:
    rungs = {("category", "vpn"): RungSpec(level="shadow")}
    values = propose({"category": Predicted({"vpn": 0.9})}, rungs=rungs)

    assert route(values, "category", held=False) == "shadow"
    assert route(values, "category", held=True) == "hold"


def test_auto_acts_only_with_a_certificate_and_inside_the_canary_share() -> None:
    certified = RungSpec(level="auto", certified_from=0.9, canary_percent=25)
    sure = {"category": Predicted({"vpn": 0.95})}

    def way(rung: RungSpec, predicted: dict[str, Predicted], draw: float) -> str:
        values = propose(predicted, rungs={("category", "vpn"): rung}, draw=draw)
        return route(values, "category", held=False)

    assert way(certified, sure, 0.24) == "auto"
    assert way(certified, sure, 0.25) == "review"
    assert way(certified, {"category": Predicted({"vpn": 0.89})}, 0.0) == "review"
    assert way(RungSpec(level="auto"), sure, 0.0) == "review"
    stopped = RungSpec(level="auto", certified_from=0.9, canary_percent=100, stopped=True)
    assert way(stopped, sure, 0.0) == "review"


def test_what_a_rule_sets_stands_and_names_the_rule() -> None:
    values = propose({"category": Predicted({"vpn": 0.9})})
    ruled = with_rules(FIELDS, values, Outcome(values={"priority": ("high", 7)}))

    assert (ruled["priority"].choice, ruled["priority"].basis) == ("high", "rule")
    assert ruled["priority"].rule_version == 7
    assert ruled["category"] == values["category"]


def test_a_rule_on_the_category_moves_the_team_unless_a_rule_sets_that_too() -> None:
    values = propose({"category": Predicted({"mail": 0.9}), "team": Predicted({"desk": 0.6})})

    moved = with_rules(FIELDS, values, Outcome(values={"category": ("vpn", 1)}))
    both = with_rules(FIELDS, values, Outcome(values={"category": ("vpn", 1), "team": ("desk", 2)}))

    assert (moved["team"].choice, moved["team"].basis) == ("netops", "follows")
    assert (both["team"].choice, both["team"].basis) == ("desk", "rule")


def test_a_rule_cannot_set_a_choice_that_is_no_longer_live() -> None:
    values = propose({"category": Predicted({"mail": 0.9})})

    ruled = with_rules(FIELDS, values, Outcome(values={"category": ("fax", 1), "gone": ("x", 2)}))

    assert ruled == values


# --- Doubt, and parents ---------------------------------------------------------------------
WIFI = ChoiceSpec("wifi", ancestors=("network",))
NETWORK = ChoiceSpec("network", implies={"team": "netops"})
TREE = [
    FieldSpec(
        "category",
        True,
        False,
        {"vpn": replace(VPN, implies={}), "wifi": WIFI, "network": NETWORK, "mail": MAIL},
        Thresholds(propose_from=0.2, scope_from=0.01, settle_from=0.5),
    ),
    FIELDS[1],
]
TORN = Predicted({"vpn": 0.34, "wifi": 0.31, "mail": 0.35 - 0.05})
UNSURE = Predicted({"mail": 0.18, "vpn": 0.17})
AUTO = RungSpec(level="auto", certified_from=0.0, canary_percent=100)


def in_tree(
    predicted: Predicted, rungs: dict[tuple[str, str], RungSpec] | None = None
) -> dict[str, DraftValue]:
    return opinions(TREE, {"category": predicted}, {}, rungs or {}, draw=0.0)


def test_an_unsure_model_leaves_the_field_open_and_the_ticket_in_the_queue() -> None:
    values = in_tree(UNSURE)

    assert values["category"] == DraftValue(
        "category", None, "none", "suggest", 0.18, doubt="unsure", asked=0.2
    )
    assert values["team"].choice is None
    assert route(values, "category", held=False) == "review"


def test_a_strange_ticket_is_left_open_even_where_the_choice_is_certified() -> None:
    strange = Predicted({"mail": 0.99}, in_scope=0.0)

    for rungs in ({("category", "mail"): AUTO}, {("category", ""): AUTO}):
        values = in_tree(strange, rungs)
        assert (values["category"].choice, values["category"].level) == (None, "suggest")
        assert (values["category"].doubt, values["category"].asked) == ("unlike", 0.01)
        assert route(values, "category", held=False) == "review"


@pytest.mark.parametrize("level", ["off", "shadow"])
def test_a_doubt_hides_a_ticket_only_where_the_whole_field_is_out_of_sight(level: str) -> None:
    hidden = RungSpec(level=level)

    own = in_tree(UNSURE, {("category", "mail"): hidden})
    rest = in_tree(UNSURE, {("category", ""): hidden, ("category", "mail"): RungSpec()})
    whole = in_tree(UNSURE, {("category", ""): hidden})

    assert own["category"].level == rest["category"].level == "suggest"
    assert whole["category"].level == level


def test_a_rungs_own_threshold_says_what_it_asked_for() -> None:
    values = in_tree(Predicted({"mail": 0.7}), {("category", "mail"): RungSpec(threshold=0.8)})

    assert (values["category"].doubt, values["category"].asked) == ("unsure", 0.8)
    off = in_tree(
        Predicted({"mail": 0.7}), {("category", "mail"): RungSpec(level="off", threshold=0.8)}
    )
    assert (off["category"].doubt, off["category"].asked) == ("", None)


def test_a_parent_is_proposed_with_what_follows_from_it() -> None:
    values = in_tree(TORN)

    assert values["category"] == DraftValue("category", "network", "parent", "suggest", 0.65)
    assert (values["team"].choice, values["team"].basis) == ("netops", "follows")


@pytest.mark.parametrize("level", ["prefill", "auto"])
def test_a_parent_is_never_more_than_suggested(level: str) -> None:
    rung = replace(AUTO, level=level)
    values = in_tree(TORN, {("category", key): rung for key in ("network", "vpn", "")})

    assert (values["category"].choice, values["category"].level) == ("network", "suggest")
    assert route(values, "category", held=False) == "review"


@pytest.mark.parametrize(
    "rung", [RungSpec(level="off"), RungSpec(level="shadow"), RungSpec(threshold=0.7)]
)
def test_a_parent_that_its_own_rung_does_not_show_is_passed_over(rung: RungSpec) -> None:
    values = in_tree(TORN, {("category", "network"): rung})

    assert (values["category"].choice, values["category"].basis) == ("vpn", "model")
    assert route(values, "category", held=False) == "review"


def test_a_parent_whose_field_is_in_shadow_is_not_shown_either() -> None:
    values = in_tree(TORN, {("category", ""): RungSpec(level="shadow")})

    assert (values["category"].choice, values["category"].level) == (None, "shadow")


def test_what_follows_but_was_retired_is_not_proposed() -> None:
    fields = [TREE[0], replace(FIELDS[1], choices={"desk": ChoiceSpec("desk")})]

    values = opinions(fields, {"category": TORN}, {"team": "netops"}, {}, draw=0.0)

    assert values["team"].choice is None


def test_a_prediction_of_retired_choices_alone_counts_as_none() -> None:
    values = opinions(
        TREE, {"category": Predicted({"fax": 1.0})}, {"category": "mail"}, {}, draw=0.0
    )

    assert (values["category"].choice, values["category"].basis) == ("mail", "helpdesk")


# --- Whatever the figures, rungs and rules are ----------------------------------------------
KEYS = ("vpn", "wifi", "network", "mail", "fax")
rungs_of = st.dictionaries(
    st.tuples(st.just("category"), st.sampled_from((*KEYS, ""))),
    st.builds(
        RungSpec,
        level=st.sampled_from(LEVELS),
        cap=st.sampled_from(LEVELS),
        threshold=st.floats(0, 1),
        canary_percent=st.just(100),
        certified_from=st.none() | st.floats(0, 1),
        stopped=st.booleans(),
    ),
)


@given(
    st.dictionaries(st.sampled_from(KEYS), st.floats(0, 1)),
    st.floats(0, 1),
    st.builds(Thresholds, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    rungs_of,
    st.sampled_from((*KEYS, None)),
)
def test_no_way_leads_to_a_retired_choice_or_from_a_doubt_to_automatic_action(
    said: dict[str, float],
    in_scope: float,
    thresholds: Thresholds,
    rungs: dict[tuple[str, str], RungSpec],
    ruled: str | None,
) -> None:
    """`fax` is retired, and so is the team `gone`; a rule and the helpdesk may name both."""
    mail = replace(MAIL, implies={"team": "gone"})
    fields = [
        replace(TREE[0], choices={**TREE[0].choices, "mail": mail}, thresholds=thresholds),
        TREE[1],
    ]
    values = opinions(
        fields,
        {"category": Predicted(said, in_scope)},
        {"category": "fax", "team": "gone"},
        rungs,
        draw=0.0,
    )
    asked = {"category": (ruled, 1)} if ruled else {}
    final = with_rules(fields, values, Outcome(values=asked))

    for spec in fields:
        assert final[spec.key].choice in {*spec.choices, None}
    for value in values.values():
        assert (value.doubt == "") == (value.asked is None)
        assert not (value.doubt and value.choice)
        assert not (value.basis == "parent" and value.level != "suggest")
        assert not (value.choice is None and value.level in ("prefill", "auto"))
    if values["category"].choice is None:
        assert route(values, "category", held=False) != "auto"
