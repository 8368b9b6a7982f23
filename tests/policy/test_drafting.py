"""What is proposed, by whom, and where the ticket goes."""

from triage.policy.drafting import (
    ChoiceSpec,
    DraftValue,
    FieldSpec,
    Predicted,
    RungSpec,
    opinions,
    route,
    with_rules,
)
from triage.policy.routing import Outcome

VPN = ChoiceSpec("vpn", ancestors=frozenset({"network"}), implies={"team": "netops"})
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
    values = propose({"category": Predicted("vpn", 0.9), "team": Predicted("desk", 0.99)})

    assert (values["team"].choice, values["team"].basis) == ("netops", "follows")


def test_where_nothing_follows_the_model_answers() -> None:
    values = propose({"category": Predicted("mail", 0.9), "team": Predicted("desk", 0.7)})

    assert (values["team"].choice, values["team"].basis) == ("desk", "model")
    assert values["team"].probability == 0.7


def test_below_its_threshold_a_choice_is_left_open_with_its_probability() -> None:
    rungs = {("category", "vpn"): RungSpec(threshold=0.8)}
    values = propose({"category": Predicted("vpn", 0.79)}, rungs=rungs)

    assert values["category"].choice is None
    assert values["category"].probability == 0.79
    assert values["team"].choice is None
    assert route(values, "category", held=False) == "review"


def test_the_fields_own_rung_holds_for_choices_without_one() -> None:
    rungs = {("category", ""): RungSpec(level="off"), ("category", "mail"): RungSpec()}

    assert propose({"category": Predicted("vpn", 1.0)}, rungs=rungs)["category"].choice is None
    assert propose({"category": Predicted("mail", 1.0)}, rungs=rungs)["category"].choice == "mail"


def test_shadow_on_the_main_field_keeps_the_ticket_out_of_the_queue() -> None:
    rungs = {("category", "vpn"): RungSpec(level="shadow")}
    values = propose({"category": Predicted("vpn", 0.9)}, rungs=rungs)

    assert route(values, "category", held=False) == "shadow"
    assert route(values, "category", held=True) == "hold"


def test_auto_acts_only_with_a_certificate_and_inside_the_canary_share() -> None:
    certified = RungSpec(level="auto", certified_from=0.9, canary_percent=25)
    sure = {"category": Predicted("vpn", 0.95)}

    def way(rung: RungSpec, predicted: dict[str, Predicted], draw: float) -> str:
        values = propose(predicted, rungs={("category", "vpn"): rung}, draw=draw)
        return route(values, "category", held=False)

    assert way(certified, sure, 0.24) == "auto"
    assert way(certified, sure, 0.25) == "review"
    assert way(certified, {"category": Predicted("vpn", 0.89)}, 0.0) == "review"
    assert way(RungSpec(level="auto"), sure, 0.0) == "review"
    stopped = RungSpec(level="auto", certified_from=0.9, canary_percent=100, stopped=True)
    assert way(stopped, sure, 0.0) == "review"


def test_what_a_rule_sets_stands_and_names_the_rule() -> None:
    values = propose({"category": Predicted("vpn", 0.9)})
    ruled = with_rules(FIELDS, values, Outcome(values={"priority": ("high", 7)}))

    assert (ruled["priority"].choice, ruled["priority"].basis) == ("high", "rule")
    assert ruled["priority"].rule_version == 7
    assert ruled["category"] == values["category"]


def test_a_rule_on_the_category_moves_the_team_unless_a_rule_sets_that_too() -> None:
    values = propose({"category": Predicted("mail", 0.9), "team": Predicted("desk", 0.6)})

    moved = with_rules(FIELDS, values, Outcome(values={"category": ("vpn", 1)}))
    both = with_rules(FIELDS, values, Outcome(values={"category": ("vpn", 1), "team": ("desk", 2)}))

    assert (moved["team"].choice, moved["team"].basis) == ("netops", "follows")
    assert (both["team"].choice, both["team"].basis) == ("desk", "rule")


def test_a_rule_cannot_set_a_choice_that_is_no_longer_live() -> None:
    values = propose({"category": Predicted("mail", 0.9)})

    ruled = with_rules(FIELDS, values, Outcome(values={"category": ("fax", 1), "gone": ("x", 2)}))

    assert ruled == values
