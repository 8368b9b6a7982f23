"""Rows and actions that tests of every room need. Each maker takes what is to be different."""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pgtrigger
import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count
from django.test import Client, TransactionTestCase
from pytest_django import DjangoDbBlocker, Settings

from review import recalled
from review.cache import PatientRedis
from review.metrics import rollups
from review.roles import (
    AI_OWNER,
    AUDITOR,
    ROLES,
    TEAM_LEAD,
    TECHNICIAN,
    ensure_groups,
    give_role,
    permissions_of,
)
from tests.emptying import emptied
from tests.groups import group_of
from triage import tasks
from triage.intake import callers
from triage.models import Choice, Field, Source, SourceSecret, Ticket, TicketVersion

PROJECT = Path(__file__).resolve().parent.parent
INBOUND_SECRET = "a-secret-of-the-tests-that-is-long-enough"
OPENED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CATALOGUE = {
    "category": ("access", "hardware", "network"),
    "team": ("service-desk", "infrastructure"),
    "priority": ("low", "normal", "urgent"),
}
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    # Static files come from the apps here; nothing has collected them.
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning:whitenoise")
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning:django")
    # A fifth of a second for each person with a password, otherwise.
    configured.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *configured.PASSWORD_HASHERS,
    ]
    # Each client of the tests would look through all static files, otherwise.
    configured.WHITENOISE_AUTOREFRESH = True
    # However slow the machine is, the cache of this process answers: a pause would fail a test.
    caches: dict[str, dict[str, Any]] = configured.CACHES
    for cache in caches.values():
        cache["OPTIONS"] |= {"socket_timeout": 20, "socket_connect_timeout": 20}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes comes first, so that no worker begins it when the others have ended."""
    items.sort(key=lambda item: group_of(item.nodeid) is None)


@pytest.fixture(autouse=True, scope="session")
def quickly_emptied() -> Iterator[None]:
    """Tests that commit end by emptying every table; few of a hundred have rows by then."""
    original: Callable[[TransactionTestCase], None] = vars(TransactionTestCase)["_fixture_teardown"]

    def teardown(case: TransactionTestCase) -> None:
        if not emptied():
            with pgtrigger.ignore("triage.LedgerEntry:no_truncate"):
                original(case)

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        ensure_groups()


@pytest.fixture(scope="module")
def rows_of_a_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is made in it stays until the module ends, whose tests may commit nothing."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def no_remembered_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the door remembers of a source would outlive the source here."""
    monkeypatch.setattr(callers, "_remembered", {})


@pytest.fixture(autouse=True)
def a_cache_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that took the cache away leaves no pause behind for the next ones."""
    monkeypatch.setattr(PatientRedis, "silent_until", 0.0)


@pytest.fixture(autouse=True)
def nothing_recalled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that pages keep for some seconds are those of other rows here.

    In a test their seconds do not pass, or a page would ask for them anew on a slow machine.
    """
    recalled.forget()
    if "browser" not in request.keywords:
        monkeypatch.setattr(recalled, "monotonic", float)


@pytest.fixture(autouse=True)
def all_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, pages wait for the newest figures; some tests set otherwise."""
    monkeypatch.setattr(rollups, "PAGE_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def nothing_drawn_by_chance(settings: Settings) -> None:
    """What is applied without a person would otherwise be drawn for a check now and then."""
    settings.COUNTERSIGN_BLIND_LEAST = 0.0


# --- People ---------------------------------------------------------------------------------
def new_user(username: str, *roles: str, **over: Any) -> User:
    """A person without a password; `roles` are names from review.roles."""
    user = User.objects.create_user(username, **over)
    if roles and not groups_are_whole():
        ensure_groups()
    for role in roles:
        give_role(user, role)
    # Permissions are remembered on the object from its first question on.
    return User.objects.get(pk=user.pk)


def groups_are_whole() -> bool:
    """Not so after a test that changed them and committed it. Making them takes 40 queries."""
    held = Group.objects.annotate(held=Count("permissions")).values_list("name", "held")
    return dict(held) == {role: len(permissions_of(role)) for role in ROLES}


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    return new_user


@pytest.fixture
def technician(db: None) -> User:
    return new_user("maya", TECHNICIAN, first_name="Maya", last_name="Berg")


@pytest.fixture
def ai_owner(db: None) -> User:
    return new_user("olivia", AI_OWNER)


@pytest.fixture
def team_lead(db: None) -> User:
    return new_user("theo", TEAM_LEAD)


@pytest.fixture
def auditor(db: None) -> User:
    return new_user("audrey", AUDITOR)


# --- Rows -----------------------------------------------------------------------------------
def new_secret(source: Source, value: str = INBOUND_SECRET, **over: Any) -> SourceSecret:
    secret = SourceSecret(source=source, **{"purpose": SourceSecret.Purpose.INBOUND} | over)
    secret.put(value)
    secret.save()
    return secret


def new_source(**over: Any) -> Source:
    """An active source with one live inbound secret, INBOUND_SECRET, and no API address.

    Nothing is answered first there, unless `blind_share` says otherwise.
    """
    over.setdefault("blind_share", 0.0)
    over.setdefault("second_share", 0.0)
    slug = over.setdefault("slug", f"desk{next(_numbers)}")
    if "owner" not in over:
        over["owner"] = User.objects.create_user(f"owner-of-{slug}")
    source = Source.objects.create(**{"name": slug.title()} | over)
    new_secret(source)
    return source


def new_catalogue(source: Source) -> dict[str, Choice]:
    """Category (main), team and priority (ordered) as in CATALOGUE; the choices by their keys.

    The category network implies the team infrastructure.
    """
    choices = {}
    for position, (key, choice_keys) in enumerate(CATALOGUE.items()):
        field = Field.objects.create(
            source=source,
            key=key,
            name=key.title(),
            position=position,
            is_main=key == "category",
            is_ordered=key == "priority",
        )
        for rank, choice in enumerate(choice_keys, 1):
            choices[choice] = Choice.objects.create(
                field=field, key=choice, name=choice.title(), rank=rank
            )
    choices["network"].implies.add(choices["infrastructure"])
    return choices


def new_ticket(source: Source, **over: Any) -> Ticket:
    """A ticket as it stands after its first delivery was read, but not proposed yet."""
    values = {
        "external_id": f"T-{next(_numbers)}",
        "version": 1,
        "subject": "VPN drops every hour",
        "body": "Since Monday the tunnel closes after an hour.",
        "requester": "ann@example.org",
        "opened_at": OPENED,
    }
    ticket = Ticket.objects.create(source=source, **values | over)
    TicketVersion.objects.create(
        ticket=ticket,
        version=ticket.version,
        subject=ticket.subject,
        body=ticket.body,
        values=ticket.values,
    )
    return ticket


@pytest.fixture
def make_source(db: None) -> Callable[..., Source]:
    return new_source


@pytest.fixture
def make_secret(db: None) -> Callable[..., SourceSecret]:
    return new_secret


@pytest.fixture
def make_catalogue(db: None) -> Callable[[Source], dict[str, Choice]]:
    return new_catalogue


@pytest.fixture
def make_ticket(db: None) -> Callable[..., Ticket]:
    return new_ticket


@pytest.fixture
def source(make_source: Callable[..., Source]) -> Source:
    """The source `desk`."""
    return make_source(slug="desk")


@pytest.fixture
def catalogue(
    source: Source, make_catalogue: Callable[[Source], dict[str, Choice]]
) -> dict[str, Choice]:
    """The choices of the source `desk` by their keys."""
    return make_catalogue(source)


# --- What helpdesks and workers do ----------------------------------------------------------
def ticket_message(**over: Any) -> dict[str, Any]:
    """A webhook payload about a ticket; `over` changes its data."""
    data = {
        "id": "T-1",
        "version": 1,
        "subject": "VPN drops every hour",
        "body": "Since Monday the tunnel closes after an hour.",
        "requester": {"address": "ann@example.org", "name": "Ann Weber"},
        "opened_at": OPENED.isoformat(),
    }
    return {"type": "ticket.created", "data": data | over}


def event_message(**over: Any) -> dict[str, Any]:
    """A webhook payload about an event of ticket T-1; `over` changes its data."""
    data = {
        "id": "E-1",
        "ticket_id": "T-1",
        "kind": "resolved",
        "happened_at": OPENED.isoformat(),
    }
    return {"type": "ticket.event", "data": data | over}


def signed(
    body: bytes, *, webhook_id: str, secret: str = INBOUND_SECRET, at: int | None = None
) -> dict[str, str]:
    """The three headers of Standard Webhooks; `at` is in seconds since 1970, None means now."""
    moment = int(time.time()) if at is None else at
    coded = secret.removeprefix("whsec_")
    key = base64.b64decode(coded) if coded != secret else secret.encode()
    digest = hmac.digest(key, f"{webhook_id}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post_signed(
    client: Client,
    source: Source,
    message: object,
    *,
    webhook_id: str = "",
    secret: str = INBOUND_SECRET,
    at: int | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """Deliver a message (bytes as they are, anything else as JSON) as the helpdesk would."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    name = webhook_id or f"msg_{next(_numbers)}"
    return client.post(
        f"/api/v1/sources/{source.slug}/webhook",
        body,
        content_type="application/json",
        headers={**signed(body, webhook_id=name, secret=secret, at=at), **headers},
    )


@pytest.fixture
def deliver(client: Client, db: None) -> Callable[..., Any]:
    """`deliver(source, message, webhook_id=..., secret=..., at=..., headers=...)` -> response."""
    return partial(post_signed, client)


@pytest.fixture
def work(db: None) -> Callable[[], int]:
    """Do all jobs that are due now; answers how many attempts that took."""

    def until_nothing_is_due() -> int:
        done = 0
        while claimed := tasks.work_once():
            done += claimed
        return done

    return until_nothing_is_due


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public data sets that are not part of the project; TRIAGE_DATA_DIR says where they are."""
    path = Path(os.environ.get("TRIAGE_DATA_DIR", PROJECT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"The public data sets are not at {path}; set TRIAGE_DATA_DIR.")
    return path
