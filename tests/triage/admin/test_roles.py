"""Who may open which page of the desk, exactly."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from review.roles import AI_OWNER, AUDITOR, ROLES, TEAM_LEAD, TECHNICIAN, ensure_groups, give_role
from tests.conftest import new_user
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import one_of_everything
from triage.models import (
    EmergencyStop,
    LabelDoubt,
    ModelVersion,
    TrainingRun,
)

OPEN, SHUT, ELSEWHERE = 200, 403, 302
# Page: what the AI owner, the team lead and the auditor are answered on list, add and change.
WRITES = (OPEN, OPEN, OPEN)
READS = (OPEN, SHUT, OPEN)
NOTHING = (SHUT, SHUT, SHUT)
POLICY = (WRITES, READS, READS)
RECORD = (READS, READS, READS)
PAGES = {
    "triage.source": POLICY,
    "triage.sourcesecret": POLICY,
    "triage.field": POLICY,
    "triage.choice": POLICY,
    "triage.escalationrule": POLICY,
    "triage.playbook": POLICY,
    "triage.rung": POLICY,
    "triage.emergencystop": POLICY,
    "triage.certificate": RECORD,
    "triage.modelversion": RECORD,
    "triage.driftfinding": RECORD,
    "triage.retrainingproposal": RECORD,
    "triage.prediction": RECORD,
    "triage.label": RECORD,
    "triage.labeldoubt": RECORD,
    # Asked for, and never edited: the page of one shows how far it is.
    "triage.trainingrun": POLICY,
    "triage.delivery": RECORD,
    "triage.ticket": RECORD,
    "triage.proposal": RECORD,
    "triage.effect": RECORD,
    "triage.job": RECORD,
    "triage.ledgerentry": RECORD,
    "review.decision": RECORD,
    "review.reason": POLICY,
    "review.skip": (NOTHING, NOTHING, READS),
    # Agreed anew, never edited: the page of one shows what was agreed.
    "review.teamagreement": (NOTHING, WRITES, READS),
    "review.drillprogramme": POLICY,
    "review.drill": (READS, NOTHING, READS),
    "review.spotcheck": (READS, NOTHING, READS),
    "review.blindanswer": (NOTHING, NOTHING, READS),
    "knox.authtoken": (WRITES, NOTHING, READS),
    "auth.user": (NOTHING, NOTHING, READS),
    "auth.group": (NOTHING, NOTHING, READS),
}


@pytest.fixture
def rows(make_version: Callable[..., ModelVersion]) -> dict[str, Model]:
    """One row of every table that has a page, by the table's name."""
    found = [*one_of_everything(make_version(), 1), Group.objects.get(name=AUDITOR)]
    return {row._meta.label_lower: row for row in found}


def answers(client: Client, label: str, row: Model) -> tuple[int, ...]:
    name = f"admin:{label.replace('.', '_')}"
    addresses = [reverse(f"{name}_{page}") for page in ("changelist", "add")]
    addresses.append(reverse(f"{name}_change", args=[row.pk]))
    return tuple(client.get(address).status_code for address in addresses)


@pytest.mark.parametrize("role", [AI_OWNER, TEAM_LEAD, AUDITOR])
def test_each_role_is_answered_exactly_as_the_table_says(role: str, rows: dict[str, Model]) -> None:
    client = signed_in(new_user("somebody", role))
    place = [AI_OWNER, TEAM_LEAD, AUDITOR].index(role)

    found = {label: answers(client, label, rows[label]) for label in PAGES}

    assert found == {label: expected[place] for label, expected in PAGES.items()}


def test_the_table_names_every_page_of_our_own_tables() -> None:
    ours = {"triage", "review", "knox", "auth"}
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert {label for label in registered if label.split(".")[0] in ours} == PAGES.keys()


def test_pages_of_libraries_are_shut_to_all_roles(db: None) -> None:
    clients = [signed_in(new_user(f"in {role}", role)) for role in (AI_OWNER, TEAM_LEAD, AUDITOR)]
    others = [m for m in admin.site._registry if m._meta.label_lower not in PAGES]
    lists = [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in others]

    assert lists
    assert {client.get(page).status_code for client in clients for page in lists} == {SHUT}


def test_technicians_are_not_let_in(rows: dict[str, Model], technician: User) -> None:
    client = signed_in(technician)

    assert {answers(client, label, row) for label, row in rows.items()} == {(ELSEWHERE,) * 3}
    assert client.get(reverse("admin:index"), follow=True).status_code == SHUT


def test_strangers_are_sent_to_the_sign_in_of_the_review_pages(db: None) -> None:
    answer = Client().get(reverse("admin:index"), follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


@pytest.mark.parametrize("role", [TEAM_LEAD, AUDITOR])
def test_readers_see_no_button_that_saves_or_acts(role: str, rows: dict[str, Model]) -> None:
    client = signed_in(new_user("reader", role))
    place = [AI_OWNER, TEAM_LEAD, AUDITOR].index(role)
    readable = [label for label, expected in PAGES.items() if expected[place] == READS]

    for label in readable:
        name = f"admin:{label.replace('.', '_')}"
        page = client.get(reverse(f"{name}_change", args=[rows[label].pk])).content.decode()
        listed = client.get(reverse(f"{name}_changelist")).content.decode()
        for button in ('name="_save"', 'name="_continue"', 'name="_addanother"', "/delete/"):
            assert button not in page, label
            assert button not in listed, label
        for action in (
            "/retire/",
            "/release/",
            "/promote/",
            "/shadow/",
            "/unshadow/",
            "/roll-back/",
            "/dismiss/",
            "/certify/",
            "/make-secret/",
            "/cancel/",
            "/wrong/",
            "/train/",
            "formaction",
        ):
            assert action not in page, label


@pytest.mark.parametrize("role", [TEAM_LEAD, AUDITOR])
def test_readers_cannot_act_by_posting_either(role: str, rows: dict[str, Any]) -> None:
    client = signed_in(new_user("reader", role))
    acts = [
        reverse("admin:triage_source_make_secret", args=[rows["triage.source"].pk]),
        reverse("admin:triage_sourcesecret_retire_one", args=[rows["triage.sourcesecret"].pk]),
        reverse("admin:triage_emergencystop_release", args=[rows["triage.emergencystop"].pk]),
        reverse("admin:triage_emergencystop_everything"),
        reverse("admin:triage_rung_try_to_certify", args=[rows["triage.rung"].pk]),
        reverse(
            "admin:triage_modelversion_put_into_service", args=[rows["triage.modelversion"].pk]
        ),
        *(
            reverse(f"admin:triage_modelversion_{act}", args=[rows["triage.modelversion"].pk])
            for act in ("roll_back", "put_into_shadow", "take_out_of_shadow")
        ),
        reverse(
            "admin:triage_retrainingproposal_dismiss", args=[rows["triage.retrainingproposal"].pk]
        ),
        reverse("admin:triage_trainingrun_add"),
        reverse("admin:triage_trainingrun_cancel", args=[rows["triage.trainingrun"].pk]),
        reverse("admin:triage_field_train", args=[rows["triage.field"].pk]),
        reverse("admin:triage_labeldoubt_this_is_wrong", args=[rows["triage.labeldoubt"].pk]),
    ]

    assert {client.post(act, {"reason": "why not"}).status_code for act in acts} == {SHUT}
    assert EmergencyStop.objects.get().released_at is None
    assert rows["triage.source"].secrets.get().retired_at is None
    assert TrainingRun.objects.get().cancelled_at is None
    assert LabelDoubt.objects.get().verdict == ""


@pytest.mark.parametrize("role", [TEAM_LEAD, AUDITOR])
def test_readers_may_look_at_comparison_and_drift(role: str, rows: dict[str, Any]) -> None:
    client, version = signed_in(new_user("reader", role)), rows["triage.modelversion"]
    pages = [
        reverse(f"admin:triage_modelversion_{page}", args=[version.pk])
        for page in ("compare", "drift")
    ]

    assert [client.get(page).status_code for page in pages] == [OPEN, OPEN]


def test_groups_are_made_once_and_mended_when_somebody_changed_them(db: None) -> None:
    Group.objects.all().delete()
    call_command("prepare", stdout=StringIO())
    group = Group.objects.get(name=AUDITOR)
    before = set(group.permissions.values_list("pk", flat=True))
    group.permissions.set([])

    ensure_groups()

    assert set(group.permissions.values_list("pk", flat=True)) == before
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_auditors_may_look_at_everything_and_change_nothing(auditor: User) -> None:
    codes = {name.split(".")[1] for name in auditor.get_all_permissions()}

    # A concern is answered beside the line, not in it.
    told = {"report_concern", "answer_concern", "receive_weeklyreport"}
    assert {code for code in codes if not code.startswith("view_")} == told
    assert {"view_ledgerentry", "view_decision", "view_logentry", "view_user"} <= codes


def test_technicians_decide_and_nothing_else(technician: User) -> None:
    assert technician.get_all_permissions() == {
        "review.view_decision",
        "review.add_decision",
        "review.report_concern",
        "review.shape_metricdefinition",
        "triage.view_ticket",
        "triage.view_proposal",
    }


def test_roles_at_the_desk_open_it_and_others_do_not(db: None) -> None:
    people = {role: User.objects.create_user(role.replace(" ", "")) for role in ROLES}
    for role, user in people.items():
        give_role(user, role)

    assert {role for role, user in people.items() if user.is_staff} == {
        AI_OWNER,
        TEAM_LEAD,
        AUDITOR,
    }
    assert not people[TECHNICIAN].is_staff


def test_giving_a_role_on_the_page_of_a_person_lets_them_in(root: User, technician: User) -> None:
    lead = Group.objects.get(name=TEAM_LEAD)
    page = reverse("admin:auth_user_change", args=[technician.pk])

    answer = signed_in(root).post(
        page, {"username": "maya", "groups": [lead.pk], "is_active": "on"}
    )

    technician.refresh_from_db()
    assert answer.status_code == ELSEWHERE
    assert technician.is_staff
