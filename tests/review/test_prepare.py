"""What a new installation has after one command, and keeps what owners made of it."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from knox.models import AuthToken

from review.models import Reason
from review.tasks import tidy

pytestmark = pytest.mark.django_db


def prepare() -> None:
    call_command("prepare", stdout=StringIO())


def test_roles_and_reasons_are_there_after_the_first_run() -> None:
    prepare()

    assert Group.objects.count() == 4
    counts = {kind: Reason.objects.filter(applies_to=kind).count() for kind in Reason.AppliesTo}
    assert counts == {"override": 9, "escalate": 4, "send_back": 4, "skip": 4}
    assert set(Reason.objects.filter(key="other").values_list("needs_text", flat=True)) == {True}


def test_what_an_owner_made_of_the_reasons_stays() -> None:
    prepare()
    Reason.objects.filter(applies_to="escalate").delete()
    Reason.objects.filter(key="unclear").update(label="Cannot be read", is_active=False)

    prepare()

    assert not Reason.objects.filter(applies_to="escalate").exists()
    assert Reason.objects.get(key="unclear").label == "Cannot be read"


def test_tidying_forgets_what_has_expired_and_nothing_else() -> None:
    user = User.objects.create_user("ann")
    AuthToken.objects.create(user, expiry=timedelta(seconds=-1))
    AuthToken.objects.create(user, expiry=timedelta(days=1))
    for days in (-1, 1):
        session = SessionStore()
        session["x"] = 1
        session.save()
        Session.objects.filter(pk=session.session_key).update(
            expire_date=timezone.now() + timedelta(days=days)
        )

    tidy()
    tidy()

    assert AuthToken.objects.count() == 1
    assert Session.objects.count() == 1
