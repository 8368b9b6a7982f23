"""Nothing of a drill leaves it: every table is counted before and after."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client

from review import erasure
from review.metrics import rollups
from review.metrics.registry import ENTRIES
from review.models import Drill, DrillAnswer
from tests.review.drills.world import make_answer, make_drill, make_known, make_ready
from tests.review.helpers import Desk, make_proposal, make_reasons
from tests.review.metrics.helpers import make_scope
from triage import ledger
from triage.erasure import Whose
from triage.models import Proposal, Ticket, Touched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("always_drawn")]
OWN = {Drill, DrillAnswer}


def everything() -> dict[type[Model], list[Mapping[str, Any]]]:
    """All rows of all tables but those of drills and of the session."""
    return {
        model: sorted(model._default_manager.values(), key=str)
        for model in apps.get_models()
        if model not in OWN and model is not Session and model._meta.managed
    }


@pytest.mark.parametrize("way", ["accept", "override", "escalate", "send-back", "skip"])
def test_a_drill_changes_no_row_of_any_other_table(
    client: Client, desk: Desk, maya: User, way: str
) -> None:
    reasons = make_reasons()
    make_ready(desk, maya)
    past = make_known(desk, truth="network.wifi")
    live = make_proposal(desk)
    client.force_login(maya)
    client.get(f"/tickets/{live.ticket_id}/")
    client.post(f"/proposals/{live.pk}/accept")
    make_proposal(desk)
    assert Drill.objects.exists()
    before = everything()

    client.get(f"/tickets/{past.ticket_id}/")
    values = {
        "choice-category": desk["access"].pk,
        "reason-category": reasons["override.wrong"].pk,
        "reason": reasons[f"{way.replace('-', '_')}.wrong"].pk if way != "accept" else "",
        "text": "Words that are kept nowhere.",
    }
    client.post(f"/proposals/{past.pk}/{way}", values)
    client.get(f"/drills/answers/{Drill.objects.get().pk}/")

    assert DrillAnswer.objects.count() == 1
    after = everything()
    assert {model: rows for model, rows in after.items() if rows != before[model]} == {}
    assert ledger.verify() is None


def test_no_other_figure_moves(desk: Desk, maya: User) -> None:
    past = make_known(desk, truth="network.wifi")
    rollups.recount()
    scope = make_scope()
    others = {key: entry for key, entry in ENTRIES.items() if key != "drill-hits"}
    before = {key: entry.report(scope) for key, entry in others.items()}

    make_answer(make_drill(desk, maya, past, "network.vpn"), is_accepted=True)

    assert not Touched.objects.exists()
    assert {key: entry.report(scope) for key, entry in others.items()} == before


def test_erasing_a_ticket_removes_its_drills(desk: Desk, maya: User) -> None:
    past, other = make_known(desk), make_known(desk)
    for proposal in (past, other):
        make_answer(make_drill(desk, maya, proposal, "network.vpn"), is_accepted=True)
    whose = Whose(desk.source, ticket=past.ticket.external_id)
    assert erasure.preview(whose).counts.named()[erasure.DRILLS] == 1

    report = erasure.erase(whose, by=None)

    assert report.counts.named()[erasure.DRILLS] == 1
    assert Drill.objects.get().proposal == other
    assert DrillAnswer.objects.get().drill.proposal == other
    assert Proposal.objects.filter(ticket=Ticket.objects.get(pk=past.ticket_id)).exists()
