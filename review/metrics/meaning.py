"""What there is to say about a metric, whoever says it: the service or a team."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise

from review.models.definitions import LEAST_PEOPLE, MetricDefinition

Text = str | Promise
Audience = MetricDefinition.Audience
# No definition can be given a longer outcome window.
MOST_OUTCOME_DAYS = 90


class Unit(StrEnum):
    SHARE = "share"
    SECONDS = "seconds"
    POINTS = "points"
    NUMBER = "number"
    KAPPA = "kappa"


@dataclass(frozen=True)
class Parameter:
    """A number that a formula leaves to the team, within bounds; `default` is the service's own."""

    label: Text
    unit: Text
    least: int
    most: int
    default: int


@dataclass(frozen=True)
class Definition:
    """`number` is the metric's number in the handbook, where it has one.

    Below `min_n` cases a rate is not shown: it would say more about chance than about work. Groups
    of fewer than `min_people` are not shown either. `values` are those that a version has chosen
    for its parameters. `unratified` says why it is in force although no vote ratified it; empty for
    one that was ratified and for the service's own, which nobody has voted on. One that
    `is_about_people` says how people work, and passes review/metrics/gate.py before it is shown.
    """

    key: str
    number: int | None
    version: int
    name: Text
    formula: Text
    caveat: Text
    unit: Unit
    min_n: int
    purpose: Text
    audience: Audience = Audience.TEAM
    min_people: int = LEAST_PEOPLE
    is_about_people: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    is_ratified: bool = False
    unratified: str = ""

    def value(self, parameter: str) -> int:
        """KeyError for a parameter that the metric does not have."""
        return self.values.get(parameter, self.parameters[parameter].default)
