"""Two databases on one server, one with few rows and one with many, asked in turn by one process,
so that a busy machine slows both.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg import sql

from bench.speed import filled, on_record
from bench.speed.setting import BenchFailed, Setting
from bench.world import new_desk
from review.models import Reason
from review.roles import TECHNICIAN, ensure_groups, give_role
from triage.models import Certificate, Choice, Field, ModelVersion

SMALL, LARGE = "pages_small", "pages_large"
# PostgreSQL finds the last element of an array of texts by passing all others.
SENTENCES, LONGEST = 400, 120


@contextmanager
def databases(setting: Setting, *, for_reports: bool = False) -> Iterator[Client]:
    """Both of them filled, and a technician who is signed in to either; dropped afterwards.

    For reports every ticket that does not wait was decided or applied, and checks, drills and
    stories are on record.
    """
    few, many = setting.sizes.pages_few, setting.sizes.pages
    past: dict[str, Any] = {}
    if for_reports:
        past = {"every_decided": 1, "auto": on_record.EVERY_AUTO, "more": on_record.STEPS}
    _statement("CREATE DATABASE {}", SMALL)
    try:
        with inside(SMALL):
            call_command("migrate", interactive=False, verbosity=0)
            ground, reviewer = _ground(setting)
            client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
            client.force_login(reviewer)
            filled.fill(ground, 1, few, **past)
        _statement("CREATE DATABASE {} TEMPLATE {}", LARGE, SMALL)
        with inside(LARGE):
            began = time.perf_counter()
            filled.fill(ground, few + 1, many, **past)
            setting.tell(f"{many:,} tickets, after {time.perf_counter() - began:.0f} s")
        # As config/wsgi.py does.
        gc.collect()
        gc.freeze()
        yield client
    finally:
        for name in (LARGE, SMALL):
            _statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Django's connection leads to another database of the same server."""
    was = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = was


def milliseconds(client: Client, path: str) -> float:
    began = time.perf_counter()
    response = client.get(path)
    passed = 1000 * (time.perf_counter() - began)
    if response.status_code != 200:
        raise BenchFailed(f"{path} answered {response.status_code}.")
    return passed


def _statement(text: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


def _ground(setting: Setting) -> tuple[filled.Ground, User]:
    desk = new_desk()
    call_command("prepare", verbosity=0)
    ensure_groups()
    reviewer = User.objects.create_user("maya")
    give_role(reviewer, TECHNICIAN)
    model = ModelVersion.objects.create(
        field=Field.objects.get(source=desk.source, is_main=True),
        number=1,
        owner=desk.source.owner,
        state=ModelVersion.State.CHAMPION,
        artefact="none.skops",
        sha256="0" * 64,
        label_count=0,
    )
    choice = Choice.objects.filter(field=model.field).earliest("rank", "pk")
    Certificate.objects.create(
        field=model.field,
        choice=choice,
        model_version=model,
        threshold=0.9,
        alpha=0.05,
        delta=0.1,
        checks=300,
        errors=3,
        issued_by=desk.source.owner,
        expires_at=timezone.now() + timedelta(days=60),
    )
    sentences = sorted({row.body[:LONGEST] for row in setting.corpus.fresh})[:SENTENCES]
    reason = Reason.objects.filter(applies_to=Reason.AppliesTo.OVERRIDE).earliest("pk")
    others = (User.objects.create_user(f"person-{n}") for n in range(1, on_record.REVIEWERS))
    people = [reviewer.pk, *(other.pk for other in others)]
    return filled.Ground(desk, model, reason, sentences, people), reviewer
