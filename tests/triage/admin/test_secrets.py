"""Secrets go in, are used, and never come out again."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from tests.conftest import INBOUND_SECRET, new_secret, ticket_message
from tests.triage.admin.conftest import signed_in
from triage.admin.secret_forms import make
from triage.helpdesks import DIALECTS
from triage.models import LedgerEntry, Source, SourceSecret

LONG = "a-token-that-nobody-else-may-ever-read-0042"
ADD = "admin:triage_sourcesecret_add"


def shown_secret(page: str) -> str:
    found = re.search(r'desk-secret">([^<]+)<', page)
    assert found
    return unescape(found[1])


def test_a_written_secret_is_sealed_and_shows_only_its_end(desk: Client, source: Source) -> None:
    answer = desk.post(
        reverse(ADD), {"source": source.pk, "purpose": "outbound", "new_secret": LONG}
    )

    assert answer.status_code == 302
    secret = SourceSecret.objects.get(purpose="outbound")
    assert secret.value() == LONG
    assert LONG not in secret.sealed
    page = desk.get(reverse("admin:triage_sourcesecret_change", args=[secret.pk])).content.decode()
    assert "…0042" in page


def test_no_page_of_the_desk_holds_a_stored_secret(desk: Client, source: Source) -> None:
    secret = source.secrets.get()
    pages = [
        reverse("admin:triage_source_change", args=[source.pk]),
        reverse("admin:triage_source_history", args=[source.pk]),
        reverse("admin:triage_sourcesecret_changelist"),
        reverse("admin:triage_sourcesecret_change", args=[secret.pk]),
        reverse("admin:triage_sourcesecret_history", args=[secret.pk]),
    ]

    for page in pages:
        text = desk.get(page).content.decode()
        assert INBOUND_SECRET not in text, page
        assert secret.sealed not in text, page


def test_neither_history_nor_ledger_holds_the_value(
    desk: Client, source: Source, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    desk.post(reverse(ADD), {"source": source.pk, "purpose": "inbound", "new_secret": LONG})

    [payload] = recorded("secret")
    assert payload["event"] == "added"
    assert payload["purpose"] == "inbound"
    assert LONG not in str(payload)
    assert not LogEntry.objects.filter(change_message__contains=LONG).exists()
    assert not LogEntry.objects.filter(object_repr__contains=LONG).exists()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("x" * 23, "this one has 23"),
        ("whsec_" + "QUJD", "this one has 3"),
        ("whsec_not base64 at all, however long it may be", "must be base64"),
    ],
)
def test_a_weak_signing_secret_is_refused_with_the_rule(
    desk: Client, source: Source, value: str, complaint: str
) -> None:
    answer = desk.post(
        reverse(ADD), {"source": source.pk, "purpose": "inbound", "new_secret": value}
    )

    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert value not in answer.content.decode()
    assert SourceSecret.objects.count() == 1


@pytest.mark.parametrize("value", ["x" * 24, "whsec_" + "A" * 32])
def test_the_shortest_allowed_signing_secrets_are_taken(
    desk: Client, source: Source, value: str
) -> None:
    desk.post(reverse(ADD), {"source": source.pk, "purpose": "inbound", "new_secret": value})

    assert source.secrets.order_by("-pk")[0].value() == value


def test_a_secret_can_be_added_on_the_page_of_its_source(
    desk: Client, source: Source, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    page = reverse("admin:triage_source_change", args=[source.pk])
    form = desk.get(page).context["adminform"].form
    data = {name: form.initial[name] for name in form.fields if form.initial.get(name) is not None}
    data |= {"fields-TOTAL_FORMS": 0, "fields-INITIAL_FORMS": 0}
    data |= {"secrets-TOTAL_FORMS": 2, "secrets-INITIAL_FORMS": 1}
    data |= {"secrets-0-id": source.secrets.get().pk, "secrets-0-source": source.pk}
    data |= {"secrets-1-purpose": "outbound", "secrets-1-new_secret": LONG}

    answer = desk.post(page, data)

    assert answer.status_code == 302, answer.context["errors"]
    assert source.secrets.get(purpose="outbound").value() == LONG
    assert source.secrets.get(purpose="inbound").value() == INBOUND_SECRET
    assert [payload["event"] for payload in recorded("secret")] == ["added"]


def test_a_made_secret_is_shown_once_and_signs_deliveries(
    desk: Client, source: Source, deliver: Callable[..., Any]
) -> None:
    page = reverse("admin:triage_source_make_secret", args=[source.pk])

    asked = desk.get(page)
    assert source.secrets.count() == 1
    made = desk.post(page)

    value = shown_secret(made.content.decode())
    assert source.secrets.order_by("-pk")[0].value() == value
    assert "no-store" in made["Cache-Control"]
    assert "whsec_" not in asked.content.decode()
    assert (
        "whsec_" not in desk.get(reverse("admin:triage_sourcesecret_changelist")).content.decode()
    )
    assert deliver(source, ticket_message(), secret=value).status_code == 202


def test_two_made_secrets_differ_and_have_32_bytes() -> None:
    first, second = make(), make()

    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


def test_a_retired_secret_signs_nothing_any_more(
    desk: Client,
    source: Source,
    deliver: Callable[..., Any],
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    secret = source.secrets.get()
    page = reverse("admin:triage_sourcesecret_retire_one", args=[secret.pk])

    desk.get(page)
    assert deliver(source, ticket_message()).status_code == 202
    desk.post(page)

    assert deliver(source, ticket_message(), webhook_id="later").status_code == 401
    assert [payload["event"] for payload in recorded("secret")] == ["retired"]


def test_retiring_several_leaves_those_that_were_retired_before(
    desk: Client, source: Source
) -> None:
    first = source.secrets.get()
    second = new_secret(source, LONG)
    page = reverse("admin:triage_sourcesecret_changelist")

    desk.post(page, {"action": "retire", "_selected_action": [first.pk]})
    first.refresh_from_db()
    rest = {"action": "retire", "_selected_action": [first.pk, second.pk], "sure": "yes"}
    desk.post(page, rest)

    before = first.retired_at
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.retired_at == before
    assert second.retired_at is not None
    assert LedgerEntry.objects.filter(subject__startswith="secret:").count() == 2


def test_the_steps_of_a_change_lead_from_the_old_secret_to_the_new_without_a_gap(
    desk: Client, source: Source, deliver: Callable[..., Any]
) -> None:
    page = reverse("admin:triage_source_change", args=[source.pk])
    old = source.secrets.get()
    assert "One is live:" in desk.get(page).content.decode()

    value = shown_secret(
        desk.post(reverse("admin:triage_source_make_secret", args=[source.pk])).content.decode()
    )
    text = desk.get(page).content.decode()
    assert "2 are live, and each opens the door:" in text
    assert f"Open the old one, …{old.hint}," in text
    both = [
        deliver(source, ticket_message(), secret=one).status_code for one in (INBOUND_SECRET, value)
    ]
    retire = reverse("admin:triage_sourcesecret_retire_one", args=[old.pk])
    asked = desk.get(retire).content.decode()
    assert "no other live inbound secret" not in asked
    desk.post(retire)

    after = [
        deliver(source, ticket_message(), secret=one).status_code for one in (INBOUND_SECRET, value)
    ]
    assert (both, after) == ([202, 202], [401, 202])


def test_retiring_the_last_inbound_secret_is_warned_of(desk: Client, source: Source) -> None:
    secret = source.secrets.get()
    new_secret(source, LONG, purpose="outbound")
    new_secret(source, "a retired secret of good length", retired_at=timezone.now())

    asked = desk.get(reverse("admin:triage_sourcesecret_retire_one", args=[secret.pk]))

    text = asked.content.decode()
    assert "has no other live inbound secret" in text
    assert "Retire and take no more deliveries" in text
    assert source.secrets.filter(retired_at__isnull=True).count() == 2


def test_retiring_all_of_a_source_from_the_list_is_asked_about_first(
    desk: Client, source: Source
) -> None:
    first, second = source.secrets.get(), new_secret(source, LONG)
    page = reverse("admin:triage_sourcesecret_changelist")
    both = {"action": "retire", "_selected_action": [first.pk, second.pk]}

    asked = desk.post(page, both)
    assert "has no other live inbound secret" in asked.content.decode()
    assert not source.secrets.filter(retired_at__isnull=False).exists()
    desk.post(page, both | {"sure": "yes"})

    assert not source.secrets.filter(retired_at__isnull=True).exists()


def test_without_a_live_secret_the_source_says_that_nothing_can_arrive(
    desk: Client, source: Source
) -> None:
    source.secrets.update(retired_at=timezone.now())

    text = desk.get(reverse("admin:triage_source_change", args=[source.pk])).content.decode()

    assert "None is live: nothing can arrive." in text


@pytest.mark.skipif(not shutil.which("openssl"), reason="The shell example signs with openssl.")
@pytest.mark.parametrize("helpdesk", sorted(DIALECTS))
def test_the_shell_example_of_a_source_makes_a_delivery_that_is_taken(
    desk: Client, client: Client, source: Source, helpdesk: str
) -> None:
    """The example as it stands on the page, with a curl that only prints what it was given."""
    Source.objects.filter(pk=source.pk).update(helpdesk=helpdesk)
    value = shown_secret(
        desk.post(reverse("admin:triage_source_make_secret", args=[source.pk])).content.decode()
    )
    page = desk.get(reverse("admin:triage_source_change", args=[source.pk])).content.decode()
    example = unescape(re.search(r'desk-code">(SECRET=.*?)</pre>', page, re.DOTALL)[1])  # type: ignore[index]  # else the test fails here
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + example.replace("whsec_...", value)

    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)

    _, url, *rest = done.stdout.decode().rstrip("\0").split("\0")
    headers = dict(part.split(": ", 1) for part in rest[1:-2:2])
    answer = client.post(
        urlsplit(url).path,
        rest[-1],
        content_type=headers.pop("content-type"),
        headers=headers,
    )
    assert answer.status_code == 202, answer.content


def test_a_token_is_shown_once_and_opens_the_api(
    desk: Client,
    client: Client,
    technician: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    page = reverse("admin:knox_authtoken_add")
    form = desk.get(page).context["adminform"].form
    expiry = timezone.localtime(form.initial["expiry"])

    made = desk.post(
        page, {"user": technician.pk, "expiry_0": f"{expiry:%Y-%m-%d}", "expiry_1": "12:00:00"}
    )

    value = shown_secret(made.content.decode())
    token = AuthToken.objects.get()
    assert token.user == technician
    assert "no-store" in made["Cache-Control"]
    listed = desk.get(reverse("admin:knox_authtoken_changelist")).content.decode()
    assert value not in listed
    assert token.token_key not in listed
    assert recorded("token")[0]["user"] == technician.pk
    tickets = client.get("/api/v1/tickets/", headers={"authorization": f"Token {value}"})
    assert tickets.status_code == 200


def test_only_who_may_do_everything_makes_a_token_that_may(desk: Client, root: User) -> None:
    page = reverse("admin:knox_authtoken_add")
    form = {"user": root.pk, "expiry_0": "2999-01-01", "expiry_1": "12:00:00"}

    refused = desk.post(page, form)

    assert "Select a valid choice" in refused.content.decode()
    assert not AuthToken.objects.exists()
    assert shown_secret(signed_in(root).post(page, form).content.decode())


def test_a_revoked_token_opens_nothing(desk: Client, client: Client, technician: User) -> None:
    token, value = AuthToken.objects.create(user=technician)

    desk.post(reverse("admin:knox_authtoken_delete", args=[token.pk]), {"post": "yes"})

    tickets = client.get("/api/v1/tickets/", headers={"authorization": f"Token {value}"})
    assert tickets.status_code == 401
