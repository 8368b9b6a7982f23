"""The frame around the desk: its policy for scripts, its sidebar, its first page."""

from csp.constants import HEADER
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.triage.admin.conftest import signed_in


def test_only_the_desk_and_the_api_browser_get_the_relaxed_policy(desk: Client) -> None:
    desk_policy = desk.get(reverse("admin:index"))[HEADER]
    api_policy = desk.get("/api/docs/")[HEADER]
    review_policy = desk.get(reverse("account_login"))[HEADER]

    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in desk_policy
    assert desk_policy == api_policy
    assert "unsafe" not in review_policy
    for directive in settings.RELAXED_POLICY:
        assert directive in desk_policy


def test_the_sidebar_shows_what_the_person_may_open(desk: Client, team_lead: User) -> None:
    tokens = f'href="{reverse("admin:knox_authtoken_changelist")}"'
    rules = f'href="{reverse("admin:triage_escalationrule_changelist")}"'
    owner = desk.get(reverse("admin:index")).content.decode()
    lead = signed_in(team_lead).get(reverse("admin:index")).content.decode()

    assert rules in owner
    assert rules in lead
    assert tokens in owner
    assert tokens not in lead


def test_the_first_page_offers_the_stop_to_those_who_may_pull_it(
    desk: Client, auditor: User
) -> None:
    stop = reverse("admin:triage_emergencystop_everything")

    assert stop in desk.get(reverse("admin:index")).content.decode()
    assert stop not in signed_in(auditor).get(reverse("admin:index")).content.decode()
