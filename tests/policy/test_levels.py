"""The pure ladder and the stored rungs speak of the same levels."""

from tests.policy.samples import make_facts
from triage.models.policy import Level, RuleVersion
from triage.policy.conditions import matches
from triage.policy.ladder import LEVELS


def test_levels_stand_in_the_order_in_which_rungs_store_them() -> None:
    assert list(LEVELS) == Level.values


def test_every_stored_way_of_combining_is_understood() -> None:
    hours = [{"kind": "out_of_hours"}]
    for combine in RuleVersion.Combine.values:
        assert not matches(combine, hours, make_facts())
