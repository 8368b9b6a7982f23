"""Where to look first: differences that chance does not explain, and no others."""

import numpy as np
import pytest

from review.metrics import definitions, figures
from review.metrics.definitions import Definition
from review.metrics.figures import AI, Bucket, Row
from review.metrics.findings import SHOWN, Finding, findings
from review.metrics.report import Report
from tests.review.metrics.helpers import make_scope

pytestmark = pytest.mark.django_db
Rate = tuple[int, int]


def acceptance(**groups: Rate) -> Report:
    return _report(definitions.ACCEPTANCE, ("accepted", "n"), groups)


def escalated(**groups: Rate) -> Report:
    return _report(definitions.ESCALATED, ("hit", "n"), groups)


def reopened(ai: Rate = (0, 0), human: Rate = (0, 0)) -> Report:
    definition = definitions.REOPENED
    row = Row(
        ("vpn",),
        {
            AI: figures.rate(ai[0], ai[1], definition, Bucket(definition.key)),
            "overridden": figures.rate(human[0], human[1], definition, Bucket(definition.key)),
            "difference": figures.difference(ai, human, definition),
        },
    )
    return Report(definition, make_scope(), (), (), (row,), (row,), 0)


def _report(definition: Definition, names: tuple[str, str], groups: dict[str, Rate]) -> Report:
    rows = tuple(
        Row(
            (name,),
            {
                key: figures.count(n, Bucket(definition.key))
                for key, n in zip(names, kn, strict=True)
            },
        )
        for name, kn in groups.items()
    )
    return Report(definition, make_scope(), (), (), rows, (), 0)


def said(found: list[Finding]) -> list[tuple[str, bool]]:
    return [(finding.name, finding.helps) for finding in found]


def test_a_group_far_below_the_rest_hurts_and_one_far_above_helps() -> None:
    found = findings(
        acceptance(vpn=(40, 100), wifi=(98, 100), printer=(75, 100)), escalated(), reopened()
    )

    assert said(found) == [("vpn", False), ("wifi", True)]
    assert found[0].text == (
        "accepted 40\N{NO-BREAK SPACE}% of 100, elsewhere 86\N{NO-BREAK SPACE}%"
    )


def test_many_escalations_hurt_and_few_help() -> None:
    found = findings(
        acceptance(), escalated(vpn=(40, 100), wifi=(0, 100), printer=(15, 100)), reopened()
    )

    assert said(found) == [("vpn", False), ("wifi", True)]


def test_what_comes_back_more_often_after_the_ais_value_hurts() -> None:
    assert said(findings(acceptance(), escalated(), reopened((30, 100), (5, 100)))) == [
        ("vpn", False)
    ]
    assert said(findings(acceptance(), escalated(), reopened((5, 100), (30, 100)))) == [
        ("vpn", True)
    ]


def test_groups_too_small_or_without_a_rest_are_not_compared() -> None:
    few = findings(acceptance(vpn=(0, 9), wifi=(90, 100)), escalated(), reopened())
    alone = findings(acceptance(vpn=(0, 100)), escalated(), reopened((19, 19), (0, 100)))

    assert said(few) == []
    assert said(alone) == []


def test_at_most_a_few_are_shown_on_each_side_the_weightiest_first() -> None:
    groups = {f"low{i}": (10 * i, 100) for i in range(6)} | {
        f"high{i}": (100 - i, 100) for i in range(6)
    }

    found = findings(acceptance(**groups), escalated(), reopened())

    assert [f.helps for f in found] == [False] * SHOWN + [True] * SHOWN
    assert found[0].name == "low0"
    assert found[0].weight >= found[1].weight


def test_where_all_groups_are_alike_hardly_a_page_shows_anything() -> None:
    draws = np.random.default_rng(3).binomial(60, 0.75, size=(300, 12))

    shown = [
        bool(
            findings(
                acceptance(**{f"g{i}": (int(k), 60) for i, k in enumerate(row)}),
                escalated(),
                reopened(),
            )
        )
        for row in draws
    ]

    # At most 5 % of pages by construction; three standard errors of 300 above that.
    assert np.mean(shown) < 0.05 + 3 * 0.0126
