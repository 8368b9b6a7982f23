"""Two versions side by side, as the owner reads them."""

from collections.abc import Callable
from html import unescape

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import new_ticket
from tests.triage.admin.rows import new_prediction
from tests.triage.admin.test_service import checks
from triage.models import Choice, ModelVersion

MakeVersion = Callable[..., ModelVersion]


def shown(desk: Client, version: ModelVersion, query: str = "") -> str:
    page = reverse("admin:triage_modelversion_compare", args=[version.pk])
    return unescape(desk.get(f"{page}{query}").content.decode())


def test_the_shadow_is_shown_beside_the_champion_by_choice_and_overall(
    desk: Client, make_version: MakeVersion, choices: dict[str, Choice]
) -> None:
    now, shadow = make_version(), make_version(state="shadow")
    checks(
        choices,
        ((now, "network"), (shadow, "network"), "network", 95),
        ((now, "network"), (shadow, "access"), "access", 12),
    )

    html = shown(desk, now)

    assert "category v2 beside category v1" in html
    assert "+11.2 points (+4.9 to +17.2)" in html
    assert '<th scope="row">Network</th><td>95</td><td>100.0%</td><td>100.0%</td>' in html
    # Twelve checks are no rate.
    assert '<th scope="row">Access</th><td>12</td><td>too few</td>' in html
    assert "category v2 beside category v1" in shown(desk, shadow)


def test_what_would_change_is_counted_and_listed_with_links(
    desk: Client, make_version: MakeVersion, choices: dict[str, Choice]
) -> None:
    now, shadow = make_version(), make_version(state="shadow")
    tickets = [new_ticket(now.field.source) for _ in range(30)]
    for ticket in tickets:
        new_prediction(ticket, now, network=0.9)
        new_prediction(ticket, shadow, access=0.9)

    first, second = shown(desk, now), shown(desk, now, "?page=2")

    assert '<td>Network</td><td>Access</td><td class="desk-number">30</td>' in first
    newest, oldest = (
        f'<a href="{reverse("admin:triage_ticket_change", args=[ticket.pk])}">'
        for ticket in (tickets[-1], tickets[0])
    )
    assert newest in first
    assert oldest not in first
    assert oldest in second
    assert "Page 2 of 2" in second


def test_a_version_that_was_never_in_shadow_is_compared_by_its_held_out_figures(
    desk: Client, make_version: MakeVersion
) -> None:
    make_version(evidence={"accuracy": 0.9, "macro_f1": 0.8, "only_here": 1})
    candidate = make_version(state="candidate", evidence={"accuracy": 0.92, "macro_f1": 0.85})

    html = shown(desk, candidate)

    assert "Put the challenger into shadow" in html
    assert '<th scope="row">Accuracy</th><td>0.9000</td><td>0.9200</td><td>+0.0200</td>' in html
    assert "blind checks of live tickets that both predicted: 0, too few" in html


def test_another_version_is_chosen_from_the_newest(desk: Client, make_version: MakeVersion) -> None:
    now, old = make_version(), make_version(state="retired")
    make_version(state="shadow")

    assert "category v3 beside category v1" in shown(desk, now)
    assert "category v2 beside category v1" in shown(desk, now, f"?with={old.pk}")


def test_the_page_asks_the_same_of_the_database_whatever_there_is(
    desk: Client, make_version: MakeVersion, choices: dict[str, Choice]
) -> None:
    now, shadow = make_version(), make_version(state="shadow")

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            shown(desk, now)
        return len(caught)

    checks(choices, ((now, "network"), (shadow, "access"), "access", 2))
    asked()  # From then on the session comes from its copy.
    few = asked()
    checks(choices, ((now, "network"), (shadow, "access"), "access", 40))

    assert asked() == few <= 22
